/* Worlds of crashes and disks: 4 restarts of all, 5 everybody crashes after
 * nullify, 6 after finalize by a few, 11 slow and failing disks. */

#include "base/assert.h"

#include "tests/sim/scenario.h"

/* ---- 4: restarts ---- */

void restart_configure(struct sim *sim)
{
    scene_choose(sim);
    scene_chaos(sim, sim_between(&sim->rng, 1000, 3000));
    sim->conf.loss = (uint32_t)sim_below(&sim->rng, 200000);
    sim->conf.twice = 50000;
    sim->conf.late_max_ns = 100 * SIM_MS;
    sim->conf.sync_max_ns = sim_between(&sim->rng, 1, 20) * SIM_MS;
    sim->conf.crash_ns = sim_between(&sim->rng, 150, 1500) * SIM_MS;
    sim->conf.crash_op = (uint32_t)sim_below(&sim->rng, 6000);
    if (sim_chance(&sim->rng, 500000)) {
        sim->conf.all_crash_ns = sim_between(&sim->rng, 200, 2000) * SIM_MS;
    }
    scene_least_live(sim);
}

/* ---- 5 and 6: everybody crashes at a chosen moment ---- */

void moment_configure(struct sim *sim)
{
    uint32_t const sizes[2] = {4, 7};
    scene_validators(sim, sizes[sim->seed % 2]);
    sim->conf.live_least = 3;
    sim->conf.measure_ns = 6000 * SIM_MS;
    sim->conf.end_ns = 8000 * SIM_MS;
    sim->conf.nap_max_ns = 300 * SIM_MS;
    sim_poll(sim, sim_between(&sim->rng, 200, 600) * SIM_MS);
    /* As many as may fail do; the rest is just a quorum.  The next ones, by
     * number, are the few of scenario 6. */
    sim->stage_mask = (1u << sim_third(sim->conf.validators)) - 1u;
}

static bool dead(const struct sim *sim, uint32_t host)
{
    return (sim->stage_mask >> host & 1u) != 0;
}

static bool few(const struct sim *sim, uint32_t host)
{
    uint32_t const f = sim_third(sim->conf.validators);
    return host >= f && host < 2 * f;
}

static bool voted(const struct sim *sim, uint32_t host, uint64_t view, enum cs_vote_kind kind)
{
    return view < SIM_VIEWS_MAX && sim->host[host].durable[view].vote[kind] != 0;
}

static void all_crash(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->conf.validators; i++) {
        if (sim->host[i].up) {
            sim_host_crash(sim, &sim->host[i]);
        }
    }
    sim->stage = 2;
}

static void the_faulty_die(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->conf.validators; i++) {
        if (dead(sim, i)) {
            sim->host[i].dead = true;
            sim_host_crash(sim, &sim->host[i]);
        }
    }
}

void nullcrash_script(struct sim *sim, const struct sim_item *item)
{
    bool all = true;
    (void)item;
    if (sim->stage == 0) {
        sim->stage = 1;
        the_faulty_die(sim);
    }
    for (uint32_t i = 0; i < sim->conf.validators; i++) {
        all = all && (dead(sim, i) || voted(sim, i, cs_summary(sim->host[i].cs).view, CS_NULLIFY));
    }
    if (all) {
        all_crash(sim);
    } else if (sim->stage == 1) {
        sim_poll(sim, sim->now_ns + 5 * SIM_MS);
    }
}

static enum cs_vote_kind vote_kind(uint8_t type, struct nv_view bytes)
{
    if (type == CS_MSG_PROPOSAL) {
        return CS_NOTARIZE;
    }
    return type == CS_MSG_VOTE ? (enum cs_vote_kind)bytes.bytes[0] : (enum cs_vote_kind)0;
}

/* nullcrash_passes keeps proposals, nullify votes and certificates away, until
 * all have nullified and crashed. */
bool nullcrash_passes(
    struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    (void)from;
    (void)to;
    bool const kept = type == CS_MSG_PROPOSAL || type == CS_MSG_CERTIFICATE ||
                      type == CS_MSG_CERT_RESPONSE || vote_kind(type, bytes) == CS_NULLIFY;
    return sim->stage != 1 || !kept;
}

void finalcrash_script(struct sim *sim, const struct sim_item *item)
{
    bool ready = true;
    bool finalized = false;
    (void)item;
    if (sim->stage == 0) {
        sim->stage = 1;
        the_faulty_die(sim);
        for (uint32_t i = 0; i < sim->conf.validators; i++) {
            uint64_t const view = sim->host[i].up ? cs_summary(sim->host[i].cs).view : 0;
            sim->stage_view = view > sim->stage_view ? view : sim->stage_view;
        }
        sim->stage_view += 2;
    }
    for (uint32_t i = 0; i < sim->conf.validators; i++) {
        if (dead(sim, i)) {
            continue;
        }
        uint64_t const view = cs_summary(sim->host[i].cs).view;
        if (few(sim, i)) {
            finalized = finalized || (view > 1 && voted(sim, i, view - 1, CS_FINALIZE));
        } else {
            ready = ready && voted(sim, i, view, CS_NULLIFY);
        }
    }
    if (ready && finalized) {
        all_crash(sim);
    } else if (sim->stage == 1 && sim->now_ns < 3500 * SIM_MS) {
        sim_poll(sim, sim->now_ns + 5 * SIM_MS);
    } else {
        sim->stage = 2; /* it did not come to pass; the run goes on in peace */
    }
}

/* finalcrash_passes lets notarize votes of later views reach the few only, and
 * keeps finalize votes, nullify votes and certificates away. */
bool finalcrash_passes(
    struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    (void)from;
    enum cs_vote_kind const kind = vote_kind(type, bytes);
    if (sim->stage != 1) {
        return true;
    }
    if (type == CS_MSG_CERTIFICATE || type == CS_MSG_CERT_RESPONSE || kind == CS_FINALIZE ||
        kind == CS_NULLIFY) {
        return false;
    }
    return type != CS_MSG_VOTE || few(sim, to);
}

/* ---- 11: disks ---- */

void disk_configure(struct sim *sim)
{
    scene_choose(sim);
    scene_chaos(sim, sim_between(&sim->rng, 1000, 2500));
    sim->conf.delay_ns = 300 * SIM_MS; /* it covers one sync */
    sim->conf.sync_max_ns = sim_between(&sim->rng, 1, 200) * SIM_MS;
    sim->conf.sync_fails = (uint32_t)sim_below(&sim->rng, 30000);
    sim->conf.measure_ns += 2000 * SIM_MS;
    sim->conf.end_ns += 6000 * SIM_MS;
}
