/* Worlds in which only some hold a certificate (10). */

#include "tests/sim/scenario.h"

/* ---- 10: holes ---- */

/* One is cut off while the others nullify more views than a proposal tells of;
 * then one of the others dies, and the one that was away is needed. */
#define HOLES_AWAY 1u
#define HOLES_DEAD 2u

void holes_configure(struct sim *sim)
{
    scene_validators(sim, 4);
    sim->conf.delay_ns = 20 * SIM_MS;
    sim->conf.net_min_ns = SIM_MS;
    sim->conf.net_max_ns = 4 * SIM_MS;
    sim->conf.sync_max_ns = SIM_MS / 2;
    sim->conf.work = 0;
    sim->conf.live_least = 4;
    sim->conf.measure_ns = 20000 * SIM_MS;
    sim->conf.end_ns = 24000 * SIM_MS;
    sim_poll(sim, sim_between(&sim->rng, 100, 300) * SIM_MS);
}

void holes_script(struct sim *sim, const struct sim_item *item)
{
    uint64_t const view = cs_summary(sim->host[0].cs).view;
    (void)item;
    if (sim->stage == 0) {
        sim->stage = 1;
        sim->stage_view = view + 10 + sim_below(&sim->rng, 4);
    }
    if (sim->stage == 1 && view >= sim->stage_view) {
        sim->stage = 2;
        sim->host[HOLES_DEAD].dead = true;
        sim_host_crash(sim, &sim->host[HOLES_DEAD]);
    } else {
        sim_poll(sim, sim->now_ns + 5 * SIM_MS);
    }
}

bool holes_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    (void)bytes;
    return sim->stage != 1 || (from != HOLES_AWAY && to != HOLES_AWAY && type != CS_MSG_PROPOSAL);
}

/* ---- 10: a view that some know as notarized and others as nullified ---- */

/* Everybody votes for the block of one view, nobody hears of it, and all nullify.
 * Then the notarize votes reach one group only, and the nullify votes the other.
 * The group is a half of them, or one who leads the next view, or such a one who
 * dies at once. */
enum {
    SPLIT_BEFORE = 0,
    SPLIT_DEAF,  /* notarize votes of the view are kept back */
    SPLIT_APART, /* votes reach their group */
    SPLIT_OVER,
};

enum {
    FORM_HALVES = 0,
    FORM_LONE,
    FORM_DISPLACED,
};

#define SPLIT_POLL (2 * SIM_MS)
/* One group may be gone before its nullify votes were sent again: the other then
 * waits for what this world keeps back, until it does no more. */
#define SPLIT_LONG (2000 * SIM_MS)

void split_configure(struct sim *sim)
{
    uint32_t const sizes[2] = {4, 7};
    scene_validators(sim, sizes[sim->seed % 2]);
    sim->conf.live_least = 4;
    sim->conf.early = 0;
    sim->conf.measure_ns = 6000 * SIM_MS;
    sim->conf.end_ns = 9000 * SIM_MS;
    sim_poll(sim, sim_between(&sim->rng, 200, 600) * SIM_MS);
}

static uint32_t split_form(const struct sim *sim)
{
    return (uint32_t)(sim->seed / 2 % 3);
}

static uint64_t view_lowest(const struct sim *sim)
{
    uint64_t lowest = UINT64_MAX;
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        const struct sim_host *const host = &sim->host[i];
        uint64_t const view = host->up ? cs_summary(host->cs).view : UINT64_MAX;
        lowest = view < lowest ? view : lowest;
    }
    return lowest;
}

static bool all_nullified(const struct sim *sim)
{
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        if (sim->host[i].durable[sim->stage_view].vote[CS_NULLIFY] == 0) {
            return false;
        }
    }
    return true;
}

static void split_begin(struct sim *sim)
{
    uint64_t const view = cs_summary(sim->host[0].cs).view + 3;
    uint32_t const heir = cs_leader(sim->host[0].cs, view + 1);
    sim->stage = SPLIT_DEAF;
    sim->stage_view = view;
    sim->stage_mask = 1u << heir;
    if (split_form(sim) == FORM_HALVES) {
        sim->stage_mask = scene_some(sim, sim->conf.validators / 2);
    }
}

void split_script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    if (sim->stage == SPLIT_BEFORE) {
        split_begin(sim);
    } else if (sim->stage == SPLIT_DEAF && all_nullified(sim)) {
        sim->stage = SPLIT_APART;
        sim->stage_ns = sim->now_ns;
    } else if (sim->stage == SPLIT_APART &&
               (view_lowest(sim) > sim->stage_view || sim->now_ns > sim->stage_ns + SPLIT_LONG)) {
        sim->stage = SPLIT_OVER;
        if (split_form(sim) == FORM_DISPLACED) {
            struct sim_host *const heir =
                &sim->host[cs_leader(sim->host[0].cs, sim->stage_view + 1)];
            heir->dead = true;
            sim_host_crash(sim, heir);
        }
    }
    if (sim->stage != SPLIT_OVER) {
        sim_poll(sim, sim->now_ns + SPLIT_POLL);
    }
}

bool split_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    struct cs_message message;
    bool const chosen = (sim->stage_mask >> to & 1u) != 0;
    (void)from;
    if (sim->stage != SPLIT_DEAF && sim->stage != SPLIT_APART) {
        return true;
    }
    if (type == CS_MSG_CERT_RESPONSE) {
        return view_lowest(sim) < sim->stage_view;
    }
    if ((type != CS_MSG_VOTE && type != CS_MSG_PROPOSAL && type != CS_MSG_CERTIFICATE) ||
        cs_message_decode(&message, type, bytes) != NV_OK) {
        return true;
    }
    if (type == CS_MSG_PROPOSAL) {
        return message.proposal.view != sim->stage_view || sim->stage == SPLIT_DEAF || chosen;
    }
    const struct cs_ballot *const ballot =
        type == CS_MSG_VOTE ? &message.vote.ballot : &message.certificate.ballot;
    bool const theirs = chosen == (ballot->kind == CS_NOTARIZE);
    return ballot->view != sim->stage_view || (sim->stage == SPLIT_APART && theirs);
}

void split_finish(struct sim *sim)
{
    if (sim->stage != SPLIT_OVER) {
        sim_fail(sim, "the split of view %u did not come to pass", (unsigned)sim->stage_view);
    }
}
