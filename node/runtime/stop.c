/* stop.c - how a node ends: the wish to, and what the fault says of why. */

#include "node/runtime/internal.h"

void node_stop(struct node *n, int code)
{
    if (!n->stopping) {
        n->stopping = true;
        n->stopping_ns = uv_hrtime();
    }
    n->code = n->code == 0 ? code : n->code;
}

void node_fail(struct node *n, enum node_exit code, const char *hint, const char *what)
{
    node_fault_set(n->fault, code, hint, "%s: %s", n->home.data, what);
    node_stop(n, (int)code);
}

bool node_not_opened(struct node *n, const char *what, enum nv_err err)
{
    node_fault_set(n->fault,
                   err == NV_ERR_NO_MEMORY ? NODE_EXIT_FAILED : NODE_EXIT_STORAGE,
                   NULL,
                   "%s: %s: %s",
                   n->home.data,
                   what,
                   nv_err_text(err));
    return false;
}
