#include "tests/sim/epoch.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/sim.h"

#define VIEWS_EACH 256u /* of an epoch, where there are several */
_Static_assert(VIEWS_EACH *SIM_EPOCHS_MAX <= SIM_VIEWS_MAX, "all have their slots");

void sim_epochs_begin(struct sim *sim)
{
    sim->epoch[1] = (struct sim_epoch){
        .begun = true,
        .start_ms = SIM_GENESIS_MS,
        .opened = sim->net.chain_id,
        .set = *sim_candidate(sim, 0),
    };
}

void sim_epochs_free(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->candidate_count; i++) {
        free(sim->candidate[i]);
    }
    free(sim->candidate);
    sim->candidate = NULL;
    sim->candidate_count = 0;
}

/* ---- the sets that the state gives ---- */

/* edge_stakes gives the first member two thirds of the stake to the very last unit,
 * which is no quorum, and the last one the smallest stake, which makes it one. */
static void edge_stakes(struct cs_validator *members, uint32_t count)
{
    uint64_t left = UINT64_C(1) << 60;
    members[0].stake = UINT64_C(1) << 61;
    for (uint32_t i = 1; i < count; i++) {
        uint64_t const share = i + 2 < count ? left / 2 : left - 1;
        members[i].stake = i + 1 == count ? 1 : share;
        left -= members[i].stake;
    }
    NV_ASSERT(left == 0);
}

/* choose makes the set of one stretch of heights: most hosts, with stakes that
 * differ. */
static void choose(const struct sim *sim, struct cs_valset *set, uint32_t stretch)
{
    struct sim_rng rng = {sim->seed * 31 + stretch};
    struct cs_validator members[SIM_HOSTS_MAX];
    uint32_t count = 0;
    (void)sim_next(&rng);
    uint32_t const least = sim->conf.members_min;
    for (uint32_t id = 0; id < sim->conf.validators; id++) {
        uint32_t const rest = sim->conf.validators - id;
        bool const must = count + rest <= least || sim->conf.churn == 0;
        bool const chosen = must || sim_chance(&rng, 600000);
        uint32_t const fixed = stretch == 0 ? sim->conf.first : sim->conf.rest;
        if (fixed != 0 ? (fixed >> id & 1u) != 0 : chosen) {
            members[count] = sim->net.set.member[id];
            if (sim->conf.churn > 0 && sim->conf.stake_most > SIM_STAKE_EDGE) {
                members[count].stake = sim_between(&rng, 1, sim->conf.stake_most);
            }
            count++;
        }
    }
    if (sim->conf.stake_most == SIM_STAKE_EDGE) {
        edge_stakes(members, count);
    }
    enum nv_err const err = cs_valset_init(set, members, count);
    NV_ASSERT(err == NV_OK);
}

const struct cs_valset *sim_candidate(struct sim *sim, uint64_t height)
{
    uint32_t const stretch = sim->conf.churn > 0 ? (uint32_t)(height / sim->conf.churn) : 0;
    if (stretch >= sim->candidate_count) {
        uint32_t const count = stretch + 16;
        sim->candidate = realloc(sim->candidate, count * sizeof(struct cs_valset *));
        NV_ASSERT(sim->candidate != NULL);
        memset(sim->candidate + sim->candidate_count,
               0,
               (count - sim->candidate_count) * sizeof(struct cs_valset *));
        sim->candidate_count = count;
    }
    if (sim->candidate[stretch] == NULL) {
        sim->candidate[stretch] = malloc(sizeof(struct cs_valset));
        NV_ASSERT(sim->candidate[stretch] != NULL);
        choose(sim, sim->candidate[stretch], stretch);
    }
    return sim->candidate[stretch];
}

/* ---- numbers ---- */

uint64_t sim_slot(const struct sim *sim, uint64_t epoch, uint64_t view)
{
    if (sim->conf.epoch_ms == 0) {
        return epoch == 1 && view < SIM_VIEWS_MAX ? view : SIM_VIEWS_MAX;
    }
    bool const inside = epoch < SIM_EPOCHS_MAX && view < VIEWS_EACH;
    return inside ? epoch * VIEWS_EACH + view : SIM_VIEWS_MAX;
}

uint32_t sim_number(const struct sim *sim, const struct cs_valset *set, uint32_t id)
{
    uint32_t const key = sim->host[id].key;
    if (key == CS_NOBODY) {
        return CS_PEER_OTHER + id;
    }
    uint32_t const index = cs_valset_find(set, &sim->net.set.member[key].key);
    return index < set->count ? index : CS_PEER_OTHER + id;
}

uint32_t sim_named(const struct sim *sim, const struct cs_valset *set, uint32_t peer)
{
    if (peer >= CS_PEER_OTHER) {
        return peer - CS_PEER_OTHER;
    }
    return peer < set->count ? cs_valset_find(&sim->net.set, &set->member[peer].key)
                             : SIM_HOSTS_MAX;
}

/* ---- what must hold ---- */

bool epoch_opens(const struct sim *sim, uint64_t epoch, const struct nv_hash *hash)
{
    return epoch < SIM_EPOCHS_MAX && sim->epoch[epoch].begun &&
           nv_hash_eq(&sim->epoch[epoch].opened, hash);
}

void epoch_check(struct sim *sim, const struct cs_header *header, const struct cs_header *parent)
{
    static const struct nv_hash none;
    uint64_t const e = header->epoch;
    bool const last = memcmp(&header->next_valset_hash, &none, sizeof none) != 0;
    if (e >= SIM_EPOCHS_MAX || !sim->epoch[e].begun) {
        sim_fail(sim, "E1: a block of epoch %u, which has not begun", (unsigned)e);
        return;
    }
    uint64_t const time_ms = parent != NULL ? parent->time_ms : SIM_GENESIS_MS;
    uint64_t const executed = parent != NULL ? parent->executed_height : 0;
    bool const due =
        sim->conf.epoch_ms > 0 && time_ms >= sim->epoch[e].start_ms + sim->conf.epoch_ms;
    if (last != due && !sim->conf.fork) {
        sim_fail(sim, "E2: height %u closes its epoch or does not", (unsigned)header->height);
    }
    if (last &&
        memcmp(&header->next_valset_hash, &sim_candidate(sim, executed)->hash, sizeof none) != 0) {
        sim_fail(sim, "E3: height %u names another next set", (unsigned)header->height);
    }
    if (parent != NULL && parent->epoch == e &&
        memcmp(&parent->next_valset_hash, &none, sizeof none) != 0) {
        sim_fail(sim, "E4: height %u stands on the end of its epoch", (unsigned)header->height);
    }
}

void epoch_ended(struct sim *sim, const struct cs_handover *handover)
{
    uint64_t const next = handover->header.epoch + 1;
    struct cs_valset set;
    if (next >= SIM_EPOCHS_MAX) {
        sim_fail(sim, "too many epochs");
        return;
    }
    enum nv_err const err = cs_valset_decode(&set, handover->set);
    NV_ASSERT(err == NV_OK); /* it was decoded with the record */
    struct sim_epoch *const begun = &sim->epoch[next];
    if (!begun->begun) {
        begun->begun = true;
        begun->begun_ns = sim->now_ns;
        begun->start_ms = handover->header.time_ms;
        begun->opened = handover->final.ballot.block_hash;
        begun->set = set;
        sim_trace(sim, 0, "epoch", next, set.count);
    }
    if (sim->conf.fork) {
        return; /* as many ways as there are chains */
    }
    if (!nv_hash_eq(&begun->opened, &handover->final.ballot.block_hash) ||
        !nv_hash_eq(&begun->set.hash, &set.hash)) {
        sim_fail(sim, "E5: epoch %u begins in two ways", (unsigned)next);
    }
}
