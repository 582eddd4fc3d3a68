/* The network: every message alone may be late, lost or doubled while chaos
 * lasts; afterwards it arrives within the bound. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/sim.h"

static void
deliver_later(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    const struct sim_conf *const conf = &sim->conf;
    uint64_t delay = sim_between(&sim->rng, conf->net_min_ns, conf->net_max_ns);
    if (sim_chaos(sim) && conf->chaos_max_ns > 0 && sim_chance(&sim->rng, 300000)) {
        delay = sim_between(&sim->rng, conf->net_min_ns, conf->chaos_max_ns);
    }
    struct sim_item *const item = sim_push(sim, sim->now_ns + delay, SIM_MAIL, to);
    item->from = from;
    item->type = type;
    item->size = bytes.size;
    item->bytes = malloc(bytes.size + 1);
    NV_ASSERT(item->bytes != NULL);
    memcpy(item->bytes, bytes.bytes, bytes.size);
}

void sim_net_send(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    bool const chaos = sim_chaos(sim);
    if (to >= sim->conf.hosts || to == from || sim->link_down[from][to]) {
        return;
    }
    if (sim->scenario->passes != NULL && !sim->scenario->passes(sim, from, to, type, bytes)) {
        return;
    }
    if (chaos && sim_chance(&sim->rng, sim->conf.loss)) {
        return;
    }
    deliver_later(sim, from, to, type, bytes);
    if (chaos && sim_chance(&sim->rng, sim->conf.twice)) {
        deliver_later(sim, from, to, type, bytes);
    }
}

void sim_net_broadcast(struct sim *sim, uint32_t from, uint8_t type, struct nv_view bytes)
{
    for (uint32_t to = 0; to < sim->conf.hosts; to++) {
        sim_net_send(sim, from, to, type, bytes);
    }
}
