/* Goal: a cushion never holds for an account that does not meet the requirement,
 * whatever happened since the last look (docs/spec/margin.md section 8); and it
 * holds often enough to be of use.
 * Method: leveraged accounts trade, pay and are paid while marks, carries, indices
 * and statuses move in steps small and large; after each step every account's
 * cushions are compared with its requirement. */

#include "tests/lib/nv_test.h"
#include "tests/lib/vm_rig.h"
#include "vm/execution/execution.h"
#include "vm/margin/cushion.h"
#include "vm/margin/margin.h"

#define TRADERS 12u
#define MARKETS 3u

static struct vm_rig rig;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig, TRADERS);
    for (uint32_t i = 0; i < MARKETS; i++) {
        struct vm_market_row const listing = rig_listing();
        assert_int_equal(rig_market(&rig, &listing), i);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_deinit(&rig);
    return 0;
}

static uint32_t held;
static uint32_t looked;

/* check_all compares each cushion with the requirement. */
static void check_all(void)
{
    struct vm_lot_bound const none = {0, 0};
    for (uint32_t i = 0; i < TRADERS + RIG_FIRST; i++) {
        struct vm_requirement r;
        looked += 2;
        if (vm_cushion_holds(rig.state, i, VM_CUSHION_MAINTENANCE, &none)) {
            held++;
            assert_true(vm_margin_account(rig.state, i, false, NULL, &r));
            assert_true(vm_money_raw(r.equity) >= vm_money_raw(r.maintenance));
        }
        if (vm_cushion_holds(rig.state, i, VM_CUSHION_INITIAL, &none)) {
            held++;
            assert_true(vm_margin_account(rig.state, i, true, NULL, &r));
            assert_true(vm_money_raw(r.equity) >= vm_money_raw(r.initial));
        }
    }
}

/* look_all is what the block does: where a cushion does not hold, it looks. */
static void look_all(void)
{
    for (uint32_t i = 0; i < TRADERS + RIG_FIRST; i++) {
        struct vm_requirement r;
        if (!vm_margin_surely_safe(rig.state, i)) {
            bool const safe = vm_margin_account(rig.state, i, false, NULL, &r) &&
                              vm_money_raw(r.equity) >= vm_money_raw(r.maintenance);
            vm_margin_note(rig.state, i, safe);
        }
    }
}

static void move_markets(struct nv_test_rng *rng)
{
    uint32_t const step = nv_test_below(rng, 40) == 0 ? 300 : 4;
    struct vm_feed_row *const feed = &vm_feed_mut(rig.state, 0)->row;
    int64_t const unit = RIG_UNIT / 4;
    int64_t const move = (int64_t)nv_test_below(rng, 2 * step + 1) - (int64_t)step;
    int64_t const index = vm_money_raw(feed->index) + move * unit;
    feed->index = vm_money(index < 50 * RIG_UNIT ? 50 * RIG_UNIT : index);
    for (uint32_t i = 0; i < MARKETS; i++) {
        struct vm_market_state_row *const row = &vm_market_mut(rig.state, i)->row;
        int64_t const basis = ((int64_t)nv_test_below(rng, 41) - 20) * unit / 4;
        row->index_value = feed->index;
        row->mark = vm_money(vm_money_raw(feed->index) + basis);
        int64_t const carry = ((int64_t)nv_test_below(rng, 5) - 2) * unit / 50;
        row->carry = vm_money(vm_money_raw(row->carry) + carry);
    }
    vm_margin_refresh(&rig.x);
}

static void trade(struct nv_test_rng *rng, uint32_t accounts)
{
    int64_t const index = vm_money_raw(vm_feed(rig.state, 0)->row.index) / RIG_UNIT;
    for (uint32_t i = nv_test_below(rng, 12); i > 0; i--) {
        int64_t const lots = 1 + nv_test_below(rng, 20);
        rig_place(&rig,
                  (struct rig_order){
                      .account = RIG_FIRST + nv_test_below(rng, accounts),
                      .market = nv_test_below(rng, MARKETS),
                      .lots = nv_test_below(rng, 2) == 0 ? lots : -lots,
                      .price = index - 12 + (int64_t)nv_test_below(rng, 25),
                  });
    }
    struct vm_action const all = {.kind = VM_ACTION_CANCEL_ALL, .cancel_all = {0, true}};
    (void)rig_act(&rig, RIG_FIRST + nv_test_below(rng, accounts), &all);
    rig_run(&rig);
}

/* Cash moves between two traders, now and then all of it. */
static void pay(struct nv_test_rng *rng, uint32_t accounts)
{
    uint32_t const from = RIG_FIRST + nv_test_below(rng, accounts);
    uint32_t const to = RIG_FIRST + nv_test_below(rng, accounts);
    int64_t const amount = (int64_t)nv_test_below(rng, 200) * RIG_UNIT;
    assert_true(vm_cash_add(rig.state, from, vm_money(-amount)));
    assert_true(vm_cash_add(rig.state, to, vm_money(amount)));
}

/* Traders get what carries some lots: leverage of five to twenty. */
static void take_riches(void)
{
    int64_t const left = 30000 * RIG_UNIT;
    for (uint32_t i = RIG_FIRST; i < RIG_FIRST + TRADERS; i++) {
        int64_t const taken = rig_cash(&rig, i) - left;
        assert_true(vm_cash_add(rig.state, i, vm_money(-taken)));
        assert_true(vm_cash_add(rig.state, RIG_FEE, vm_money(taken)));
    }
}

static void never_holds_wrongly(void **state)
{
    (void)state;
    take_riches();
    for (uint64_t seed = 41; seed < 45; seed++) {
        struct nv_test_rng rng = {seed};
        for (uint32_t block = 0; block < 1500; block++) {
            rig_begin(&rig, 500);
            move_markets(&rng);
            check_all();
            look_all();
            check_all();
            trade(&rng, TRADERS);
            check_all();
            pay(&rng, TRADERS);
            check_all();
        }
    }
    rig_laws(&rig);
    assert_true(held > looked / 4);
    assert_true(held < looked);
}

/* --- each cause by itself ---------------------------------------------------------------- */

/* A portfolio grown from a seed, and one change of it. */
struct trial {
    uint64_t seed;
    uint32_t cause;
    enum vm_cushion_kind kind;
};

#define SUBJECT RIG_FIRST

static int64_t slack_of(enum vm_cushion_kind kind)
{
    struct vm_requirement r;
    bool const with_orders = kind == VM_CUSHION_INITIAL;
    assert_true(vm_margin_account(rig.state, SUBJECT, with_orders, NULL, &r));
    return vm_money_raw(r.equity) - vm_money_raw(with_orders ? r.initial : r.maintenance);
}

static void order_open(uint32_t market, int64_t lots, int64_t price)
{
    struct vm_order_row const row = {
        .side = lots > 0 ? VM_BUY : VM_SELL,
        .price = vm_price(price),
        .lots = vm_lots(lots > 0 ? lots : -lots),
        .placed_height = rig.block.height,
        .tie = rig.tx_seed++,
    };
    uint32_t const position = vm_position_open(rig.state, SUBJECT, market);
    assert_true(vm_order_insert(rig.state, position, &row) != VM_NONE);
}

/* Orders of the subject at any price, from deep in the book to far beyond the
 * mark, whether or not it could have placed them. */
static void order_some(struct nv_test_rng *rng, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t const lots = 1 + nv_test_below(rng, 30);
        uint32_t const market = nv_test_below(rng, MARKETS);
        bool const buys = nv_test_below(rng, 2) == 0;
        order_open(market, buys ? lots : -lots, RIG_INDEX - 250 + (int64_t)nv_test_below(rng, 501));
    }
}

static void hold_some(struct nv_test_rng *rng)
{
    for (uint32_t i = 0; i < MARKETS; i++) {
        int64_t const lots = (int64_t)nv_test_below(rng, 41) - 20;
        uint32_t const position = vm_position_open(rig.state, SUBJECT, i);
        assert_true(vm_position_add(
            rig.state, position, vm_lots(lots), vm_money(-lots * RIG_INDEX * RIG_UNIT)));
    }
}

static int64_t step_of(struct nv_test_rng *rng)
{
    int64_t const step = 1 + (int64_t)(nv_test_next(rng) % (uint64_t)(60 * RIG_UNIT));
    return nv_test_below(rng, 2) == 0 ? step : -step;
}

static void cause_mark(struct nv_test_rng *rng)
{
    struct vm_market_state_row *const row =
        &vm_market_mut(rig.state, nv_test_below(rng, MARKETS))->row;
    row->mark = vm_money(vm_money_raw(row->mark) + step_of(rng));
    vm_margin_refresh(&rig.x);
}

static void cause_carry(struct nv_test_rng *rng)
{
    struct vm_market_state_row *const row =
        &vm_market_mut(rig.state, nv_test_below(rng, MARKETS))->row;
    row->carry = vm_money(vm_money_raw(row->carry) + step_of(rng));
    vm_margin_refresh(&rig.x);
}

/* The index moves and the marks do not: vectors alone. */
static void cause_vector(struct nv_test_rng *rng)
{
    struct vm_feed_row *const feed = &vm_feed_mut(rig.state, 0)->row;
    feed->index = vm_money(vm_money_raw(feed->index) + step_of(rng));
    vm_margin_refresh(&rig.x);
}

static void cause_trade(struct nv_test_rng *rng)
{
    int64_t const lots = (int64_t)nv_test_below(rng, 41) - 20;
    int64_t const price = (RIG_INDEX - 20 + (int64_t)nv_test_below(rng, 41)) * RIG_UNIT;
    uint32_t const position = vm_position_open(rig.state, SUBJECT, nv_test_below(rng, MARKETS));
    assert_true(vm_position_add(rig.state, position, vm_lots(lots), vm_money(-lots * price)));
}

static void cause_order(struct nv_test_rng *rng)
{
    order_some(rng, 1 + nv_test_below(rng, 3));
}

static void cause_cancel(struct nv_test_rng *rng)
{
    for (uint32_t i = 0; i < MARKETS; i++) {
        uint32_t const position = vm_position_find(rig.state, SUBJECT, i);
        uint32_t slot = position == VM_NONE ? VM_NONE : vm_order_first_own(rig.state, position);
        while (slot != VM_NONE) {
            uint32_t const next = vm_order_next_own(rig.state, slot);
            if (nv_test_below(rng, 2) == 0) {
                vm_order_remove(rig.state, slot);
            }
            slot = next;
        }
    }
}

static void cause_payment(struct nv_test_rng *rng)
{
    assert_true(vm_cash_add(rig.state, SUBJECT, vm_money(step_of(rng))));
}

/* What was bought since the last look moves as well. */
static void cause_trade_then_mark(struct nv_test_rng *rng)
{
    int64_t const lots = 200 * ((int64_t)nv_test_below(rng, 3) - 1);
    uint32_t const position = vm_position_open(rig.state, SUBJECT, 0);
    assert_true(vm_position_add(
        rig.state, position, vm_lots(lots), vm_money(-lots * RIG_INDEX * RIG_UNIT)));
    vm_market_mut(rig.state, 0)->row.mark = vm_money((RIG_INDEX + 300) * RIG_UNIT);
    vm_margin_refresh(&rig.x);
}

static void cause_order_then_mark(struct nv_test_rng *rng)
{
    order_open(0, nv_test_below(rng, 2) == 0 ? 400 : -400, RIG_INDEX);
    int64_t const move = nv_test_below(rng, 2) == 0 ? 300 : -300;
    vm_market_mut(rig.state, 0)->row.mark = vm_money((RIG_INDEX + move) * RIG_UNIT);
    vm_margin_refresh(&rig.x);
}

static void cause_all(struct nv_test_rng *rng)
{
    cause_trade(rng);
    cause_cancel(rng);
    cause_mark(rng);
    cause_order(rng);
    cause_vector(rng);
    cause_payment(rng);
    cause_carry(rng);
}

static void (*const causes[])(struct nv_test_rng *rng) = {
    cause_mark,
    cause_carry,
    cause_vector,
    cause_trade,
    cause_order,
    cause_cancel,
    cause_payment,
    cause_trade_then_mark,
    cause_order_then_mark,
    cause_all,
};
#define CAUSES (sizeof causes / sizeof causes[0])

/* portfolio_begin makes the portfolio of a trial; the rest of `rng` is the change's. */
static void portfolio_begin(const struct trial *trial, struct nv_test_rng *rng)
{
    (void)teardown(NULL);
    (void)setup(NULL);
    rng->state = trial->seed;
    rig_begin(&rig, 500);
    /* either term of initial margin may be the greater */
    vm_param_set(rig.state, VM_PARAM_INITIAL_FLOOR, trial->seed % 4 < 2 ? 1250000000 : 3000000000);
    vm_margin_refresh(&rig.x);
    hold_some(rng);
    order_some(rng, nv_test_below(rng, 6));
}

/* The change takes `loss` from the slack.  An account that had a micro less than
 * that does not meet its requirement afterwards, so its cushion must not hold. */
static void try_short_by_one(const struct trial *trial, int64_t loss)
{
    struct vm_lot_bound const none = {0, 0};
    struct vm_cushion cushion;
    struct nv_test_rng rng;
    portfolio_begin(trial, &rng);
    int64_t const excess = slack_of(trial->kind) - (loss - 1);
    assert_true(vm_cash_add(rig.state, SUBJECT, vm_money(-excess)));
    assert_true(
        vm__margin_cushion(rig.state, SUBJECT, trial->kind == VM_CUSHION_INITIAL, &cushion));
    cushion.slack += 16; /* what roundings may differ by is not to hide anything */
    vm_cushion_set(rig.state, SUBJECT, trial->kind, &cushion);
    causes[trial->cause](&rng);
    if (slack_of(trial->kind) < -16) {
        assert_false(vm_cushion_holds(rig.state, SUBJECT, trial->kind, &none));
    }
}

static void each_cause_by_itself(void **state)
{
    (void)state;
    uint32_t tried[CAUSES] = {0};
    for (uint64_t seed = 1; seed <= 600; seed++) {
        for (uint32_t cause = 0; cause < CAUSES; cause++) {
            struct trial const trial = {
                .seed = seed * 1000003u,
                .cause = cause,
                .kind = seed % 2 == 0 ? VM_CUSHION_INITIAL : VM_CUSHION_MAINTENANCE,
            };
            struct nv_test_rng rng;
            portfolio_begin(&trial, &rng);
            int64_t const before = slack_of(trial.kind);
            causes[cause](&rng);
            int64_t const loss = before - slack_of(trial.kind);
            if (loss > 40) {
                try_short_by_one(&trial, loss - 20);
                tried[cause]++;
            }
        }
    }
    for (uint32_t cause = 0; cause < CAUSES; cause++) {
        assert_true(tried[cause] > 20 || causes[cause] == cause_cancel);
    }
}

/* Bids deep in the book gain where the price rises, and so relieve a short; one far
 * above the mark does not gain. */
static uint32_t short_with_bids(void)
{
    (void)teardown(NULL);
    (void)setup(NULL);
    rig_begin(&rig, 500);
    vm_margin_refresh(&rig.x);
    uint32_t const position = vm_position_open(rig.state, SUBJECT, 0);
    assert_true(
        vm_position_add(rig.state, position, vm_lots(-10), vm_money(10 * RIG_INDEX * RIG_UNIT)));
    order_open(0, 1, 1240);
    order_open(0, 9, 760);
    return vm_order_next_own(rig.state, vm_order_first_own(rig.state, position));
}

/* When the deep bids leave, the requirement rises. */
static void orders_that_leave_raise_nothing(void **state)
{
    (void)state;
    struct vm_lot_bound const none = {0, 0};
    struct vm_cushion cushion;
    uint32_t deep = short_with_bids();
    int64_t const before = slack_of(VM_CUSHION_INITIAL);
    vm_order_remove(rig.state, deep);
    int64_t const loss = before - slack_of(VM_CUSHION_INITIAL);
    assert_true(loss > RIG_UNIT);
    deep = short_with_bids();
    assert_true(vm_cash_add(rig.state, SUBJECT, vm_money(loss - RIG_UNIT - before)));
    assert_int_equal(slack_of(VM_CUSHION_INITIAL), loss - RIG_UNIT);
    assert_true(vm__margin_cushion(rig.state, SUBJECT, true, &cushion));
    vm_cushion_set(rig.state, SUBJECT, VM_CUSHION_INITIAL, &cushion);
    vm_order_remove(rig.state, deep);
    assert_int_equal(slack_of(VM_CUSHION_INITIAL), -RIG_UNIT);
    assert_false(vm_cushion_holds(rig.state, SUBJECT, VM_CUSHION_INITIAL, &none));
}

/* A quarantined market has another requirement, and what was known is not. */
static void status_forgets(void **state)
{
    (void)state;
    struct vm_lot_bound const none = {0, 0};
    rig_begin(&rig, 500);
    vm_margin_refresh(&rig.x);
    look_all();
    assert_true(vm_cushion_holds(rig.state, RIG_FIRST, VM_CUSHION_MAINTENANCE, &none));
    vm_exec_quarantine(&rig.x, 1, VM_QUARANTINE_PRICE);
    rig_begin(&rig, 500);
    vm_margin_refresh(&rig.x);
    assert_false(vm_cushion_holds(rig.state, RIG_FIRST, VM_CUSHION_MAINTENANCE, &none));
}

/* What an undone scope gave is not counted. */
static void undone_gains_do_not_count(void **state)
{
    (void)state;
    take_riches();
    rig_begin(&rig, 500);
    vm_margin_refresh(&rig.x);
    look_all();
    struct vm_lot_bound const need = {30000 * RIG_UNIT + 1, 0};
    assert_false(vm_cushion_holds(rig.state, RIG_FIRST, VM_CUSHION_MAINTENANCE, &need));
    vm_undo_begin(rig.state);
    assert_true(vm_cash_add(rig.state, RIG_FIRST, vm_money(RIG_UNIT)));
    vm_undo_rollback(rig.state);
    assert_false(vm_cushion_holds(rig.state, RIG_FIRST, VM_CUSHION_MAINTENANCE, &need));
    assert_true(vm_cash_add(rig.state, RIG_FIRST, vm_money(RIG_UNIT)));
    assert_true(vm_cushion_holds(rig.state, RIG_FIRST, VM_CUSHION_MAINTENANCE, &need));
}

#define MANY 300u

/* What may happen to the cushion of an account, or to all. */
static void stir(struct nv_test_rng *rng)
{
    uint32_t const account = nv_test_below(rng, MANY);
    switch (nv_test_below(rng, 12)) {
    case 0: vm_cushions_wear(rig.state, nv_test_below(rng, 1u << 24)); break;
    case 1: vm_cushion_forget(rig.state, account, VM_CUSHION_MAINTENANCE); break;
    case 2:
        if (nv_test_below(rng, 40) == 0) {
            vm_cushions_forget(rig.state);
        }
        break;
    case 3:
    case 4: {
        int64_t const change = (int64_t)nv_test_below(rng, 1u << 30) - (1 << 29);
        assert_true(vm_cash_add(rig.state, account, vm_money(change)));
        break;
    }
    default: {
        struct vm_cushion const cushion = {
            .slack = (int64_t)(nv_test_next(rng) >> (3 + nv_test_below(rng, 60))) - 100,
            .room = (int64_t)(nv_test_next(rng) >> (4 + nv_test_below(rng, 40))),
            .exposure = nv_test_next(rng) >> nv_test_below(rng, 64),
        };
        vm_cushion_set(rig.state, account, VM_CUSHION_MAINTENANCE, &cushion);
        break;
    }
    }
}

/* Whoever is passed by has a cushion that holds, and many are passed by. */
static void none_is_passed_by_wrongly(void **state)
{
    (void)state;
    struct vm_lot_bound const none = {0, 0};
    struct nv_test_rng rng = {.state = 5};
    uint32_t passed = 0, due = 0;
    rig_deinit(&rig);
    rig_init(&rig, MANY - RIG_FIRST);
    for (uint32_t round = 0; round < 3000; round++) {
        stir(&rng);
        uint32_t next = vm_cushion_due(rig.state, 0);
        for (uint32_t i = 0; i < MANY; i++) {
            if (i == next) {
                next = vm_cushion_due(rig.state, i + 1);
                due++;
            } else {
                assert_true(vm_cushion_holds(rig.state, i, VM_CUSHION_MAINTENANCE, &none));
                passed++;
            }
        }
        assert_int_equal(next, VM_NONE);
    }
    assert_true(passed > due / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(never_holds_wrongly, setup, teardown),
        cmocka_unit_test_setup_teardown(each_cause_by_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(orders_that_leave_raise_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(status_forgets, setup, teardown),
        cmocka_unit_test_setup_teardown(undone_gains_do_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(none_is_passed_by_wrongly, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
