/* test_oracle.c - reports become an index, the index becomes marks.
 *
 * Method: reporters of equal stake report into a small world of real blocks;
 * index, freshness and marks are compared with figures worked by hand from
 * docs/spec/oracle.md. */

#include "tests/lib/nv_test.h"
#include "tests/lib/risk_world.h"
#include "vm/params.h"

static struct risk_world w;

static uint32_t report_at(uint32_t reporter, int64_t micro, uint64_t time_ms)
{
    struct vm_action const action = {
        .kind = VM_ACTION_REPORT,
        .report = {RISK_BTC, vm_money(micro), vm_money(1000000), time_ms},
    };
    return risk_world_add(&w, &w.reporter[reporter], &action);
}

static uint32_t report(uint32_t reporter, int64_t price)
{
    return report_at(reporter, price * 1000000, w.time_ms + 1);
}

static const struct vm_feed_row *feed(void)
{
    return &vm_feed(risk_world_state(&w), RISK_BTC)->row;
}

static int64_t index_now(void)
{
    return vm_money_raw(feed()->index) / 1000000;
}

static void four(int64_t a, int64_t b, int64_t c, int64_t d)
{
    (void)report(0, a);
    (void)report(1, b);
    (void)report(2, c);
    (void)report(3, d);
    risk_world_block(&w, 1000);
}

static void the_median_ignores_one_liar(void **state)
{
    (void)state;
    risk_world_open(&w);
    four(60000, 60010, 60020, 1);
    assert_int_equal(index_now(), 60000); /* 1, 60000 | half of the stake */
    four(60000, 60010, 60020, 900000);
    assert_int_equal(index_now(), 60010);
    assert_int_equal(feed()->fresh, 1);
    /* |price - median| + 1: 10, 0, 10, 839990 plus one each; the median is 11. */
    assert_int_equal(vm_money_raw(feed()->confidence), 11000000);
    risk_world_close(&w);
}

static void a_quorum_is_more_than_two_thirds(void **state)
{
    (void)state;
    risk_world_open(&w);
    (void)report(0, 60000);
    (void)report(1, 60000);
    risk_world_block(&w, 1000);
    assert_int_equal(feed()->fresh, 0);
    assert_int_equal(index_now(), 0);
    (void)report(2, 60000);
    risk_world_block(&w, 1000);
    assert_int_equal(feed()->fresh, 1); /* three of four */
    assert_int_equal(index_now(), 60000);
    /* Ten seconds on, all reports are stale. */
    risk_world_block(&w, 12000);
    assert_int_equal(feed()->fresh, 0);
    assert_int_equal(index_now(), 60000);
    assert_int_equal(feed()->lost_ms, w.time_ms);
    risk_world_close(&w);
}

static void a_long_step_needs_a_supermajority(void **state)
{
    (void)state;
    risk_world_open(&w);
    four(60000, 60000, 60000, 60000);
    /* Two of four say 40000: the lower median is 40000, but the step is 20 %. */
    four(40000, 40000, 60000, 60000);
    assert_int_equal(index_now(), 48000);
    four(40000, 40000, 40000, 60000);
    assert_int_equal(index_now(), 40000); /* within a step of 48000 */
    four(100000, 100000, 100000, 40000);
    assert_int_equal(index_now(), 100000); /* three of four agree that it left the band */
    risk_world_close(&w);
}

static void reports_that_do_not_count_say_why(void **state)
{
    (void)state;
    risk_world_open(&w);
    four(60000, 60000, 60000, 60000);
    uint32_t const old = report_at(0, INT64_C(50000000000), w.time_ms - 20000);
    uint32_t const future = report_at(1, INT64_C(50000000000), w.time_ms + 60000);
    uint32_t const repeated = report_at(2, INT64_C(50000000000), w.time_ms - 1000);
    struct vm_action action = {.kind = VM_ACTION_REPORT,
                               .report = {RISK_BTC, vm_money(5), vm_money(0), w.time_ms + 1}};
    uint32_t const stranger = risk_world_add(&w, &w.trader[0], &action);
    action.report.feed = 99;
    uint32_t const nowhere = risk_world_add(&w, &w.reporter[3], &action);
    action.report.feed = RISK_BTC;
    action.report.price = vm_money(0);
    uint32_t const zero = risk_world_add(&w, &w.reporter[3], &action);
    risk_world_block(&w, 1000);
    assert_int_equal(risk_world_outcome(&w, old).code, VM_REJECT_REPORT_TIME);
    assert_int_equal(risk_world_outcome(&w, future).code, VM_REJECT_REPORT_TIME);
    assert_int_equal(risk_world_outcome(&w, repeated).code, VM_REJECT_REPORT_TIME);
    assert_int_equal(risk_world_outcome(&w, stranger).code, VM_REJECT_NOT_REPORTER);
    assert_int_equal(risk_world_outcome(&w, nowhere).code, VM_REJECT_FEED_UNKNOWN);
    assert_int_equal(risk_world_outcome(&w, zero).code, VM_REJECT_FIELD_RANGE);
    assert_int_equal(index_now(), 60000);
    risk_world_close(&w);
}

static void the_latest_of_a_block_stands(void **state)
{
    (void)state;
    risk_world_open(&w);
    for (uint32_t i = 0; i < RISK_REPORTERS; i++) {
        (void)report_at(i, INT64_C(61000000000), w.time_ms + 3);
        (void)report_at(i, INT64_C(60000000000), w.time_ms + 5);
        (void)report_at(i, INT64_C(62000000000), w.time_ms + 1);
    }
    risk_world_block(&w, 1000);
    assert_int_equal(index_now(), 60000);
    risk_world_close(&w);
}

/* ---- marks ---- */

static int64_t mark_ticks(void)
{
    return vm_money_raw(risk_world_market(&w, BTC_PERP)->row.mark) / 100;
}

static void without_trades_the_mark_is_the_index(void **state)
{
    (void)state;
    risk_world_open(&w);
    risk_world_prices(&w, 60000, 3000);
    risk_world_block(&w, 1000);
    assert_int_equal(mark_ticks(), 600000);
    risk_world_prices(&w, 61000, 3000);
    risk_world_block(&w, 1000);
    assert_int_equal(mark_ticks(), 610000);
    risk_world_close(&w);
}

static void the_resting_middle_pulls_it_within_the_band(void **state)
{
    (void)state;
    risk_world_open(&w);
    risk_world_prices(&w, 60000, 3000);
    risk_world_block(&w, 1000);
    /* Bid 606,000 and ask 612,000: the middle is 1.5 % above the index. */
    (void)risk_world_place(&w, 0, BTC_PERP, 10, 606000);
    (void)risk_world_place(&w, 1, BTC_PERP, -10, 612000);
    for (uint32_t i = 0; i < 300; i++) {
        risk_world_prices(&w, 60000, 3000);
        risk_world_block(&w, 1000);
        int64_t const mark = mark_ticks();
        assert_in_range(mark, 600000, 606000); /* MARK_BAND is 1 % */
    }
    assert_int_equal(mark_ticks(), 606000);
    risk_world_close(&w);
}

static void one_auction_far_off_moves_little(void **state)
{
    (void)state;
    risk_world_open(&w);
    risk_world_prices(&w, 60000, 3000);
    risk_world_block(&w, 1000);
    /* 1,000 lots at 1 % above: the average price counts, the basis hardly moves. */
    (void)risk_world_place(&w, 0, BTC_PERP, 1000, 606000);
    (void)risk_world_place(&w, 1, BTC_PERP, -1000, 606000);
    risk_world_prices(&w, 60000, 3000);
    risk_world_block(&w, 1000);
    risk_world_prices(&w, 60000, 3000);
    risk_world_block(&w, 1000);
    /* Of {index + basis, average price, index + basis} the middle is index + basis. */
    assert_in_range(mark_ticks(), 600000, 600100);
    risk_world_close(&w);
}

static void a_lost_feed_quarantines_in_time(void **state)
{
    (void)state;
    risk_world_open(&w);
    risk_world_prices(&w, 60000, 3000);
    risk_world_block(&w, 1000);
    risk_world_block(&w, 20000);
    assert_int_equal(risk_world_market(&w, BTC_PERP)->row.status, VM_MARKET_OPEN);
    risk_world_block(&w, 3599000);
    assert_int_equal(risk_world_market(&w, BTC_PERP)->row.status, VM_MARKET_OPEN);
    risk_world_block(&w, 1000);
    assert_int_equal(risk_world_market(&w, BTC_PERP)->row.status, VM_MARKET_QUARANTINED);
    risk_world_laws(&w);
    risk_world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_median_ignores_one_liar),
        cmocka_unit_test(a_quorum_is_more_than_two_thirds),
        cmocka_unit_test(a_long_step_needs_a_supermajority),
        cmocka_unit_test(reports_that_do_not_count_say_why),
        cmocka_unit_test(the_latest_of_a_block_stands),
        cmocka_unit_test(without_trades_the_mark_is_the_index),
        cmocka_unit_test(the_resting_middle_pulls_it_within_the_band),
        cmocka_unit_test(one_auction_far_off_moves_little),
        cmocka_unit_test(a_lost_feed_quarantines_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
