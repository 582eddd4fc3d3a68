#include "tests/lib/vm_world.h"

#include "base/assert.h"
#include "base/heap.h"
#include "base/sort.h"

#include "vm/machine.h"
#include "vm/payoff/payoff.h"

#define TX_MEMORY (4u << 20)

static const struct vm_limits world_limits = {
    .accounts_max = 512,
    .positions_max = 1024,
    .orders_max = 2048,
    .level_pages_max = 512,
    .markets_max = 4,
    .feeds_max = 3,
    .sessions_max = 256,
    .tombstones_max = 256,
    .block_txs_max = WORLD_TXS_MAX,
    .block_actions_max = WORLD_TXS_MAX * 8,
    .block_due_max = 3, /* so that work waits */
    .block_output_bytes_max = 2u << 20,
};

void vm_world_key(struct nv_pubkey *key, uint32_t number)
{
    struct nv_hash hash;
    uint8_t bytes[4];
    nv_be32_store(bytes, number);
    struct nv_view const part = nv_view_of(bytes, sizeof bytes);
    nv_tagged_hash(&hash, "novate/test/key", &part, 1);
    memcpy(key->bytes, hash.bytes, sizeof key->bytes);
}

void vm_world_address(struct nv_address *address, uint32_t number)
{
    struct nv_pubkey key;
    vm_world_key(&key, number);
    nv_address_of_key(address, &key);
}

static void market_row(struct vm_market_row *row, const char *symbol, uint32_t feed)
{
    memset(row, 0, sizeof *row);
    memcpy(row->symbol, symbol, strlen(symbol));
    row->feed = feed;
    row->tick_micro = 100000; /* 0.1 */
    row->lots_per_unit = 1000;
    row->tick_value = vm_money(100);
    row->order_lots_max = vm_lots(1000000);
    row->open_interest_max = vm_lots(100000000);
    row->program_size = VM_PAYOFF_LINEAR_SIZE;
    vm_payoff_linear(row->program);
}

static void world_genesis(struct vm_world *w, struct vm_result *result)
{
    struct vm_market_row markets[WORLD_MARKETS];
    struct vm_genesis_account accounts[WORLD_TRADERS];
    struct vm_genesis_reporter reporters[WORLD_REPORTERS];
    struct vm_genesis_feed feeds[2] = {
        {.symbol = "BTC", .range_initial = {80000000}, .range_maintenance = {50000000}},
        {.symbol = "ETH", .range_initial = {100000000}, .range_maintenance = {60000000}},
    };
    market_row(&markets[0], "BTC-PERP", 0);
    market_row(&markets[1], "ETH-PERP", 1);
    market_row(&markets[2], "BTC-DATED", 0);
    markets[0].funding_interval_ms = 60000;
    markets[1].funding_interval_ms = 60000;
    markets[2].expires_ms = w->time_ms + 90000;
    markets[2].settle_window_ms = 30000;
    for (uint32_t i = 0; i < WORLD_TRADERS; i++) {
        vm_world_address(&accounts[i].address, i);
        accounts[i].cash = vm_money(INT64_C(10000000000) * (i < 4 ? 20 : 1)); /* 10,000 */
    }
    for (uint32_t i = 0; i < WORLD_REPORTERS; i++) {
        vm_world_address(&reporters[i].address, WORLD_REPORTER + i);
        reporters[i].stake = 10 + i;
    }
    struct vm_genesis genesis = {
        .time_ms = w->time_ms,
        .account_count = WORLD_TRADERS,
        .accounts = accounts,
        .reporter_count = WORLD_REPORTERS,
        .reporters = reporters,
        .feed_count = 2,
        .feeds = feeds,
        .market_count = WORLD_MARKETS,
        .markets = markets,
        .has_faucet = true,
    };
    vm_world_address(&genesis.fee_account, WORLD_FEE);
    vm_world_address(&genesis.insurance_account, WORLD_INSURANCE);
    vm_world_address(&genesis.faucet_account, WORLD_FAUCET);
    enum nv_err const err = vm_genesis_rows(w->vm, &genesis, result);
    assert_int_equal(err, NV_OK);
}

static struct vm *machine(struct vm_world *w)
{
    struct nv_arena arena;
    w->memory = nv_heap_reserve(w->size);
    NV_ASSERT(w->memory != NULL);
    nv_arena_init_zeroed(&arena, w->memory, w->size);
    return vm_new(&arena, &w->limits);
}

/* Stands for the root: a hash of all writes so far. */
static void root_make(struct vm_world *w)
{
    for (uint32_t i = 0; i < w->result.write_count; i++) {
        struct nv_view const parts[3] = {
            nv_hash_view(&w->root),
            nv_view_of(w->result.writes[i].key.bytes, NV_ROW_KEY_SIZE),
            w->result.writes[i].value,
        };
        nv_sha256_parts(&w->root, parts, 3);
    }
}

/* Values of rows lie one after another for ever; move them together. */
void vm_world_keep(struct vm_world *w)
{
    assert_true(vm_rows_apply(w->rows, w->result.writes, w->result.write_count, true));
    if (w->rows->slots > VM_ROWS_CAP / 2) {
        struct vm_rows *const fresh = vm_rows_new();
        vm_rows_copy(fresh, w->rows);
        vm_rows_free(w->rows);
        w->rows = fresh;
    }
    root_make(w);
    w->tx_count = 0;
    nv_arena_reset(&w->tx_arena);
}

void vm_world_open(struct vm_world *w)
{
    memset(w, 0, sizeof *w);
    w->limits = world_limits;
    w->size = vm_footprint(&w->limits);
    w->time_ms = UINT64_C(1760000000000);
    w->vm = machine(w);
    w->rows = vm_rows_new();
    w->tx_memory = nv_heap_reserve(TX_MEMORY);
    NV_ASSERT(w->tx_memory != NULL);
    nv_arena_init_zeroed(&w->tx_arena, w->tx_memory, TX_MEMORY);
    world_genesis(w, &w->result);
    vm_world_keep(w);
}

void vm_world_close(struct vm_world *w)
{
    vm_rows_free(w->rows);
    nv_heap_unreserve(w->tx_memory, TX_MEMORY);
    nv_heap_unreserve(w->memory, w->size);
}

struct vm_state *vm_world_state(struct vm_world *w)
{
    return w->vm->state;
}

uint32_t vm_world_account(const struct vm_world *w, uint32_t number)
{
    struct nv_address address;
    vm_world_address(&address, number);
    return vm_account_find(w->vm->state, &address);
}

struct vm_tx *
vm_world_tx(struct vm_world *w, uint32_t number, const struct vm_action *actions, uint32_t count)
{
    NV_ASSERT(w->tx_count < WORLD_TXS_MAX);
    struct vm_tx *const tx = &w->txs[w->tx_count++];
    struct vm_action *const kept = NV_ARENA_NEW(&w->tx_arena, struct vm_action, count);
    memcpy(kept, actions, count * sizeof *actions);
    memset(tx, 0, sizeof *tx);
    vm_world_key(&tx->key, number);
    vm_world_address(&tx->account, number);
    tx->salt = ++w->salt;
    tx->expires_ms = w->time_ms + 30000;
    tx->action_count = count;
    tx->actions = kept;
    uint8_t bytes[12];
    nv_be64_store(bytes, tx->salt);
    nv_be32_store(bytes + 8, number);
    struct nv_view const part = nv_view_of(bytes, sizeof bytes);
    nv_tagged_hash(&tx->hash, "novate/test/tx", &part, 1);
    return tx;
}

struct vm_tx *vm_world_place(struct vm_world *w, uint32_t number, const struct vm_place *place)
{
    struct vm_action const action = {.kind = VM_ACTION_PLACE, .place = *place};
    return vm_world_tx(w, number, &action, 1);
}

void vm_world_report(struct vm_world *w, uint32_t feed, int64_t price_micro)
{
    for (uint32_t i = 0; i < WORLD_REPORTERS; i++) {
        struct vm_action const action = {
            .kind = VM_ACTION_REPORT,
            .report = {.feed = feed,
                       .price = vm_money(price_micro),
                       .confidence = vm_money(price_micro / 10000),
                       .time_ms = w->time_ms + 1},
        };
        (void)vm_world_tx(w, WORLD_REPORTER + i, &action, 1);
    }
}

void vm_world_send(struct vm_world *w, uint32_t from, uint8_t kind, uint32_t to, int64_t micro)
{
    struct vm_action action = {.kind = kind, .send = {.amount = vm_money(micro)}};
    vm_world_address(&action.send.to, to);
    (void)vm_world_tx(w, from, &action, 1);
}

void vm_world_amount(struct vm_world *w, uint32_t number, uint8_t kind, int64_t micro)
{
    struct vm_action const action = {.kind = kind, .amount = vm_money(micro)};
    (void)vm_world_tx(w, number, &action, 1);
}

static int tx_cmp(const void *a, const void *b)
{
    const struct vm_tx *const x = a;
    const struct vm_tx *const y = b;
    return nv_hash_cmp(&x->hash, &y->hash);
}

void vm_world_sort(struct vm_world *w)
{
    static struct vm_tx scratch[WORLD_TXS_MAX];
    nv_sort(w->txs, w->tx_count, sizeof w->txs[0], tx_cmp, scratch);
}

void vm_world_block(struct vm_world *w, uint64_t ms)
{
    vm_world_sort(w);
    w->height++;
    w->time_ms += ms;
    struct vm_block const block = {
        .height = w->height,
        .time_ms = w->time_ms,
        .previous_root = w->root,
        .tx_count = w->tx_count,
        .txs = w->txs,
    };
    vm_execute(w->vm, &block, &w->result);
    assert_int_equal(vm_height(w->vm), w->height);
    vm_world_keep(w);
}

void vm_world_reload(struct vm_world *w)
{
    void *const old = w->memory;
    struct vm *const vm = machine(w);
    for (uint32_t i = 0; i < w->rows->count; i++) {
        assert_int_equal(vm_load_row(vm, &w->rows->row[i]), NV_OK);
    }
    assert_int_equal(vm_load_end(vm), NV_OK);
    assert_int_equal(vm_height(vm), w->height);
    w->vm = vm;
    nv_heap_unreserve(old, w->size);
}

void vm_world_receipt(const struct vm_world *w, const struct nv_hash *tx, struct vm_receipt *out)
{
    for (uint32_t i = 0; i < w->result.receipt_count; i++) {
        assert_int_equal(vm_receipt_decode(out, w->result.receipts[i]), NV_OK);
        if (nv_hash_eq(&out->tx_hash, tx)) {
            return;
        }
    }
    fail_msg("no receipt");
}
