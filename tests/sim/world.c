/* Seeded choices, the trace, and the run of one seed. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/check.h"
#include "tests/sim/liar.h"
#include "tests/sim/sim.h"

#define PATIENCE_NS (UINT64_C(120000) * SIM_MS) /* for the last blocks to come ... */
#define BLOCK_NS    (UINT64_C(1000) * SIM_MS)   /* ... and for each that there must be */

uint64_t sim_next(struct sim_rng *rng)
{
    rng->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = rng->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint64_t sim_below(struct sim_rng *rng, uint64_t bound)
{
    NV_ASSERT(bound > 0);
    return sim_next(rng) % bound;
}

uint64_t sim_between(struct sim_rng *rng, uint64_t low, uint64_t high)
{
    return high <= low ? low : low + sim_below(rng, high - low + 1);
}

bool sim_chance(struct sim_rng *rng, uint32_t millionths)
{
    return millionths > 0 && sim_below(rng, 1000000) < millionths;
}

void sim_fail(struct sim *sim, const char *format, ...)
{
    va_list arguments;
    if (sim->failed) {
        return; /* the first one tells most */
    }
    sim->failed = true;
    va_start(arguments, format);
    (void)vsnprintf(sim->why, sizeof sim->why, format, arguments);
    va_end(arguments);
}

void sim_trace(struct sim *sim, uint32_t host, const char *what, uint64_t a, uint64_t b)
{
    uint64_t const words[5] = {sim->now_ns, host, a, b, (uint64_t)what[0] << 8 | (uint8_t)what[1]};
    for (uint32_t i = 0; i < 5; i++) {
        sim->trace = (sim->trace ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        sim->trace ^= sim->trace >> 29;
    }
    if (sim->print) {
        printf("%12.6f  %2u  %-12s %llu %llu\n",
               (double)sim->now_ns / 1e9,
               host,
               what,
               (unsigned long long)a,
               (unsigned long long)b);
    }
}

bool sim_chaos(const struct sim *sim)
{
    return sim->now_ns < sim->conf.gst_ns;
}

uint64_t sim_wall_ms(const struct sim *sim)
{
    return SIM_GENESIS_MS + sim->now_ns / SIM_MS;
}

void sim_fault(struct sim *sim, enum sim_fault fault)
{
    sim->fault[fault]++;
}

uint64_t sim_faults(const struct sim *sim)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < SIM_FAULT_COUNT; i++) {
        sum += sim->fault[i];
    }
    return sum;
}

/* ---- what happens by itself ---- */

enum {
    SCRIPT_OWN = 0, /* the scenario's */
    SCRIPT_WORK,    /* a host's mempool fills or empties */
    SCRIPT_MEASURE,
    SCRIPT_CUT,    /* the links change */
    SCRIPT_CLOCK,  /* a wall clock steps */
    SCRIPT_HEALED, /* the chaos is over */
    SCRIPT_ALL_CRASH,
};

static void script_push(struct sim *sim, uint64_t at_ns, uint32_t host, uint32_t what)
{
    struct sim_item *const item = sim_push(sim, at_ns, SIM_SCRIPT, host);
    item->a = what;
    item->life = 0;
}

void sim_poll(struct sim *sim, uint64_t at_ns)
{
    script_push(sim, at_ns, 0, SCRIPT_OWN);
}

/* chaos_push lets something happen about `mean_ns` from now, while the chaos lasts. */
static void chaos_push(struct sim *sim, uint64_t mean_ns, uint32_t host, uint32_t what)
{
    uint64_t const at = sim->now_ns + 1 + sim_below(&sim->rng, 2 * mean_ns);
    if (at < sim->conf.gst_ns) {
        script_push(sim, at, host, what);
    }
}

/* times_plan spreads items of one kind over the chaos, for each host. */
static void times_plan(struct sim *sim, uint64_t mean_ns, enum sim_kind kind)
{
    for (uint32_t i = 0; i < sim->conf.hosts && mean_ns > 0; i++) {
        uint64_t at = sim_below(&sim->rng, 2 * mean_ns);
        while (at < sim->conf.gst_ns) {
            sim_push(sim, at, kind, i)->life = 0;
            at += 1 + sim_below(&sim->rng, 2 * mean_ns);
        }
    }
}

static void work_change(struct sim *sim, struct sim_host *host)
{
    bool const pending = sim_chance(&sim->rng, sim->conf.work);
    struct cs_event event = {.kind = CS_EV_WORK, .work = {.waiting = pending ? SIM_ENDLESS : 0}};
    bool const news = pending != host->work;
    host->work = pending;
    if (host->up && news) {
        sim_host_step(sim, host, &event);
    }
    script_push(sim, sim->now_ns + sim_between(&sim->rng, 1, 400 * SIM_MS), host->id, SCRIPT_WORK);
}

static void clock_set(struct sim *sim, struct sim_host *host)
{
    uint64_t const skew = sim_below(&sim->rng, 2 * sim->conf.skew_ms + 1);
    host->skew_ms = (int64_t)skew - (int64_t)sim->conf.skew_ms;
    sim_fault(sim, SIM_FAULT_CLOCK);
    sim_trace(sim, host->id, "clock", skew, sim->conf.skew_ms);
}

void sim_heal(struct sim *sim)
{
    if (sim_chaos(sim)) {
        sim->conf.gst_ns = sim->now_ns;
    }
    memset(sim->link_down, 0, sizeof sim->link_down);
    bool const many =
        (uint32_t)__builtin_popcount(sim->conf.skewed) > sim_third(sim->conf.validators);
    if (sim->conf.blocks_after > 0 && sim->target == 0) {
        sim->target = oracle_height(sim) + sim->conf.blocks_after;
    }
    for (uint32_t i = 0; many && i < sim->conf.hosts; i++) {
        sim->host[i].skew_ms = 0;
    }
}

static void all_crash(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        if (sim->host[i].up) {
            sim_host_crash(sim, &sim->host[i]);
        }
    }
    chaos_push(sim, sim->conf.all_crash_ns, 0, SCRIPT_ALL_CRASH);
}

static void script(struct sim *sim, const struct sim_item *item)
{
    struct sim_host *const host = &sim->host[item->host];
    switch (item->a) {
    case SCRIPT_WORK: work_change(sim, host); break;
    case SCRIPT_MEASURE: live_begin(sim); break;
    case SCRIPT_CUT:
        sim_links_cut(sim);
        chaos_push(sim, sim->conf.cut_ns, 0, SCRIPT_CUT);
        break;
    case SCRIPT_CLOCK:
        clock_set(sim, host);
        chaos_push(sim, sim->conf.skew_step_ns, host->id, SCRIPT_CLOCK);
        break;
    case SCRIPT_HEALED: sim_heal(sim); break;
    case SCRIPT_ALL_CRASH: all_crash(sim); break;
    default: sim->scenario->script(sim, item); break;
    }
}

static void item_do(struct sim *sim, struct sim_item *item)
{
    struct sim_host *const host = &sim->host[item->host];
    bool const stale = item->life != 0 && item->life != host->life;
    switch (item->kind) {
    case SIM_MAIL:
        if (host->up) {
            sim_host_mail(sim, host, item);
        }
        break;
    case SIM_TIMER:
        if (host->up && !stale && item->a == host->timer) {
            struct cs_event event = {.kind = CS_EV_TIMER};
            sim_host_step(sim, host, &event);
        }
        break;
    case SIM_STEP:
        if (host->up && !stale) {
            sim_host_step(sim, host, &item->event);
        }
        break;
    case SIM_SYNC:
        if (host->up && !stale) {
            sim_host_synced(sim, host);
        }
        break;
    case SIM_CRASH:
        if (host->up) {
            sim_host_crash(sim, host);
        }
        break;
    case SIM_RESTART:
        if (!host->up && !stale && !host->dead) {
            sim_host_start(sim, host);
        }
        break;
    case SIM_PAUSE:
        sim_fault(sim, SIM_FAULT_PAUSE);
        host->paused_ns = sim->now_ns + sim_between(&sim->rng, 1, sim->conf.pause_max_ns);
        break;
    case SIM_SCRIPT: script(sim, item); break;
    }
}

/* waits puts what comes to a paused host off until it goes on. */
static bool waits(struct sim *sim, const struct sim_item *item)
{
    const struct sim_host *const host = &sim->host[item->host];
    if (host->paused_ns <= sim->now_ns || item->kind == SIM_SCRIPT || item->kind == SIM_PAUSE) {
        return false;
    }
    struct sim_item *const later = sim_push(sim, host->paused_ns, item->kind, item->host);
    *later = *item;
    later->at_ns = host->paused_ns;
    return true;
}

/* ---- one seed ---- */

static void host_begin(struct sim *sim, uint32_t id)
{
    const struct sim_conf *const conf = &sim->conf;
    struct sim_host *const host = &sim->host[id];
    host->honest = host->key == CS_NOBODY || (conf->byzantine >> host->key & 1u) == 0;
    if ((conf->skewed >> id & 1u) != 0) {
        clock_set(sim, host);
        if (conf->skew_step_ns > 0) {
            chaos_push(sim, conf->skew_step_ns, id, SCRIPT_CLOCK);
        }
    }
    host->dead = (conf->dead >> id & 1u) != 0;
    if (!host->dead) {
        sim_host_start(sim, host);
        script_push(sim, sim_below(&sim->rng, 100), id, SCRIPT_WORK);
    }
}

static void begin(struct sim *sim)
{
    const struct sim_conf *const conf = &sim->conf;
    for (uint32_t i = 0; i < conf->hosts; i++) {
        bool const twin = i >= conf->validators && i < conf->validators + conf->twins;
        sim->host[i].id = i;
        sim->host[i].key = twin ? i - conf->validators : i < conf->validators ? i : CS_NOBODY;
    }
    for (uint32_t i = 0; i < conf->hosts; i++) {
        host_begin(sim, i);
    }
    script_push(sim, conf->measure_ns, 0, SCRIPT_MEASURE);
    script_push(sim, conf->gst_ns, 0, SCRIPT_HEALED);
    if (conf->cut_ns > 0) {
        chaos_push(sim, conf->cut_ns, 0, SCRIPT_CUT);
    }
    if (conf->all_crash_ns > 0) {
        chaos_push(sim, conf->all_crash_ns, 0, SCRIPT_ALL_CRASH);
    }
    times_plan(sim, conf->crash_ns, SIM_CRASH);
    times_plan(sim, conf->pause_ns, SIM_PAUSE);
}

/* sim_clear leaves the memory of the last run for the next. */
static void sim_clear(struct sim *sim)
{
    sim_epochs_free(sim);
    struct sim const last = *sim;
    sim_heap_clear(&sim->heap);
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++) {
        sim_host_clear(&sim->host[i]);
    }
    struct sim_heap const heap = sim->heap;
    size_t const kept = offsetof(struct sim, host);
    memset(sim, 0, kept);
    memset((uint8_t *)sim + kept + sizeof sim->host, 0, sizeof *sim - kept - sizeof sim->host);
    sim->heap = heap;
    sim->effects = last.effects;
    sim->effects_arena = last.effects_arena;
    sim->oracle = last.oracle;
    sim->print = last.print;
    sim->twins = last.twins;
}

static void sim_open(struct sim *sim)
{
    void *const memory = calloc(1, CS_EFFECTS_MEMORY);
    sim->effects = calloc(1, sizeof *sim->effects);
    NV_ASSERT(memory != NULL && sim->effects != NULL);
    nv_arena_init_zeroed(&sim->effects_arena, memory, CS_EFFECTS_MEMORY);
    cs_effects_init(sim->effects, &sim->effects_arena);
    sim->oracle = oracle_new();
}

/* net_make makes the validators; sets of equal stakes are kept, as keys are slow
 * to make. */
static void net_make(struct sim *sim)
{
    static struct cs_net equal[SIM_HOSTS_MAX + 1];
    uint32_t const n = sim->conf.validators;
    bool same = true;
    for (uint32_t i = 0; i < n; i++) {
        same = same && sim->conf.stakes[i] == 1;
    }
    sim_crypto(NULL, true);
    if (!same) {
        cs_net_init(&sim->net, sim->conf.stakes, n);
        return;
    }
    if (equal[n].set.count == 0) {
        cs_net_init(&equal[n], NULL, n);
    }
    sim->net = equal[n];
}

static void configure(struct sim *sim)
{
    struct sim_conf *const conf = &sim->conf;
    sim->rng.state = sim->seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    sim_conf_default(conf);
    conf->real = sim_chance(&sim->rng, 50000);
    conf->at_once = sim_chance(&sim->rng, 500000);
    conf->one_batch = sim_chance(&sim->rng, 500000);
    sim->scenario->configure(sim);
    conf->hosts = conf->validators + conf->twins + conf->observers;
    NV_ASSERT(conf->hosts <= SIM_HOSTS_MAX);
}

static void end(struct sim *sim)
{
    if (!sim->failed) {
        live_end(sim);
    }
    if (!sim->failed) {
        audit_end(sim);
    }
    if (!sim->failed && sim->scenario->finish != NULL) {
        sim->scenario->finish(sim);
    }
}

uint64_t sim_run(struct sim *sim, const struct sim_scenario *scenario, uint64_t seed)
{
    struct sim_item item;
    uint64_t allowed = 0;
    if (sim->effects == NULL) {
        sim_open(sim);
    }
    sim_clear(sim);
    sim->seed = seed;
    sim->scenario = scenario;
    configure(sim);
    net_make(sim);
    sim_crypto(&sim->net, sim->conf.real != 0);
    sim_seams(sim->twins);
    sim_epochs_begin(sim);
    oracle_begin(sim);
    if (sim->print) {
        sim_conf_print(sim);
    }
    begin(sim);
    allowed = sim->conf.blocks_least * BLOCK_NS;
    while (!sim->failed && !sim->done && sim_pop(sim, &item)) {
        bool const enough =
            oracle_height(sim) >= sim->conf.blocks_least && sim->conf.blocks_after == 0;
        sim->now_ns = item.at_ns;
        if (sim->now_ns > sim->conf.end_ns && enough) {
            sim->done = true;
        } else if (sim->now_ns > sim->conf.end_ns + PATIENCE_NS + allowed) {
            sim_fail(sim, "liveness: %u blocks only", (unsigned)oracle_height(sim));
        } else if (waits(sim, &item)) {
            continue; /* its bytes wait with it */
        } else {
            item_do(sim, &item);
        }
        sim_bytes_drop(item.bytes);
    }
    end(sim);
    return sim->trace;
}
