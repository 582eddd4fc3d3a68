/* Goal: a broken sum quarantines one market, a broken total puts the chain in
 * safe mode, and the chain goes on; what nobody's running sum notices is found
 * when the sums are added anew, at the same height by a VM loaded from rows.
 * Method: trade, then break the state by hand between two blocks. */

#include "tests/lib/vm_world.h"
#include "vm/event.h"
#include "vm/state/stake.h"

static struct vm_world w;

static struct vm_place place(uint32_t market, uint8_t side, int64_t ticks, int64_t lots)
{
    return (struct vm_place){.market = market,
                             .side = side,
                             .time_in_force = VM_GTC,
                             .price = vm_price(ticks),
                             .lots = vm_lots(lots)};
}

static void trade(uint32_t market, int64_t ticks, uint32_t buyer, uint32_t seller)
{
    struct vm_place const bid = place(market, VM_BUY, ticks, 10);
    struct vm_place const ask = place(market, VM_SELL, ticks, 10);
    (void)vm_world_place(&w, buyer, &bid);
    (void)vm_world_place(&w, seller, &ask);
}

/* Prices, and a trade in both perpetuals. */
static void start(void)
{
    vm_world_open(&w);
    for (uint32_t i = 0; i < 2; i++) {
        vm_world_report(&w, 0, INT64_C(60000000000));
        vm_world_report(&w, 1, INT64_C(3000000000));
        vm_world_block(&w, 500);
    }
    trade(WORLD_BTC_PERP, 600000, 0, 1);
    trade(WORLD_ETH_PERP, 30000, 0, 1);
    vm_world_block(&w, 500);
    assert_int_equal(vm_lots_raw(vm_market(vm_world_state(&w), 0)->row.open_interest), 10);
    assert_int_equal(vm_lots_raw(vm_market(vm_world_state(&w), 1)->row.open_interest), 10);
}

static uint8_t status(uint32_t market)
{
    return vm_market(vm_world_state(&w), market)->row.status;
}

/* The outcome of placing one order in the next block. */
static uint16_t place_code(uint32_t market, int64_t ticks)
{
    struct vm_receipt receipt;
    struct vm_place const bid = place(market, VM_BUY, ticks, 1);
    struct nv_hash const hash = vm_world_place(&w, 2, &bid)->hash;
    vm_world_block(&w, 500);
    vm_world_receipt(&w, &hash, &receipt);
    assert_int_equal(receipt.code, VM_OK);
    return receipt.outcomes[0].code;
}

static bool told(uint8_t kind)
{
    for (uint32_t i = 0; i < w.result.event_count; i++) {
        struct vm_event event;
        assert_int_equal(vm_event_decode(&event, w.result.events[i]), NV_OK);
        if (event.kind == kind) {
            return true;
        }
    }
    return false;
}

static void broken_market_is_quarantined(void **state)
{
    (void)state;
    for (uint32_t what = 0; what < 3; what++) {
        start();
        struct vm_market_state_row *const row = &vm_market_mut(vm_world_state(&w), 0)->row;
        if (what == 0) {
            row->cost_sum = vm_money(vm_money_raw(row->cost_sum) + 1);
        } else if (what == 1) {
            row->lots_sum = vm_lots(1);
        } else {
            row->cost_sum = vm_money(INT64_MAX);
        }
        vm_world_block(&w, 500);
        assert_int_equal(status(0), VM_MARKET_QUARANTINED);
        assert_true(told(VM_EVENT_MARKET));
        assert_int_equal(status(1), VM_MARKET_OPEN);
        assert_int_equal(vm_chain(vm_world_state(&w))->safe_mode, 0);
        assert_int_equal(place_code(0, 600000), VM_REJECT_MARKET_QUARANTINED);
        assert_false(told(VM_EVENT_MARKET));
        assert_int_equal(place_code(1, 30000), VM_OK);
        trade(WORLD_ETH_PERP, 30000, 4, 5);
        vm_world_block(&w, 500);
        assert_int_equal(vm_lots_raw(vm_market(vm_world_state(&w), 1)->row.open_interest), 20);
        vm_world_close(&w);
    }
}

static uint16_t amount_code(uint8_t kind, int64_t micro)
{
    struct vm_receipt receipt;
    vm_world_amount(&w, 3, kind, micro);
    struct nv_hash const hash = w.txs[w.tx_count - 1].hash;
    vm_world_block(&w, 500);
    vm_world_receipt(&w, &hash, &receipt);
    return receipt.outcomes[0].code;
}

static void broken_total_is_safe_mode(void **state)
{
    (void)state;
    for (uint32_t what = 0; what < 6; what++) {
        start();
        assert_int_equal(amount_code(VM_ACTION_WITHDRAW, 1000000), VM_OK);
        struct vm_chain_row *const chain = vm_chain_mut(vm_world_state(&w));
        if (what == 0) {
            chain->vault = vm_money(vm_money_raw(chain->vault) - 1);
        } else if (what == 1) {
            chain->cash_sum = vm_money(vm_money_raw(chain->cash_sum) + 1);
        } else if (what == 2) {
            chain->realised_sum = vm_money(vm_money_raw(chain->realised_sum) + 1);
        } else if (what == 3) {
            chain->supply = vm_money(INT64_MAX);
        } else if (what == 4) {
            vm_staking_mut(vm_world_state(&w))->pot = vm_money(1 << 20);
        } else {
            struct vm_staking_row *const staking = vm_staking_mut(vm_world_state(&w));
            staking->staked = vm_money(vm_money_raw(staking->staked) - 1);
        }
        vm_world_block(&w, 500);
        assert_int_equal(vm_chain(vm_world_state(&w))->safe_mode, 1);
        assert_true(told(VM_EVENT_SAFE_MODE));
        assert_int_equal(amount_code(VM_ACTION_WITHDRAW, 1000000), VM_REJECT_SAFE_MODE);
        assert_false(told(VM_EVENT_SAFE_MODE));
        assert_int_equal(amount_code(VM_ACTION_DEPOSIT, 1000000), VM_OK);
        assert_int_equal(place_code(1, 30000), VM_REJECT_SAFE_MODE);
        vm_world_reload(&w);
        assert_int_equal(place_code(1, 30000), VM_REJECT_SAFE_MODE);
        vm_world_close(&w);
    }
}

/* Runs empty blocks until the market or the chain is no longer as it should be;
 * the height of it, or 0 after two passes. */
static uint64_t found_at(bool reload)
{
    for (uint32_t i = 0; i < 2 * VM_SCRUB_SLICES; i++) {
        if (reload && i % 100 == 7) {
            vm_world_reload(&w);
        }
        vm_world_block(&w, 10);
        if (status(0) == VM_MARKET_QUARANTINED || vm_chain(vm_world_state(&w))->safe_mode != 0) {
            return w.height;
        }
    }
    return 0;
}

/* An element changed behind the back of its sums. */
static void spoil(uint32_t what)
{
    struct vm_state *const s = vm_world_state(&w);
    uint32_t const trader = vm_world_account(&w, 0);
    if (what == 0) {
        struct vm_position *const p = vm_position_mut(s, vm_position_find(s, trader, 0));
        p->row.cost = vm_money(vm_money_raw(p->row.cost) + 1);
    } else if (what == 1) {
        struct vm_account *const a = vm_account_mut(s, trader);
        a->row.cash = vm_money(vm_money_raw(a->row.cash) - 1);
    } else if (what == 2) {
        vm_account_mut(s, trader)->row.wallet = vm_money(1);
    } else {
        uint32_t const operator= vm_world_account(&w, WORLD_VALIDATOR);
        uint32_t const index = vm_validator_find(s, vm_account(s, operator)->id);
        struct vm_validator_row *const v = &vm_stake_mut(s, index)->validator;
        v->pool.tokens = vm_money(vm_money_raw(v->pool.tokens) + 1);
    }
}

static void hidden_defect_is_found(void **state)
{
    (void)state;
    start();
    assert_int_equal(found_at(false), 0); /* nothing is wrong: two whole passes say so */
    vm_world_close(&w);
    for (uint32_t what = 0; what < 4; what++) {
        uint64_t height[2];
        for (uint32_t reload = 0; reload < 2; reload++) {
            start();
            spoil(what);
            height[reload] = found_at(reload == 1);
            assert_int_not_equal(height[reload], 0);
            assert_int_equal(status(1), VM_MARKET_OPEN);
            assert_int_equal(vm_chain(vm_world_state(&w))->safe_mode, what == 0 ? 0 : 1);
            vm_world_close(&w);
        }
        assert_int_equal(height[0], height[1]);
    }
}

/* Trading while a pass is under way does not upset it. */
static void passes_bear_trading(void **state)
{
    (void)state;
    struct nv_test_rng rng = {4};
    start();
    for (uint32_t i = 0; i < 3 * VM_SCRUB_SLICES; i++) {
        if (i % 16 == 0) {
            vm_world_report(&w, 0, INT64_C(60000000000));
            vm_world_report(&w, 1, INT64_C(3000000000));
            trade(nv_test_below(&rng, 2), 600000, nv_test_below(&rng, 4), 4);
            trade(WORLD_ETH_PERP, 30000, 4, nv_test_below(&rng, 4));
            vm_world_send(&w, 1, VM_ACTION_TRANSFER, WORLD_STRANGER + i / 16, 2000000);
            vm_world_amount(&w, 2, VM_ACTION_WITHDRAW, 1000);
            vm_world_stake(&w, 3, VM_ACTION_DELEGATE, WORLD_VALIDATOR + i / 16 % 3, 3000000);
            vm_world_stake(&w, 3, VM_ACTION_UNDELEGATE, WORLD_VALIDATOR + i / 32 % 3, 1500000);
        }
        vm_world_block(&w, 10);
        assert_int_equal(status(0), VM_MARKET_OPEN);
        assert_int_equal(vm_chain(vm_world_state(&w))->safe_mode, 0);
    }
    assert_true(vm_account_count(vm_world_state(&w)) > 200);
    assert_true(vm_state_sound(vm_world_state(&w)));
    vm_world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_market_is_quarantined),
        cmocka_unit_test(broken_total_is_safe_mode),
        cmocka_unit_test(hidden_defect_is_found),
        cmocka_unit_test(passes_bear_trading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
