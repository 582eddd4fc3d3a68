/* Liveness: once messages arrive in time again, blocks become final at the rate
 * that the protocol promises, and nobody stays behind. */

#include "tests/sim/check.h"
#include "tests/sim/sim.h"

/* In so many D an epoch's end reaches everybody, if a liar is asked first too. */
#define TURN_DELAYS 6u

uint64_t live_epoch(const struct sim *sim)
{
    uint64_t newest = 0;
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        if (sim->host[i].up) {
            uint64_t const epoch = cs_summary(sim->host[i].cs).epoch;
            newest = epoch > newest ? epoch : newest;
        }
    }
    return newest;
}

void live_begin(struct sim *sim)
{
    uint64_t const top = oracle_height(sim);
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        /* The run may end when all are at the target. */
        sim->height_then[i] = sim->target != 0 && sim->target < top ? sim->target : top;
    }
    sim->epoch_then = live_epoch(sim);
    sim->final_epoch_last = 0;
    sim->widest_gap = 0;
}

void live_final(struct sim *sim, const struct cs_header *header)
{
    if (sim->now_ns < sim->conf.measure_ns) {
        return;
    }
    bool const same = sim->final_epoch_last == header->epoch;
    uint64_t const gap = header->view - (same ? sim->final_view_last : 0);
    if (sim->final_epoch_last != 0 && gap > sim->widest_gap) {
        sim->widest_gap = gap;
    }
    sim->final_epoch_last = header->epoch;
    sim->final_view_last = header->view;
}

/* best returns the summary of the host that is furthest. */
static struct cs_summary best(const struct sim *sim)
{
    struct cs_summary first = {0};
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        const struct sim_host *const host = &sim->host[i];
        if (!host->honest || !host->up) {
            continue;
        }
        struct cs_summary const summary = cs_summary(host->cs);
        if (summary.epoch > first.epoch ||
            (summary.epoch == first.epoch && summary.view > first.view)) {
            first = summary;
        }
    }
    return first;
}

/* behind returns whether a validator is too far behind the best. */
static bool
behind(const struct sim *sim, const struct cs_summary *own, const struct cs_summary *most)
{
    if (own->me == CS_NOBODY) {
        return own->epoch + 2 < most->epoch; /* it looks around from time to time */
    }
    if (own->epoch != most->epoch) { /* views may be much shorter than D, a question is not */
        uint64_t const begun_ns = sim->epoch[most->epoch].begun_ns;
        bool const long_ago = sim->now_ns > begun_ns + TURN_DELAYS * sim->conf.delay_ns;
        bool const far = own->epoch + 1 != most->epoch || most->view > sim->conf.lag_views + 1;
        return far && long_ago;
    }
    return own->view + sim->conf.lag_views < most->view;
}

static void host_check(struct sim *sim, const struct sim_host *host, const struct cs_summary *most)
{
    if (!host->up) {
        sim_fail(sim, "host %u is down at the end", host->id);
        return;
    }
    struct cs_summary const own = cs_summary(host->cs);
    bool const follows = host->key == CS_NOBODY; /* at the pace of its questions */
    if (own.final_height < sim->height_then[host->id] + (follows ? 0 : sim->conf.live_least)) {
        sim_fail(sim,
                 "liveness: host %u is at height %u, in view %u; all were at %u when it began",
                 host->id,
                 (unsigned)own.final_height,
                 (unsigned)own.view,
                 (unsigned)sim->height_then[host->id]);
    } else if (behind(sim, &own, most)) {
        sim_fail(sim,
                 "liveness: host %u is in view %u of epoch %u; the best in %u of %u",
                 host->id,
                 (unsigned)own.view,
                 (unsigned)own.epoch,
                 (unsigned)most->view,
                 (unsigned)most->epoch);
    }
}

void live_end(struct sim *sim)
{
    struct cs_summary const most = best(sim);
    if (sim->conf.fork) {
        return;
    }
    for (uint32_t i = 0; i < sim->conf.hosts && !sim->failed; i++) {
        if (sim->host[i].honest && !sim->host[i].dead) {
            host_check(sim, &sim->host[i], &most);
        }
    }
    proof_end(sim);
    if (sim->widest_gap > sim->conf.live_views) {
        sim_fail(sim, "liveness: %u views between finalizations", (unsigned)sim->widest_gap);
    }
}
