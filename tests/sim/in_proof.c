/* A world with one witness: somebody signs two votes that conflict, before one pair
 * of eyes.  In even seeds the witness dies at once and tells nobody when it is
 * back: only its own block can hold the proof.  In odd ones nobody hears its first
 * word, nor any proposal of its own: it must say it again. */

#include "tests/sim/scenario.h"

#define OFFENDER 0u
#define WITNESS  1u
#define DEAF_NS  (1000 * SIM_MS) /* nobody hears of a proof before */

enum {
    WITNESS_BEFORE = 0,
    WITNESS_SAW,
    WITNESS_DIED,
};

static bool dies(const struct sim *sim)
{
    return sim->seed % 2 == 0;
}

void witness_configure(struct sim *sim)
{
    scene_choose(sim);
    sim->conf.byzantine = 1u << OFFENDER;
    sim->conf.status_ns = 400 * SIM_MS;
    sim->conf.measure_ns = 2500 * SIM_MS;
    sim->conf.end_ns = 5000 * SIM_MS;
    sim->conf.live_least = 4;
    sim_poll(sim, sim_between(&sim->rng, 100, 500) * SIM_MS);
}

/* sign_twice shows the witness two votes for blocks that are not there. */
static void sign_twice(struct sim *sim)
{
    uint64_t const view = cs_summary(sim->host[WITNESS].cs).view + 2;
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t bytes[CS_VOTE_SIZE];
        struct nv_writer w;
        struct cs_ballot const ballot =
            cs_build_ballot(CS_NOTARIZE, view, view - 1, cs_build_hash(900 + i));
        struct cs_vote const vote = cs_build_vote(&sim->net, &ballot, OFFENDER);
        nv_writer_init(&w, bytes, sizeof bytes);
        cs_vote_put(&w, &vote);
        sim_net_send(sim, OFFENDER, WITNESS, CS_MSG_VOTE, nv_writer_view(&w));
    }
}

void witness_script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    if (sim->stage == WITNESS_BEFORE) {
        sim->stage = WITNESS_SAW;
        sign_twice(sim);
    } else if (sim->accused_count > 0 && (sim->accused[0].keepers >> WITNESS & 1u) != 0) {
        sim->stage = WITNESS_DIED;
        if (dies(sim)) {
            sim_host_crash(sim, &sim->host[WITNESS]);
        }
    }
    if (sim->stage != WITNESS_DIED) {
        sim_poll(sim, sim->now_ns + SIM_MS);
    }
}

bool witness_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    (void)to;
    (void)bytes;
    if (type == CS_MSG_EVIDENCE) {
        return !dies(sim) && sim->now_ns > DEAF_NS;
    }
    return dies(sim) || type != CS_MSG_PROPOSAL || from != WITNESS;
}

void witness_finish(struct sim *sim)
{
    if (sim->accused_count == 0 || sim->accused[0].height == 0) {
        sim_fail(sim, "a proof that was on a disk is in no block");
    }
}
