/* 13: more than a third is faulty, and the chain forks.  The honest are in two
 * groups that do not hear each other.  The faulty sign in each group what it
 * proposes, and nullify what it nullifies, so that each goes its own way; then the
 * groups hear each other again, and whoever stops must name the faulty and nobody
 * else.
 *
 * In half of the seeds there are epochs, and the faulty sign in the first ones only:
 * when the groups hear each other the epoch in which they parted has ended. */

#include <string.h>

#include "base/assert.h"

#include "tests/sim/sim.h"

/* The sizes: hosts, and of them faulty, such that one half of the others and the
 * faulty are a quorum. */
static const uint32_t sizes[5][2] = {{4, 2}, {7, 3}, {10, 4}, {13, 5}, {7, 5}};

void fork_configure(struct sim *sim)
{
    const uint32_t *const size = sizes[sim_below(&sim->rng, 5)];
    sim->conf.validators = size[0];
    sim->conf.fork = true;
    sim->conf.byzantine = (1u << size[1]) - 1u;
    sim->conf.gst_ns = sim_between(&sim->rng, 300, 4000) * SIM_MS; /* they hear each other again */
    sim->conf.end_ns = sim->conf.gst_ns + 8000 * SIM_MS;
    sim->conf.loss = sim_chance(&sim->rng, 500000) ? (uint32_t)sim_below(&sim->rng, 100000) : 0;
    if (sim_chance(&sim->rng, 500000)) {
        sim->conf.epoch_ms = sim_between(&sim->rng, 100, 700);
        sim->conf.status_ns = 300 * SIM_MS;
        sim->stage = (uint32_t)sim_between(&sim->rng, 1, 3); /* the last epoch in which they sign */
    }
}

/* signs returns whether the faulty still sign. */
static bool signs(const struct sim *sim, uint64_t epoch)
{
    return sim->stage == 0 || epoch <= sim->stage;
}

static bool honest(const struct sim *sim, uint32_t id)
{
    return (sim->conf.byzantine >> id & 1u) == 0;
}

static bool together(const struct sim *sim, uint32_t a, uint32_t b)
{
    return honest(sim, a) && honest(sim, b) && a % 2 == b % 2;
}

/* sign_all sends to the group of `to` every faulty one's vote. */
static void sign_all(struct sim *sim, uint32_t to, const struct cs_ballot *ballot)
{
    uint8_t bytes[CS_VOTE_SIZE];
    for (uint32_t from = 0; from < sim->conf.hosts; from++) {
        struct nv_writer w;
        struct cs_vote const vote = cs_build_vote(&sim->net, ballot, from);
        nv_writer_init(&w, bytes, sizeof bytes);
        cs_vote_put(&w, &vote);
        for (uint32_t id = 0; !honest(sim, from) && id < sim->conf.hosts; id++) {
            if (together(sim, id, to)) {
                sim->echoing = true;
                sim_net_send(sim, from, id, CS_MSG_VOTE, nv_writer_view(&w));
                sim->echoing = false;
            }
        }
    }
}

/* echo answers what an honest host says to a faulty one, once for all of them. */
static void echo(struct sim *sim, uint32_t from, uint8_t type, struct nv_view bytes)
{
    struct cs_message message;
    if (cs_message_decode(&message, type, bytes) != NV_OK) {
        return;
    }
    if (type == CS_MSG_PROPOSAL && signs(sim, message.proposal.epoch)) {
        struct cs_ballot ballot = cs_build_ballot(CS_NOTARIZE,
                                                  message.proposal.view,
                                                  message.proposal.parent_view,
                                                  message.proposal.block_hash);
        ballot.epoch = message.proposal.epoch;
        sign_all(sim, from, &ballot);
        ballot.kind = CS_FINALIZE;
        sign_all(sim, from, &ballot);
    }
    if (type == CS_MSG_VOTE && message.vote.ballot.kind == CS_NULLIFY &&
        signs(sim, message.vote.ballot.epoch)) {
        sign_all(sim, from, &message.vote.ballot);
    }
}

bool fork_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    if (sim->echoing) {
        return true;
    }
    if (!honest(sim, from)) {
        return false;
    }
    if (!honest(sim, to)) {
        if (to == 0 && sim_chaos(sim)) {
            echo(sim, from, type, bytes);
        }
        return false;
    }
    return together(sim, from, to) || !sim_chaos(sim);
}

/* forked returns whether two honest hosts hold different final blocks. */
static bool forked(const struct sim *sim)
{
    for (uint32_t a = 0; a < sim->conf.hosts; a++) {
        for (uint32_t b = 0; b < a; b++) {
            uint64_t const least =
                sim->host[a].given < sim->host[b].given ? sim->host[a].given : sim->host[b].given;
            bool const both = honest(sim, a) && honest(sim, b) && least > 0;
            if (both && sim->host[a].branch != sim->host[b].branch) {
                return true;
            }
        }
    }
    return false;
}

void fork_halted(struct sim *sim, const struct sim_host *host, const struct cs_effect *effect)
{
    uint64_t total = 0;
    uint64_t guilty = 0;
    const struct cs_valset *const set = effect->halt.signers;
    for (uint32_t i = 0; set != NULL && i < set->count; i++) {
        bool const named = (effect->halt.culprits.bytes[i / 8] >> (i % 8) & 1u) != 0;
        uint32_t const id = sim_named(sim, set, i);
        total += set->member[i].stake;
        guilty += named ? set->member[i].stake : 0;
        if (named && honest(sim, id)) {
            sim_fail(sim, "F1: honest %u is named by %u", id, host->id);
        }
    }
    if (effect->halt.code != CS_HALT_FORK) {
        sim_fail(sim, "F2: host %u halts with %d", host->id, (int)effect->halt.code);
    }
    if (guilty <= total / 3) {
        sim_fail(sim, "F3: host %u names too few", host->id);
    }
    sim->stage_mask |= 1u << host->id;
}

void fork_finish(struct sim *sim)
{
    bool const split = forked(sim);
    sim_trace(sim, 0, "forked", split ? 1 : 0, sim->stage_mask);
    if (split && sim->stage_mask != (((1u << sim->conf.hosts) - 1u) & ~sim->conf.byzantine)) {
        sim_fail(sim, "F4: a fork, and not everybody has stopped: %x", sim->stage_mask);
    }
    if (!split && sim->conf.loss == 0 && sim->conf.gst_ns > 2500 * SIM_MS) {
        sim_fail(sim, "F5: the chain did not fork");
    }
}
