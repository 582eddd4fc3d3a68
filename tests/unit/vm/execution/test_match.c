/* Goal: auctions on a real book fill whom docs/spec/auction.md says, at the price
 * it says; nothing crosses afterwards; nothing is gained or lost.
 * Method: random blocks of orders and cancels over few prices and accounts, each
 * auction computed by the slow model as well; cases worked out by hand for
 * bands, extensions, time in force, margin. */

#include <string.h>

#include "tests/lib/auction_model.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/vm_rig.h"
#include "vm/execution/execution.h"

static struct vm_rig rig;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig, 40);
    struct vm_market_row const listing = rig_listing();
    assert_int_equal(rig_market(&rig, &listing), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_deinit(&rig);
    return 0;
}

/* --- against the model ------------------------------------------------------------------- */

static void model_add(struct model_auction *m, const struct vm_order *order)
{
    bool const fresh = order->row.placed_height == rig.block.height;
    assert_true(m->count < MODEL_ORDERS_MAX);
    m->order[m->count] = (struct model_order){
        .handle = vm_order_handle(order->market, order->row.generation, order->row.slot),
        .account = (uint32_t)(vm_position(rig.state, order->position)->account - 1),
        .buys = order->row.side == VM_BUY,
        .reduce_only = (order->row.flags & VM_ORDER_REDUCE_ONLY) != 0,
        .late = fresh && (order->row.flags & VM_ORDER_POST_ONLY) != 0,
        .price = vm_price_raw(order->row.price),
        .lots = vm_lots_raw(order->row.lots),
        .height = order->row.placed_height,
        .tie = order->row.tie,
        .slot = order->row.slot,
    };
    m->count++;
}

/* model_read takes the whole book from the owners' lists, not from levels. */
static void model_read(struct model_auction *m)
{
    memset(m, 0, sizeof *m);
    m->reference = vm_money_raw(vm_market(rig.state, 0)->row.mark) / RIG_UNIT;
    for (uint32_t i = 0; i < vm_account_count(rig.state); i++) {
        m->held[i] = rig_lots(&rig, i, 0);
        uint32_t const position = vm_position_find(rig.state, i, 0);
        uint32_t slot = position == VM_NONE ? VM_NONE : vm_order_first_own(rig.state, position);
        while (slot != VM_NONE) {
            model_add(m, vm_order(rig.state, slot));
            slot = vm_order_next_own(rig.state, slot);
        }
    }
}

static int64_t filled(uint64_t handle)
{
    struct vm_event event;
    for (uint32_t i = 0; rig_event(&rig, VM_EVENT_FILL, i, &event); i++) {
        if (event.fill.order == handle) {
            return vm_lots_raw(event.fill.lots);
        }
    }
    return 0;
}

static void compare_with(const struct model_auction *m)
{
    struct vm_event event;
    bool const traded = rig_event(&rig, VM_EVENT_AUCTION, 0, &event);
    assert_int_equal(traded, m->matched > 0);
    if (traded) {
        assert_int_equal(vm_price_raw(event.auction.price), m->price);
        assert_int_equal(vm_lots_raw(event.auction.lots), m->matched);
        assert_int_equal(vm_lots_raw(event.auction.imbalance), m->imbalance);
    }
    for (uint32_t i = 0; i < m->count; i++) {
        assert_int_equal(filled(m->order[i].handle), m->order[i].fill);
    }
}

static int64_t best_of(bool buys)
{
    int64_t best = buys ? INT64_MIN : INT64_MAX;
    for (uint32_t i = 0; i < vm_account_count(rig.state); i++) {
        uint32_t const position = vm_position_find(rig.state, i, 0);
        uint32_t slot = position == VM_NONE ? VM_NONE : vm_order_first_own(rig.state, position);
        while (slot != VM_NONE) {
            const struct vm_order *const o = vm_order(rig.state, slot);
            int64_t const price = vm_price_raw(o->row.price);
            if ((o->row.side == VM_BUY) == buys) {
                best = buys == (price > best) ? price : best;
            }
            slot = vm_order_next_own(rig.state, slot);
        }
    }
    return best;
}

static void random_actions(struct nv_test_rng *rng, uint32_t accounts, uint32_t spread)
{
    uint32_t const places = nv_test_below(rng, 14);
    for (uint32_t i = 0; i < places; i++) {
        int64_t const lots = 1 + nv_test_below(rng, 9);
        uint32_t const kind = nv_test_below(rng, 8);
        rig_place(&rig,
                  (struct rig_order){
                      .account = RIG_FIRST + nv_test_below(rng, accounts),
                      .lots = nv_test_below(rng, 2) == 0 ? lots : -lots,
                      .price = RIG_INDEX - (int64_t)spread + nv_test_below(rng, 2 * spread + 1),
                      .ioc = kind == 0,
                      .post_only = kind == 1,
                      .reduce_only = kind == 2,
                  });
    }
}

static uint64_t first_handle(uint32_t account)
{
    uint32_t const position = vm_position_find(rig.state, account, 0);
    if (position == VM_NONE || vm_order_first_own(rig.state, position) == VM_NONE) {
        return UINT64_MAX;
    }
    const struct vm_order *const o = vm_order(rig.state, vm_order_first_own(rig.state, position));
    return vm_order_handle(0, o->row.generation, o->row.slot);
}

/* Cancels by handle and, so that the book stays small, of all that somebody has. */
static void cancel_some(struct nv_test_rng *rng, uint32_t accounts)
{
    uint32_t const account = RIG_FIRST + nv_test_below(rng, accounts);
    struct vm_action const one = {.kind = VM_ACTION_CANCEL, .cancel_order = first_handle(account)};
    (void)rig_act(&rig, account, &one);
    uint32_t const open = (uint32_t)vm_market(rig.state, 0)->orders_open;
    for (uint32_t i = 0; i < open / 60; i++) {
        struct vm_action const all = {.kind = VM_ACTION_CANCEL_ALL, .cancel_all = {0, true}};
        (void)rig_act(&rig, RIG_FIRST + nv_test_below(rng, accounts), &all);
    }
}

static uint32_t random_blocks(uint64_t seed, uint32_t blocks, uint32_t accounts, uint32_t spread)
{
    struct nv_test_rng rng = {seed};
    static struct model_auction model;
    uint32_t auctions = 0;
    for (uint32_t block = 0; block < blocks; block++) {
        rig_begin(&rig, 500);
        random_actions(&rng, accounts, spread);
        cancel_some(&rng, accounts);
        vm_execution_cancel(&rig.x);
        vm_execution_place(&rig.x);
        model_read(&model);
        model_run(&model);
        vm_execution_match(&rig.x);
        vm_exec_credits_land(&rig.x);
        compare_with(&model);
        auctions += model.matched > 0;
        assert_true(best_of(true) < best_of(false));
        assert_int_equal(vm_market(rig.state, 0)->row.waiting_ioc, 0);
        if (block % 16 == 0) {
            rig_laws(&rig);
        }
    }
    rig_laws(&rig);
    return auctions;
}

static void many_accounts(void **state)
{
    (void)state;
    assert_true(random_blocks(21, 5000, 40, 6) > 2000);
}

/* Few accounts: self-crossing and reduce-only matter in nearly every block. */
static void few_accounts(void **state)
{
    (void)state;
    assert_true(random_blocks(22, 12000, 3, 4) > 3000);
}

static void wide_prices(void **state)
{
    (void)state;
    assert_true(random_blocks(23, 2000, 20, 300) > 500);
}

/* --- by hand ----------------------------------------------------------------------------- */

static uint64_t handle_of(const struct vm_act *act)
{
    assert_int_equal(act->outcome.code, VM_OK);
    return act->outcome.result;
}

/* a buys 5 at 1003, b sells 3 at 998, c sells 4 at 1001: 5 lots at 1001..1003,
 * c's last 2 are over; the mark is 1000, so 1001. */
static void by_hand(void **state)
{
    (void)state;
    rig_begin(&rig, 500);
    struct vm_act *const a =
        rig_place(&rig, (struct rig_order){.account = 2, .lots = 5, .price = 1003});
    struct vm_act *const b =
        rig_place(&rig, (struct rig_order){.account = 3, .lots = -3, .price = 998});
    struct vm_act *const c =
        rig_place(&rig, (struct rig_order){.account = 4, .lots = -4, .price = 1001});
    rig_run(&rig);
    struct vm_event event;
    assert_true(rig_event(&rig, VM_EVENT_AUCTION, 0, &event));
    assert_int_equal(vm_price_raw(event.auction.price), 1001);
    assert_int_equal(vm_lots_raw(event.auction.lots), 5);
    assert_int_equal(vm_lots_raw(event.auction.imbalance), -2);
    assert_int_equal(rig_resting(&rig, handle_of(a)), 0);
    assert_int_equal(rig_resting(&rig, handle_of(b)), 0);
    assert_int_equal(rig_resting(&rig, handle_of(c)), 2);
    assert_int_equal(rig_lots(&rig, 2, 0), 5);
    assert_int_equal(rig_cost(&rig, 2, 0), -5 * 1001 * RIG_UNIT);
    assert_int_equal(rig_lots(&rig, 4, 0), -2);
    assert_int_equal(rig_cost(&rig, 4, 0), 2 * 1001 * RIG_UNIT);
    rig_laws(&rig);
    /* c rests: told so, with what is left */
    bool rested = false;
    for (uint32_t i = 0; rig_event(&rig, VM_EVENT_ORDER, i, &event); i++) {
        if (event.order.change == VM_ORDER_RESTED) {
            rested = true;
            assert_int_equal(event.order.order, handle_of(c));
            assert_int_equal(vm_lots_raw(event.order.lots), 2);
        }
    }
    assert_true(rested);
}

static void fees_by_age(void **state)
{
    (void)state;
    vm_param_set(rig.state, VM_PARAM_MAKER_FEE, 100000); /* 1 bp */
    vm_param_set(rig.state, VM_PARAM_TAKER_FEE, 450000);
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 2, .lots = 3, .price = 999});
    rig_run(&rig);
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 3, .lots = -3, .price = 990});
    rig_run(&rig);
    /* 3 × 999 = 2997 units: the price nearest the mark at which 3 lots match */
    int64_t const maker = RIG_CASH - rig_cash(&rig, 2);
    int64_t const taker = RIG_CASH - rig_cash(&rig, 3);
    assert_int_equal(maker, 299700);
    assert_int_equal(taker, 1348650);
    assert_int_equal(rig_cash(&rig, RIG_FEE), maker + taker);
    rig_laws(&rig);
}

static void ioc_leaves(void **state)
{
    (void)state;
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 2, .lots = -2, .price = 1000});
    struct vm_act *const ioc =
        rig_place(&rig, (struct rig_order){.account = 3, .lots = 5, .price = 1000, .ioc = true});
    struct vm_act *const far =
        rig_place(&rig, (struct rig_order){.account = 4, .lots = 5, .price = 900, .ioc = true});
    rig_run(&rig);
    assert_int_equal(rig_lots(&rig, 3, 0), 2);
    assert_int_equal(rig_resting(&rig, handle_of(ioc)), 0);
    assert_int_equal(rig_resting(&rig, handle_of(far)), 0);
}

/* A post-only order of this block is not there for an order of this block, and is
 * refused when it would cross what stands afterwards. */
static void post_only_is_late(void **state)
{
    (void)state;
    rig_begin(&rig, 500);
    struct vm_act *const maker = rig_place(
        &rig, (struct rig_order){.account = 2, .lots = -5, .price = 1000, .post_only = true});
    struct vm_act *const buyer =
        rig_place(&rig, (struct rig_order){.account = 3, .lots = 2, .price = 1005});
    struct vm_act *const other = rig_place(
        &rig, (struct rig_order){.account = 4, .lots = -1, .price = 1006, .post_only = true});
    rig_run(&rig);
    struct vm_event event;
    assert_false(rig_event(&rig, VM_EVENT_FILL, 0, &event));
    assert_int_equal(maker->outcome.code, VM_REJECT_POST_ONLY_CROSS);
    assert_int_equal(maker->outcome.result, 0);
    assert_int_equal(rig_resting(&rig, handle_of(buyer)), 2);
    assert_int_equal(rig_resting(&rig, handle_of(other)), 1);
    /* in the next block the book stands, and says so at once */
    rig_begin(&rig, 500);
    struct vm_act *const again = rig_place(
        &rig, (struct rig_order){.account = 2, .lots = -5, .price = 1005, .post_only = true});
    rig_run(&rig);
    assert_int_equal(again->outcome.code, VM_REJECT_POST_ONLY_CROSS);
}

static void older_of_own_orders_stays(void **state)
{
    (void)state;
    rig_begin(&rig, 500);
    struct vm_act *const bid =
        rig_place(&rig, (struct rig_order){.account = 2, .lots = 5, .price = 1001});
    rig_run(&rig);
    uint64_t const bid_handle = handle_of(bid);
    rig_begin(&rig, 500);
    struct vm_act *const ask =
        rig_place(&rig, (struct rig_order){.account = 2, .lots = -5, .price = 1000});
    rig_run(&rig);
    assert_int_equal(rig_resting(&rig, bid_handle), 5);
    assert_int_equal(rig_resting(&rig, handle_of(ask)), 0);
    assert_int_equal(rig_lots(&rig, 2, 0), 0);
    struct vm_event event;
    assert_true(rig_event(&rig, VM_EVENT_ORDER, 0, &event));
    assert_int_equal(event.order.change, VM_ORDER_SELF_CROSS);
}

/* More orders than one auction takes in: the rest is matched in the next block, and
 * prices cross until then. */
static void long_queues_take_blocks(void **state)
{
    (void)state;
    struct vm_market_row const listing = rig_listing();
    rig_deinit(&rig);
    rig_init(&rig, 72);
    assert_int_equal(rig_market(&rig, &listing), 0);
    uint32_t open = 0;
    for (uint32_t i = 0; i < 36 * 512; i++) {
        uint32_t const account = RIG_FIRST + i / 512 * 2;
        bool const buys = i % 2 == 0;
        uint32_t const position = vm_position_open(rig.state, account + (buys ? 0 : 1), 0);
        struct vm_order_row const row = {
            .side = buys ? VM_BUY : VM_SELL,
            .price = vm_price(buys ? 1001 + i % 5 : 999 - i % 5),
            .lots = vm_lots(1),
            .placed_height = rig.block.height,
            .tie = i,
        };
        open += vm_order_insert(rig.state, position, &row) != VM_NONE;
    }
    assert_int_equal(open, 36 * 512);
    struct vm_event event;
    rig_begin(&rig, 500);
    rig_run(&rig);
    assert_true(rig_event(&rig, VM_EVENT_AUCTION, 0, &event));
    assert_int_equal(vm_lots_raw(event.auction.lots), 8192);
    assert_true(best_of(true) >= best_of(false));
    rig_laws(&rig);
    rig_begin(&rig, 500);
    rig_run(&rig);
    assert_true(rig_event(&rig, VM_EVENT_AUCTION, 0, &event));
    assert_int_equal(vm_lots_raw(event.auction.lots), 36 * 256 - 8192);
    assert_int_equal(vm_market(rig.state, 0)->orders_open, 0);
    rig_laws(&rig);
}

/* --- bands ------------------------------------------------------------------------------- */

/* The band is 2 % of 1000: 980 to 1020.  Asks rest at 1040. */
static void band_begin(void)
{
    vm_param_set(rig.state, VM_PARAM_MONITOR_BAND, 20000000);
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 2, .lots = -4, .price = 1040});
    rig_place(&rig, (struct rig_order){.account = 3, .lots = -2, .price = 1015});
    rig_run(&rig);
}

static bool is_extended(void)
{
    return vm_market(rig.state, 0)->row.extended_from_ms != 0;
}

static void extension_then_clamp(void **state)
{
    (void)state;
    band_begin();
    rig_begin(&rig, 500);
    struct vm_act *const gtc =
        rig_place(&rig, (struct rig_order){.account = 4, .lots = 5, .price = 1050});
    struct vm_act *const ioc =
        rig_place(&rig, (struct rig_order){.account = 5, .lots = 1, .price = 1045, .ioc = true});
    rig_run(&rig);
    uint64_t const gtc_handle = handle_of(gtc);
    uint64_t const ioc_handle = handle_of(ioc);
    struct vm_event event;
    assert_false(rig_event(&rig, VM_EVENT_AUCTION, 0, &event));
    assert_true(is_extended());
    assert_int_equal(rig_resting(&rig, ioc_handle), 1);
    /* crossing orders stay, others may go */
    rig_begin(&rig, 500);
    struct vm_action const cancel = {.kind = VM_ACTION_CANCEL, .cancel_order = gtc_handle};
    struct vm_act *const refused = rig_act(&rig, 4, &cancel);
    struct vm_action const all = {.kind = VM_ACTION_CANCEL_ALL, .cancel_all = {0, true}};
    struct vm_act *const passed_by = rig_act(&rig, 4, &all);
    rig_run(&rig);
    assert_int_equal(refused->outcome.code, VM_REJECT_AUCTION_EXTENDED);
    assert_int_equal(passed_by->outcome.code, VM_OK);
    assert_int_equal(passed_by->outcome.result, 0);
    assert_true(is_extended());
    /* 2 s after it began: at the edge, 1020, pro rata; what crosses beyond leaves */
    rig_begin(&rig, 1500);
    rig_run(&rig);
    assert_false(is_extended());
    assert_true(rig_event(&rig, VM_EVENT_AUCTION, 0, &event));
    assert_int_equal(vm_price_raw(event.auction.price), 1020);
    assert_int_equal(vm_lots_raw(event.auction.lots), 2);
    assert_int_equal(event.auction.extended, 1);
    assert_int_equal(rig_lots(&rig, 4, 0) + rig_lots(&rig, 5, 0), 2);
    assert_int_equal(rig_lots(&rig, 4, 0), 5 * 2 / 6 + (rig_lots(&rig, 5, 0) == 0));
    assert_int_equal(rig_resting(&rig, gtc_handle), 0);
    assert_int_equal(rig_resting(&rig, ioc_handle), 0);
    assert_int_equal(vm_market(rig.state, 0)->row.waiting_ioc, 0);
    assert_true(best_of(true) < best_of(false));
    rig_laws(&rig);
}

/* Within a minute of the last extension the auction is clamped at once. */
static void one_extension_a_minute(void **state)
{
    (void)state;
    extension_then_clamp(state);
    rig_begin(&rig, 500);
    struct vm_act *const buyer =
        rig_place(&rig, (struct rig_order){.account = 6, .lots = 1, .price = 1050});
    rig_run(&rig);
    assert_false(is_extended());
    assert_int_equal(rig_resting(&rig, handle_of(buyer)), 0);
    assert_int_equal(rig_lots(&rig, 6, 0), 0);
    rig_begin(&rig, 60000);
    rig_place(&rig, (struct rig_order){.account = 6, .lots = 1, .price = 1050});
    rig_run(&rig);
    assert_true(is_extended());
}

/* An ask that brings the price back inside the band ends the extension at once. */
static void extension_ends_early(void **state)
{
    (void)state;
    band_begin();
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 4, .lots = 5, .price = 1050});
    rig_run(&rig);
    assert_true(is_extended());
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 5, .lots = -9, .price = 1010});
    rig_run(&rig);
    assert_false(is_extended());
    struct vm_event event;
    assert_true(rig_event(&rig, VM_EVENT_AUCTION, 0, &event));
    assert_int_equal(vm_price_raw(event.auction.price), 1010);
    assert_int_equal(rig_lots(&rig, 4, 0), 5);
}

/* Beyond the lower edge, mirrored: bids rest at 960 and 985, a seller at 950. */
static void clamp_below(void **state)
{
    (void)state;
    vm_param_set(rig.state, VM_PARAM_MONITOR_BAND, 20000000);
    vm_param_set(rig.state, VM_PARAM_EXTENSION, 0);
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 2, .lots = 4, .price = 960});
    rig_place(&rig, (struct rig_order){.account = 3, .lots = 2, .price = 985});
    rig_run(&rig);
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 4, .lots = -5, .price = 950});
    rig_run(&rig);
    assert_int_equal(rig_lots(&rig, 4, 0), -2);
    assert_int_equal(rig_cost(&rig, 4, 0), 2 * 980 * RIG_UNIT);
    assert_int_equal(rig_lots(&rig, 2, 0), 0);
    assert_int_equal(best_of(true), 960);
    assert_int_equal(best_of(false), INT64_MAX);
}

/* Whole blocks of random orders through a narrow band: the price is inside it, and
 * nothing crosses unless the auction is extended. */
static void random_blocks_in_a_band(void **state)
{
    (void)state;
    struct nv_test_rng rng = {24};
    uint32_t clamped = 0;
    uint32_t waited = 0;
    vm_param_set(rig.state, VM_PARAM_MONITOR_BAND, 4000000);
    vm_param_set(rig.state, VM_PARAM_EXTENSION_PAUSE, 5000);
    for (uint32_t block = 0; block < 3000; block++) {
        rig_begin(&rig, 500);
        if (block % 50 == 0) {
            rig_index(&rig, (RIG_INDEX - 10 + (int64_t)nv_test_below(&rng, 21)) * RIG_UNIT);
        }
        random_actions(&rng, 12, 15);
        cancel_some(&rng, 12);
        rig_run(&rig);
        int64_t const mark = vm_money_raw(vm_market(rig.state, 0)->row.mark) / RIG_UNIT;
        struct vm_event event;
        if (rig_event(&rig, VM_EVENT_AUCTION, 0, &event)) {
            int64_t const price = vm_price_raw(event.auction.price);
            assert_in_range(price, mark - 4, mark + 4);
            clamped +=
                price == mark - 4 || price == mark + 4 || price == mark - 3 || price == mark + 3;
        }
        waited += is_extended();
        assert_true(is_extended() || best_of(true) < best_of(false));
        assert_true(is_extended() || vm_market(rig.state, 0)->row.waiting_ioc == 0);
    }
    rig_laws(&rig);
    assert_true(clamped > 50);
    assert_true(waited > 50);
}

/* --- who may take part ------------------------------------------------------------------- */

/* A resting order whose owner can no longer carry it leaves before the price forms,
 * and with it all that would increase its risk, in other markets too. */
static void poor_owner_leaves(void **state)
{
    (void)state;
    struct vm_market_row const listing = rig_listing();
    assert_int_equal(rig_market(&rig, &listing), 1);
    rig_begin(&rig, 500);
    struct vm_act *const poor =
        rig_place(&rig, (struct rig_order){.account = 2, .lots = -10, .price = 1001});
    struct vm_act *const elsewhere =
        rig_place(&rig, (struct rig_order){.account = 2, .market = 1, .lots = -1, .price = 1100});
    struct vm_act *const rich =
        rig_place(&rig, (struct rig_order){.account = 3, .lots = -10, .price = 1002});
    rig_run(&rig);
    uint64_t const handles[3] = {handle_of(poor), handle_of(elsewhere), handle_of(rich)};
    int64_t const taken = rig_cash(&rig, 2) - 100 * RIG_UNIT;
    assert_true(vm_cash_add(rig.state, 2, vm_money(-taken)));
    assert_true(vm_cash_add(rig.state, 9, vm_money(taken)));
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 4, .lots = 4, .price = 1010});
    rig_run(&rig);
    assert_int_equal(rig_resting(&rig, handles[0]), 0);
    assert_int_equal(rig_resting(&rig, handles[1]), 0);
    assert_int_equal(rig_resting(&rig, handles[2]), 6);
    assert_int_equal(rig_lots(&rig, 2, 0), 0);
    assert_int_equal(rig_lots(&rig, 4, 0), 4);
    rig_laws(&rig);
}

/* Nothing matches on an old index, and the book may then be crossed. */
static void stale_index_stops_matching(void **state)
{
    (void)state;
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 2, .lots = -1, .price = 1000});
    rig_run(&rig);
    rig_begin(&rig, 500);
    vm_feed_mut(rig.state, 0)->row.fresh = 0;
    struct vm_act *const act =
        rig_place(&rig, (struct rig_order){.account = 3, .lots = 1, .price = 1000});
    rig_run(&rig);
    assert_int_equal(act->outcome.code, VM_REJECT_INDEX_STALE);
}

static void protective_orders_reduce(void **state)
{
    (void)state;
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 2, .lots = 5, .price = 1000});
    rig_place(&rig, (struct rig_order){.account = 3, .lots = -5, .price = 1000});
    rig_run(&rig);
    vm_param_set(rig.state, VM_PARAM_TAKER_FEE, 450000);
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 4, .lots = 9, .price = 995});
    vm_execution_cancel(&rig.x);
    vm_execution_place(&rig.x);
    /* asks for more than is held: no more than that is sold, and free of fees */
    vm_execution_place_protective(&rig.x, 2, 0, vm_lots(-8), vm_price(990));
    vm_execution_match(&rig.x);
    vm_exec_credits_land(&rig.x);
    assert_int_equal(rig_lots(&rig, 2, 0), 0);
    assert_int_equal(rig_lots(&rig, 4, 0), 5);
    /* bought at 1000, sold at 995, the price nearest the mark */
    assert_int_equal(rig_cash(&rig, 2), RIG_CASH - 25 * RIG_UNIT);
    assert_int_equal(vm_market(rig.state, 0)->row.waiting_ioc, 0);
    rig_laws(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_accounts, setup, teardown),
        cmocka_unit_test_setup_teardown(few_accounts, setup, teardown),
        cmocka_unit_test_setup_teardown(wide_prices, setup, teardown),
        cmocka_unit_test_setup_teardown(by_hand, setup, teardown),
        cmocka_unit_test_setup_teardown(fees_by_age, setup, teardown),
        cmocka_unit_test_setup_teardown(ioc_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(post_only_is_late, setup, teardown),
        cmocka_unit_test_setup_teardown(older_of_own_orders_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(long_queues_take_blocks, setup, teardown),
        cmocka_unit_test_setup_teardown(extension_then_clamp, setup, teardown),
        cmocka_unit_test_setup_teardown(one_extension_a_minute, setup, teardown),
        cmocka_unit_test_setup_teardown(extension_ends_early, setup, teardown),
        cmocka_unit_test_setup_teardown(clamp_below, setup, teardown),
        cmocka_unit_test_setup_teardown(random_blocks_in_a_band, setup, teardown),
        cmocka_unit_test_setup_teardown(poor_owner_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(stale_index_stops_matching, setup, teardown),
        cmocka_unit_test_setup_teardown(protective_orders_reduce, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
