/* events.c - events that wait for the engine. */

#include "base/assert.h"

#include "node/replica/internal.h"

void replica__event(struct replica *r, const struct cs_event *event)
{
    NV_ASSERT(r->pending_count < REPLICA_PENDING_MAX);
    uint32_t const at = (r->pending_first + r->pending_count) % REPLICA_PENDING_MAX;
    r->pending[at] = *event;
    r->pending_count++;
}

void replica__work(struct replica *r)
{
    uint32_t const waiting = node_mempool_count(r->mempool);
    if (waiting != r->waiting_told) {
        r->waiting_told = waiting;
        struct cs_event const event = {.kind = CS_EV_WORK, .work = {.waiting = waiting}};
        replica__event(r, &event);
    }
}

struct cs_event replica__executed_event(const struct replica_outcome *outcome)
{
    return (struct cs_event){
        .kind = CS_EV_EXECUTED,
        .executed = {.height = outcome->height,
                     .root = outcome->root,
                     .next = outcome->next != NULL ? &outcome->next->set : NULL},
    };
}
