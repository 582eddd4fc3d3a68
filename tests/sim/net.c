/* The network: every message alone may be late, lost or doubled while chaos
 * lasts, and links may be down; afterwards it arrives within the bound. */

#include <string.h>

#include "base/assert.h"

#include "tests/sim/liar.h"
#include "tests/sim/sim.h"

#define LATE 300000u /* millionths of the messages */

static void
deliver_later(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct sim_bytes *bytes)
{
    const struct sim_conf *const conf = &sim->conf;
    uint64_t delay = sim_between(&sim->rng, conf->net_min_ns, conf->net_max_ns);
    if (conf->late_max_ns > 0 && sim_chaos(sim) && sim_chance(&sim->rng, LATE)) {
        delay = sim_between(&sim->rng, conf->net_min_ns, conf->late_max_ns);
        if (delay > conf->net_max_ns) {
            sim_fault(sim, SIM_FAULT_LATE);
        }
    }
    struct sim_item *const item =
        sim_push(sim, sim->now_ns + delay + sim->net_extra_ns, SIM_MAIL, to);
    item->from = from;
    item->type = type;
    item->bytes = sim_bytes_hold(bytes);
}

/* carry takes a message to one host, perhaps. */
static void
carry(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct sim_bytes *bytes)
{
    struct nv_view const view = nv_view_of(bytes->data, bytes->size);
    bool const chaos = sim_chaos(sim);
    if (sim->link_down[from][to]) {
        sim_fault(sim, SIM_FAULT_CUT);
        return;
    }
    if (sim->scenario->passes != NULL && !sim->scenario->passes(sim, from, to, type, view)) {
        sim_fault(sim, SIM_FAULT_CUT);
        return;
    }
    if (chaos && sim_chance(&sim->rng, sim->conf.loss)) {
        sim_fault(sim, SIM_FAULT_LOST);
        return;
    }
    deliver_later(sim, from, to, type, bytes);
    if (chaos && sim_chance(&sim->rng, sim->conf.twice)) {
        sim_fault(sim, SIM_FAULT_DOUBLED);
        deliver_later(sim, from, to, type, bytes);
    }
}

void sim_net_send(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    struct sim_bytes *const copy = sim_bytes_new(bytes);
    carry(sim, from, to, type, copy);
    sim_bytes_drop(copy);
}

void sim_net_post(
    struct sim *sim, struct sim_host *host, uint32_t receivers, uint8_t type, struct nv_view bytes)
{
    struct sim_bytes *const copy = host->honest ? sim_bytes_new(bytes) : NULL;
    for (uint32_t to = 0; to < sim->conf.hosts; to++) {
        if ((receivers >> to & 1u) == 0) {
            continue;
        }
        if (host->honest) {
            carry(sim, host->id, to, type, copy);
        } else {
            liar_send(sim, host, to, type, bytes);
        }
    }
    sim_bytes_drop(copy);
}

void sim_links_cut(struct sim *sim)
{
    uint32_t const n = sim->conf.hosts;
    uint64_t const sides = sim_next(&sim->rng);
    uint64_t const kind = sim_below(&sim->rng, 6);
    for (uint32_t from = 0; from < n; from++) {
        for (uint32_t to = 0; to < n; to++) {
            bool const here = (sides >> from & 1u) != 0;
            bool const apart = here != ((sides >> to & 1u) != 0);
            bool cut = false;
            switch (kind) {
            case 0: cut = apart; break;
            case 1: cut = apart && here; break; /* one way */
            case 2: cut = from == sides % n || to == sides % n; break;
            case 3: cut = sim_chance(&sim->rng, 400000); break;
            case 4: cut = from == sides % n; break; /* heard by nobody */
            default: break;                         /* all well for a while */
            }
            sim->link_down[from][to] = cut;
        }
    }
}
