/* loop.c - what the parts ask of the loop: the time, and to come back. */

#include <uv.h>

#include "p2p/state.h"

uint64_t p2p__now(const struct p2p *p2p)
{
    uint64_t const now_ms = uv_now(p2p->loop);
    return now_ms != 0 ? now_ms : 1;
}

uint64_t p2p__precise_ns(void)
{
    uint64_t const now_ns = uv_hrtime();
    return now_ns != 0 ? now_ns : 1;
}

/* on_idle has nothing to do: it is that it runs which keeps the loop from waiting,
 * and tells the end of the turn that there is work. */
static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

void p2p__wake(struct p2p *p2p)
{
    if (!p2p->closing) {
        (void)uv_idle_start(p2p->idle, on_idle);
    }
}
