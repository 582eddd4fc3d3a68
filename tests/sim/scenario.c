/* The worlds.  Their numbers are those of the design's list: 1 exact latency,
 * 2 loss, 3 long runs, 4 restarts of all, 5 crash after nullify, 6 crash after
 * finalize by a few, 8 liars, 9 partitions, 11 slow and failing disks, 12 wrong
 * clocks, 16 unequal stakes; 10 certificates that only some have; and catch-up
 * by height. */

#include <string.h>

#include "base/assert.h"

#include "tests/sim/sim.h"

#define POLL 1u

static uint32_t faults(uint32_t hosts)
{
    return (hosts - 1) / 3;
}

/* chaos_until sets the times of a run with chaos at its beginning. */
static void chaos_until(struct sim *sim, uint64_t gst_ms)
{
    sim->conf.gst_ns = gst_ms * SIM_MS;
    sim->conf.measure_ns = (gst_ms + 3000) * SIM_MS;
    sim->conf.end_ns = (gst_ms + 4200) * SIM_MS;
}

static void hosts_set(struct sim *sim, uint32_t hosts)
{
    sim->conf.hosts = hosts;
    sim->conf.live_views = faults(hosts) + 2;
}

static void hosts_choose(struct sim *sim)
{
    uint32_t const sizes[5] = {4, 4, 4, 5, 7};
    hosts_set(sim, sizes[sim_below(&sim->rng, 5)]);
}

/* the_least_live leaves, in some seeds, just a quorum alive: then nobody covers
 * for anybody. */
static void the_least_live(struct sim *sim)
{
    if (sim_chance(&sim->rng, 400000)) {
        uint32_t const f = faults(sim->conf.hosts);
        sim->conf.dead = ((1u << f) - 1u) << sim_below(&sim->rng, sim->conf.hosts - f + 1);
        sim->conf.end_ns += 1000 * SIM_MS;
        sim->conf.live_least = 4;
    }
}

static void none(struct sim *sim, const struct sim_item *item)
{
    (void)sim;
    (void)item;
}

static void poll_next(struct sim *sim, uint64_t at_ns)
{
    struct sim_item *const item = sim_push(sim, at_ns, SIM_SCRIPT, 0);
    item->a = POLL;
    item->life = 0;
}

/* ---- 1: exact latency ---- */

#define EXACT_NS (10 * SIM_MS)

static void exact_configure(struct sim *sim)
{
    uint32_t const sizes[3] = {4, 7, 16};
    hosts_set(sim, sizes[sim->seed % 3]);
    sim->conf.delay_ns = 8 * EXACT_NS;
    sim->conf.net_min_ns = EXACT_NS;
    sim->conf.net_max_ns = EXACT_NS;
    sim->conf.sync_min_ns = 0;
    sim->conf.sync_max_ns = 0;
    sim->conf.exec_max_ns = 0;
    sim->conf.work = 1000000;
    sim->conf.measure_ns = 200 * SIM_MS;
    sim->conf.end_ns = 1000 * SIM_MS;
    sim->conf.live_least = 37;
    sim->conf.live_views = 1;
}

static void exact_finish(struct sim *sim)
{
    uint64_t const top = oracle_height(sim);
    for (uint64_t height = 4; height < top; height++) {
        uint64_t const interval = sim->proposed_ns[height + 1] - sim->proposed_ns[height];
        uint64_t const finality = sim->final_ns[height] - sim->proposed_ns[height];
        if (interval != 2 * EXACT_NS || finality != 3 * EXACT_NS) {
            sim_fail(sim,
                     "height %u: next after %u us, final after %u us; a delay is %u us",
                     (unsigned)height,
                     (unsigned)(interval / 1000),
                     (unsigned)(finality / 1000),
                     (unsigned)(EXACT_NS / 1000));
            return;
        }
    }
}

/* exact_passes fails the run when a certificate travels alone: in the good case
 * none is needed. */
static bool
exact_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    (void)to;
    (void)bytes;
    if (type == CS_MSG_CERTIFICATE) {
        sim_fail(sim, "host %u sends a certificate alone", from);
    }
    return true;
}

/* ---- 2, 3: loss ---- */

static void loss_configure(struct sim *sim)
{
    hosts_choose(sim);
    chaos_until(sim, sim_between(&sim->rng, 500, 2000));
    sim->conf.loss = (uint32_t)sim_below(&sim->rng, 600000);
    sim->conf.twice = 50000;
    sim->conf.chaos_max_ns = sim_between(&sim->rng, 20, 400) * SIM_MS;
    the_least_live(sim);
}

static void long_configure(struct sim *sim)
{
    hosts_set(sim, 10);
    sim->conf.delay_ns = 400 * SIM_MS;
    sim->conf.net_min_ns = 70 * SIM_MS;
    sim->conf.net_max_ns = 90 * SIM_MS;
    sim->conf.loss = 20000;
    sim->conf.gst_ns = 180000 * SIM_MS;
    sim->conf.measure_ns = 190000 * SIM_MS;
    sim->conf.end_ns = 200000 * SIM_MS;
    sim->conf.live_least = 40;
}

/* ---- 4: restarts ---- */

static void restart_configure(struct sim *sim)
{
    hosts_choose(sim);
    chaos_until(sim, sim_between(&sim->rng, 1000, 3000));
    sim->conf.loss = (uint32_t)sim_below(&sim->rng, 200000);
    sim->conf.twice = 50000;
    sim->conf.chaos_max_ns = 100 * SIM_MS;
    sim->conf.sync_max_ns = sim_between(&sim->rng, 1, 20) * SIM_MS;
    sim->conf.crash_ns = sim_between(&sim->rng, 150, 1500) * SIM_MS;
    sim->conf.crash_op = (uint32_t)sim_below(&sim->rng, 6000);
    if (sim_chance(&sim->rng, 500000)) {
        sim->conf.all_crash_ns = sim_between(&sim->rng, 200, 1000) * SIM_MS;
    }
    the_least_live(sim);
}

/* ---- 5 and 6: everybody crashes at a chosen moment ---- */

static void moment_configure(struct sim *sim)
{
    uint32_t const sizes[2] = {4, 7};
    hosts_set(sim, sizes[sim->seed % 2]);
    sim->conf.live_least = 3;
    sim->conf.measure_ns = 6000 * SIM_MS;
    sim->conf.end_ns = 8000 * SIM_MS;
    sim->conf.nap_max_ns = 300 * SIM_MS;
    poll_next(sim, sim_between(&sim->rng, 200, 600) * SIM_MS);
    /* As many as may fail do; the rest is just a quorum.  The next ones, by
     * number, are the few of scenario 6. */
    sim->stage_mask = (1u << faults(sim->conf.hosts)) - 1u;
}

static bool dead(const struct sim *sim, uint32_t host)
{
    return (sim->stage_mask >> host & 1u) != 0;
}

static bool few(const struct sim *sim, uint32_t host)
{
    uint32_t const f = faults(sim->conf.hosts);
    return host >= f && host < 2 * f;
}

static bool voted(const struct sim *sim, uint32_t host, uint64_t view, enum cs_vote_kind kind)
{
    return view < SIM_VIEWS_MAX && sim->host[host].durable[view].has[kind];
}

static void all_crash(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        if (sim->host[i].up) {
            sim_host_crash(sim, &sim->host[i]);
        }
    }
    sim->stage = 2;
}

static void the_faulty_die(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        if (dead(sim, i)) {
            sim->host[i].dead = true;
            sim_host_crash(sim, &sim->host[i]);
        }
    }
}

static void nullcrash_script(struct sim *sim, const struct sim_item *item)
{
    bool all = true;
    (void)item;
    if (sim->stage == 0) {
        sim->stage = 1;
        the_faulty_die(sim);
    }
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        all = all && (dead(sim, i) || voted(sim, i, cs_summary(sim->host[i].cs).view, CS_NULLIFY));
    }
    if (all) {
        all_crash(sim);
    } else if (sim->stage == 1) {
        poll_next(sim, sim->now_ns + 5 * SIM_MS);
    }
}

static enum cs_vote_kind vote_kind(uint8_t type, struct nv_view bytes)
{
    if (type == CS_MSG_PROPOSAL) {
        return CS_NOTARIZE;
    }
    return type == CS_MSG_VOTE ? (enum cs_vote_kind)bytes.bytes[0] : (enum cs_vote_kind)0;
}

/* nullcrash_passes keeps proposals, nullify votes and certificates away, until
 * all have nullified and crashed. */
static bool
nullcrash_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    (void)from;
    (void)to;
    bool const kept = type == CS_MSG_PROPOSAL || type == CS_MSG_CERTIFICATE ||
                      type == CS_MSG_CERT_RESPONSE || vote_kind(type, bytes) == CS_NULLIFY;
    return sim->stage != 1 || !kept;
}

static void finalcrash_script(struct sim *sim, const struct sim_item *item)
{
    bool ready = true;
    bool finalized = false;
    (void)item;
    if (sim->stage == 0) {
        sim->stage = 1;
        the_faulty_die(sim);
        for (uint32_t i = 0; i < sim->conf.hosts; i++) {
            uint64_t const view = sim->host[i].up ? cs_summary(sim->host[i].cs).view : 0;
            sim->stage_view = view > sim->stage_view ? view : sim->stage_view;
        }
        sim->stage_view += 2;
    }
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        if (dead(sim, i)) {
            continue;
        }
        uint64_t const view = cs_summary(sim->host[i].cs).view;
        if (few(sim, i)) {
            finalized = finalized || (view > 1 && voted(sim, i, view - 1, CS_FINALIZE));
        } else {
            ready = ready && voted(sim, i, view, CS_NULLIFY);
        }
    }
    if (ready && finalized) {
        all_crash(sim);
    } else if (sim->stage == 1 && sim->now_ns < 3500 * SIM_MS) {
        poll_next(sim, sim->now_ns + 5 * SIM_MS);
    } else {
        sim->stage = 2; /* it did not come to pass; the run goes on in peace */
    }
}

/* finalcrash_passes lets notarize votes of later views reach the few only, and
 * keeps finalize votes, nullify votes and certificates away. */
static bool
finalcrash_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    (void)from;
    enum cs_vote_kind const kind = vote_kind(type, bytes);
    if (sim->stage != 1) {
        return true;
    }
    if (type == CS_MSG_CERTIFICATE || type == CS_MSG_CERT_RESPONSE || kind == CS_FINALIZE ||
        kind == CS_NULLIFY) {
        return false;
    }
    return type != CS_MSG_VOTE || few(sim, to);
}

/* ---- 8: liars ---- */

static void liars_configure(struct sim *sim)
{
    hosts_choose(sim);
    chaos_until(sim, sim_between(&sim->rng, 0, 1200));
    sim->conf.loss = (uint32_t)sim_below(&sim->rng, 150000);
    sim->conf.chaos_max_ns = 150 * SIM_MS;
    sim->conf.end_ns = sim->conf.measure_ns + 2000 * SIM_MS;
    sim->conf.lies = 1 + (uint32_t)sim_below(&sim->rng, 127);
    uint32_t const f = faults(sim->conf.hosts);
    for (uint32_t i = 0; i < f; i++) {
        sim->conf.byzantine |= 1u << sim_below(&sim->rng, sim->conf.hosts);
    }
    sim->conf.live_least = 4;
}

/* ---- 9: partitions ---- */

static void links_cut(struct sim *sim)
{
    uint32_t const n = sim->conf.hosts;
    uint64_t const sides = sim_next(&sim->rng);
    uint64_t const kind = sim_below(&sim->rng, 5);
    for (uint32_t from = 0; from < n; from++) {
        for (uint32_t to = 0; to < n; to++) {
            bool const apart = (sides >> from & 1u) != (sides >> to & 1u);
            bool cut = false;
            switch (kind) {
            case 0: cut = apart; break;
            case 1: cut = apart && (sides >> from & 1u) != 0; break; /* one way */
            case 2: cut = from == sides % n || to == sides % n; break;
            case 3: cut = sim_chance(&sim->rng, 400000); break;
            default: break; /* all well for a while */
            }
            sim->link_down[from][to] = cut;
        }
    }
}

static void partition_configure(struct sim *sim)
{
    hosts_choose(sim);
    chaos_until(sim, sim_between(&sim->rng, 1500, 6000));
    sim->conf.crash_ns = sim_chance(&sim->rng, 300000) ? 1500 * SIM_MS : 0;
    the_least_live(sim);
    poll_next(sim, sim_between(&sim->rng, 50, 300) * SIM_MS);
}

static void partition_script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    if (!sim_chaos(sim)) {
        memset(sim->link_down, 0, sizeof sim->link_down);
        return;
    }
    links_cut(sim);
    bool const stays = sim_chance(&sim->rng, 300000);
    uint64_t const next = sim->now_ns + sim_between(&sim->rng, 20, stays ? 2500 : 900) * SIM_MS;
    poll_next(sim, next < sim->conf.gst_ns ? next : sim->conf.gst_ns);
}

/* ---- 11: disks ---- */

static void disk_configure(struct sim *sim)
{
    hosts_choose(sim);
    chaos_until(sim, sim_between(&sim->rng, 1000, 2500));
    sim->conf.delay_ns = 300 * SIM_MS; /* it covers one sync */
    sim->conf.sync_max_ns = sim_between(&sim->rng, 1, 200) * SIM_MS;
    sim->conf.sync_fails = (uint32_t)sim_below(&sim->rng, 30000);
    sim->conf.measure_ns += 2000 * SIM_MS;
    sim->conf.end_ns += 6000 * SIM_MS;
}

/* ---- 12: clocks ---- */

static void clock_configure(struct sim *sim)
{
    hosts_choose(sim);
    sim->conf.skew_ms = 5000;
    sim->conf.live_least = 3;
    sim->conf.measure_ns = 3000 * SIM_MS;
    sim->conf.end_ns = 7000 * SIM_MS;
}

/* ---- 16: stakes ---- */

static void stake_configure(struct sim *sim)
{
    hosts_set(sim, (uint32_t)sim_between(&sim->rng, 4, 9));
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        uint64_t const most = sim_chance(&sim->rng, 200000) ? UINT64_C(1) << 58 : 100;
        sim->conf.stakes[i] = sim_between(&sim->rng, 1, most);
    }
    sim->conf.live_least = 2;  /* one leads alone, and may have nothing to do */
    sim->conf.lag_views = 100; /* one may be a quorum, and faster than the network */
    chaos_until(sim, 800);
    sim->conf.loss = 200000;
    sim->conf.crash_ns = 700 * SIM_MS;
}

/* ---- 15: far behind ---- */

static void behind_configure(struct sim *sim)
{
    hosts_set(sim, 4);
    sim->conf.net_max_ns = 6 * SIM_MS;
    sim->conf.idle_ms = 50;
    sim->conf.nap_max_ns = 3000 * SIM_MS;
    sim->conf.views_max = (uint32_t)sim_between(&sim->rng, 32, 200);
    sim->conf.measure_ns = 6000 * SIM_MS;
    sim->conf.end_ns = 7000 * SIM_MS;
    poll_next(sim, sim_between(&sim->rng, 50, 500) * SIM_MS);
}

static void behind_script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    if (sim->stage == 0) {
        uint32_t const victim = (uint32_t)sim_below(&sim->rng, sim->conf.hosts);
        sim->stage = 1;
        sim_host_crash(sim, &sim->host[victim]);
    }
}

/* ---- 10: holes ---- */

/* One is cut off while the others nullify more views than a proposal tells of;
 * then one of the others dies, and the one that was away is needed. */
#define HOLES_AWAY 1u
#define HOLES_DEAD 2u

static void holes_configure(struct sim *sim)
{
    hosts_set(sim, 4);
    sim->conf.delay_ns = 20 * SIM_MS;
    sim->conf.net_min_ns = SIM_MS;
    sim->conf.net_max_ns = 4 * SIM_MS;
    sim->conf.sync_max_ns = SIM_MS / 2;
    sim->conf.work = 0;
    sim->conf.live_least = 4;
    sim->conf.measure_ns = 20000 * SIM_MS;
    sim->conf.end_ns = 24000 * SIM_MS;
    poll_next(sim, sim_between(&sim->rng, 100, 300) * SIM_MS);
}

static void holes_script(struct sim *sim, const struct sim_item *item)
{
    uint64_t const view = cs_summary(sim->host[0].cs).view;
    (void)item;
    if (sim->stage == 0) {
        sim->stage = 1;
        sim->stage_view = view + 10 + sim_below(&sim->rng, 4);
    }
    if (sim->stage == 1 && view >= sim->stage_view) {
        sim->stage = 2;
        sim->host[HOLES_DEAD].dead = true;
        sim_host_crash(sim, &sim->host[HOLES_DEAD]);
    } else {
        poll_next(sim, sim->now_ns + 5 * SIM_MS);
    }
}

static bool
holes_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    (void)bytes;
    return sim->stage != 1 || (from != HOLES_AWAY && to != HOLES_AWAY && type != CS_MSG_PROPOSAL);
}

/* ---- everything ---- */

static void storm_configure(struct sim *sim)
{
    liars_configure(sim);
    chaos_until(sim, sim_between(&sim->rng, 1000, 2500));
    sim->conf.end_ns = sim->conf.measure_ns + 2500 * SIM_MS;
    sim->conf.twice = 50000;
    sim->conf.crash_ns = 900 * SIM_MS;
    sim->conf.crash_op = 1000;
    sim->conf.sync_max_ns = 20 * SIM_MS;
    sim->conf.sync_fails = 5000;
    sim->conf.live_least = 3;
    poll_next(sim, sim_between(&sim->rng, 50, 300) * SIM_MS);
}

const struct sim_scenario sim_scenarios[] = {
    {"exact", 3, exact_configure, none, exact_passes, exact_finish},
    {"loss", 15, loss_configure, none, NULL, NULL},
    {"long", 0, long_configure, none, NULL, NULL},
    {"restart", 20, restart_configure, none, NULL, NULL},
    {"nullcrash", 6, moment_configure, nullcrash_script, nullcrash_passes, NULL},
    {"finalcrash", 8, moment_configure, finalcrash_script, finalcrash_passes, NULL},
    {"liars", 20, liars_configure, none, NULL, NULL},
    {"partition", 12, partition_configure, partition_script, NULL, NULL},
    {"disk", 6, disk_configure, none, NULL, NULL},
    {"clock", 4, clock_configure, none, NULL, NULL},
    {"stake", 4, stake_configure, none, NULL, NULL},
    {"behind", 4, behind_configure, behind_script, NULL, NULL},
    {"holes", 4, holes_configure, holes_script, holes_passes, NULL},
    {"epoch", 12, epoch_configure, none, NULL, epochs_finish},
    {"boundary", 8, boundary_configure, boundary_script, boundary_passes, epochs_finish},
    {"joiner", 4, joiner_configure, joiner_script, NULL, epochs_finish},
    {"fork", 4, fork_configure, none, fork_passes, fork_finish},
    {"storm", 12, storm_configure, partition_script, NULL, NULL},
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
