/* test_protect.c - from the margin call to deleveraging.
 *
 * Method: in a small world a trader takes a position too large for a fall that
 * then comes; each test gives the market another depth and looks at who paid.
 * After every block both laws are added up from the rows. */

#include "tests/lib/nv_test.h"
#include "tests/lib/risk_world.h"
#include "vm/margin/margin.h"
#include "vm/params.h"

static struct risk_world w;

static void block(int64_t btc)
{
    risk_world_prices(&w, btc, 3000);
    risk_world_block(&w, 1000);
    risk_world_laws(&w);
}

static uint8_t stage_of(uint32_t trader)
{
    uint32_t const account = risk_world_account(&w, &w.trader[trader]);
    return vm_account(risk_world_state(&w), account)->row.stage;
}

static struct vm_requirement requirement_of(uint32_t trader)
{
    struct vm_requirement r;
    assert_true(vm_margin_account(
        risk_world_state(&w), risk_world_account(&w, &w.trader[trader]), false, NULL, &r));
    return r;
}

/* prepare: trader 0 is long 15 BTC bought from trader 1 at 60,000: 900,000 of
 * value on 100,000 of cash. */
static void prepare(int64_t insurance)
{
    struct vm_genesis_param const params[] = {{VM_PARAM_CLOSE_LARGE, INT64_C(9000000000000000)}};
    struct risk_world_options const options = {.cash = vm_money(INT64_C(100000000000)),
                                               .insurance_cash = vm_money(insurance),
                                               .params = params,
                                               .param_count = 1};
    risk_world_open_with(&w, &options);
    block(60000);
    (void)risk_world_place(&w, 0, BTC_PERP, 15000, 600000);
    (void)risk_world_place(&w, 1, BTC_PERP, -15000, 600000);
    block(60000);
    assert_int_equal(risk_world_lots(&w, &w.trader[0], BTC_PERP), 15000);
}

#define RICH INT64_C(1000000000000)

/* depth: trader `t` bids for `lots` at `price`. */
static void depth(uint32_t t, int64_t lots, int64_t price)
{
    (void)risk_world_place(&w, t, BTC_PERP, lots, price);
}

static void a_deep_book_takes_just_what_is_needed(void **state)
{
    (void)state;
    prepare(RICH);
    depth(2, 12000, 555000);
    block(60000);
    /* At 55,800: equity 100,000 - 63,000 = 37,000 or so; maintenance 4.5 % of 837,000 = 37,665. */
    block(55800);
    int64_t const first = risk_world_lots(&w, &w.trader[0], BTC_PERP);
    assert_in_range(first, 1, 14999);
    /* The bids were below the mark, which the plan does not know: a second, smaller close. */
    block(55800);
    int64_t const second = risk_world_lots(&w, &w.trader[0], BTC_PERP);
    assert_in_range(second, 1, first - 1);
    assert_true(first - second < 15000 - first);
    block(55800);
    assert_int_equal(stage_of(0), VM_STAGE_SAFE);
    struct vm_requirement const r = requirement_of(0);
    assert_true(vm_money_raw(r.equity) * 10 >= vm_money_raw(r.maintenance) * 11);
    risk_world_close(&w);
}

static void risk_increasing_orders_leave_first(void **state)
{
    (void)state;
    prepare(RICH);
    uint32_t const tx = risk_world_place(&w, 0, BTC_PERP, 10, 555000);
    block(60000);
    uint64_t const order = risk_world_outcome(&w, tx).result;
    assert_int_not_equal(vm_order_find(risk_world_state(&w), order), VM_NONE);
    block(55500);
    assert_int_equal(vm_order_find(risk_world_state(&w), order), VM_NONE);
    assert_int_equal(stage_of(0), VM_STAGE_CLOSING); /* nobody bids: it could not close */
    assert_int_equal(risk_world_lots(&w, &w.trader[0], BTC_PERP), 15000);
    risk_world_close(&w);
}

static void it_recovers_with_the_price(void **state)
{
    (void)state;
    prepare(RICH);
    block(55500);
    assert_int_equal(stage_of(0), VM_STAGE_CLOSING);
    block(60000);
    assert_int_equal(stage_of(0), VM_STAGE_SAFE);
    assert_int_equal(risk_world_lots(&w, &w.trader[0], BTC_PERP), 15000);
    risk_world_close(&w);
}

static void insurance_pays_what_equity_does_not(void **state)
{
    (void)state;
    prepare(RICH);
    /* The only bids are deep; the gap ends far below bankruptcy at about 53,400. */
    depth(2, 15000, 520000);
    block(60000);
    int64_t const fund = risk_world_cash(&w, &w.insurance);
    for (uint32_t i = 0; i < 40; i++) {
        block(52500);
    }
    assert_int_equal(risk_world_lots(&w, &w.trader[0], BTC_PERP), 0);
    assert_int_equal(risk_world_cash(&w, &w.trader[0]), 0);
    assert_true(risk_world_cash(&w, &w.insurance) < fund);
    assert_int_equal(stage_of(0), VM_STAGE_SAFE);
    risk_world_close(&w);
}

static void the_winning_side_takes_the_rest(void **state)
{
    (void)state;
    prepare(0); /* no insurance */
    /* Nobody bids. Trader 1 is short all 15 BTC and has won. */
    int64_t const before = vm_money_raw(requirement_of(1).equity);
    for (uint32_t i = 0; i < 3 && risk_world_lots(&w, &w.trader[0], BTC_PERP) != 0; i++) {
        block(50000);
    }
    assert_int_equal(risk_world_lots(&w, &w.trader[0], BTC_PERP), 0);
    assert_int_equal(risk_world_lots(&w, &w.trader[1], BTC_PERP), 0);
    /* The loser ends with nothing and owes nothing: the winner got exactly what there was. */
    assert_int_equal(risk_world_cash(&w, &w.trader[0]), 0);
    assert_int_equal(vm_money_raw(requirement_of(0).equity), 0);
    assert_true(vm_money_raw(requirement_of(1).equity) > before);
    risk_world_close(&w);
}

static void deleveraging_is_shared_by_leverage(void **state)
{
    (void)state;
    prepare(0);
    /* Trader 2 is short 5 BTC as well, on the same cash: less leverage than trader 1. */
    (void)risk_world_place(&w, 3, BTC_PERP, 5000, 600000);
    (void)risk_world_place(&w, 2, BTC_PERP, -5000, 600000);
    block(60000);
    for (uint32_t i = 0; i < 3 && risk_world_lots(&w, &w.trader[0], BTC_PERP) != 0; i++) {
        block(50000);
    }
    assert_int_equal(risk_world_lots(&w, &w.trader[0], BTC_PERP), 0);
    int64_t const left_1 = -risk_world_lots(&w, &w.trader[1], BTC_PERP);
    int64_t const left_2 = -risk_world_lots(&w, &w.trader[2], BTC_PERP);
    assert_int_equal(left_1 + left_2, 5000);
    assert_true((15000 - left_1) * 5000 > (5000 - left_2) * 15000);
    risk_world_close(&w);
}

/* ---- keepers ---- */

static uint32_t keep(uint32_t keeper, uint32_t target, int64_t lots)
{
    struct vm_close const close = {BTC_PERP, vm_lots(lots)};
    struct vm_action const action = {
        .kind = VM_ACTION_KEEPER_CLOSE,
        .keeper_close = {risk_world_address(&w.trader[target]), 1, &close},
    };
    return risk_world_add(&w, &w.trader[keeper], &action);
}

static void a_keeper_is_paid_for_the_plan_that_ran(void **state)
{
    (void)state;
    prepare(RICH);
    depth(2, 12000, 555000);
    block(60000);
    uint32_t const generous = keep(4, 0, 15000); /* closes too much: worse than the protocol's */
    uint32_t const self = keep(0, 0, 15000);
    uint32_t const safe = keep(5, 1, 1);
    block(55800);
    assert_int_equal(risk_world_outcome(&w, generous).code, VM_REJECT_PLAN_INVALID);
    assert_int_equal(risk_world_outcome(&w, self).code, VM_REJECT_SELF_LIQUIDATION);
    assert_int_equal(risk_world_outcome(&w, safe).code, VM_REJECT_NOT_UNSAFE);
    int64_t const closed = 15000 - risk_world_lots(&w, &w.trader[0], BTC_PERP);
    risk_world_close(&w);

    prepare(RICH);
    depth(2, 12000, 555000);
    block(60000);
    int64_t const before = risk_world_cash(&w, &w.trader[4]);
    uint32_t const first = keep(4, 0, closed);
    uint32_t const second = keep(5, 0, closed);
    uint32_t const short_of_target = keep(6, 0, closed - 1);
    block(55800);
    assert_int_equal(risk_world_outcome(&w, short_of_target).code, VM_REJECT_PLAN_INVALID);
    uint16_t const a = risk_world_outcome(&w, first).code;
    uint16_t const b = risk_world_outcome(&w, second).code;
    assert_true((a == VM_OK && b == VM_REJECT_PLAN_WORSE) ||
                (b == VM_OK && a == VM_REJECT_PLAN_WORSE));
    int64_t const gain = risk_world_cash(&w, &w.trader[a == VM_OK ? 4 : 5]) - before;
    /* 1 % of the value closed at the mark, half of it. */
    int64_t const value = closed * vm_money_raw(risk_world_market(&w, BTC_PERP)->row.mark);
    assert_in_range(value / 200 - gain + 2, 0, 4);
    risk_world_close(&w);
}

static void nothing_is_liquidated_on_a_stale_index(void **state)
{
    (void)state;
    prepare(RICH);
    depth(2, 15000, 555000);
    block(55500 + 4500);
    /* One reporter of four is no quorum; the index stays at 60,000. */
    struct vm_action const action = {
        .kind = VM_ACTION_REPORT,
        .report = {RISK_BTC, vm_money(INT64_C(50000000000)), vm_money(1), w.time_ms + 20000},
    };
    (void)risk_world_add(&w, &w.reporter[0], &action);
    risk_world_block(&w, 20000);
    assert_int_equal(vm_feed(risk_world_state(&w), RISK_BTC)->row.fresh, 0);
    assert_int_equal(stage_of(0), VM_STAGE_SAFE);
    assert_int_equal(risk_world_lots(&w, &w.trader[0], BTC_PERP), 15000);
    risk_world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deep_book_takes_just_what_is_needed),
        cmocka_unit_test(risk_increasing_orders_leave_first),
        cmocka_unit_test(it_recovers_with_the_price),
        cmocka_unit_test(insurance_pays_what_equity_does_not),
        cmocka_unit_test(the_winning_side_takes_the_rest),
        cmocka_unit_test(deleveraging_is_shared_by_leverage),
        cmocka_unit_test(a_keeper_is_paid_for_the_plan_that_ran),
        cmocka_unit_test(nothing_is_liquidated_on_a_stale_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
