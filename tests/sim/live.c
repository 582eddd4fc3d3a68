/* Liveness: once messages arrive in time again, blocks become final at the rate
 * that the protocol promises, and nobody stays behind. */

#include "tests/sim/sim.h"

void live_begin(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        sim->height_then[i] = oracle_height(sim);
    }
    sim->final_view_last = 0;
    sim->widest_gap = 0;
}

void live_final(struct sim *sim, uint64_t view)
{
    if (sim->now_ns < sim->conf.measure_ns) {
        return;
    }
    if (sim->final_view_last != 0 && view - sim->final_view_last > sim->widest_gap) {
        sim->widest_gap = view - sim->final_view_last;
    }
    sim->final_view_last = view;
}

void live_end(struct sim *sim)
{
    uint64_t best_view = 0;
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        const struct sim_host *const host = &sim->host[i];
        if (host->honest && host->up && cs_summary(host->cs).view > best_view) {
            best_view = cs_summary(host->cs).view;
        }
    }
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        const struct sim_host *const host = &sim->host[i];
        if (!host->honest || host->dead) {
            continue;
        }
        if (!host->up) {
            sim_fail(sim, "host %u is down at the end", i);
            return;
        }
        struct cs_summary const summary = cs_summary(host->cs);
        if (summary.final_height < sim->height_then[i] + sim->conf.live_least) {
            sim_fail(sim,
                     "liveness: host %u is at height %u, in view %u; all were at %u when it began",
                     i,
                     (unsigned)summary.final_height,
                     (unsigned)summary.view,
                     (unsigned)sim->height_then[i]);
            return;
        }
        if (summary.view + sim->conf.lag_views < best_view) {
            sim_fail(sim,
                     "liveness: host %u is in view %u of %u",
                     i,
                     (unsigned)summary.view,
                     (unsigned)best_view);
            return;
        }
    }
    if (sim->widest_gap > sim->conf.live_views) {
        sim_fail(sim, "liveness: %u views between finalizations", (unsigned)sim->widest_gap);
    }
}
