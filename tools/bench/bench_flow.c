/* bench_flow.c - `novate bench flow`: order flow through the whole VM, without
 * signatures, on one core.
 *
 * Every operation is a transaction of its own, a block holds 1,000 of them, and
 * what is timed is vm_execute alone: fees, oracle, checks, margin, auction,
 * clearing, laws, receipts, events and their roots, the encoded write set.  A
 * cancel of an order of the same block moves to the next; ids become handles
 * between blocks.  The bands are as wide as parameters allow, so that prices are
 * the flow's own.
 *
 * The limit is what any machine must do that gives the same block: hash its
 * receipts and events, and write its rows. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/cpu.h"
#include "base/heap.h"
#include "base/merkle.h"
#include "base/row.h"
#include "base/sort.h"

#include "tools/args.h"
#include "tools/bench/bench.h"
#include "tools/bench/flow.h"
#include "tools/bench/flow_generate.h"
#include "tools/bench/flow_run.h"
#include "tools/command.h"
#include "vm/event.h"
#include "vm/genesis.h"
#include "vm/params.h"
#include "vm/payoff/payoff.h"
#include "vm/receipt.h"
#include "vm/vm.h"

#define BLOCK_OPS   1000u
#define GOAL_OPS_S  2000000u
#define EVENT_GROUP 64u
#define INDEX_TICKS 32768
#define TICK_MICRO  INT64_C(1000000)
#define LOTS_UNIT   100u
#define START_MS    UINT64_C(1700000000000)
#define BLOCK_MS    100u
#define CASH_MICRO  (INT64_C(1) << 46)

/* One transaction of the block at hand. */
struct slot {
    struct vm_action action;
    struct vm_tx tx;
    uint32_t id; /* of the order it places, 0 none */
};

struct bench {
    struct flow flow;
    uint32_t block_ops;
    struct vm *vm;
    void *memory;
    size_t memory_size;
    struct nv_arena arena;
    struct nv_pubkey *key; /* by account; the last three: reporter, fees, insurance */
    struct nv_address *address;
    uint64_t *handle;   /* by order id, 0: not placed or refused */
    uint8_t *in_block;  /* by order id: placed in the block at hand */
    uint32_t *deferred; /* operations that moved to the next block */
    uint32_t deferred_count;
    struct slot *slot;
    struct vm_tx *tx; /* sorted */
    uint32_t slot_count;
    uint64_t salt;
    uint64_t height;
    /* what came out */
    uint64_t ops;
    uint64_t refused;
    uint64_t cancels_late; /* of orders that were filled or refused before */
    uint64_t fills;
    uint64_t filled_lots; /* of both sides */
    uint64_t write_bytes;
    uint64_t nanoseconds;
    uint64_t bare_ns; /* hashing and copying alone */
};

static void *take(size_t size)
{
    void *const memory = nv_heap_alloc(size);
    if (memory == NULL) {
        (void)fputs("novate: not enough memory for the bench\n", stderr);
        exit(TOOL_FAILED);
    }
    memset(memory, 0, size);
    return memory;
}

static uint32_t reporter_of(const struct bench *b)
{
    return b->flow.account_count;
}

static void make_accounts(struct bench *b)
{
    uint32_t const count = b->flow.account_count + 3;
    b->key = take(count * sizeof *b->key);
    b->address = take(count * sizeof *b->address);
    for (uint32_t i = 0; i < count; i++) {
        struct nv_hash hash;
        nv_sha256(&hash, nv_view_of(&i, sizeof i)); /* nobody signs: any 32 bytes are a key */
        memcpy(b->key[i].bytes, hash.bytes, sizeof b->key[i].bytes);
        nv_address_of_key(&b->address[i], &b->key[i]);
    }
}

/* --- the chain --------------------------------------------------------------------------- */

static struct vm_market_row listing_of(uint32_t book)
{
    struct vm_market_row listing = {
        .tick_micro = (uint64_t)TICK_MICRO,
        .lots_per_unit = LOTS_UNIT,
        .tick_value = vm_money(TICK_MICRO / LOTS_UNIT),
        .order_lots_max = vm_lots(1000000),
        .open_interest_max = vm_lots(INT64_C(1) << 40),
        .program_size = VM_PAYOFF_LINEAR_SIZE,
    };
    (void)snprintf(listing.symbol, sizeof listing.symbol, "BOOK-%" PRIu32, book);
    vm_payoff_linear(listing.program);
    return listing;
}

static struct vm_limits limits_of(const struct bench *b)
{
    struct vm_limits limits = vm_limits_devnet();
    uint32_t const wanted =
        b->flow.account_count * (b->flow.book_count < 64 ? b->flow.book_count : 64);
    limits.accounts_max = b->flow.account_count + 16;
    limits.positions_max = wanted + 4096;
    limits.orders_max = b->flow.count + 65536;
    limits.level_pages_max = 1u << 18;
    limits.markets_max = b->flow.book_count;
    limits.wide = nv_cpu_wide();
    return limits;
}

static enum nv_err genesis(struct bench *b)
{
    struct vm_genesis_account *const accounts = take(b->flow.account_count * sizeof *accounts);
    struct vm_market_row *const markets = take(b->flow.book_count * sizeof *markets);
    for (uint32_t i = 0; i < b->flow.account_count; i++) {
        accounts[i] = (struct vm_genesis_account){b->address[i], vm_money(CASH_MICRO)};
    }
    for (uint32_t i = 0; i < b->flow.book_count; i++) {
        markets[i] = listing_of(i);
    }
    struct vm_genesis_reporter const reporter = {b->address[reporter_of(b)], 1};
    struct vm_genesis_feed const feed = {"BTC", vm_ratio(100000000), vm_ratio(50000000)};
    struct vm_genesis_param const params[] = {{VM_PARAM_ORDER_BAND, 1000000000},
                                              {VM_PARAM_MONITOR_BAND, 500000000}};
    struct vm_genesis const g = {
        .time_ms = START_MS,
        .account_count = b->flow.account_count,
        .accounts = accounts,
        .reporter_count = 1,
        .reporters = &reporter,
        .feed_count = 1,
        .feeds = &feed,
        .market_count = b->flow.book_count,
        .markets = markets,
        .param_count = 2,
        .params = params,
        .fee_account = b->address[reporter_of(b) + 1],
        .insurance_account = b->address[reporter_of(b) + 2],
    };
    struct vm_result result;
    enum nv_err const err = vm_genesis_rows(b->vm, &g, &result);
    nv_heap_free(accounts);
    nv_heap_free(markets);
    return err;
}

static enum tool_exit open_vm(struct bench *b)
{
    struct vm_limits const limits = limits_of(b);
    b->memory_size = vm_footprint(&limits);
    b->memory = nv_heap_reserve(b->memory_size);
    if (b->memory == NULL) {
        return tool_fail(TOOL_FAILED, NULL, NULL, "not enough address space for the VM");
    }
    nv_heap_large_pages(b->memory, b->memory_size); /* as a node does */
    nv_arena_init_zeroed(&b->arena, b->memory, b->memory_size);
    b->vm = vm_new(&b->arena, &limits);
    enum nv_err const err = genesis(b);
    return err == NV_OK ? TOOL_OK
                        : tool_fail(TOOL_FAILED, NULL, NULL, "genesis: %s", nv_err_text(err));
}

/* --- blocks ------------------------------------------------------------------------------ */

static void add_tx(struct bench *b, uint32_t account, const struct vm_action *action, uint32_t id)
{
    struct slot *const slot = &b->slot[b->slot_count];
    b->slot_count++;
    b->salt++;
    slot->action = *action;
    slot->id = id;
    slot->tx = (struct vm_tx){
        .account = b->address[account],
        .key = b->key[account],
        .expires_ms = START_MS + (b->height + 2) * BLOCK_MS,
        .salt = b->salt,
        .action_count = 1,
        .actions = &slot->action,
    };
    nv_sha256(&slot->tx.hash, nv_view_of(&b->salt, sizeof b->salt));
}

static void add_report(struct bench *b)
{
    struct vm_action const action = {
        .kind = VM_ACTION_REPORT,
        .report = {.price = vm_money(INDEX_TICKS * TICK_MICRO),
                   .confidence = vm_money(TICK_MICRO),
                   .time_ms = START_MS + (b->height + 1) * BLOCK_MS},
    };
    add_tx(b, reporter_of(b), &action, 0);
}

static void add_order(struct bench *b, const struct flow_op *op)
{
    struct vm_action const action = {
        .kind = VM_ACTION_PLACE,
        .place = {.market = op->book,
                  .side = op->buys ? VM_BUY : VM_SELL,
                  .time_in_force = VM_GTC,
                  .price = vm_price(op->price),
                  .lots = vm_lots(op->lots)},
    };
    b->in_block[op->id] = 1;
    add_tx(b, op->account, &action, op->id);
}

/* add_op turns an operation into a transaction; false when it has to wait. */
static bool add_op(struct bench *b, uint32_t index)
{
    const struct flow_op *const op = &b->flow.op[index];
    if (op->action != FLOW_CANCEL) {
        add_order(b, op);
        return true;
    }
    if (b->in_block[op->id] != 0) {
        return false;
    }
    struct vm_action const action = {.kind = VM_ACTION_CANCEL, .cancel_order = b->handle[op->id]};
    add_tx(b, op->account, &action, 0);
    return true;
}

/* fill_block takes operations from *next on; what waited goes first. */
static void fill_block(struct bench *b, uint32_t *next)
{
    uint32_t const waiting = b->deferred_count;
    b->slot_count = 0;
    b->deferred_count = 0;
    add_report(b);
    for (uint32_t i = 0; i < waiting; i++) {
        (void)add_op(b, b->deferred[i]);
    }
    while (b->slot_count <= b->block_ops && *next < b->flow.count) {
        if (!add_op(b, *next)) {
            b->deferred[b->deferred_count] = *next;
            b->deferred_count++;
        }
        (*next)++;
    }
}

static int slot_cmp(const void *a, const void *b)
{
    const struct slot *const left = *(struct slot *const *)a;
    const struct slot *const right = *(struct slot *const *)b;
    return nv_hash_cmp(&left->tx.hash, &right->tx.hash);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* bare_root makes a Merkle root whose leaves are groups of so many items. */
static void bare_root(const struct nv_view *items, uint32_t count, uint32_t group)
{
    struct nv_merkle tree;
    struct nv_hash hash;
    nv_merkle_init(&tree);
    for (uint32_t i = 0; i < count; i += group) {
        nv_sha256_parts(&hash, items + i, count - i < group ? count - i : group);
        nv_merkle_add(&tree, &hash);
    }
    nv_merkle_finish(&hash, &tree);
}

/* bare does again of a block what cannot be less: the roots of its receipts and
 * its events, its rows once through memory. */
static void bare(struct bench *b, const struct vm_result *result)
{
    static uint8_t row[NV_ROW_VALUE_MAX];
    uint64_t const start = now_ns();
    bare_root(result->receipts, result->receipt_count, VM_RECEIPT_GROUP);
    bare_root(result->events, result->event_count, EVENT_GROUP);
    for (uint32_t i = 0; i < result->write_count; i++) {
        if (result->writes[i].value.size > 0) {
            memcpy(row, result->writes[i].value.bytes, result->writes[i].value.size);
            row[0] ^= row[result->writes[i].value.size / 2];
        }
    }
    b->bare_ns += now_ns() - start;
}

static void
take_receipts(struct bench *b, struct slot *const *sorted, const struct vm_result *result)
{
    for (uint32_t i = 0; i < b->slot_count; i++) {
        struct vm_receipt receipt;
        if (vm_receipt_decode(&receipt, result->receipts[i]) != NV_OK || receipt.code != VM_OK) {
            b->refused++;
            continue;
        }
        struct vm_outcome const outcome = receipt.outcomes[0];
        uint32_t const id = sorted[i]->id;
        if (id != 0) {
            b->in_block[id] = 0;
            b->handle[id] = outcome.code == VM_OK ? outcome.result : 0;
            b->refused += outcome.code != VM_OK;
        } else {
            b->cancels_late += outcome.code != VM_OK;
        }
    }
    for (uint32_t i = 0; i < result->event_count; i++) {
        struct vm_event event;
        if (vm_event_decode(&event, result->events[i]) == NV_OK && event.kind == VM_EVENT_FILL) {
            b->fills++;
            b->filled_lots += (uint64_t)vm_lots_raw(event.fill.lots);
        }
    }
    for (uint32_t i = 0; i < result->write_count; i++) {
        b->write_bytes += result->writes[i].value.size;
    }
}

static void run_block(struct bench *b, struct slot **sorted, struct slot **scratch)
{
    for (uint32_t i = 0; i < b->slot_count; i++) {
        sorted[i] = &b->slot[i];
    }
    nv_sort(sorted, b->slot_count, sizeof *sorted, slot_cmp, scratch);
    for (uint32_t i = 0; i < b->slot_count; i++) {
        b->tx[i] = sorted[i]->tx;
    }
    b->height++;
    struct vm_block const block = {
        .height = b->height,
        .time_ms = START_MS + b->height * BLOCK_MS,
        .tx_count = b->slot_count,
        .txs = b->tx,
    };
    struct vm_result result;
    uint64_t const start = now_ns();
    vm_execute(b->vm, &block, &result);
    b->nanoseconds += now_ns() - start;
    b->ops += b->slot_count - 1;
    bare(b, &result);
    take_receipts(b, sorted, &result);
}

static void run(struct bench *b)
{
    uint32_t const room = 2 * b->block_ops + 16;
    struct slot **const sorted = take(room * sizeof *sorted);
    struct slot **const scratch = take(room * sizeof *scratch);
    b->slot = take(room * sizeof *b->slot);
    b->tx = take(room * sizeof *b->tx);
    b->deferred = take(room * sizeof *b->deferred);
    b->handle = take(b->flow.id_count * sizeof *b->handle);
    b->in_block = take(b->flow.id_count);
    uint32_t next = 0;
    b->slot_count = 0;
    add_report(b); /* an index, before the first order */
    run_block(b, sorted, scratch);
    b->nanoseconds = 0;
    b->bare_ns = 0;
    while (next < b->flow.count || b->deferred_count > 0) {
        fill_block(b, &next);
        run_block(b, sorted, scratch);
    }
    nv_heap_free(sorted);
    nv_heap_free(scratch);
}

static void report(const struct bench *b)
{
    char note[320];
    double const seconds = (double)b->nanoseconds / 1e9;
    double const rate = (double)b->ops / seconds;
    double const limit = (double)b->ops / ((double)b->bare_ns / 1e9);
    (void)snprintf(note,
                   sizeof note,
                   "%" PRIu64 " operations in blocks of %" PRIu32 ", %.0f ns each of one core; "
                   "%" PRIu64 " fills, %" PRIu64 " lots, %" PRIu64 " refused, %" PRIu64
                   " cancels too late, %" PRIu64
                   " row bytes an operation; limit: its hashes and rows alone; goal %u M/s",
                   b->ops,
                   b->block_ops,
                   1e9 / rate,
                   b->fills,
                   b->filled_lots / 2,
                   b->refused,
                   b->cancels_late,
                   b->write_bytes / b->ops,
                   GOAL_OPS_S / 1000000);
    bench_report("vm_ops_s", rate, "1/s", limit, rate / limit, note);
}

static void close_bench(struct bench *b)
{
    flow_close(&b->flow);
    nv_heap_free(b->key);
    nv_heap_free(b->address);
    nv_heap_free(b->handle);
    nv_heap_free(b->in_block);
    nv_heap_free(b->deferred);
    nv_heap_free(b->slot);
    nv_heap_free(b->tx);
    if (b->memory != NULL) {
        nv_heap_unreserve(b->memory, b->memory_size);
    }
}

enum tool_exit flow_run(struct flow *flow,
                        uint32_t block_ops,
                        void (*after)(const struct vm *vm, const struct nv_address *accounts))
{
    static struct bench bench;
    bench = (struct bench){.flow = *flow, .block_ops = block_ops};
    *flow = (struct flow){0};
    make_accounts(&bench);
    enum tool_exit const code = open_vm(&bench);
    if (code == TOOL_OK) {
        run(&bench);
        if (after != NULL) {
            after(bench.vm, bench.address);
        } else {
            report(&bench);
        }
    }
    close_bench(&bench);
    return code;
}

void bench_vm_ops_s(void)
{
    static const char path[] = "build/bench-flow.csv";
    struct flow_recipe const recipe = {
        .seed = 1, .count = 1000000, .accounts = 10000, .adds = 60, .cancels = 35};
    struct flow flow;
    bool const good = flow_generate(path, &recipe) && flow_open(&flow, path) == TOOL_OK &&
                      flow_run(&flow, BLOCK_OPS, NULL) == TOOL_OK;
    (void)remove(path);
    if (!good) {
        bench_report("vm_ops_s", 0, "1/s", 0, 0, "the flow could not be run");
    }
}

enum tool_exit tool_bench_flow(char **argv)
{
    struct flow flow;
    const char *csv = NULL;
    const char *block = "1000";
    struct tool_args args;
    struct tool_option const options[] = {{"--csv", &csv, NULL}, {"--block", &block, NULL}};
    static const char usage[] = "novate bench flow --csv FILE [--block OPERATIONS]";
    enum tool_exit code = tool_args_read(&args, options, 2, usage, argv);
    uint64_t block_ops = 0;
    if (code != TOOL_OK) {
        return code;
    }
    if (csv == NULL || args.count != 0) {
        return tool_fail(TOOL_USAGE, NULL, usage, "which order flow?");
    }
    if (!tool_args_number(&block_ops, "--block", block, 1, 8000)) {
        return TOOL_USAGE;
    }
    code = flow_open(&flow, csv);
    return code == TOOL_OK ? flow_run(&flow, (uint32_t)block_ops, NULL) : code;
}
