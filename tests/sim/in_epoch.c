/* Worlds in which validators change: 14 epochs under loss and crashes, the end of
 * an epoch notarized and nullified at once, leavers that stop, joiners; 15
 * joiners that are several epochs behind; 16 stakes that differ and change. */

#include "base/assert.h"

#include "tests/sim/check.h"
#include "tests/sim/scenario.h"

/* stakes_choose makes stakes equal, small, large, or such that a unit decides. */
static void stakes_choose(struct sim *sim)
{
    uint64_t const most[5] = {0, 0, 40, UINT64_C(1) << 57, SIM_STAKE_EDGE};
    sim->conf.stake_most = most[sim_below(&sim->rng, 5)];
    if (sim->conf.stake_most > 0) { /* one may be a quorum, and faster than the network */
        sim->conf.lag_views = 100;
        sim->conf.live_views = 40;
        sim->conf.live_least = 2;
    }
}

static void epochs_set(struct sim *sim, uint32_t hosts, uint64_t epoch_ms)
{
    sim->conf.validators = hosts;
    sim->conf.epoch_ms = epoch_ms;
    sim->conf.churn = (uint32_t)sim_between(&sim->rng, 2, 12);
    sim->conf.members_min = 4;
    sim->conf.idle_ms = 200;
    sim->conf.status_ns = 300 * SIM_MS;
    sim->conf.live_views = hosts;
    sim->conf.live_least = 3;
    sim->conf.lag_views = 3;
    if (sim_chance(&sim->rng, 300000)) {
        sim->conf.proof_epochs = sim_below(&sim->rng, 3);
        sim->conf.proof_ms = sim_below(&sim->rng, 2 * epoch_ms);
    }
}

/* How long an epoch may last while nothing disturbs: until a block's parent is old
 * enough, and the views that are lost before one closes it. */
static uint64_t epoch_longest_ms(const struct sim *sim)
{
    uint64_t const views = sim->conf.byzantine == 0 ? 1 : sim->conf.live_views;
    return sim->conf.epoch_ms + sim->conf.idle_ms + views * 4 * sim->conf.delay_ns / SIM_MS;
}

void epochs_finish(struct sim *sim)
{
    uint64_t const wall = (sim->conf.end_ns - sim->conf.measure_ns) / SIM_MS;
    uint64_t const least = sim->epoch_then + wall / epoch_longest_ms(sim);
    if (live_epoch(sim) < least) {
        sim_fail(sim,
                 "liveness: epoch %u, at least %u were due",
                 (unsigned)live_epoch(sim),
                 (unsigned)least);
    }
}

/* ---- 14, 16: epochs under loss and crashes ---- */

void epoch_configure(struct sim *sim)
{
    uint32_t const members = (uint32_t)sim_between(&sim->rng, 4, 8);
    epochs_set(sim, members, sim_between(&sim->rng, 250, 1200));
    stakes_choose(sim);
    uint64_t const gst_ms = sim_between(&sim->rng, 0, 2500);
    sim->conf.gst_ns = gst_ms * SIM_MS;
    sim->conf.measure_ns = (gst_ms + 3000) * SIM_MS;
    sim->conf.end_ns = (gst_ms + 6000) * SIM_MS;
    sim->conf.loss = (uint32_t)sim_below(&sim->rng, 300000);
    sim->conf.twice = 50000;
    sim->conf.late_max_ns = sim_between(&sim->rng, 20, 200) * SIM_MS;
    if (sim_chance(&sim->rng, 600000)) {
        sim->conf.crash_ns = sim_between(&sim->rng, 300, 1500) * SIM_MS;
        sim->conf.crash_op = (uint32_t)sim_below(&sim->rng, 4000);
    }
    if (sim->conf.stake_most == 0 && sim_chance(&sim->rng, 400000)) { /* one of at least four */
        sim->conf.byzantine = 1u << sim_below(&sim->rng, sim->conf.validators);
        sim->conf.lies = 1 + (uint32_t)sim_below(&sim->rng, 127);
    }
    if (sim_chance(&sim->rng, 300000)) {
        sim->conf.all_crash_ns = sim_between(&sim->rng, 200, 1000) * SIM_MS;
    }
}

/* ---- 14: the end of an epoch, disturbed ---- */

/* closing_note notes that a block that closes its epoch is proposed for the first
 * time. */
static void closing_note(struct sim *sim, const struct cs_proposal *proposal)
{
    if (proposal->header.height > sim->hold_height) {
        sim->hold_height = proposal->header.height;
        sim->stage_view = proposal->view;
        sim->hold_ns = sim->now_ns + 350 * SIM_MS;
    }
}

/* The first ones to hear of the block that closes the epoch do so when they have
 * nullified its view; the votes for that reach only one, which so holds the
 * nullification, while the others notarize; and no certificate travels alone. */
static bool both_passes(const struct sim *sim, uint32_t to, uint8_t type, bool about)
{
    bool const late = sim->now_ns < sim->hold_ns + 800 * SIM_MS;
    if (type == CS_MSG_PROPOSAL) {
        return !about || sim->now_ns > sim->hold_ns;
    }
    if (type == CS_MSG_VOTE) {
        return !about || !late || to == sim->hold_height % sim->conf.hosts;
    }
    return !late || (type != CS_MSG_CERTIFICATE && type != CS_MSG_CERT_RESPONSE);
}

/* boundary_passes disturbs the end of an epoch: as above in half of the seeds; in
 * the others what is about it reaches some and not others, for a while. */
bool boundary_passes(
    struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    struct cs_message message;
    bool about = false;
    if (!sim_chaos(sim) || cs_message_decode(&message, type, bytes) != NV_OK) {
        return true;
    }
    if (type == CS_MSG_PROPOSAL && cs_header_closes(&message.proposal.header)) {
        closing_note(sim, &message.proposal);
        about = true;
    }
    if (type == CS_MSG_VOTE && message.vote.ballot.view == sim->stage_view) {
        about = message.vote.ballot.kind == CS_NULLIFY ||
                (sim->stage_mask != 0 && message.vote.ballot.kind == CS_FINALIZE);
    }
    if (sim->stage_mask == 0) {
        return both_passes(sim, to, type, about);
    }
    uint64_t const span = sim->now_ns / (150 * SIM_MS);
    struct sim_rng rng = {sim->seed ^ (span << 16) ^ (to << 8) ^ (sim->stage_mask & from)};
    (void)sim_next(&rng);
    return !about || sim_chance(&rng, 450000);
}

void boundary_configure(struct sim *sim)
{
    uint32_t const members = (uint32_t)sim_between(&sim->rng, 4, 7);
    epochs_set(sim, members, sim_between(&sim->rng, 250, 500));
    sim->conf.gst_ns = 4000 * SIM_MS;
    sim->conf.measure_ns = 7000 * SIM_MS;
    sim->conf.end_ns = 9000 * SIM_MS;
    sim->conf.idle_ms = 50;
    sim->conf.crash_ns = sim_chance(&sim->rng, 300000) ? 1500 * SIM_MS : 0;
    uint32_t const modes[4] = {0, 0, 0x100, 0xff};
    sim->stage_mask = modes[sim_below(&sim->rng, 4)];
    sim_poll(sim, 100 * SIM_MS);
}

/* leaver_stop stops one that has just left the set, for long. */
void boundary_script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    for (uint32_t i = 0; i < sim->conf.hosts && sim->stage == 0; i++) {
        struct sim_host *const host = &sim->host[i];
        struct cs_summary const summary = host->up ? cs_summary(host->cs) : (struct cs_summary){0};
        if (summary.epoch > 1 && summary.me == CS_NOBODY && sim_chance(&sim->rng, 200000)) {
            sim->stage = 1; /* one is enough: the others must be a quorum */
            sim->conf.nap_max_ns = 2000 * SIM_MS;
            sim_host_crash(sim, host);
        }
    }
    if (sim_chaos(sim)) {
        sim_poll(sim, sim->now_ns + 20 * SIM_MS);
    }
}

/* ---- 14: leavers whose votes the others need ---- */

/* Half of the first set leaves at the end of its epoch, and another half comes.  Nobody
 * else hears a leaver's finalize vote, so the leavers alone see the epoch end; what the
 * others need they must be given on request.  The leavers stop for good when they have
 * seen a final block of the next epoch, and not before.
 * SPEC consensus 18: "until it has seen a finalization of the next epoch" */
#define LEAVERS 0x03u
#define FIRST   0x0fu
#define REST    0x3cu

void leavers_configure(struct sim *sim)
{
    epochs_set(sim, 6, sim_between(&sim->rng, 200, 700));
    sim->conf.first = FIRST;
    sim->conf.rest = REST;
    sim->conf.churn = 1;
    sim->conf.loss = sim_chance(&sim->rng, 500000) ? (uint32_t)sim_below(&sim->rng, 100000) : 0;
    sim->conf.gst_ns = 2000 * SIM_MS;
    sim->conf.measure_ns = 3500 * SIM_MS;
    sim->conf.end_ns = 5500 * SIM_MS;
    sim_poll(sim, 100 * SIM_MS);
}

static bool leaves(uint32_t id)
{
    return (LEAVERS >> id & 1u) != 0;
}

void leavers_script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    for (uint32_t id = 0; id < sim->conf.hosts; id++) {
        struct sim_host *const host = &sim->host[id];
        struct cs_summary const summary = host->up ? cs_summary(host->cs) : (struct cs_summary){0};
        bool const left = host->up && summary.me == CS_NOBODY && summary.epoch > CS_FIRST_EPOCH;
        if (leaves(id) && left && summary.final_view > 0) {
            host->dead = true;
            sim_host_crash(sim, host);
        }
    }
    sim_poll(sim, sim->now_ns + 10 * SIM_MS);
}

bool leavers_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    struct cs_message message;
    (void)sim;
    return type != CS_MSG_VOTE || !leaves(from) || leaves(to) ||
           cs_message_decode(&message, type, bytes) != NV_OK ||
           message.vote.ballot.kind != CS_FINALIZE;
}

/* ---- 15: a joiner that is epochs behind ---- */

void joiner_configure(struct sim *sim)
{
    uint32_t const members = (uint32_t)sim_between(&sim->rng, 5, 7);
    epochs_set(sim, members, sim_between(&sim->rng, 150, 600));
    stakes_choose(sim);
    sim->conf.net_max_ns = 8 * SIM_MS;
    sim->conf.idle_ms = sim_chance(&sim->rng, 500000) ? 30 : 200;
    sim->conf.dead = 1u << sim_below(&sim->rng, sim->conf.validators);
    sim->conf.first = ~sim->conf.dead;
    sim->conf.stake_most = 0;
    sim->conf.views_max = (uint32_t)sim_between(&sim->rng, 32, 200);
    sim->conf.measure_ns = 9000 * SIM_MS;
    sim->conf.end_ns = 11000 * SIM_MS;
    sim_poll(sim, sim_between(&sim->rng, 3000, 4500) * SIM_MS);
}

void joiner_script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        if (sim->host[i].dead) {
            sim->host[i].dead = false;
            sim_host_start(sim, &sim->host[i]);
        }
    }
}
