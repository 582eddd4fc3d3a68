/* Goal: an action that is taken back leaves no trace, a block's write set is
 * exactly what changed, and a state loaded from rows is the state it came from.
 * Method: random mutations in scopes that commit or roll back, at random; before
 * and after each, every row of the state is dumped and all that is derived is
 * recomputed; after each block the write set is applied to the rows of the block
 * before and compared with a dump, and a second state is loaded from them. */

#include "base/arena.h"
#include "base/heap.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/vm_rows.h"
#include "vm/params.h"
#include "vm/state/internal.h"
#include "vm/tx.h"

static const struct vm_limits limits = {
    .accounts_max = 40,
    .positions_max = 90,
    .orders_max = 150,
    .level_pages_max = 30,
    .markets_max = 3,
    .feeds_max = 2,
    .sessions_max = 20,
    .tombstones_max = 20,
    .block_txs_max = 16,
    .block_actions_max = 64,
    .block_due_max = 64,
    .block_output_bytes_max = 1u << 20,
};

#define MARKETS 3u

struct world {
    struct vm_state_box box;
    struct vm_state *s;
    struct nv_test_rng rng;
    uint64_t height;
    uint64_t addresses;
};

static void listing(struct vm_market_row *row, uint32_t i)
{
    memset(row, 0, sizeof *row);
    row->symbol[0] = (char)('A' + i);
    row->tick_micro = 1000 * (i + 1);
    row->lots_per_unit = 100;
    row->tick_value = vm_money(10 * (i + 1));
    row->order_lots_max = vm_lots(1000);
    row->open_interest_max = vm_lots(1000000);
    row->program_size = 1;
}

static void address_make(struct nv_address *out, uint64_t n)
{
    memset(out, 0, sizeof *out);
    nv_be64_store(out->bytes, n * UINT64_C(0x9e3779b97f4a7c15));
    nv_be64_store(out->bytes + 8, n);
}

static void world_fill(struct vm_state *s)
{
    struct vm_feed_row feed;
    struct vm_market_row row;
    struct nv_address address;
    memset(&feed, 0, sizeof feed);
    feed.symbol[0] = 'F';
    assert_int_equal(vm_feed_create(s, &feed), 0);
    for (uint32_t i = 0; i < MARKETS; i++) {
        listing(&row, i);
        assert_int_equal(vm_market_create(s, &row), i);
    }
    for (uint32_t i = 0; i < vm_param_count(); i++) {
        vm_param_set(s, vm_param_spec_at(i)->number, vm_param_spec_at(i)->devnet);
    }
    for (uint32_t i = 1; i <= 2; i++) {
        address_make(&address, 1000 + i);
        assert_int_equal(vm_account_create(s, &address), i - 1);
    }
    struct vm_reporter_row const reporter = {.account = 1, .stake = 5};
    assert_int_equal(vm_reporter_create(s, &reporter), 0);
    vm_chain_mut(s)->fee_account = 1;
    vm_chain_mut(s)->insurance_account = 2;
}

static void world_open(struct world *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->rng.state = seed;
    vm_state_box_open(&w->box, &limits);
    w->s = w->box.state;
    world_fill(w->s);
}

static uint32_t below(struct world *w, uint32_t bound)
{
    return nv_test_below(&w->rng, bound);
}

static uint32_t any_account(struct world *w)
{
    return below(w, vm_account_count(w->s));
}

/* Any open order, or VM_NONE. */
static uint32_t any_order(struct world *w)
{
    uint32_t const start = below(w, limits.orders_max);
    for (uint32_t i = 0; i < limits.orders_max; i++) {
        uint32_t const slot = (start + i) % limits.orders_max;
        if (vm__taken(w->s, VM_SLAB_ORDER, slot)) {
            return slot;
        }
    }
    return VM_NONE;
}

static void mutate_order(struct world *w)
{
    uint32_t const position = vm_position_open(w->s, any_account(w), below(w, MARKETS));
    if (position == VM_NONE) {
        return;
    }
    int64_t const price = (int64_t)below(w, 1500) - 700; /* around a page of negative ticks too */
    struct vm_order_row const row = {
        .side = below(w, 2) == 0 ? VM_BUY : VM_SELL,
        .price = vm_price(below(w, 4) == 0 ? price : price / 40),
        .lots = vm_lots(1 + (int64_t)below(w, 50)),
        .placed_height = w->height,
        .expires_ms = below(w, 3) == 0 ? 1 + below(w, 40) : 0,
        .client_id = below(w, 2) == 0 ? 1 + below(w, 1000000) : 0,
        .tie = below(w, 3) == 0 ? 7 : nv_test_next(&w->rng),
    };
    uint32_t const slot = vm_order_insert(w->s, position, &row);
    if (slot != VM_NONE) {
        const struct vm_order *const o = vm_order(w->s, slot);
        assert_int_equal(vm_order_find(w->s, vm_order_handle(o->market, o->row.generation, slot)),
                         slot);
        if (row.client_id != 0) {
            uint32_t const found = vm_order_find_client(w->s, position, row.client_id);
            assert_int_equal(vm_order(w->s, found)->row.client_id, row.client_id);
        }
    }
}

static void mutate_open_order(struct world *w)
{
    uint32_t const slot = any_order(w);
    if (slot == VM_NONE) {
        return;
    }
    int64_t const lots = vm_lots_raw(vm_order(w->s, slot)->row.lots);
    if (lots > 1 && below(w, 2) == 0) {
        vm_order_reduce(w->s, slot, vm_lots(1 + (int64_t)below(w, (uint32_t)lots - 1)));
        return;
    }
    uint64_t const handle =
        vm_order_handle(vm_order(w->s, slot)->market, vm_order(w->s, slot)->row.generation, slot);
    vm_order_remove(w->s, slot);
    assert_int_equal(vm_order_find(w->s, handle), VM_NONE);
}

static void mutate_position(struct world *w)
{
    uint32_t const account = any_account(w);
    uint32_t const market = below(w, MARKETS);
    uint32_t const position = vm_position_open(w->s, account, market);
    if (position == VM_NONE) {
        return;
    }
    const struct vm_position_row own = vm_position(w->s, position)->row;
    bool const close = below(w, 2) == 0;
    int64_t const lots = close ? -vm_lots_raw(own.lots) : (int64_t)below(w, 21) - 10;
    int64_t const cost = close ? -vm_money_raw(own.cost) : (int64_t)below(w, 2001) - 1000;
    assert_true(vm_position_add(w->s, position, vm_lots(lots), vm_money(cost)));
    assert_true(vm_realised_add(w->s, market, vm_money(-cost)));
    uint32_t const found = vm_position_find(w->s, account, market);
    bool const empty = vm__position_empty(vm__position(w->s, position));
    assert_int_equal(found, empty ? VM_NONE : position);
}

static void mutate_session(struct world *w)
{
    uint32_t const account = any_account(w);
    struct vm_session_row row = {.scopes = 1 + below(w, 15), .expires_ms = 1 + below(w, 50)};
    memset(row.key.bytes, (int)below(w, 6), sizeof row.key.bytes);
    row.key.bytes[31] = (uint8_t)below(w, 2); /* agrees in the first 24 bytes */
    if (below(w, 6) == 0) {
        (void)vm_sessions_drop_expired(w->s, account, below(w, 60));
    } else if (below(w, 2) == 0) {
        bool const there = vm_session_find(w->s, account, &row.key) != NULL;
        assert_int_equal(vm_session_remove(w->s, account, &row.key), there);
        assert_null(vm_session_find(w->s, account, &row.key));
    } else if (vm_session_put(w->s, account, &row)) {
        assert_int_equal(vm_session_find(w->s, account, &row.key)->scopes, row.scopes);
    }
}

static void mutate_tombstone(struct world *w)
{
    uint64_t const account = 1 + any_account(w);
    uint64_t const client = 1 + below(w, 5);
    uint32_t const market = below(w, MARKETS);
    if (below(w, 3) == 0) {
        vm_tombstones_expire(w->s, below(w, 40), 1 + below(w, 4));
    } else if (vm_tombstone_put(w->s, market, account, client, 1 + below(w, 50))) {
        assert_true(vm_tombstone_has(w->s, market, account, client, 0));
    }
}

static void mutate_money(struct world *w)
{
    uint32_t const account = any_account(w);
    int64_t const delta = (int64_t)below(w, 20001) - 10000;
    struct vm_account_row const before = vm_account(w->s, account)->row;
    assert_true(vm_cash_add(w->s, account, vm_money(delta)));
    bool const enough = vm_money_raw(before.wallet) + delta >= 0;
    assert_int_equal(vm_wallet_add(w->s, account, vm_money(delta)), enough);
    assert_int_equal(vm_money_raw(vm_account(w->s, account)->row.cash),
                     vm_money_raw(before.cash) + delta);
}

static void mutate_other(struct world *w)
{
    struct nv_address address;
    uint32_t const what = below(w, 4);
    if (what == 0) {
        address_make(&address, ++w->addresses);
        uint32_t const index = vm_account_create(w->s, &address);
        assert_int_equal(vm_account_find(w->s, &address), index);
    } else if (what == 1) {
        vm_market_mut(w->s, below(w, MARKETS))->row.mark = vm_money(below(w, 3));
    } else if (what == 2) {
        struct vm_report_row *const report = vm_report_mut(w->s, 0, below(w, 4));
        report->time_ms = below(w, 3);
        report->price = vm_money(report->time_ms == 0 ? 0 : below(w, 9));
    } else {
        vm_feed_mut(w->s, 0)->row.index = vm_money(below(w, 3));
        vm_account_mut(w->s, any_account(w))->row.stage = (uint8_t)below(w, 4);
    }
}

static void mutate(struct world *w)
{
    uint32_t const what = below(w, 12);
    if (what < 4) {
        mutate_order(w);
    } else if (what < 6) {
        mutate_open_order(w);
    } else if (what < 8) {
        mutate_position(w);
    } else if (what == 8) {
        mutate_session(w);
    } else if (what == 9) {
        mutate_tombstone(w);
    } else if (what == 10) {
        mutate_money(w);
    } else {
        mutate_other(w);
    }
}

/* One scope of several mutations; one in two is taken back. */
static void
scope(struct world *w, struct vm_rows *before, struct vm_rows *after, struct nv_arena *arena)
{
    bool const commit = below(w, 2) == 0;
    uint64_t const addresses = w->addresses;
    vm_rows_dump(before, w->s);
    vm_undo_begin(w->s);
    for (uint32_t i = 1 + below(w, 12); i > 0; i--) {
        mutate(w);
    }
    if (commit) {
        vm_undo_commit(w->s);
        vm_levels_settle(w->s, arena);
    } else {
        vm_undo_rollback(w->s);
        w->addresses = addresses;
        vm_rows_dump(after, w->s);
        assert_true(vm_rows_equal(before, after));
    }
    assert_true(vm_state_sound(w->s));
}

struct books {
    struct vm_rows *kept, *before, *after;
    struct nv_arena arena;
    void *memory;
};

#define WRITES_MEMORY (4u << 20)

static void books_open(struct books *b)
{
    b->kept = vm_rows_new();
    b->before = vm_rows_new();
    b->after = vm_rows_new();
    b->memory = nv_heap_reserve(WRITES_MEMORY);
    assert_non_null(b->memory);
    nv_arena_init_zeroed(&b->arena, b->memory, WRITES_MEMORY);
}

static void books_close(struct books *b)
{
    vm_rows_free(b->kept);
    vm_rows_free(b->before);
    vm_rows_free(b->after);
    nv_heap_unreserve(b->memory, WRITES_MEMORY);
}

/* Ends a block: the write set turns the rows kept so far into a dump. */
static void block_end(struct world *w, struct books *b)
{
    const struct nv_row *writes = NULL;
    nv_arena_reset(&b->arena);
    vm_levels_settle(w->s, &b->arena);
    uint32_t const count = vm_state_writes(w->s, &b->arena, &writes);
    assert_true(vm_rows_apply(b->kept, writes, count, false));
    vm_rows_dump(b->after, w->s);
    assert_true(vm_rows_equal(b->kept, b->after));
    assert_true(vm_state_sound(w->s));
    assert_int_equal(vm_state_writes(w->s, &b->arena, &writes), 0);
    struct vm_rows *const compact = b->before;
    vm_rows_copy(compact, b->kept);
    vm_rows_copy(b->kept, compact);
}

static void reload(struct world *w, struct books *b)
{
    struct vm_state_box box;
    vm_state_box_open(&box, &limits);
    assert_int_equal(vm_rows_load(b->kept, box.state), NV_OK);
    vm_rows_dump(b->after, box.state);
    assert_true(vm_rows_equal(b->kept, b->after));
    assert_true(vm_state_sound(box.state));
    assert_true(vm_state_alike(w->s, box.state));
    vm_state_box_close(&box);
}

static void random_scopes(void **state)
{
    (void)state;
    struct books b;
    books_open(&b);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct world w;
        world_open(&w, seed);
        b.kept->count = 0;
        for (w.height = 1; w.height <= 12; w.height++) {
            for (uint32_t i = 0; i < 12; i++) {
                scope(&w, b.before, b.after, &b.arena);
            }
            for (uint32_t i = 0; i < 6; i++) {
                mutate(&w); /* outside a scope changes are final */
            }
            block_end(&w, &b);
            reload(&w, &b);
        }
        vm_state_box_close(&w.box);
    }
    books_close(&b);
}

/* Orders leave in the order of their expiry, and none before its time. */
static void expiry_order(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, 99);
    for (uint32_t i = 0; i < 60; i++) {
        mutate_order(&w);
    }
    uint64_t last = 0;
    for (uint64_t now = 0; now <= 41; now++) {
        uint32_t slot = vm_order_expired(w.s, now);
        while (slot != VM_NONE) {
            uint64_t const expires = vm_order(w.s, slot)->row.expires_ms;
            assert_true(expires >= last && expires <= now && expires != 0);
            last = expires;
            vm_order_remove(w.s, slot);
            slot = vm_order_expired(w.s, now);
        }
    }
    for (uint32_t i = 0; i < limits.orders_max; i++) {
        if (vm__taken(w.s, VM_SLAB_ORDER, i)) {
            assert_int_equal(vm_order(w.s, i)->row.expires_ms, 0);
        }
    }
    vm_state_box_close(&w.box);
}

/* However many orders join one level in a block, and whatever leaves meanwhile,
 * the queue ends up by height, tie and slot. */
static void crowded_level(void **state)
{
    (void)state;
    struct world w;
    struct books b;
    books_open(&b);
    world_open(&w, 31);
    for (w.height = 1; w.height < 6; w.height++) {
        for (uint32_t i = 0; i < 40; i++) {
            uint32_t const position = vm_position_open(w.s, below(&w, 2), 1);
            struct vm_order_row const row = {.side = VM_SELL,
                                             .price = vm_price(77),
                                             .lots = vm_lots(2),
                                             .placed_height = w.height,
                                             .tie = below(&w, 10)};
            (void)vm_order_insert(w.s, position, &row);
            if (below(&w, 3) == 0) {
                mutate_open_order(&w);
            }
        }
        vm_levels_settle(w.s, &b.arena);
        assert_true(vm_state_sound(w.s));
        vm_levels_settle(w.s, &b.arena);
        assert_true(vm_state_sound(w.s));
    }
    assert_true(vm_market(w.s, 1)->orders_open > 60);
    vm_state_box_close(&w.box);
    books_close(&b);
}

/* Full slabs refuse without a trace. */
static void full(void **state)
{
    (void)state;
    struct world w;
    struct vm_rows *const before = vm_rows_new();
    struct vm_rows *const after = vm_rows_new();
    world_open(&w, 5);
    for (uint32_t i = 0; i < 400; i++) {
        mutate_order(&w);
    }
    uint32_t const position = vm_position_open(w.s, 0, 0);
    struct vm_order_row row = {
        .side = VM_BUY, .price = vm_price(1000000), .lots = vm_lots(1), .placed_height = 1};
    vm_rows_dump(before, w.s);
    assert_int_equal(vm_order_insert(w.s, position, &row), VM_NONE); /* no level page is left */
    row.price = vm_price(INT64_MAX);
    assert_int_equal(vm_order_insert(w.s, position, &row), VM_NONE); /* price × tick value */
    vm_rows_dump(after, w.s);
    assert_true(vm_rows_equal(before, after));
    struct nv_address address;
    for (uint64_t i = 0; vm_account_count(w.s) < limits.accounts_max; i++) {
        address_make(&address, 5000 + i);
        assert_int_not_equal(vm_account_create(w.s, &address), VM_NONE);
    }
    address_make(&address, 4999);
    assert_int_equal(vm_account_create(w.s, &address), VM_NONE);
    assert_int_equal(vm_account_find(w.s, &address), VM_NONE);
    vm_rows_free(before);
    vm_rows_free(after);
    vm_state_box_close(&w.box);
}

/* Sums at the edge of 64 bits: all of them move, or none. */
static void overflow(void **state)
{
    (void)state;
    struct world w;
    world_open(&w, 6);
    assert_true(vm_cash_add(w.s, 0, vm_money(INT64_MAX)));
    assert_false(vm_cash_add(w.s, 0, vm_money(1)));
    assert_false(vm_cash_add(w.s, 1, vm_money(1))); /* the chain's sum */
    assert_int_equal(vm_money_raw(vm_account(w.s, 1)->row.cash), 0);
    assert_true(vm_wallet_add(w.s, 0, vm_money(5)));
    assert_false(vm_wallet_add(w.s, 0, vm_money(-6)));
    uint32_t const p = vm_position_open(w.s, 0, 0), q = vm_position_open(w.s, 1, 0);
    assert_true(vm_position_add(w.s, p, vm_lots(INT64_MAX), vm_money(INT64_MIN)));
    assert_false(vm_position_add(w.s, p, vm_lots(1), vm_money(0)));
    assert_false(vm_position_add(w.s, q, vm_lots(1), vm_money(0)));
    assert_false(vm_position_add(w.s, q, vm_lots(-1), vm_money(-1)));
    assert_int_equal(vm_lots_raw(vm_position(w.s, q)->row.lots), 0);
    assert_true(vm_state_sound(w.s));
    vm_state_box_close(&w.box);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_scopes),
        cmocka_unit_test(expiry_order),
        cmocka_unit_test(crowded_level),
        cmocka_unit_test(full),
        cmocka_unit_test(overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
