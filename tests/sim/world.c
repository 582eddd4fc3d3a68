/* Time, the heap, seeded choices, and the run of one seed. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/sim.h"

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
    uint64_t const words[4] = {sim->now_ns, host, a, b};
    for (uint32_t i = 0; i < 4; i++) {
        sim->trace = (sim->trace ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15);
        sim->trace ^= sim->trace >> 29;
    }
    for (const char *p = what; *p != 0; p++) {
        sim->trace = (sim->trace ^ (uint8_t)*p) * UINT64_C(1099511628211);
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

/* ---- the heap ---- */

static bool earlier(const struct sim_item *a, const struct sim_item *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

struct sim_item *sim_push(struct sim *sim, uint64_t at_ns, enum sim_kind kind, uint32_t host)
{
    if (sim->heap_count == sim->heap_cap) {
        sim->heap_cap = sim->heap_cap == 0 ? 1024 : 2 * sim->heap_cap;
        sim->heap = realloc(sim->heap, sim->heap_cap * sizeof *sim->heap);
        NV_ASSERT(sim->heap != NULL);
    }
    struct sim_item made;
    memset(&made, 0, sizeof made);
    made.at_ns = at_ns;
    made.order = sim->order++;
    made.kind = kind;
    made.host = host;
    made.life = host < SIM_HOSTS_MAX ? sim->host[host].life : 0;
    uint32_t at = sim->heap_count++;
    while (at > 0 && earlier(&made, &sim->heap[(at - 1) / 2])) {
        sim->heap[at] = sim->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    sim->heap[at] = made;
    return &sim->heap[at];
}

static struct sim_item pop(struct sim *sim)
{
    struct sim_item const first = sim->heap[0];
    struct sim_item const last = sim->heap[--sim->heap_count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= sim->heap_count) {
            break;
        }
        if (child + 1 < sim->heap_count && earlier(&sim->heap[child + 1], &sim->heap[child])) {
            child++;
        }
        if (!earlier(&sim->heap[child], &last)) {
            break;
        }
        sim->heap[at] = sim->heap[child];
        at = child;
    }
    if (sim->heap_count > 0) {
        sim->heap[at] = last;
    }
    return first;
}

/* ---- one seed ---- */

static void defaults(struct sim_conf *conf)
{
    *conf = (struct sim_conf){
        .hosts = 4,
        .delay_ns = 100 * SIM_MS,
        .idle_ms = 300,
        .gst_ns = 0,
        .measure_ns = 1000 * SIM_MS,
        .end_ns = 3000 * SIM_MS,
        .net_min_ns = 2 * SIM_MS,
        .net_max_ns = 25 * SIM_MS,
        .sync_min_ns = SIM_MS / 10,
        .sync_max_ns = 2 * SIM_MS,
        .exec_max_ns = 5 * SIM_MS,
        .nap_max_ns = 500 * SIM_MS,
        .work = 700000,
        .listen_ns = 200 * SIM_MS,
        .views_max = 256,
        .at_once = true,
        .one_batch = true,
        .live_least = 8,
        .live_views = 3,
        .lag_views = 2,
        .status_ns = 2000 * SIM_MS,
    };
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++) {
        conf->stakes[i] = 1;
    }
}

static void crashes_plan(struct sim *sim)
{
    const struct sim_conf *const conf = &sim->conf;
    for (uint32_t i = 0; i < conf->hosts && conf->crash_ns > 0; i++) {
        uint64_t at = sim_below(&sim->rng, 2 * conf->crash_ns);
        while (at < conf->gst_ns) {
            sim_push(sim, at, SIM_CRASH, i)->life = 0;
            at += 1 + sim_below(&sim->rng, 2 * conf->crash_ns);
        }
    }
    for (uint32_t i = 0; i < conf->hosts && conf->all_crash_ns > 0; i++) {
        sim_push(sim, conf->all_crash_ns, SIM_CRASH, i)->life = 0;
    }
}

static void work_change(struct sim *sim, struct sim_host *host)
{
    bool const pending = sim_chance(&sim->rng, sim->conf.work);
    struct cs_event event = {.kind = CS_EV_WORK, .work = {.pending = pending}};
    host->work = pending;
    sim_host_step(sim, host, &event);
}

#define SCRIPT_WORK    0xffffff00u /* a host's mempool fills or empties */
#define SCRIPT_MEASURE 0xffffff01u

static void script(struct sim *sim, const struct sim_item *item)
{
    if (item->a == SCRIPT_MEASURE) {
        live_begin(sim);
        return;
    }
    if (item->a != SCRIPT_WORK) {
        sim->scenario->script(sim, item);
        return;
    }
    if (sim->host[item->host].up) {
        work_change(sim, &sim->host[item->host]);
    }
    struct sim_item *const again = sim_push(
        sim, sim->now_ns + sim_between(&sim->rng, 1, 400 * SIM_MS), SIM_SCRIPT, item->host);
    again->a = SCRIPT_WORK;
    again->life = 0;
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
        if (host->up && !stale && item->at_ns == host->timer_ns) {
            struct cs_event event = {.kind = CS_EV_TIMER};
            host->timer_ns = SIM_NEVER;
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
    case SIM_SCRIPT: script(sim, item); break;
    }
}

static void begin(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        struct sim_host *const host = &sim->host[i];
        host->id = i;
        host->honest = (sim->conf.byzantine >> i & 1u) == 0;
        host->durable = calloc(SIM_VIEWS_MAX, sizeof *host->durable);
        NV_ASSERT(host->durable != NULL);
        if (sim->conf.skew_ms > 0 && i < (sim->conf.hosts - 1) / 3) {
            uint64_t const skew = sim_below(&sim->rng, 2 * sim->conf.skew_ms + 1);
            host->skew_ms = (int64_t)skew - (int64_t)sim->conf.skew_ms;
        }
        host->dead = (sim->conf.dead >> i & 1u) != 0;
        if (host->dead) {
            continue;
        }
        sim_host_start(sim, host);
        struct sim_item *const item = sim_push(sim, sim_below(&sim->rng, 100), SIM_SCRIPT, i);
        item->a = SCRIPT_WORK;
        item->life = 0;
    }
    struct sim_item *const measure = sim_push(sim, sim->conf.measure_ns, SIM_SCRIPT, 0);
    measure->a = SCRIPT_MEASURE;
    measure->life = 0;
    crashes_plan(sim);
}

static void sim_clear(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->heap_count; i++) {
        free(sim->heap[i].bytes);
    }
    for (uint32_t i = 0; i < SIM_HOSTS_MAX; i++) {
        sim_host_free(&sim->host[i]);
    }
    if (sim->oracle != NULL) {
        oracle_free(sim->oracle);
    }
    sim_epochs_free(sim);
    struct cs_effects *const effects = sim->effects;
    struct nv_arena const arena = sim->effects_arena;
    struct sim_item *const heap = sim->heap;
    uint32_t const heap_cap = sim->heap_cap;
    bool const print = sim->print;
    memset(sim, 0, sizeof *sim);
    sim->effects = effects;
    sim->effects_arena = arena;
    sim->heap = heap;
    sim->heap_cap = heap_cap;
    sim->print = print;
}

uint64_t sim_run(struct sim *sim, const struct sim_scenario *scenario, uint64_t seed)
{
    sim_clear(sim);
    if (sim->effects == NULL) {
        void *const memory = calloc(1, CS_EFFECTS_MEMORY);
        sim->effects = calloc(1, sizeof *sim->effects);
        NV_ASSERT(memory != NULL && sim->effects != NULL);
        nv_arena_init_zeroed(&sim->effects_arena, memory, CS_EFFECTS_MEMORY);
    }
    cs_effects_init(sim->effects, &sim->effects_arena);
    sim->seed = seed;
    sim->scenario = scenario;
    sim->rng.state = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    defaults(&sim->conf);
    sim->conf.real = sim_chance(&sim->rng, 50000);
    sim->conf.at_once = sim_chance(&sim->rng, 500000);
    sim->conf.one_batch = sim_chance(&sim->rng, 500000);
    scenario->configure(sim);
    cs_net_init(&sim->net, sim->conf.stakes, sim->conf.hosts);
    sim_crypto(&sim->net, sim->conf.real);
    sim_epochs_begin(sim);
    sim->oracle = oracle_new(sim);
    begin(sim);
    while (sim->heap_count > 0 && !sim->failed) {
        struct sim_item item = pop(sim);
        if (item.at_ns > sim->conf.end_ns) {
            free(item.bytes);
            break;
        }
        sim->now_ns = item.at_ns;
        item_do(sim, &item);
        free(item.bytes);
    }
    if (!sim->failed) {
        live_end(sim);
    }
    if (!sim->failed && scenario->finish != NULL) {
        scenario->finish(sim);
    }
    return sim->trace;
}
