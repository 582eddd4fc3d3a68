/* A world in which blocks are notarized and none is final, for dozens of views; one
 * validator is cut off meanwhile, and comes back to a chain that it can believe
 * by notarizations alone. */

#include "tests/sim/scenario.h"

#define HOLLOW_FROM (300 * SIM_MS)

void hollow_configure(struct sim *sim)
{
    scene_choose(sim);
    uint64_t const until_ms = sim_between(&sim->rng, 1500, 6000);
    sim->conf.net_min_ns = SIM_MS / 2;
    sim->conf.net_max_ns = sim_between(&sim->rng, 1, 5) * SIM_MS;
    sim->conf.sync_max_ns = SIM_MS / 2;
    sim->conf.work = sim_chance(&sim->rng, 700000) ? 1000000 : 0;
    /* A view then lasts as long as it may, and another leader may be dead. */
    sim->conf.measure_ns = (until_ms + 45000) * SIM_MS;
    sim->conf.end_ns = sim->conf.measure_ns + 3000 * SIM_MS;
    sim->conf.live_least = 3;
    sim->conf.views_max = (uint32_t)sim_between(&sim->rng, 32, 1024);
    sim->stage_mask = (uint32_t)sim_below(&sim->rng, sim->conf.validators); /* who is cut off */
    sim->stage_ns = until_ms * SIM_MS;                                      /* until when */
    sim_poll(sim, HOLLOW_FROM);
}

/* hollow_script begins and ends the time without finality; then another dies in half
 * of the seeds, and the one that was away is needed. */
void hollow_script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    sim->stage++;
    if (sim->stage == 1) {
        sim_poll(sim, sim->stage_ns);
    } else if (sim->seed % 2 == 0) {
        struct sim_host *const host = &sim->host[(sim->stage_mask + 1) % sim->conf.validators];
        host->dead = true;
        sim_host_crash(sim, host);
    }
}

bool hollow_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    bool const finalizes = type == CS_MSG_VOTE && bytes.bytes[0] == CS_FINALIZE;
    return sim->stage != 1 || (from != sim->stage_mask && to != sim->stage_mask && !finalizes);
}
