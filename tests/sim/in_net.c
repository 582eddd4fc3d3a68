/* Worlds of the network: 1 exact latency, 2 loss, 3 long run, 9 partitions, a
 * network slower than D; 15 far behind, nodes without a vote. */

#include "base/assert.h"

#include "tests/sim/check.h"
#include "tests/sim/scenario.h"

/* ---- 1: exact latency ---- */

#define EXACT_NS    (10 * SIM_MS)
#define LONG_BLOCKS UINT64_C(100000)

void exact_configure(struct sim *sim)
{
    uint32_t const sizes[3] = {4, 7, 16};
    scene_validators(sim, sizes[sim->seed % 3]);
    sim->conf.delay_ns = 8 * EXACT_NS;
    sim->conf.net_min_ns = EXACT_NS;
    sim->conf.net_max_ns = EXACT_NS;
    sim->conf.sync_min_ns = 0;
    sim->conf.sync_max_ns = 0;
    sim->conf.exec_max_ns = 0;
    sim->conf.early = 0;
    sim->conf.work = 1000000;
    sim->conf.measure_ns = 200 * SIM_MS;
    sim->conf.end_ns = 1000 * SIM_MS;
    sim->conf.live_least = 37;
    sim->conf.live_views = 1;
}

void exact_finish(struct sim *sim)
{
    uint64_t const top = oracle_height(sim);
    for (uint64_t height = 4; height < top; height++) {
        uint64_t const proposed = oracle_proposed_ns(sim, height);
        uint64_t const interval = oracle_proposed_ns(sim, height + 1) - proposed;
        uint64_t const finality = oracle_final_ns(sim, height) - proposed;
        if (interval != 2 * EXACT_NS || finality != 3 * EXACT_NS) {
            sim_fail(sim,
                     "height %u: next after %u us, final after %u us; a delay is %u us",
                     (unsigned)height,
                     (unsigned)(interval / 1000),
                     (unsigned)(finality / 1000),
                     (unsigned)(EXACT_NS / 1000));
            return;
        }
    }
}

/* exact_passes fails the run when a certificate travels alone: in the good case
 * none is needed. */
bool exact_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    (void)to;
    (void)bytes;
    if (type == CS_MSG_CERTIFICATE) {
        sim_fail(sim, "host %u sends a certificate alone", from);
    }
    return true;
}

/* ---- 2, 3: loss ---- */

void loss_configure(struct sim *sim)
{
    scene_choose(sim);
    scene_chaos(sim, sim_between(&sim->rng, 500, 2000));
    sim->conf.loss = (uint32_t)sim_below(&sim->rng, 600000);
    sim->conf.twice = 50000;
    sim->conf.late_max_ns = sim_between(&sim->rng, 20, 400) * SIM_MS;
    scene_least_live(sim);
}

/* A hundred thousand views, with journals that forget. */
void long_configure(struct sim *sim)
{
    scene_validators(sim, 4);
    sim->conf.loss = 20000;
    sim->conf.keep_journals = false;
    sim->conf.blocks_least = LONG_BLOCKS;
    sim->conf.gst_ns = LONG_BLOCKS * 25 * SIM_MS;
    sim->conf.measure_ns = sim->conf.gst_ns + 3000 * SIM_MS;
    sim->conf.end_ns = sim->conf.measure_ns + 3000 * SIM_MS;
}

/* ---- 9: partitions ---- */

void partition_configure(struct sim *sim)
{
    scene_choose(sim);
    scene_chaos(sim, sim_between(&sim->rng, 1500, 6000));
    sim->conf.cut_ns = sim_between(&sim->rng, 60, 900) * SIM_MS; /* flapping, or long */
    sim->conf.crash_ns = sim_chance(&sim->rng, 300000) ? 1500 * SIM_MS : 0;
    scene_least_live(sim);
}

/* ---- a quiet network ---- */

/* Nobody has transactions, timers come early: nothing else wakes anybody. */
void quiet_configure(struct sim *sim)
{
    scene_choose(sim);
    sim->conf.work = 0;
    sim->conf.early = 400000;
    sim->conf.idle_ms = 100;
    sim->conf.end_ns = 20000 * SIM_MS;
    sim->conf.live_least = 60;
}

/* ---- a network slower than D ---- */

/* Only longer and longer views let a block through. */
void snail_configure(struct sim *sim)
{
    scene_choose(sim);
    sim->conf.delay_ns = 20 * SIM_MS;
    sim->conf.net_min_ns = sim_between(&sim->rng, 40, 60) * SIM_MS;
    sim->conf.net_max_ns = sim->conf.net_min_ns + 20 * SIM_MS;
    sim->conf.measure_ns = 5000 * SIM_MS;
    sim->conf.end_ns = 20000 * SIM_MS;
    sim->conf.live_least = 5;
    sim->conf.live_views = 1000;
    sim->conf.lag_views = 8;
}

/* ---- 15: far behind ---- */

void behind_configure(struct sim *sim)
{
    scene_validators(sim, 4);
    sim->conf.net_max_ns = 6 * SIM_MS;
    sim->conf.idle_ms = 50;
    sim->conf.nap_max_ns = 3000 * SIM_MS;
    sim->conf.views_max = (uint32_t)sim_between(&sim->rng, 32, 200);
    sim->conf.measure_ns = 6000 * SIM_MS;
    sim->conf.end_ns = 7000 * SIM_MS;
    sim_poll(sim, sim_between(&sim->rng, 50, 500) * SIM_MS);
}

void behind_script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    if (sim->stage == 0) {
        uint32_t const victim = (uint32_t)sim_below(&sim->rng, sim->conf.validators);
        sim->stage = 1;
        sim_host_crash(sim, &sim->host[victim]);
    }
}

/* Nodes without a vote follow at the pace of their questions, and catch up after
 * they were away. */
void observer_configure(struct sim *sim)
{
    scene_choose(sim);
    scene_chaos(sim, sim_between(&sim->rng, 1000, 3000));
    sim->conf.observers = (uint32_t)sim_between(&sim->rng, 1, 3);
    sim->conf.status_ns = sim_between(&sim->rng, 50, 400) * SIM_MS;
    sim->conf.loss = (uint32_t)sim_below(&sim->rng, 200000);
    sim->conf.twice = 50000;
    sim->conf.crash_ns = sim_between(&sim->rng, 400, 1500) * SIM_MS;
    sim->conf.crash_op = (uint32_t)sim_below(&sim->rng, 3000);
    sim->conf.measure_ns += 1000 * SIM_MS;
    sim->conf.end_ns += 3000 * SIM_MS;
}
