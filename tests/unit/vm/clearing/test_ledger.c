/* Goal: trades, fees, funding, settlement and expiry come out as in
 * docs/spec/ledger.md, to the last micro, and the laws hold after each.
 * Method: the operations and states of tests/golden/ledger.txt, written by a slow
 * second implementation (NV_LEDGER names another file, from ledger.py --seed N);
 * cases by hand; numbers at the end of 64 bits. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/line_file.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/vm_rig.h"
#include "vm/clearing/clearing.h"
#include "vm/clearing/ledger.h"

static struct vm_rig rig;
static bool open_rig;

static void rig_anew(void)
{
    if (open_rig) {
        rig_deinit(&rig);
    }
    rig_init(&rig, 6);
    open_rig = true;
}

static int teardown(void **state)
{
    (void)state;
    if (open_rig) {
        rig_deinit(&rig);
        open_rig = false;
    }
    return 0;
}

/* --- the golden file --------------------------------------------------------------------- */

static void do_market(const struct nv_test_line *l)
{
    rig_anew();
    struct vm_market_row listing = rig_listing();
    listing.tick_micro = (uint64_t)l->n[0];
    listing.tick_value = vm_money(l->n[0]);
    listing.funding_interval_ms = (uint64_t)l->n[3];
    assert_true(vm_clearing_listing_ok(&listing));
    rig_market(&rig, &listing);
    vm_param_set(rig.state, VM_PARAM_MAKER_FEE, l->n[1]);
    vm_param_set(rig.state, VM_PARAM_TAKER_FEE, l->n[2]);
    vm_param_set(rig.state, VM_PARAM_FUNDING_PERIOD, l->n[4]);
    vm_param_set(rig.state, VM_PARAM_FUNDING_CAP, l->n[5]);
}

static void do_fill(const struct nv_test_line *l)
{
    for (uint32_t side = 0; side < 2; side++) {
        struct vm_trade const trade = {
            .account = RIG_FIRST + (uint32_t)l->n[side],
            .lots = vm_lots(side == 0 ? l->n[2] : -l->n[2]),
            .price = vm_price(l->n[3]),
            .maker = l->n[4 + side] != 0,
        };
        vm_clearing_trade(&rig.x, &trade);
    }
}

static void do_at(const struct nv_test_line *l)
{
    vm_clearing_trade_at(
        &rig.x, RIG_FIRST + (uint32_t)l->n[0], 0, vm_lots(l->n[1]), vm_money(l->n[2]));
}

static void do_block(const struct nv_test_line *l)
{
    rig_begin(&rig, (uint64_t)l->n[0]);
    struct vm_market *const m = vm_market_mut(rig.state, 0);
    m->row.mark = vm_money(l->n[1]);
    m->row.index_value = vm_money(l->n[2]);
    vm_feed_mut(rig.state, 0)->row.fresh = (uint8_t)l->n[3];
    vm_clearing_funding(&rig.x);
}

/* A quarantined market settles at its mark after its time. */
static void do_settle(const struct nv_test_line *l)
{
    struct vm_market *const m = vm_market_mut(rig.state, 0);
    m->row.status = VM_MARKET_QUARANTINED;
    m->row.status_ms = 1;
    m->row.mark = vm_money(l->n[0]);
    vm_clearing_expire(&rig.x);
    assert_int_equal(m->row.status, VM_MARKET_SETTLED);
    assert_int_equal(vm_money_raw(m->row.settlement), l->n[0]);
    m->row.status = VM_MARKET_OPEN;
}

static void expect_account(const struct nv_test_line *l)
{
    uint32_t const account = RIG_FIRST + (uint32_t)l->n[0];
    assert_int_equal(rig_cash(&rig, account) - RIG_CASH, l->n[1]);
    assert_int_equal(rig_lots(&rig, account, 0), l->n[2]);
    assert_int_equal(rig_cost(&rig, account, 0), l->n[3]);
}

static void expect_sums(const struct nv_test_line *l)
{
    const struct vm_market_state_row *const row = &vm_market(rig.state, 0)->row;
    vm_exec_credits_land(&rig.x);
    assert_int_equal(vm_money_raw(row->realised), l->n[0]);
    assert_int_equal(vm_money_raw(row->carry), l->n[1]);
    assert_int_equal(vm_lots_raw(row->open_interest), l->n[2]);
    assert_int_equal(rig_cash(&rig, RIG_FEE), l->n[3]);
    assert_int_equal(row->status, VM_MARKET_OPEN);
    rig_laws(&rig);
}

static void do_expiry(const struct nv_test_line *l)
{
    rig_anew();
    struct vm_market_row listing = rig_listing();
    listing.settle_window_ms = (uint64_t)l->n[0];
    listing.expires_ms = (uint64_t)l->n[1];
    assert_true(vm_clearing_listing_ok(&listing));
    rig_market(&rig, &listing);
}

static void do_index(const struct nv_test_line *l)
{
    rig.block.time_ms = (uint64_t)l->n[0];
    rig_begin(&rig, 0);
    struct vm_feed_row *const feed = &vm_feed_mut(rig.state, 0)->row;
    if (l->n[1] != 0) {
        feed->index = vm_money(l->n[1]);
    } else {
        feed->index_ms = rig.block.time_ms - 1;
    }
    vm_clearing_expire(&rig.x);
}

static void expect_settled(const struct nv_test_line *l)
{
    const struct vm_market_state_row *const row = &vm_market(rig.state, 0)->row;
    if (l->n[0] < 0) {
        assert_int_not_equal(row->status, VM_MARKET_SETTLED);
        return;
    }
    assert_int_equal(row->status, VM_MARKET_SETTLED);
    assert_int_equal(vm_money_raw(row->settlement), l->n[0]);
}

struct verb {
    const char *word;
    uint32_t count;
    void (*run)(const struct nv_test_line *line);
};

static const struct verb verbs[] = {
    {"market", 6, do_market},
    {"fill", 6, do_fill},
    {"at", 3, do_at},
    {"block", 4, do_block},
    {"settle", 1, do_settle},
    {"account", 4, expect_account},
    {"sums", 4, expect_sums},
    {"expiry", 2, do_expiry},
    {"index", 2, do_index},
    {"settled", 1, expect_settled},
};

static void as_the_model(void **state)
{
    (void)state;
    const char *const other = getenv("NV_LEDGER");
    FILE *const file = fopen(other != NULL ? other : "tests/golden/ledger.txt", "r");
    assert_non_null(file);
    struct nv_test_line line;
    uint32_t lines = 0;
    while (nv_test_line_read(file, &line)) {
        const struct verb *found = NULL;
        for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
            found = strcmp(line.word, verbs[i].word) == 0 ? &verbs[i] : found;
        }
        assert_non_null(found);
        assert_int_equal(line.count, found->count);
        lines++;
        found->run(&line);
    }
    assert_int_equal(fclose(file), 0);
    assert_true(lines > 2000);
}

/* --- by hand ----------------------------------------------------------------------------- */

static struct ledger_change change(int64_t held, int64_t cost, int64_t lots, int64_t amount)
{
    struct vm_position_row const row = {vm_lots(held), vm_money(cost)};
    struct ledger_change out = {0, 0};
    assert_true(vm__ledger_change(&row, lots, amount, &out));
    assert_int_equal(out.cost + out.realised, amount);
    return out;
}

static void changes_by_hand(void **state)
{
    (void)state;
    /* 3 bought for 100 each: opening realises nothing */
    assert_int_equal(change(0, 0, 3, -300).realised, 0);
    assert_int_equal(change(3, -300, 1, -50).realised, 0);
    /* one of three sold for 120: floor(-300 / 3) = -100, so 20 */
    assert_int_equal(change(3, -300, -1, 120).realised, 20);
    assert_int_equal(change(3, -300, -1, 120).cost, 100);
    /* floor(-100 / 3) = -34: a micro more is released now and less later */
    assert_int_equal(change(3, -100, -1, 0).realised, -34);
    assert_int_equal(change(2, -66, -1, 0).realised, -33);
    assert_int_equal(change(1, -33, -1, 0).realised, -33);
    /* a short: floor(100 / 3) = 33 */
    assert_int_equal(change(-3, 100, 1, 0).realised, 33);
    /* through zero: 2 of 5 close, at 10 each */
    assert_int_equal(change(2, -18, -5, 50).realised, 2);
    assert_int_equal(change(2, -18, -5, 50).cost, 48);
}

static void changes_at_the_end_of_64_bits(void **state)
{
    (void)state;
    struct ledger_change out = {1, 1};
    struct vm_position_row const big = {vm_lots(1), vm_money(INT64_MIN)};
    assert_false(vm__ledger_change(&big, -1, 0, &out)); /* -released does not fit */
    struct vm_position_row const most = {vm_lots(1), vm_money(INT64_MAX)};
    assert_false(vm__ledger_change(&most, -1, 1, &out));
    assert_false(vm__ledger_change(&most, -2, INT64_MAX, &out));
    struct vm_position_row const odd = {vm_lots(INT64_MIN), vm_money(INT64_MAX)};
    assert_true(vm__ledger_change(&odd, INT64_MAX, 0, &out));
    assert_int_equal(out.realised, INT64_MAX - 1);
}

static void fees_round_up(void **state)
{
    (void)state;
    int64_t fee = -1;
    assert_true(vm__ledger_fee(1, 1, &fee));
    assert_int_equal(fee, 1);
    assert_true(vm__ledger_fee(-2000000000, 450000, &fee));
    assert_int_equal(fee, 900000);
    assert_true(vm__ledger_fee(2000000001, 450000, &fee));
    assert_int_equal(fee, 900001);
    assert_true(vm__ledger_fee(INT64_MIN, 0, &fee));
    assert_int_equal(fee, 0);
    assert_true(vm__ledger_fee(INT64_MIN, 10000000, &fee));
    assert_int_equal(fee, 92233720368547759);
}

/* What does not fit leaves everything as it was, and quarantines one market. */
static void overflow_quarantines_one_market(void **state)
{
    (void)state;
    rig_anew();
    struct vm_market_row const listing = rig_listing();
    rig_market(&rig, &listing);
    rig_market(&rig, &listing);
    int64_t const room = INT64_MAX - rig_cash(&rig, 3);
    assert_true(
        vm_position_add(rig.state, vm_position_open(rig.state, 3, 0), vm_lots(1), vm_money(room)));
    assert_true(vm_position_add(
        rig.state, vm_position_open(rig.state, 4, 0), vm_lots(-1), vm_money(-room)));
    struct vm_trade const sell = {
        .account = 3, .market = 0, .lots = vm_lots(-1), .price = vm_price(1000)};
    vm_clearing_trade(&rig.x, &sell); /* cash would leave 64 bits */
    assert_int_equal(rig_lots(&rig, 3, 0), 1);
    assert_int_equal(rig_cost(&rig, 3, 0), room);
    assert_int_equal(rig_cash(&rig, 3), RIG_CASH);
    assert_int_equal(vm_market(rig.state, 0)->row.status, VM_MARKET_QUARANTINED);
    assert_int_equal(vm_market(rig.state, 1)->row.status, VM_MARKET_OPEN);
    assert_int_equal(vm_money_raw(vm_market(rig.state, 0)->row.realised), 0);
    rig_laws(&rig);
    struct vm_event event;
    assert_true(rig_event(&rig, VM_EVENT_MARKET, 0, &event));
    assert_int_equal(event.market.reason, VM_QUARANTINE_OVERFLOW);
    assert_false(rig_event(&rig, VM_EVENT_FILL, 0, &event));
}

static void settlement_pays_the_payoff(void **state)
{
    (void)state;
    rig_anew();
    /* a call struck at 1000 on thousandths: max(S - 1000, 0), floored once a lot */
    struct vm_market_row call = rig_listing();
    static const char program[] = "4e56503100020003"
                                  "0000000000000000"
                                  "000000003b9aca00"
                                  "02002041"
                                  "06000040"
                                  "11000000";
    call.program_size = 36;
    nv_test_hex(call.program, 36, program);
    call.lots_per_unit = 1000;
    call.tick_value = vm_money(RIG_UNIT / 1000);
    call.settle_window_ms = 1000;
    call.expires_ms = RIG_TIME_MS + 5000;
    assert_true(vm_clearing_listing_ok(&call));
    uint32_t const market = rig_market(&rig, &call);
    struct vm_trade trade = {
        .account = 2, .market = market, .lots = vm_lots(7), .price = vm_price(2)};
    vm_clearing_trade(&rig.x, &trade);
    trade.account = 3;
    trade.lots = vm_lots(-7);
    vm_clearing_trade(&rig.x, &trade);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(vm_market(rig.state, market)->row.status, VM_MARKET_OPEN);
        rig_begin(&rig, 500);
        vm_feed_mut(rig.state, 0)->row.index = vm_money(1023 * RIG_UNIT + 999);
        vm_clearing_expire(&rig.x);
    }
    /* 23.000999 a unit: 23000.999 micro a lot, floored; it was bought at 2000 */
    assert_int_equal(vm_market(rig.state, market)->row.status, VM_MARKET_SETTLED);
    assert_int_equal(vm_money_raw(vm_market(rig.state, market)->row.settlement), 23000);
    assert_int_equal(rig_cash(&rig, 2) - RIG_CASH, 7 * (23000 - 2000));
    assert_int_equal(rig_cash(&rig, 3) - RIG_CASH, -7 * (23000 - 2000));
    assert_int_equal(rig_lots(&rig, 2, market), 0);
    assert_int_equal(rig_cost(&rig, 3, market), 0);
    rig_laws(&rig);
    struct vm_event event;
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(rig_event(&rig, VM_EVENT_SETTLEMENT, i, &event));
        assert_int_equal(event.settlement.account, i == 0 ? 3 : 4);
        assert_int_equal(vm_lots_raw(event.settlement.lots), i == 0 ? 7 : -7);
        assert_int_equal(vm_money_raw(event.settlement.value), 23000);
        assert_int_equal(vm_money_raw(event.settlement.realised), (i == 0 ? 7 : -7) * 21000);
    }
    assert_false(rig_event(&rig, VM_EVENT_SETTLEMENT, 2, &event));
}

static void listings(void **state)
{
    (void)state;
    struct vm_market_row ok = rig_listing();
    assert_true(vm_clearing_listing_ok(&ok));
    struct vm_market_row bad = ok;
    bad.tick_value = vm_money(RIG_UNIT - 1);
    assert_false(vm_clearing_listing_ok(&bad));
    bad = ok;
    bad.lots_per_unit = 0;
    assert_false(vm_clearing_listing_ok(&bad));
    bad = ok;
    bad.expires_ms = RIG_TIME_MS; /* and no window */
    assert_false(vm_clearing_listing_ok(&bad));
    bad.settle_window_ms = 999;
    assert_false(vm_clearing_listing_ok(&bad));
    bad.settle_window_ms = 1000;
    assert_true(vm_clearing_listing_ok(&bad));
    bad = ok;
    bad.settle_window_ms = 1000; /* and no expiry */
    assert_false(vm_clearing_listing_ok(&bad));
    bad = ok;
    bad.funding_interval_ms = 999;
    assert_false(vm_clearing_listing_ok(&bad));
    bad = ok;
    bad.order_lots_max = vm_lots(INT64_C(1) << 31);
    assert_false(vm_clearing_listing_ok(&bad));
    bad = ok;
    bad.open_interest_max = vm_lots(0);
    assert_false(vm_clearing_listing_ok(&bad));
    bad = ok;
    bad.program[0] = 0;
    assert_false(vm_clearing_listing_ok(&bad));
    bad = ok;
    bad.program_size = UINT16_MAX;
    assert_false(vm_clearing_listing_ok(&bad));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(as_the_model, teardown),
        cmocka_unit_test(changes_by_hand),
        cmocka_unit_test(changes_at_the_end_of_64_bits),
        cmocka_unit_test(fees_round_up),
        cmocka_unit_test_teardown(overflow_quarantines_one_market, teardown),
        cmocka_unit_test_teardown(settlement_pays_the_payoff, teardown),
        cmocka_unit_test(listings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
