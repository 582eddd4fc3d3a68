/* signals.c - SIGINT and SIGTERM end the node. */

#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"

#include "node/runtime/internal.h"

static void on_signal(uv_signal_t *signal, int number)
{
    struct node *const n = signal->data;
    if (n->stopping && !n->rejoins) {
        _exit(NODE_EXIT_FAILED); /* asked twice: at once; the journal bears it */
    }
    n->rejoins = false;
    nv_log(NV_LOG_INFO, "event=stopping signal=%d", number);
    node_stop(n, NODE_EXIT_OK);
}

void node_watch_signals(struct node *n)
{
    int result = uv_signal_start(&n->sigint, on_signal, SIGINT);
    result |= uv_signal_start(&n->sigterm, on_signal, SIGTERM);
    NV_ASSERT(result == 0);
}
