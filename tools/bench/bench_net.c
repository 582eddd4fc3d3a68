/* bench_net.c - four validators on loopback, durable votes. */

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"

#include "tools/bench/bench.h"
#include "tools/bench/load.h"
#include "tools/bench/net.h"

#define FLOOD_TXS    60000u
#define FLOOD_TXS_16 12000u
#define FLOOD_S      25.0
#define DRAIN_S      10.0
#define BLOCKS_MAX   16384u
#define PACE_TXS     1500u
#define PACE_GAP_S   0.01
#define PACE_S       30.0
#define SMALL_TXS    2000u
#define SMALL_S      12.0
#define WARM_TXS     50u

static struct bench_net net;

static struct bench_call *sign(uint32_t count, uint32_t orders, bool wait)
{
    struct bench_call *const calls = bench_memory(count * sizeof *calls);
    for (uint32_t i = 0; i < count; i++) {
        if (!bench_net_sign(&net, &calls[i], i, orders, wait)) {
            (void)fprintf(stderr, "novate: no memory for transactions\n");
            exit(TOOL_FAILED);
        }
    }
    return calls;
}

static void forget(struct bench_call *calls, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        nv_heap_free(calls[i].text);
    }
    bench_memory_free(calls);
}

static void failed(const char *name, const char *why)
{
    bench_report(name, 0, "-", 0, 0, why);
    bench_net_down(&net);
}

/* ---- a flood ---- */

/* rate returns transactions a second between the blocks that hold the tenth and
 * the ninetieth hundredth of them all: there the network is saturated. */
static double rate(const struct bench_block *blocks, uint32_t count, uint64_t *txs)
{
    uint64_t sum = 0;
    uint64_t first_sum = 0;
    uint64_t first_ms = 0;
    *txs = 0;
    for (uint32_t i = 0; i < count; i++) {
        *txs += blocks[i].txs;
    }
    for (uint32_t i = 0; i < count; i++) {
        sum += blocks[i].txs;
        if (first_ms == 0 && sum * 10 >= *txs) {
            first_ms = blocks[i].time_ms;
            first_sum = sum;
        } else if (sum * 10 >= *txs * 9 && blocks[i].time_ms > first_ms) {
            return (double)(sum - first_sum) * 1000.0 / (double)(blocks[i].time_ms - first_ms);
        }
    }
    return 0;
}

/* drained waits until no block with load comes any more. */
static uint64_t drained(void)
{
    uint64_t height = 0;
    double const end = bench_wall_s() + DRAIN_S;
    while (bench_wall_s() < end) {
        struct bench_block last[4];
        uint32_t txs = 0;
        (void)poll(NULL, 0, 500);
        height = bench_net_height(&net);
        uint32_t const count = height < 4 ? 0 : bench_net_blocks(&net, height - 3, height, last);
        for (uint32_t i = 0; i < count; i++) {
            txs += last[i].txs;
        }
        if (count > 0 && txs <= 16) {
            break; /* the reporters' own */
        }
    }
    return height;
}

static void flood(const char *name, uint32_t count, uint32_t orders, const char *unit)
{
    char note[256];
    uint64_t txs = 0;
    struct bench_flood result;
    if (!bench_net_up(&net, false, false) || !bench_net_fund(&net)) {
        failed(name, "the network could not be made ready");
        return;
    }
    struct bench_call *const calls = sign(count, orders, false);
    struct bench_block *const blocks = bench_memory(BLOCKS_MAX * sizeof *blocks);
    uint64_t const from = bench_net_height(&net) + 1;
    double const cpu = bench_net_cpu_s(&net);
    bench_flood_run(&net, calls, count, FLOOD_S, &result);
    uint64_t to = drained();
    double const cpu_us = 1e6 * (bench_net_cpu_s(&net) - cpu) / net.devnet.validators;
    to = to >= from + BLOCKS_MAX ? from + BLOCKS_MAX - 1 : to;
    uint32_t const block_count = bench_net_blocks(&net, from, to, blocks);
    double const value = rate(blocks, block_count, &txs) * orders;
    double const limit = 2.0 / (4.0 * bench_verify_s());
    (void)snprintf(note,
                   sizeof note,
                   "%" PRIu32 " taken, %" PRIu32 " refused%s; %" PRIu64 " in %" PRIu32
                   " blocks, %.0f us cpu each on each node; limit: signatures of one order a "
                   "transaction",
                   result.taken,
                   result.refused,
                   result.broken ? ", a connection broke" : "",
                   txs,
                   block_count,
                   txs > 0 ? cpu_us / (double)txs : 0);
    bench_report(name, value, unit, limit, value / limit, note);
    forget(calls, count);
    bench_memory_free(blocks);
    bench_net_down(&net);
}

void bench_net4_tx_s(void)
{
    flood("net4_tx_s", FLOOD_TXS, 1, "tx/s");
}

void bench_net4_orders_s_16(void)
{
    flood("net4_orders_s_16", FLOOD_TXS_16, 16, "1/s");
}

/* ---- latency ---- */

struct limits {
    double sync;
    double verify;
    double hop;
    double quorum;
};

static bool ready(struct limits *l)
{
    if (!bench_net_up(&net, true, false) || !bench_net_fund(&net)) {
        return false;
    }
    l->sync = bench_sync_s(net.dir);
    l->verify = bench_verify_s();
    l->hop = bench_hop_s();
    l->quorum = (double)(net.devnet.validators * 2 / 3 + 1);
    double warm[WARM_TXS];
    struct bench_call *const calls = sign(WARM_TXS, 1, true);
    uint32_t const done = bench_pace_run(&net, calls, WARM_TXS, PACE_GAP_S, 10, warm);
    forget(calls, WARM_TXS);
    return done == WARM_TXS && l->sync > 0 && l->hop > 0;
}

void bench_net4_finality_ms(void)
{
    struct limits l;
    static double took[PACE_TXS];
    char note[256];
    if (!ready(&l)) {
        failed("net4_finality_ms", "the network could not be made ready");
        return;
    }
    struct bench_call *const calls = sign(PACE_TXS, 1, true);
    double const cpu = bench_net_cpu_s(&net);
    uint32_t const done = bench_pace_run(&net, calls, PACE_TXS, PACE_GAP_S, PACE_S, took);
    double const cpu_s = bench_net_cpu_s(&net) - cpu;
    double const limit = 1e3 * (2 * l.sync + l.quorum * l.verify + 3 * l.hop);
    (void)snprintf(note,
                   sizeof note,
                   "p50 of %" PRIu32 " of %u at 100 a second, until executed, %.2f ms cpu of four "
                   "nodes each; floor: 2 x %.2f ms fdatasync + 3 x %.0f us verify + 3 x %.0f us "
                   "hop",
                   done,
                   PACE_TXS,
                   done > 0 ? 1e3 * cpu_s / done : 0,
                   l.sync * 1e3,
                   l.verify * 1e6,
                   l.hop * 1e6);
    if (done > 0) {
        double const p50 = 1e3 * bench_quantile(took, done, 500);
        double const p99 = 1e3 * bench_quantile(took, done, 990);
        bench_report("net4_finality_ms", p50, "ms", limit, p50 / limit, note);
        bench_report("net4_finality_p99_ms", p99, "ms", limit, p99 / limit, "of the same run");
    }
    forget(calls, PACE_TXS);
    bench_net_down(&net);
}

void bench_net4_small_blocks_s(void)
{
    struct limits l;
    static double took[SMALL_TXS];
    char note[256];
    if (!ready(&l)) {
        failed("net4_small_blocks_s", "the network could not be made ready");
        return;
    }
    struct bench_call *const calls = sign(SMALL_TXS, 1, true);
    struct bench_block *const blocks = bench_memory(BLOCKS_MAX * sizeof *blocks);
    uint64_t const from = bench_net_height(&net) + 1;
    double const begin = bench_wall_s();
    double const cpu = bench_net_cpu_s(&net);
    uint32_t const done = bench_pace_run(&net, calls, SMALL_TXS, 0, SMALL_S, took);
    double const seconds = bench_wall_s() - begin;
    double const cpu_s = bench_net_cpu_s(&net) - cpu;
    uint64_t const to = bench_net_height(&net);
    uint32_t const count =
        bench_net_blocks(&net, from, to < from + BLOCKS_MAX ? to : from + BLOCKS_MAX - 1, blocks);
    uint32_t full = 0;
    for (uint32_t i = 0; i < count; i++) {
        full += blocks[i].txs > 0 ? 1u : 0u;
    }
    long const cores = sysconf(_SC_NPROCESSORS_ONLN);
    double const floor_s = 2 * l.sync + l.quorum * l.verify + 3 * l.hop;
    double const value = (double)full / seconds;
    (void)snprintf(note,
                   sizeof note,
                   "%" PRIu32 " transactions, of two clients that wait for each, %" PRIu32
                   " blocks with, %" PRIu32
                   " without, %.2f ms cpu of four nodes a block, so that %ld cores allow %.0f; "
                   "limit: 1 / %.2f ms",
                   done,
                   full,
                   count - full,
                   count > 0 ? 1e3 * cpu_s / count : 0,
                   cores,
                   cpu_s > 0 ? (double)cores * count / cpu_s : 0,
                   floor_s * 1e3);
    bench_report("net4_small_blocks_s", value, "1/s", 1 / floor_s, value * floor_s, note);
    forget(calls, SMALL_TXS);
    bench_memory_free(blocks);
    bench_net_down(&net);
}

/* ---- memory ---- */

static double largest_mib(void)
{
    uint64_t largest = 0;
    for (uint32_t i = 0; i < net.devnet.validators; i++) {
        uint64_t const kib = bench_net_rss(&net, i);
        largest = kib > largest ? kib : largest;
    }
    return (double)largest / 1024;
}

void bench_memory_mib(uint32_t seconds)
{
    char note[128];
    if (!bench_net_up(&net, false, true)) {
        failed("memory_mib", "the network could not be made ready");
        return;
    }
    (void)poll(NULL, 0, 5000);
    double const early = largest_mib();
    (void)poll(NULL, 0, (int)seconds * 1000);
    double const late = largest_mib();
    (void)snprintf(note,
                   sizeof note,
                   "largest RSS of 4 validators with bots after %" PRIu32 " s; %.1f after 5 s",
                   seconds,
                   early);
    bench_report("memory_mib", late, "MiB", 300, late / 300, note);
    bench_net_down(&net);
}
