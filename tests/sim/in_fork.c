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

/* ---- 13: a forged past ---- */

/* Somebody has all keys of the first epoch, whose stake is bound no more, and shows
 * everybody another end of it, and two of its blocks in one view. */
#define THEFT_EPOCH 4u /* in which it begins */

void theft_configure(struct sim *sim)
{
    sim->conf.validators = (uint32_t)sim_between(&sim->rng, 4, 7);
    sim->conf.epoch_ms = sim_between(&sim->rng, 100, 400);
    sim->conf.idle_ms = 100;
    sim->conf.proof_epochs = 1;
    sim->conf.proof_ms = sim_below(&sim->rng, 2 * sim->conf.epoch_ms);
    sim->conf.measure_ns = 1000 * SIM_MS;
    sim->conf.end_ns = 5000 * SIM_MS;
    sim->conf.live_least = 4;
    sim_poll(sim, 500 * SIM_MS);
}

static void show_all(struct sim *sim, const struct cs_message *message)
{
    static uint8_t bytes[CS_MESSAGE_SIZE_MAX];
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_message_encode(&w, message);
    for (uint32_t to = 1; to < sim->conf.hosts; to++) {
        sim_net_send(sim, 0, to, (uint8_t)message->type, nv_writer_view(&w));
    }
}

static struct cs_certificate
forge(struct sim *sim, struct nv_sig *sigs, enum cs_vote_kind kind, struct nv_hash hash)
{
    uint64_t const view = 3 + sim_below(&sim->rng, 8);
    struct cs_ballot const ballot = cs_build_ballot(kind, view, view - 1, hash);
    return cs_build_first(&sim->net, sigs, &ballot, sim->conf.validators);
}

static void show_end(struct sim *sim)
{
    struct cs_message message = {.type = CS_MSG_EPOCH_RESPONSE};
    struct nv_sig sigs[SIM_HOSTS_MAX];
    struct nv_view real;
    struct nv_reader r;
    struct nv_hash hash;
    bool const there = shelf_handover(&sim->host[0].shelf, CS_FIRST_EPOCH, &real);
    NV_ASSERT(there);
    nv_reader_init(&r, real);
    enum nv_err const err = cs_handover_get(&r, &message.handover);
    NV_ASSERT(err == NV_OK);
    message.handover.header.time_ms++;
    cs_header_hash(&hash, &message.handover.header);
    message.handover.final = forge(sim, sigs, CS_FINALIZE, hash);
    if (message.handover.final.ballot.view >= message.handover.header.view) {
        show_all(sim, &message);
    }
}

static void show_pair(struct sim *sim)
{
    struct cs_message message = {.type = CS_MSG_CERT_RESPONSE};
    uint8_t bytes[2 * (CS_CERTIFICATE_SIZE_MAX)];
    struct nv_sig sigs[SIM_HOSTS_MAX];
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    for (uint32_t i = 0; i < 2; i++) {
        struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 5, 4, cs_build_hash(900 + i));
        struct cs_certificate const forged =
            cs_build_first(&sim->net, sigs, &ballot, sim->conf.validators);
        cs_certificate_put(&w, &forged);
    }
    message.cert_response.certificates = (struct cs_list){nv_writer_view(&w), 2};
    show_all(sim, &message);
}

void theft_script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    if (cs_summary(sim->host[0].cs).epoch >= THEFT_EPOCH) {
        sim->stage = 1;
        show_end(sim);
        show_pair(sim);
    }
    sim_poll(sim, sim->now_ns + sim_between(&sim->rng, 20, 200) * SIM_MS);
}

void theft_finish(struct sim *sim)
{
    if (sim->stage == 0 || sim->past_forks == 0) {
        sim_fail(sim, "F6: a forged past, and nobody tells of it");
    }
}
