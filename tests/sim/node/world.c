/* The run of one seed: hosts, events, phases. */

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/node/nodesim.h"

#define BLOCKS_LEAST 125u
#define GAP_MS       64000u /* nothing expires later */
#define WAIT_MS      500u
#define JOIN_MS      60000u /* silent peers are waited for */
#define NEAR         16u    /* blocks behind that do not count */
#define SAFETY_LONG  8u     /* a run that makes too few blocks goes on so many times as long */

/* ---- choices, traces ---- */

uint64_t ns_between(struct ns *ns, uint64_t low, uint64_t high)
{
    return high <= low ? low : low + nv_test_next(&ns->rng) % (high - low + 1);
}

bool ns_chance(struct ns *ns, uint64_t ppm)
{
    return ppm > 0 && nv_test_below(&ns->rng, 1000000) < ppm;
}

void ns_fail(struct ns *ns, const char *format, ...)
{
    if (ns->failed) {
        return; /* the first one is the reason */
    }
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(ns->why, sizeof ns->why, format, arguments);
    va_end(arguments);
    ns->failed = true;
}

static uint64_t stir(uint64_t trace, uint64_t value)
{
    trace = (trace ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return trace ^ trace >> 29;
}

void ns_trace(struct ns *ns, uint32_t host, const char *what, uint64_t a, uint64_t b)
{
    ns->trace = stir(stir(stir(ns->trace, ns->now_ns ^ host), a), b);
    ns->trace = stir(ns->trace, (uint64_t)(uint8_t)what[0] << 8 | (uint8_t)what[1]);
    if (ns->print) {
        printf("%10.3f ms  host %u  %-12s %" PRIu64 " %" PRIu64 "\n",
               (double)ns->now_ns / 1e6,
               host,
               what,
               a,
               b);
    }
}

void ns_fault(struct ns *ns, enum ns_fault fault)
{
    ns->faults[fault]++;
}

struct ns_item *ns_push(struct ns *ns, uint64_t after_ns, enum ns_kind kind, uint32_t host)
{
    struct ns_item *const item = ns_queue_push(&ns->queue, ns->now_ns + after_ns, kind, host);
    item->life = ns->host[host].life;
    return item;
}

uint64_t ns_wall_ms(const struct ns *ns)
{
    return NS_START_MS + ns->now_ns / NS_MS;
}

/* ---- the cast ---- */

static void validators_make(struct ns *ns)
{
    struct cs_validator members[NS_VALIDATORS_MAX];
    ns->validators = (uint32_t)ns->conf.validators;
    for (uint32_t i = 0; i < ns->validators; i++) {
        members[i] = (struct cs_validator){.key = ns_key(i)->key, .stake = NS_STAKE};
    }
    enum nv_err const err = cs_valset_init(&ns->valset, members, ns->validators);
    NV_ASSERT(err == NV_OK);
    for (uint32_t i = 0; i < ns->validators; i++) {
        ns->node_keys[cs_valset_find(&ns->valset, &ns_key(i)->key)] = ns_key(NS_KEY_NODE + i)->key;
    }
    for (uint32_t i = 0; i < NS_SIGNERS; i++) {
        ns->votes[i] = calloc(NS_VIEWS_MAX, sizeof *ns->votes[i]);
        NV_ASSERT(ns->votes[i] != NULL);
    }
}

static struct ns_host *host_add(struct ns *ns, uint32_t key, bool honest)
{
    struct ns_host *const host = &ns->host[ns->host_count];
    host->ns = ns;
    host->id = ns->host_count++;
    host->key = key;
    host->honest = honest;
    host->disk = disk_new();
    host->files = disk_port(host->disk);
    host->rows = ns_db_new();
    host->folder = ns_folder_new();
    host->durable = calloc(NS_VIEWS_MAX, sizeof *host->durable);
    NV_ASSERT(host->durable != NULL);
    (void)snprintf(host->dir, sizeof host->dir, "node%u", host->id);
    return host;
}

static void hosts_make(struct ns *ns)
{
    const struct ns_conf *const c = &ns->conf;
    for (uint32_t i = 0; i < ns->validators; i++) {
        struct ns_host *const host = host_add(ns, i, (c->liars >> i & 1u) == 0);
        if (c->skew_ms > 0 && (i + ns->seed) % ns->validators < (ns->validators - 1) / 3) {
            host->skew_ms = (int64_t)ns_between(ns, 0, 2 * c->skew_ms) - (int64_t)c->skew_ms;
        }
    }
    for (uint32_t i = 0; i < c->candidates; i++) {
        (void)host_add(ns, ns->validators + i, true);
    }
    for (uint32_t i = 0; i < ns->validators && (c->lie & NS_LIE_TWIN) != 0; i++) {
        if ((c->liars >> i & 1u) != 0) {
            (void)host_add(ns, i, false);
        }
    }
    ns->archivist = NS_HOSTS_MAX;
    for (uint32_t i = 0; i < ns->validators && ns->archivist == NS_HOSTS_MAX; i++) {
        ns->archivist = ns->host[i].honest && i + 1 != c->lost ? i : NS_HOSTS_MAX;
    }
    ns->newcomer = host_add(ns, CS_NOBODY, true)->id;
    ns->host[ns->newcomer].gone = true;
    ns->host[ns->newcomer].joins = c->join != 0;
    for (uint32_t i = 0; i < ns->host_count; i++) {
        if (!ns->host[i].gone && !ns->failed) {
            ns_host_start(ns, &ns->host[i]);
        }
    }
}

/* ---- the plan ---- */

/* plan pushes an event of the world itself, not of a host's life. */
static void plan(struct ns *ns, uint64_t after_ms, enum ns_kind kind, uint32_t host)
{
    ns_push(ns, after_ms * NS_MS, kind, host)->life = 0;
}

/* again plans the next of a kind of fault while faults last. */
static void again(struct ns *ns, uint64_t mean_ms, enum ns_kind kind, uint32_t host)
{
    if (mean_ms > 0 && !ns->healed) {
        plan(ns, ns_between(ns, 1, 2 * mean_ms), kind, host);
    }
}

static uint64_t cut_ms(const struct ns *ns)
{
    return ns->conf.flap != 0 ? ns->conf.cut_ms / 10 : ns->conf.cut_ms;
}

static void plan_gap(struct ns *ns)
{
    ns_push(ns, ns->conf.gap_ms * NS_MS, NS_GAP, 0)->a = 1;
}

static void plans_make(struct ns *ns)
{
    const struct ns_conf *const c = &ns->conf;
    plan(ns, c->safety_ms, NS_HEAL, 0);
    plan(ns, c->safety_ms + c->settle_ms, NS_MEASURE, 0);
    again(ns, cut_ms(ns), NS_CUT, 0);
    again(ns, c->reset_ms, NS_RESET, 0);
    again(ns, c->jump_ms, NS_JUMP, 0);
    if (c->gap_ms > 0) {
        plan_gap(ns);
    }
    for (uint32_t i = 0; i < ns->newcomer; i++) {
        again(ns, c->crash_ms, NS_CRASH, i);
        if (c->crash_all_ms > 0) {
            plan(ns, c->crash_all_ms, NS_CRASH, i);
        }
    }
    ns_work_start(ns);
}

static void clocks_jump(struct ns *ns)
{
    uint64_t const most = ns->conf.skew_ms;
    for (uint32_t i = 0; i < ns->validators; i++) {
        if (ns->host[i].skew_ms != 0) {
            ns->host[i].skew_ms = (int64_t)ns_between(ns, 1, 2 * most) - (int64_t)most;
            ns_fault(ns, NS_FAULT_CLOCK);
            ns_trace(ns, i, "clock", (uint64_t)ns->host[i].skew_ms, 0);
        }
    }
}

/* gap is a minute and more without anybody; what was sent before arrives after it. */
static void gap(struct ns *ns, bool first)
{
    uint64_t const off_ns = (GAP_MS + ns_between(ns, 0, 9000)) * NS_MS;
    ns_trace(ns, 0, "gap", ns->height, off_ns);
    ns_fault(ns, NS_FAULT_GAP);
    for (uint32_t i = 0; i < ns->host_count; i++) {
        if (ns->host[i].up) {
            ns_host_crash(ns, &ns->host[i]);
        }
    }
    if (first && ns->conf.lost > 0) {
        ns_join_lose(ns, &ns->host[ns->conf.lost - 1]);
    }
    ns_queue_later(&ns->queue, off_ns);
    ns->gaps_ns += off_ns;
}

/* heal ends all faults but those of liars; wrong clocks stay where nobody lies or
 * sits out, and no set can shrink until they are too many for it. */
static void heal(struct ns *ns)
{
    ns->healed = true;
    ns_trace(ns, 0, "heal", ns->height, 0);
    ns_net_heal(ns);
    for (uint32_t i = 0; i < ns->host_count; i++) {
        if (ns->conf.liars != 0 || ns->conf.lost != 0 || ns->conf.epoch_ms != 0) {
            ns->host[i].skew_ms = 0;
        }
    }
    ns->host[ns->newcomer].gone = false;
    ns_host_start(ns, &ns->host[ns->newcomer]);
}

/* measure begins to measure what was promised, when all who join have a state and are near the
 * others. */
static void measure(struct ns *ns)
{
    bool all = true;
    for (uint32_t i = 0; i < ns->host_count; i++) {
        const struct ns_host *const host = &ns->host[i];
        bool const follows =
            !host->joins && (!host->partial || host->head.height + NEAR >= ns->height);
        all = all && (follows || !host->honest);
    }
    if (!all && ns->waits_ns < JOIN_MS * NS_MS) {
        ns->waits_ns += WAIT_MS * NS_MS;
        plan(ns, WAIT_MS, NS_MEASURE, 0);
        return;
    }
    ns_check_measure(ns);
}

/* ---- events ---- */

static void item_do(struct ns *ns, const struct ns_item *item)
{
    struct ns_host *const host = &ns->host[item->host];
    bool const stale = item->life != 0 && item->life != host->life;
    switch ((int)item->kind) {
    case NS_START:
        if (!host->up && !stale && !host->gone) {
            ns_host_start(ns, host);
        }
        break;
    case NS_CRASH:
        if (host->up && !ns->healed) {
            ns_host_crash(ns, host);
        }
        again(ns, ns->conf.crash_ms, NS_CRASH, item->host);
        break;
    case NS_CUT:
        if (!ns->healed) {
            ns_net_cut(ns);
        }
        again(ns, cut_ms(ns), NS_CUT, 0);
        break;
    case NS_RESET:
        if (!ns->healed) {
            ns_net_reset(ns);
        }
        again(ns, ns->conf.reset_ms, NS_RESET, 0);
        break;
    case NS_JUMP:
        clocks_jump(ns);
        again(ns, ns->conf.jump_ms, NS_JUMP, 0);
        break;
    case NS_GAP:
        if (!ns->healed) {
            gap(ns, item->a == 1);
        }
        again(ns, item->a == 1 ? ns->conf.gap_ms : 0, NS_GAP, 0);
        break;
    case NS_WORK: ns_work(ns); break;
    case NS_MARK: ns_check_mark(ns, item->a); break;
    case NS_HEAL: heal(ns); break;
    case NS_MEASURE: measure(ns); break;
    default:
        if (ns_runs(host) && !stale && !ns->healed && ns_chance(ns, ns->conf.memory_ppm)) {
            ns_lack(ns, host, item);
        } else if (host->up && !stale) {
            ns_host_event(ns, host, item);
        }
        break;
    }
}

/* over returns whether the run may end: its time has come, or it takes too long
 * for its blocks. */
static bool over(const struct ns *ns)
{
    const struct ns_conf *const c = &ns->conf;
    uint64_t const end_ns =
        (c->safety_ms + c->settle_ms + c->live_ms) * NS_MS + ns->gaps_ns + ns->waits_ns;
    bool const just = c->epoch_ms == 0 || ns_check_slashed(ns);
    bool const done = ns->height >= BLOCKS_LEAST && just;
    return ns->now_ns > end_ns && (done || ns->now_ns > SAFETY_LONG * end_ns);
}

static void clear(struct ns *ns)
{
    struct ns_queue const queue = ns->queue;
    bool const print = ns->print;
    void (*const last_words)(void) = ns->last_words;
    ns_queue_clear(&ns->queue);
    for (uint32_t i = 0; i < ns->host_count; i++) {
        ns_host_free(&ns->host[i]);
    }
    for (uint32_t i = 0; i < NS_SIGNERS; i++) {
        free(ns->votes[i]);
    }
    for (uint32_t i = 0; i < ns->tx_count; i++) {
        ns_bytes_drop(ns->tx[i].bytes);
    }
    free(ns->tx);
    memset(ns, 0, sizeof *ns);
    ns->queue = (struct ns_queue){.heap = queue.heap, .cap = queue.cap};
    ns->print = print;
    ns->last_words = last_words;
}

uint64_t ns_run(struct ns *ns, uint64_t seed, char *const *changes, uint32_t change_count)
{
    clear(ns);
    ns->seed = seed;
    ns->rng.state = seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    ns_conf_choose(ns);
    for (uint32_t i = 0; i < change_count; i++) {
        if (!ns_conf_set(&ns->conf, changes[i])) {
            ns_fail(ns, "there is no option %s", changes[i]);
        }
    }
    ns->tx = calloc(NS_TXS_MAX, sizeof *ns->tx);
    NV_ASSERT(ns->tx != NULL);
    ns_keys_seam(ns->conf.real_keys != 0);
    validators_make(ns);
    ns->began_ms[CS_FIRST_EPOCH] = NS_START_MS;
    ns->members = (1u << ns->validators) - 1;
    ns_genesis_make(ns);
    hosts_make(ns);
    plans_make(ns);
    while (!ns->failed && !over(ns)) {
        struct ns_item const item = ns_queue_pop(&ns->queue);
        ns->now_ns = item.at_ns;
        ns->events++;
        item_do(ns, &item);
        ns_bytes_drop(item.bytes);
    }
    if (!ns->failed) {
        ns_check_live(ns);
    }
    if (!ns->failed) {
        ns_check_justice(ns);
    }
    if (!ns->failed) {
        ns_check_light(ns);
    }
    if (!ns->failed) {
        ns_check_audit(ns);
    }
    return ns->trace;
}
