/* handles.c - the end of the module: its memory goes with the last thing of the
 * loop. */

#include "base/assert.h"
#include "base/heap.h"
#include "base/secret.h"

#include "p2p/dial.h"
#include "p2p/state.h"

static void scratch_free(struct p2p__scratch *scratch)
{
    nv_heap_free(scratch->read);
    nv_heap_free(scratch->plain);
    nv_heap_free(scratch->write);
    nv_heap_free(scratch->batch);
    nv_heap_free(scratch->envelope_memory);
}

static void p2p_free(struct p2p *p2p)
{
    if (p2p->gossip != NULL) {
        p2p__gossip_close(p2p->gossip);
    }
    if (p2p->dialler != NULL) {
        p2p__dialler_free(p2p->dialler);
    }
    if (p2p->tls != NULL) {
        p2p__tls_context_close(p2p->tls);
    }
    scratch_free(&p2p->scratch);
    p2p__peers_deinit(&p2p->peers);
    p2p__admission_deinit(&p2p->admission);
    nv_heap_free(p2p->by_place);
    nv_heap_free(p2p->timer);
    nv_heap_free(p2p->turn);
    nv_heap_free(p2p->idle);
    nv_secret_close(p2p->seckey, sizeof(*p2p->seckey));
    nv_heap_free(p2p);
}

void p2p__handle_gone(struct p2p *p2p)
{
    NV_ASSERT(p2p->handles >= 1);
    p2p->handles--;
    if (p2p->handles == 0) {
        void (*on_closed)(void *ctx) = p2p->on_closed;
        void *ctx = p2p->on_closed_ctx;
        p2p_free(p2p);
        if (on_closed != NULL) {
            on_closed(ctx);
        }
    }
}
