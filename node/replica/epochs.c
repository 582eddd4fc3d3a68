/* epochs.c - which validators there are, and whose links (roster.h). */

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "node/replica/internal.h"

/* ---- epochs ---- */

enum nv_err replica__epochs_open(struct replica *r, const struct nv_pubkey *node_keys)
{
    replica_roster_init(&r->roster, &r->valset, node_keys);
    r->checkers = replica__checkers_new(&r->valset);
    return r->checkers == NULL ? NV_ERR_NO_MEMORY : NV_OK;
}

void replica__epochs_close(struct replica *r)
{
    replica__checkers_drop(r->checkers);
    r->checkers = NULL;
}

void replica__epoch_begin(struct replica *r, const struct cs_valset *set)
{
    replica_roster_turn(&r->roster, set);
    memset(r->asked, 0, sizeof r->asked);
    replica__checkers_drop(r->checkers);
    r->checkers = replica__checkers_new(set);
    NV_ASSERT(r->checkers != NULL); /* no message could be checked: stop */
}

void replica__epoch_tell(struct replica *r)
{
    struct replica_set *const sets = nv_heap_alloc(2 * sizeof *sets);
    struct cs_summary const summary = cs_summary(r->cs);
    NV_ASSERT(sets != NULL); /* links would be kept to the wrong nodes: stop */
    sets[0] = r->roster.present;
    sets[1] = r->roster.last;
    struct replica_op const op = {
        .kind = REPLICA_EPOCH,
        .epoch = {summary.epoch, summary.me, &sets[0], &sets[1]},
    };
    replica__op(r, &op, (uint8_t *)sets);
}

void replica__learn(struct replica *r, const struct replica_set *set)
{
    uint32_t link = 0;
    bool const changed = replica_roster_learn(&r->roster, set);
    while (replica_roster_named(&r->roster, &link)) {
        if (r->started) {
            replica__event(
                r, &(struct cs_event){.kind = CS_EV_LINK, .link = {.peer = link, .up = true}});
        }
    }
    if (changed && r->started && !r->halted) {
        replica__epoch_tell(r);
    }
}
