/* Worlds of liars: 8 in named roles and in any mix, 17 floods; 12 wrong clocks,
 * 16 unequal stakes, and a key that is used twice. */

#include "tests/sim/scenario.h"

static void liars_chaos(struct sim *sim)
{
    scene_choose(sim);
    scene_chaos(sim, sim_between(&sim->rng, 0, 1200));
    sim->conf.loss = (uint32_t)sim_below(&sim->rng, 150000);
    sim->conf.late_max_ns = 150 * SIM_MS;
    sim->conf.end_ns = sim->conf.measure_ns + 2000 * SIM_MS;
    sim->conf.byzantine = scene_some(sim, sim_third(sim->conf.validators));
    sim->conf.live_least = 4;
}

/* liars_configure draws any mix of lies. */
void liars_configure(struct sim *sim)
{
    liars_chaos(sim);
    sim->conf.lies = 1 + (uint32_t)sim_below(&sim->rng, (1u << SIM_LIE_COUNT) - 1);
    sim->conf.lies &= ~(uint32_t)SIM_LIE_FLOOD; /* they have their own world */
}

/* roles_configure takes one lie after the other, by seed. */
void roles_configure(struct sim *sim)
{
    liars_chaos(sim);
    sim->conf.lies = 1u << sim->seed % SIM_LIE_COUNT;
    if ((sim->conf.lies & SIM_LIE_AMNESIA) != 0) {
        sim->conf.gst_ns = 1500 * SIM_MS;
        sim->conf.measure_ns = 4500 * SIM_MS;
        sim->conf.end_ns = 6500 * SIM_MS;
        sim->conf.crash_ns = 300 * SIM_MS;
    }
}

/* roles_finish: who signs two votes that conflict, before honest eyes, is
 * reported. */
void roles_finish(struct sim *sim)
{
    uint32_t const open = SIM_LIE_VOTES;
    if ((sim->conf.lies & open) != 0 && sim->evidence == 0) {
        sim_fail(sim, "nobody reports validators that sign votes that conflict");
    }
}

/* ---- 17: floods ---- */

void flood_configure(struct sim *sim)
{
    liars_chaos(sim);
    scene_validators(sim, 7);
    sim->conf.byzantine = scene_some(sim, 2);
    sim->conf.gst_ns = 500 * SIM_MS;
    sim->conf.measure_ns = 1500 * SIM_MS;
    sim->conf.end_ns = 3000 * SIM_MS;
    sim->conf.lies = SIM_LIE_FLOOD | SIM_LIE_FORGE;
    sim->conf.real = 0; /* they would sign all day */
    sim->conf.views_max = 256;
}

/* ---- 12: clocks ---- */

/* In some seeds more than a third are wrong: blocks may have to wait, and come
 * again when the clocks are right. */
void clock_configure(struct sim *sim)
{
    scene_choose(sim);
    uint32_t const f = sim_third(sim->conf.validators);
    bool const many = sim_chance(&sim->rng, 400000);
    scene_chaos(sim, sim_between(&sim->rng, 1500, 3000));
    sim->conf.skewed = scene_some(sim, many ? f + 1 + (uint32_t)sim_below(&sim->rng, f + 1) : f);
    sim->conf.skew_ms = 5000;
    sim->conf.skew_step_ns = sim_chance(&sim->rng, 500000) ? 400 * SIM_MS : 0;
    sim->conf.live_least = 3;
    sim->conf.measure_ns += 7000 * SIM_MS; /* a time from the future must become the past */
    sim->conf.end_ns = sim->conf.measure_ns + 4000 * SIM_MS;
}

/* ---- 16: stakes ---- */

void stake_configure(struct sim *sim)
{
    scene_validators(sim, (uint32_t)sim_between(&sim->rng, 4, 9));
    for (uint32_t i = 0; i < sim->conf.validators; i++) {
        uint64_t const most = sim_chance(&sim->rng, 200000) ? UINT64_C(1) << 58 : 100;
        sim->conf.stakes[i] = sim_between(&sim->rng, 1, most);
    }
    scene_chaos(sim, 800);
    sim->conf.live_least = 2;  /* one leads alone, and may have nothing to do */
    sim->conf.lag_views = 100; /* one may be a quorum, and faster than the network */
    sim->conf.loss = 200000;
    sim->conf.crash_ns = 700 * SIM_MS;
}

/* ---- a key that is used twice ---- */

/* One validator runs as two, which know nothing of each other.  They must find
 * out and stop. */
void double_configure(struct sim *sim)
{
    scene_choose(sim);
    sim->conf.twins = 1;
    sim->conf.byzantine = 1;
    sim->conf.measure_ns = 1500 * SIM_MS;
    sim->conf.end_ns = 4000 * SIM_MS;
    sim->conf.live_least = 4;
}

void double_finish(struct sim *sim)
{
    if (sim->halts == 0) {
        sim_fail(sim, "a key is used twice, and nobody notices");
    }
}
