/* Goal: a genesis gives its rows or is refused as a whole; rows that are not
 * what a VM wrote are refused when loaded, and do no harm.
 * Method: a good genesis spoilt in one way at a time; the rows of a chain that
 * has traded, each changed, left out or given twice. */

#include "base/arena.h"
#include "base/heap.h"

#include "tests/lib/vm_world.h"
#include "vm/machine.h"
#include "vm/params.h"
#include "vm/payoff/payoff.h"

struct draft {
    struct vm_genesis g;
    struct vm_genesis_account accounts[3];
    struct vm_genesis_reporter reporters[2];
    struct vm_genesis_feed feeds[2];
    struct vm_market_row markets[2];
    struct vm_genesis_param params[2];
};

static void draft_make(struct draft *d)
{
    memset(d, 0, sizeof *d);
    for (uint32_t i = 0; i < 3; i++) {
        vm_world_address(&d->accounts[i].address, i);
        d->accounts[i].cash = vm_money(100 + i);
    }
    for (uint32_t i = 0; i < 2; i++) {
        vm_world_address(&d->reporters[i].address, 50 + i);
        d->reporters[i].stake = 3;
        d->feeds[i].symbol[0] = (char)('A' + i);
        d->feeds[i].range_initial = vm_ratio(100000000);
        d->feeds[i].range_maintenance = vm_ratio(50000000);
        struct vm_market_row *const m = &d->markets[i];
        m->symbol[0] = (char)('M' + i);
        m->feed = i;
        m->tick_micro = 100000;
        m->lots_per_unit = 1000;
        m->tick_value = vm_money(100);
        m->order_lots_max = vm_lots(1000);
        m->open_interest_max = vm_lots(1000);
        m->program_size = VM_PAYOFF_LINEAR_SIZE;
        vm_payoff_linear(m->program);
    }
    d->params[0] = (struct vm_genesis_param){VM_PARAM_TX_FEE, 7};
    d->params[1] = (struct vm_genesis_param){VM_PARAM_MAKER_FEE, 0};
    d->g = (struct vm_genesis){.time_ms = 1000,
                               .account_count = 3,
                               .accounts = d->accounts,
                               .reporter_count = 2,
                               .reporters = d->reporters,
                               .feed_count = 2,
                               .feeds = d->feeds,
                               .market_count = 2,
                               .markets = d->markets,
                               .param_count = 2,
                               .params = d->params,
                               .has_faucet = true};
    vm_world_address(&d->g.fee_account, 60);
    vm_world_address(&d->g.insurance_account, 61);
    vm_world_address(&d->g.faucet_account, 62);
}

static const struct vm_limits limits = {
    .accounts_max = 12,
    .positions_max = 16,
    .orders_max = 16,
    .level_pages_max = 16,
    .markets_max = 2,
    .feeds_max = 2,
    .sessions_max = 8,
    .tombstones_max = 8,
    .stakes_max = 512,
    .block_txs_max = 8,
    .block_actions_max = 64,
    .block_due_max = 64,
    .block_output_bytes_max = 65536,
};

static enum nv_err outcome(const struct vm_genesis *g, struct vm_rows *rows)
{
    struct nv_arena arena;
    struct vm_result result;
    size_t const size = vm_footprint(&limits);
    void *const memory = nv_heap_reserve(size);
    assert_non_null(memory);
    nv_arena_init_zeroed(&arena, memory, size);
    struct vm *const vm = vm_new(&arena, &limits);
    enum nv_err const err = vm_genesis_rows(vm, g, &result);
    if (err == NV_OK) {
        rows->count = 0;
        rows->slots = 0;
        assert_true(vm_rows_apply(rows, result.writes, result.write_count, true));
        assert_int_equal(vm_height(vm), 0);
        struct nv_hash hash;
        vm_params_hash(vm, &hash);
        assert_false(nv_hash_is_zero(&hash));
    }
    nv_heap_unreserve(memory, size);
    return err;
}

static void good(void **state)
{
    (void)state;
    struct draft d;
    struct vm_rows *const rows = vm_rows_new();
    draft_make(&d);
    assert_int_equal(outcome(&d.g, rows), NV_OK);
    /* 8 accounts twice, 2 feeds, 2 reporters, 2 markets twice, parameters, chain, staking */
    assert_int_equal(rows->count, 8 * 2 + 2 + 2 + 2 * 2 + vm_param_count() + 2);
    struct vm_chain_row chain;
    struct vm_param_row param;
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct nv_row *const row = &rows->row[i];
        if (row->key.bytes[0] == VM_TABLE_CHAIN) {
            assert_int_equal(vm_chain_row_decode(&chain, row->value), NV_OK);
        }
        if (row->key.bytes[0] == VM_TABLE_PARAM && row->key.bytes[2] == VM_PARAM_TX_FEE) {
            assert_int_equal(vm_param_row_decode(&param, row->value), NV_OK);
            assert_int_equal(param.value, 7);
        }
    }
    assert_int_equal(vm_money_raw(chain.supply), 303);
    assert_int_equal(vm_money_raw(chain.vault), 303);
    assert_int_equal(chain.next_account, 9);
    d.g.has_faucet = false;
    d.g.param_count = 0;
    assert_int_equal(outcome(&d.g, rows), NV_OK);
    vm_rows_free(rows);
}

static void spoil_money(struct draft *d, uint32_t way)
{
    if (way == 0) {
        d->accounts[1].cash = vm_money(-1);
    } else if (way == 1) {
        d->accounts[1].cash = vm_money(INT64_MAX);
    } else if (way == 2) {
        d->g.insurance_account = d->g.fee_account;
    } else if (way == 3) {
        d->params[0].number = 999;
    } else if (way == 4) {
        d->params[0].value = -1;
    } else if (way == 5) {
        d->params[1].number = VM_PARAM_TX_FEE;
    } else if (way == 6) {
        d->reporters[0].stake = 0;
    } else if (way == 7) {
        d->reporters[0].stake = UINT64_MAX / 3;
    } else {
        d->reporters[1].address = d->reporters[0].address;
    }
}

static void spoil_listing(struct draft *d, uint32_t way)
{
    if (way == 0) {
        d->feeds[1].symbol[0] = 'A';
    } else if (way == 1) {
        d->feeds[1].symbol[0] = 0;
    } else if (way == 2) {
        d->feeds[0].range_maintenance = vm_ratio(100000001); /* above initial */
    } else if (way == 3) {
        d->feeds[0].range_maintenance = vm_ratio(30000000); /* the mark band is more than ¼ */
    } else if (way == 4) {
        d->feeds[0].range_initial = vm_ratio(VM_RATIO_ONE_PPB);
    } else if (way == 5) {
        d->markets[1].symbol[0] = 'M';
    } else if (way == 6) {
        d->markets[1].feed = 2;
    } else if (way == 7) {
        d->markets[1].tick_value = vm_money(99);
    } else if (way == 8) {
        d->markets[1].program[5] ^= 1;
    } else if (way == 9) {
        d->markets[1].symbol[5] = 'x'; /* after the end */
    } else {
        d->markets[1].settle_window_ms = 1000; /* never expires */
    }
}

/* Two validators, and what is wrong with them. */
static enum nv_err bonded(uint32_t way, struct vm_rows *rows)
{
    struct draft d;
    struct vm_genesis_validator v[2];
    draft_make(&d);
    memset(v, 0, sizeof v);
    for (uint32_t i = 0; i < 2; i++) {
        vm_world_address(&v[i].operator, 80 + i);
        vm_world_key(&v[i].key, 90 + i);
        vm_world_key(&v[i].node_key, 70 + i);
        v[i].stake = vm_money(INT64_C(5000000000) * (1 + i));
    }
    if (way == 1) {
        v[1].key = v[0].key;
    } else if (way == 2) {
        v[1].operator= v[0].operator;
    } else if (way == 3) {
        v[0].stake = vm_money(0);
    } else if (way == 4) {
        v[0].stake = vm_money(INT64_C(1) << 61);
    } else if (way == 5) {
        v[1].commission = vm_ratio(VM_RATIO_ONE_PPB + 1);
    } else if (way == 6) {
        d.params[0] = (struct vm_genesis_param){VM_PARAM_EVIDENCE_EPOCHS, 170};
    } else if (way == 7) {
        d.params[0] = (struct vm_genesis_param){VM_PARAM_EVIDENCE_TIME, 604800000};
    } else if (way == 9) {
        v[1].node_key = v[0].node_key;
    }
    d.g.validators = v;
    d.g.validator_count = way == 8 ? VM_VALIDATORS_MAX + 1 : 2;
    return outcome(&d.g, rows);
}

static void validators(void **state)
{
    (void)state;
    struct vm_rows *const rows = vm_rows_new();
    for (uint32_t way = 1; way <= 9; way++) {
        assert_int_equal(bonded(way, rows), NV_ERR_CONFIG);
    }
    assert_int_equal(bonded(0, rows), NV_OK);
    uint32_t found = 0;
    for (uint32_t i = 0; i < rows->count; i++) {
        const struct nv_row *const row = &rows->row[i];
        struct vm_validator_row validator;
        struct vm_set_row set;
        struct vm_staking_row staking;
        if (row->key.bytes[0] == VM_TABLE_VALIDATOR) {
            assert_int_equal(vm_validator_row_decode(&validator, row->value), NV_OK);
            assert_int_equal(vm_money_raw(validator.least), 1000000000);
            found++;
        } else if (row->key.bytes[0] == VM_TABLE_SET) { /* in force, and chosen at 0 */
            assert_int_equal(vm_set_row_decode(&set, row->value), NV_OK);
            assert_int_equal(set.count, 2);
            assert_int_equal(vm_money_raw(set.member[0].stake), 10000000000);
            found += 10;
        } else if (row->key.bytes[0] == VM_TABLE_STAKING) {
            assert_int_equal(vm_staking_row_decode(&staking, row->value), NV_OK);
            assert_int_equal(vm_money_raw(staking.staked), 15000000000);
            assert_int_equal(staking.epoch, 1);
            found += 100;
        }
    }
    assert_int_equal(found, 122);
    vm_rows_free(rows);
}

static void contradictions(void **state)
{
    (void)state;
    struct draft d;
    struct vm_rows *const rows = vm_rows_new();
    for (uint32_t way = 0; way < 9; way++) {
        draft_make(&d);
        spoil_money(&d, way);
        assert_int_equal(outcome(&d.g, rows), NV_ERR_CONFIG);
    }
    for (uint32_t way = 0; way < 11; way++) {
        draft_make(&d);
        spoil_listing(&d, way);
        assert_int_equal(outcome(&d.g, rows), NV_ERR_CONFIG);
    }
    struct vm_genesis_account many[13];
    draft_make(&d);
    for (uint32_t i = 0; i < 13; i++) {
        many[i] = (struct vm_genesis_account){.cash = vm_money(1)};
        vm_world_address(&many[i].address, 70 + i);
    }
    d.g.accounts = many;
    d.g.account_count = 13;
    assert_int_equal(outcome(&d.g, rows), NV_ERR_NO_MEMORY);
    vm_rows_free(rows);
}

/* --- loading ----------------------------------------------------------------------------- */

static struct vm_world w;

/* A chain with a row of every table. */
static void world_busy(void)
{
    vm_world_open(&w);
    for (uint32_t i = 0; i < 2; i++) {
        vm_world_report(&w, 0, INT64_C(60000000000));
        vm_world_block(&w, 500);
    }
    struct vm_action actions[2] = {
        {.kind = VM_ACTION_SESSION_SET,
         .session_set = {.scopes = 3, .expires_ms = w.time_ms + 99999}},
        {.kind = VM_ACTION_CANCEL_CLIENT, .cancel_client = {.market = 1, .client_id = 4}},
    };
    vm_world_key(&actions[0].session_set.key, 77);
    (void)vm_world_tx(&w, 1, actions, 2);
    for (uint32_t i = 0; i < 20; i++) {
        struct vm_place const p = {.market = WORLD_BTC_PERP,
                                   .side = i % 2 == 0 ? VM_BUY : VM_SELL,
                                   .time_in_force = VM_GTC,
                                   .price = vm_price(600000 + (i % 2 == 0 ? -1 : 1) * (int)i * 9),
                                   .lots = vm_lots(5),
                                   .client_id = 100 + i};
        (void)vm_world_place(&w, i % 3, &p);
    }
    struct vm_place p = {.market = WORLD_BTC_PERP,
                         .side = VM_BUY,
                         .time_in_force = VM_IOC,
                         .price = vm_price(600010),
                         .lots = vm_lots(3)};
    (void)vm_world_place(&w, 5, &p);
    vm_world_block(&w, 500);
}

/* Loads the rows, one of them changed: `at` with `how` (0 dropped, 1 twice,
 * above: a byte of key or value). */
static enum nv_err load_spoilt(uint32_t at, uint32_t how, uint8_t flip)
{
    struct nv_arena arena;
    size_t const size = vm_footprint(&w.limits);
    void *const memory = nv_heap_reserve(size);
    assert_non_null(memory);
    nv_arena_init_zeroed(&arena, memory, size);
    struct vm *const vm = vm_new(&arena, &w.limits);
    enum nv_err err = NV_OK;
    for (uint32_t i = 0; i < w.rows->count && err == NV_OK; i++) {
        struct nv_row row = w.rows->row[i];
        uint8_t value[NV_ROW_VALUE_MAX];
        memcpy(value, row.value.bytes, row.value.size);
        row.value.bytes = value;
        if (i == at && how == 0) {
            continue;
        }
        if (i == at && how >= 2 && how - 2 < NV_ROW_KEY_SIZE) {
            row.key.bytes[how - 2] ^= flip;
        } else if (i == at && how >= 2) {
            value[how - 2 - NV_ROW_KEY_SIZE] ^= flip;
        }
        err = vm_load_row(vm, &row);
        if (i == at && how == 1 && err == NV_OK) {
            err = vm_load_row(vm, &row);
        }
    }
    err = err == NV_OK ? vm_load_end(vm) : err;
    nv_heap_unreserve(memory, size);
    return err;
}

/* Rows without which the others make sense, or that may be given twice. */
static bool optional(uint8_t table)
{
    return table == VM_TABLE_SESSION || table == VM_TABLE_REPORT || table == VM_TABLE_ROOT ||
           table == VM_TABLE_BLOCK_RESULT || table == VM_TABLE_TOMBSTONE ||
           table == VM_TABLE_REPORTER || table == VM_TABLE_SET || table == VM_TABLE_POSITION;
}

static void spoilt_rows(void **state)
{
    (void)state;
    struct nv_test_rng rng = {8};
    bool tables[256] = {false};
    uint32_t seen = 0;
    world_busy();
    for (uint32_t i = 0; i < w.rows->count; i++) {
        uint8_t const table = w.rows->row[i].key.bytes[0];
        seen += tables[table] ? 0u : 1u;
        tables[table] = true;
        if (!optional(table)) {
            assert_int_not_equal(load_spoilt(i, 0, 0), NV_OK);
        }
        uint32_t const bytes = NV_ROW_KEY_SIZE + w.rows->row[i].value.size;
        for (uint32_t j = 0; j < 12; j++) { /* must do no harm */
            (void)load_spoilt(i, 2 + nv_test_below(&rng, bytes), (uint8_t)(1u << j % 8));
        }
        assert_int_not_equal(load_spoilt(i, 2, 0x40), NV_OK);   /* another table */
        assert_int_not_equal(load_spoilt(i, 2 + 31, 1), NV_OK); /* the key's tail */
        (void)load_spoilt(i, 1, 0);
    }
    assert_int_equal(seen, 21); /* nothing waits yet */
    assert_int_equal(load_spoilt(UINT32_MAX, 0, 0), NV_OK);
    vm_world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(contradictions),
        cmocka_unit_test(validators),
        cmocka_unit_test(spoilt_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
