/* test_account.c - an account's requirement, worked by hand.
 *
 * Method: positions are made by real trades in a small world; equity, core and
 * contingencies are compared with figures computed by hand in the comments. */

#include "tests/lib/nv_test.h"
#include "tests/lib/risk_world.h"
#include "vm/margin/margin.h"

static struct risk_world w;

static struct vm_margin_terms explain(uint32_t trader, bool with_orders)
{
    struct vm_margin_terms terms;
    assert_true(vm_margin_explain(risk_world_state(&w),
                                  risk_world_account(&w, &w.trader[trader]),
                                  with_orders,
                                  NULL,
                                  &terms));
    return terms;
}

/* trade: trader a buys `lots` of b at `price`. */
static void trade(uint32_t a, uint32_t b, uint32_t market, int64_t lots, int64_t price)
{
    (void)risk_world_place(&w, a, market, lots, price);
    (void)risk_world_place(&w, b, market, -lots, price);
    risk_world_prices(&w, 60000, 3000);
    risk_world_block(&w, 1000);
}

static void prepare(void)
{
    risk_world_open(&w);
    risk_world_prices(&w, 60000, 3000);
    risk_world_block(&w, 1000);
}

static void one_long(void **state)
{
    (void)state;
    prepare();
    trade(0, 1, BTC_PERP, 1000, 600000); /* 1 BTC at 60,000.0 */
    assert_int_equal(risk_world_lots(&w, &w.trader[0], BTC_PERP), 1000);
    struct vm_margin_terms const t = explain(0, true);
    /* Worst core node: -4 % of 60,000 = 2,400.  The tails: -66 % weighs 0.75 × 0.04 / 0.66 = 0.0454.., 1,800. */
    assert_int_equal(vm_money_raw(t.core_maintenance), INT64_C(2400000000));
    assert_int_equal(vm_money_raw(t.core_initial), INT64_C(4800000000));
    assert_int_equal(vm_money_raw(t.gross), INT64_C(60000000000));
    assert_int_equal(vm_money_raw(t.contingency_maintenance), 300000000);
    assert_int_equal(vm_money_raw(t.contingency_initial), 600000000);
    assert_int_equal(vm_money_raw(t.rounding), 1000);
    assert_int_equal(vm_money_raw(t.requirement.maintenance), INT64_C(2700001000));
    assert_int_equal(vm_money_raw(t.requirement.initial), INT64_C(5400001000));
    assert_int_equal(vm_money_raw(t.requirement.equity),
                     risk_world_cash(&w, &w.trader[0]) +
                         (vm_money_raw(risk_world_market(&w, BTC_PERP)->row.mark) - 60000000) *
                             1000);
    risk_world_laws(&w);
    risk_world_close(&w);
}

static void a_hedge_needs_only_the_gross_charges(void **state)
{
    (void)state;
    prepare();
    trade(0, 1, BTC_PERP, 1000, 600000);
    trade(1, 0, BTC_DATED, 1000, 600000); /* the other way */
    struct vm_margin_terms const t = explain(0, true);
    assert_int_equal(vm_money_raw(t.core_maintenance), 0);
    assert_int_equal(vm_money_raw(t.core_initial), 0);
    assert_int_equal(vm_money_raw(t.contingency_maintenance), 600000000);
    risk_world_laws(&w);
    risk_world_close(&w);
}

static void two_underlyings_offset_in_part(void **state)
{
    (void)state;
    prepare();
    trade(0, 1, BTC_PERP, 1000, 600000); /* long 60,000: worst 2,400 at 4 % */
    trade(1, 0, ETH_PERP, 1600, 300000); /* short 16 ETH = 48,000: worst 2,400 at 5 % */
    struct vm_margin_terms const t = explain(0, true);
    /* Common factor: at each node the one gains what the other loses, but for the tails: +500 %
     * weighs 0.75 × range / 5: BTC 0.006, ETH 0.0075 (same 1,800 each).  Gross 4,800, theta 0.3. */
    int64_t common = 0;
    for (uint32_t i = 0; i < VM_NODES; i++) {
        int64_t const loss = t.losses.node[VM_RANGE_MAINTENANCE][i];
        common = loss > common ? loss : common;
    }
    assert_in_range(common, 0, 10000); /* nothing but roundings */
    int64_t const gross = INT64_C(4800000000);
    int64_t const expected = common + ((gross - common) * 3 + 9) / 10;
    assert_in_range(vm_money_raw(t.core_maintenance) - expected + 1000, 0, 2000);
    risk_world_close(&w);
}

static void open_orders_count_at_their_worst(void **state)
{
    (void)state;
    prepare();
    trade(0, 1, BTC_PERP, 1000, 600000);
    struct vm_margin_terms const before = explain(0, true);
    (void)risk_world_place(&w, 0, BTC_PERP, 1000, 590000);  /* would double the risk */
    (void)risk_world_place(&w, 0, BTC_PERP, -1000, 610000); /* would end it */
    risk_world_prices(&w, 60000, 3000);
    risk_world_block(&w, 1000);
    struct vm_margin_terms const after = explain(0, true);
    assert_int_equal(vm_money_raw(after.core_maintenance),
                     2 * vm_money_raw(before.core_maintenance));
    assert_int_equal(vm_money_raw(after.gross), 2 * vm_money_raw(before.gross));
    struct vm_margin_terms const without = explain(0, false);
    assert_int_equal(vm_money_raw(without.core_maintenance), vm_money_raw(before.core_maintenance));
    risk_world_close(&w);
}

static void an_assumed_order_counts_its_edge(void **state)
{
    (void)state;
    prepare();
    struct vm_margin_terms t;
    /* Buying 1 BTC at 61,000 against a mark of 60,000 loses 1,000 at once. */
    struct vm_margin_extra const extra = {BTC_PERP, vm_lots(1000), vm_price(610000)};
    assert_true(vm_margin_explain(
        risk_world_state(&w), risk_world_account(&w, &w.trader[0]), true, &extra, &t));
    assert_int_equal(vm_money_raw(t.core_maintenance), INT64_C(2400000000) + INT64_C(1000000000));
    /* Selling there has no edge. */
    struct vm_margin_extra const sell = {BTC_PERP, vm_lots(-1000), vm_price(610000)};
    assert_true(vm_margin_explain(
        risk_world_state(&w), risk_world_account(&w, &w.trader[0]), true, &sell, &t));
    assert_int_equal(vm_money_raw(t.core_maintenance), INT64_C(2400000000));
    risk_world_close(&w);
}

static void sums_beyond_64_bits_fail_the_account(void **state)
{
    (void)state;
    prepare();
    struct vm_margin_terms t;
    struct vm_margin_extra const huge = {BTC_PERP, vm_lots(INT64_MAX), vm_price(600000)};
    assert_false(vm_margin_explain(
        risk_world_state(&w), risk_world_account(&w, &w.trader[0]), true, &huge, &t));
    struct vm_margin_extra const far = {BTC_PERP, vm_lots(1 << 20), vm_price(INT64_MAX)};
    assert_false(vm_margin_explain(
        risk_world_state(&w), risk_world_account(&w, &w.trader[0]), true, &far, &t));
    risk_world_close(&w);
}

static void closing_is_margined_as_if_done(void **state)
{
    (void)state;
    prepare();
    trade(0, 1, BTC_PERP, 1000, 600000);
    struct vm_margin_terms t;
    struct vm_margin_close const close = {BTC_PERP, vm_lots(400)};
    assert_true(vm_margin_after(
        risk_world_state(&w), risk_world_account(&w, &w.trader[0]), &close, 1, vm_money(7), &t));
    struct vm_margin_terms const now = explain(0, false);
    assert_int_equal(vm_money_raw(t.core_maintenance), INT64_C(1440000000));
    assert_int_equal(vm_money_raw(t.requirement.equity), vm_money_raw(now.requirement.equity) - 7);
    risk_world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_long),
        cmocka_unit_test(a_hedge_needs_only_the_gross_charges),
        cmocka_unit_test(two_underlyings_offset_in_part),
        cmocka_unit_test(open_orders_count_at_their_worst),
        cmocka_unit_test(an_assumed_order_counts_its_edge),
        cmocka_unit_test(sums_beyond_64_bits_fail_the_account),
        cmocka_unit_test(closing_is_margined_as_if_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
