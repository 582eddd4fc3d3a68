/* Every option of a seed drawn by itself: about half of the faults are in a run,
 * each as strong as chance will have it.  At most a third of the validators are
 * faulty for good: liars, dead, slow, or with wrong clocks. */

#include "tests/sim/scenario.h"

#define BLOCKS_LEAST 120u

static bool half(struct sim *sim)
{
    return sim_chance(&sim->rng, 500000);
}

static uint64_t ms_between(struct sim *sim, uint64_t low, uint64_t high)
{
    return sim_between(&sim->rng, low * SIM_MS, high * SIM_MS);
}

static void times_draw(struct sim *sim)
{
    struct sim_conf *const conf = &sim->conf;
    conf->delay_ns = ms_between(sim, 40, 200);
    conf->net_max_ns = sim_between(&sim->rng, 3 * SIM_MS, conf->delay_ns / 4);
    conf->net_min_ns = sim_between(&sim->rng, SIM_MS / 2, conf->net_max_ns);
    conf->sync_max_ns = sim_between(&sim->rng, SIM_MS / 5, conf->delay_ns / 8);
    conf->exec_max_ns = half(sim) ? ms_between(sim, 1, 5) : ms_between(sim, 1, 60);
    conf->idle_ms = sim_between(&sim->rng, 20, 400);
    conf->listen_ns = ms_between(sim, 20, 300);
    conf->status_ns = ms_between(sim, 200, 3000);
    conf->views_max = (uint32_t)sim_between(&sim->rng, 32, half(sim) ? 64 : 256);
    conf->work = (uint32_t)sim_between(&sim->rng, 0, 1000000);
    scene_chaos(sim, sim_between(&sim->rng, 1500, 4000));
}

static void net_draw(struct sim *sim)
{
    struct sim_conf *const conf = &sim->conf;
    conf->loss = half(sim) ? (uint32_t)sim_between(&sim->rng, 30000, 400000) : 30000;
    conf->twice = half(sim) ? (uint32_t)sim_below(&sim->rng, 300000) : 0;
    conf->late_max_ns = half(sim) ? ms_between(sim, 20, 1500) : 0;
    conf->cut_ns = half(sim) ? ms_between(sim, 30, 800) : 0;
}

static void crashes_draw(struct sim *sim)
{
    struct sim_conf *const conf = &sim->conf;
    conf->crash_ns = half(sim) ? ms_between(sim, 200, 2000) : 0;
    conf->crash_op = half(sim) ? (uint32_t)sim_below(&sim->rng, 5000) : 0;
    conf->all_crash_ns = sim_chance(&sim->rng, 200000) ? ms_between(sim, 200, 2000) : 0;
    conf->nap_max_ns = ms_between(sim, 20, 800);
    conf->sync_fails = half(sim) ? (uint32_t)sim_below(&sim->rng, 10000) : 0;
    conf->pause_ns = half(sim) ? ms_between(sim, 300, 2000) : 0;
    conf->pause_max_ns = ms_between(sim, 10, 1000);
    conf->early = half(sim) ? (uint32_t)sim_below(&sim->rng, 200000) : 0;
}

/* lies_draw takes one to four lies. */
static uint32_t lies_draw(struct sim *sim)
{
    uint32_t lies = 0;
    uint64_t const count = sim_between(&sim->rng, 1, 4);
    for (uint64_t i = 0; i < count; i++) {
        lies |= 1u << sim_below(&sim->rng, SIM_LIE_COUNT);
    }
    return lies != SIM_LIE_FLOOD || half(sim) ? lies : SIM_LIE_HEADER;
}

/* faulty_draw deals the places of those that are faulty for good. */
static void faulty_draw(struct sim *sim)
{
    struct sim_conf *const conf = &sim->conf;
    uint32_t const faulty = scene_some(sim, sim_third(conf->validators));
    for (uint32_t i = 0; i < conf->validators; i++) {
        uint32_t const bit = faulty & 1u << i;
        switch (sim_below(&sim->rng, 6)) {
        case 0:
        case 1:
        case 2: conf->byzantine |= bit; break;
        case 3: conf->dead |= bit; break;
        case 4: conf->slow |= bit; break;
        default: conf->skewed |= bit; break;
        }
    }
    conf->lies = conf->byzantine != 0 ? lies_draw(sim) : 0;
    conf->real = (conf->lies & SIM_LIE_FLOOD) == 0 ? conf->real : 0; /* it would sign all day */
    conf->slow_ns = ms_between(sim, 5, 200);
    /* One sync a record would be too slow for ever: it falls back further with each view. */
    conf->one_batch = conf->one_batch != 0 || conf->slow != 0 ? 1 : 0;
    conf->skew_ms = sim_between(&sim->rng, 100, 5000);
    conf->skew_step_ns = half(sim) ? ms_between(sim, 100, 1000) : 0;
    if (sim_chance(&sim->rng, 150000)) {
        conf->observers = 1;
        conf->status_ns = ms_between(sim, 50, 400);
    }
}

void swarm_configure(struct sim *sim)
{
    struct sim_conf *const conf = &sim->conf;
    uint32_t const sizes[6] = {4, 4, 4, 5, 6, 7};
    scene_validators(sim, sizes[sim_below(&sim->rng, 6)]);
    times_draw(sim);
    net_draw(sim);
    crashes_draw(sim);
    faulty_draw(sim);
    conf->blocks_least = BLOCKS_LEAST;
    conf->live_least = 1;
    conf->lag_views = conf->slow != 0 ? 20 : 4;
    conf->measure_ns = conf->gst_ns + 2000 * SIM_MS + 15 * conf->delay_ns;
    conf->end_ns = conf->measure_ns + 2 * conf->idle_ms * SIM_MS + 15 * conf->delay_ns;
}
