/* engine.c - the engine is stepped, and what a step asks for is performed. */

#include "base/assert.h"

#include "node/replica/internal.h"

/* outdated: a body was dropped after the engine had been told of it, and had given it
 * up: there was no room for it. */
static bool outdated(struct replica *r, const struct cs_event *event)
{
    return event->kind == CS_EV_BODY && event->body.verdict != CS_BODY_INVALID &&
           !replica__body_there(r, &event->body.block_hash);
}

void replica__run(struct replica *r)
{
    NV_ASSERT(!r->stepping);
    r->stepping = true;
    while (r->pending_count > 0 && !r->halted) {
        struct cs_event event = r->pending[r->pending_first];
        r->pending_first = (r->pending_first + 1) % REPLICA_PENDING_MAX;
        r->pending_count--;
        if (outdated(r, &event)) {
            continue;
        }
        event.now_ns = r->time.now_ns;
        event.wall_ms = r->time.wall_ms;
        if (event.kind == CS_EV_LINK) { /* a link has its number of now */
            event.link.peer = replica_roster_number(&r->roster, event.link.peer);
        }
        cs_step(r->cs, &event, r->fx);
        for (uint32_t i = 0; i < r->fx->count; i++) {
            replica__perform(r, &r->fx->list[i]);
        }
    }
    r->stepping = false;
    if (!r->halted) {
        replica__bodies_check(r);
    }
}

void replica__input(struct replica *r, struct replica_time t, const struct cs_event *event)
{
    r->time = t;
    if (r->started && !r->halted) {
        replica__event(r, event);
        replica__run(r);
    }
}
