/* The list of worlds, and what they share. */

#include "tests/sim/scenario.h"

#include <string.h>

void scene_validators(struct sim *sim, uint32_t validators)
{
    sim->conf.validators = validators;
    sim->conf.live_views = sim_third(validators) + 2;
}

void scene_choose(struct sim *sim)
{
    uint32_t const sizes[5] = {4, 4, 4, 5, 7};
    scene_validators(sim, sizes[sim_below(&sim->rng, 5)]);
}

void scene_chaos(struct sim *sim, uint64_t gst_ms)
{
    sim->conf.gst_ns = gst_ms * SIM_MS;
    sim->conf.measure_ns = (gst_ms + 3000) * SIM_MS;
    sim->conf.end_ns = (gst_ms + 4200) * SIM_MS;
}

void scene_least_live(struct sim *sim)
{
    if (sim_chance(&sim->rng, 400000)) {
        uint32_t const f = sim_third(sim->conf.validators);
        sim->conf.dead = ((1u << f) - 1u) << sim_below(&sim->rng, sim->conf.validators - f + 1);
        sim->conf.end_ns += 1000 * SIM_MS;
        sim->conf.live_least = 4;
    }
}

uint32_t scene_some(struct sim *sim, uint32_t count)
{
    uint32_t some = 0;
    while ((uint32_t)__builtin_popcount(some) < count) {
        some |= 1u << sim_below(&sim->rng, sim->conf.validators);
    }
    return some;
}

void scene_none(struct sim *sim, const struct sim_item *item)
{
    (void)sim;
    (void)item;
}

/* Those of weight 0 are long, and run by name. */
const struct sim_scenario sim_scenarios[] = {
    {"swarm", 64, swarm_configure, scene_none, NULL, NULL},
    {"exact", 2, exact_configure, scene_none, exact_passes, exact_finish},
    {"loss", 4, loss_configure, scene_none, NULL, NULL},
    {"long", 0, long_configure, scene_none, NULL, NULL},
    {"restart", 6, restart_configure, scene_none, NULL, NULL},
    {"nullcrash", 2, moment_configure, nullcrash_script, nullcrash_passes, NULL},
    {"finalcrash", 3, moment_configure, finalcrash_script, finalcrash_passes, NULL},
    {"liars", 6, liars_configure, scene_none, NULL, NULL},
    {"roles", 4, roles_configure, scene_none, NULL, roles_finish},
    {"flood", 2, flood_configure, scene_none, NULL, NULL},
    {"double", 1, double_configure, scene_none, NULL, double_finish},
    {"witness", 1, witness_configure, witness_script, witness_passes, witness_finish},
    {"partition", 3, partition_configure, scene_none, NULL, NULL},
    {"quiet", 1, quiet_configure, scene_none, NULL, NULL},
    {"snail", 1, snail_configure, scene_none, NULL, NULL},
    {"disk", 2, disk_configure, scene_none, NULL, NULL},
    {"clock", 2, clock_configure, scene_none, NULL, NULL},
    {"stake", 2, stake_configure, scene_none, NULL, NULL},
    {"behind", 2, behind_configure, behind_script, NULL, NULL},
    {"observer", 2, observer_configure, scene_none, NULL, NULL},
    {"holes", 2, holes_configure, holes_script, holes_passes, NULL},
    {"epoch", 6, epoch_configure, scene_none, NULL, epochs_finish},
    {"boundary", 4, boundary_configure, boundary_script, boundary_passes, epochs_finish},
    {"leavers", 2, leavers_configure, leavers_script, leavers_passes, epochs_finish},
    {"joiner", 2, joiner_configure, joiner_script, NULL, epochs_finish},
    {"wiped", 3, wiped_configure, wiped_script, wiped_passes, wiped_finish},
    {"fork", 3, fork_configure, scene_none, fork_passes, fork_finish},
    {"theft", 1, theft_configure, theft_script, NULL, theft_finish},
    {"hollow", 0, hollow_configure, hollow_script, hollow_passes, NULL},
    {"split", 3, split_configure, split_script, split_passes, split_finish},
};
const uint32_t sim_scenario_count = sizeof sim_scenarios / sizeof *sim_scenarios;

const struct sim_scenario *sim_scenario_find(const char *name)
{
    for (uint32_t i = 0; i < sim_scenario_count; i++) {
        if (strcmp(sim_scenarios[i].name, name) == 0) {
            return &sim_scenarios[i];
        }
    }
    return NULL;
}

const struct sim_scenario *sim_scenario_of(uint64_t seed)
{
    struct sim_rng rng = {seed ^ UINT64_C(0xabcdef)};
    uint64_t sum = 0;
    for (uint32_t i = 0; i < sim_scenario_count; i++) {
        sum += sim_scenarios[i].weight;
    }
    uint64_t at = sim_below(&rng, sum);
    uint32_t i = 0;
    while (at >= sim_scenarios[i].weight) {
        at -= sim_scenarios[i].weight;
        i++;
    }
    return &sim_scenarios[i];
}
