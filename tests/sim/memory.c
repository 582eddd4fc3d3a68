/* I7: what an engine may hold.
 *
 * SPEC consensus 16: "one notarization or finalization and one nullification" */

#include "consensus/state.h"
#include "tests/sim/check.h"
#include "tests/sim/sim.h"

#define EVERY      32u    /* steps, from one count to the next */
#define QUEUE_MAX  20000u /* effects that wait for the disk */
#define BELOW      10u    /* views at and below fin, as in the spec, and fin itself */
#define BLOCKS_OFF 256u   /* blocks beside two for each view */

static uint32_t one(const struct cs__cert *cert)
{
    return cert != NULL ? 1 : 0;
}

/* named returns how many certificates have a place in the engine. */
static uint32_t named(const struct cs *cs)
{
    uint32_t count = one(cs->fin.cert) + one(cs->opened_cert) + one(cs->target) + one(cs->near) +
                     one(cs->doubt.other);
    for (uint32_t i = 0; i < cs->slot_count; i++) {
        count += one(cs->slot[i].notar) + one(cs->slot[i].null);
    }
    for (uint32_t i = 0; i < cs->block_used; i++) {
        count += cs->block[i].used ? one(cs->block[i].justify) : 0;
    }
    return count;
}

void memory_check(struct sim *sim, const struct sim_host *host)
{
    if (sim->steps % EVERY != 0) {
        return;
    }
    struct cs_summary const summary = cs_summary(host->cs);
    uint64_t const views = sim->conf.views_max + BELOW + 1;
    uint32_t const due = named(host->cs);
    if (summary.blocks_held > 2 * sim->conf.views_max + BLOCKS_OFF || host->op_count > QUEUE_MAX) {
        sim_fail(sim, "I7: host %u holds too many blocks", host->id);
    }
    if (host->cs->slot_count > views) {
        sim_fail(sim, "I7: host %u remembers %u views", host->id, host->cs->slot_count);
    }
    if (summary.certificates_held != due) {
        sim_fail(sim,
                 "I7: host %u holds %u certificates and has a place for %u",
                 host->id,
                 summary.certificates_held,
                 due);
    }
}
