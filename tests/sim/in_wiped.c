/* A validator loses its disk and comes back with the same key: it does not know
 * what it has signed, and signs again in the first epoch that began afterwards. */

#include "base/assert.h"

#include "tests/sim/scenario.h"

#define NOBODY     0u /* sim->stage: 1 + the host that is wiped, once it is */
#define ENOUGH_MS  1500u
#define NAP_MAX_MS 400u

void wiped_configure(struct sim *sim)
{
    scene_validators(sim, (uint32_t)sim_between(&sim->rng, 4, 7));
    sim->conf.epoch_ms = sim_between(&sim->rng, 200, 900);
    sim->conf.churn = sim_chance(&sim->rng, 500000) ? (uint32_t)sim_between(&sim->rng, 2, 12) : 0;
    sim->conf.members_min = sim->conf.validators; /* one is missing for long enough */
    sim->conf.idle_ms = sim_chance(&sim->rng, 500000) ? 30 : 200;
    sim->conf.status_ns = 300 * SIM_MS;
    sim->conf.live_least = 3;
    sim->conf.lag_views = 3;
    sim->conf.loss = (uint32_t)sim_below(&sim->rng, 100000);
    sim->conf.nap_max_ns = NAP_MAX_MS * SIM_MS;
    sim->conf.gst_ns = 2500 * SIM_MS;
    sim->conf.measure_ns = 5500 * SIM_MS;
    sim->conf.end_ns = 8000 * SIM_MS;
    if (sim_chance(&sim->rng, 400000)) {
        sim->conf.crash_ns = 1500 * SIM_MS;
    }
    sim_poll(sim, sim_between(&sim->rng, 300, 2000) * SIM_MS);
}

/* wiped_script wipes one that is there.  It keeps its time when it crashes again. */
void wiped_script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    uint32_t const id = (uint32_t)sim_below(&sim->rng, sim->conf.validators);
    if (!sim->host[id].up || cs_summary(sim->host[id].cs).final_height == 0) {
        sim_poll(sim, sim->now_ns + 20 * SIM_MS);
        return;
    }
    sim->stage = 1 + id;
    sim_host_wipe(sim, &sim->host[id]);
}

static bool sat_out(const struct sim *sim, const struct sim_host *host, uint64_t epoch)
{
    return epoch >= SIM_EPOCHS_MAX || !sim->epoch[epoch].begun ||
           sim->epoch[epoch].start_ms <= host->sit_out_ms;
}

/* wiped_passes looks at what the wiped one says from then on. */
bool wiped_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    struct cs_message message;
    (void)to;
    if (from + 1 != sim->stage || (type != CS_MSG_VOTE && type != CS_MSG_PROPOSAL) ||
        cs_message_decode(&message, type, bytes) != NV_OK) {
        return true;
    }
    uint64_t const epoch = type == CS_MSG_VOTE ? message.vote.ballot.epoch : message.proposal.epoch;
    if (sat_out(sim, &sim->host[from], epoch)) {
        sim_fail(sim,
                 "host %u signs in epoch %u, of which it does not know its votes",
                 from,
                 (unsigned)epoch);
    }
    return true;
}

static bool signed_in(const struct sim *sim, const struct sim_host *host, uint64_t epoch)
{
    bool found = false;
    for (uint64_t view = 1; view < SIM_VIEWS_MAX && !found; view++) {
        uint64_t const slot = sim_slot(sim, epoch, view);
        if (slot >= SIM_VIEWS_MAX) {
            break;
        }
        found =
            host->durable[slot].vote[CS_NOTARIZE] != 0 || host->durable[slot].vote[CS_NULLIFY] != 0;
    }
    return found;
}

/* wiped_finish: it is back. */
void wiped_finish(struct sim *sim)
{
    NV_ASSERT(sim->stage != NOBODY);
    const struct sim_host *const host = &sim->host[sim->stage - 1];
    uint64_t const late_ms = sim_wall_ms(sim) - ENOUGH_MS;
    for (uint64_t epoch = 2; epoch < SIM_EPOCHS_MAX && sim->epoch[epoch].begun; epoch++) {
        bool const due = !sat_out(sim, host, epoch) && sim->epoch[epoch].start_ms < late_ms &&
                         sim_number(sim, &sim->epoch[epoch].set, host->id) != CS_NOBODY;
        if (due && signed_in(sim, host, epoch)) {
            return;
        }
    }
    sim_fail(sim, "liveness: host %u was wiped and does not sign again", host->id);
}
