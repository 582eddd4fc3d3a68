/* Goal: an order is taken or refused, with the code that docs/spec/auction.md
 * section 3 says, whatever else is in the block.
 * Method: each rule at its edge; random blocks whose actions run in another order
 * or with those of one account only. */

#include <string.h>

#include "tests/lib/nv_test.h"
#include "tests/lib/vm_rig.h"
#include "vm/execution/execution.h"

static struct vm_rig rig;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig, 12);
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

/* place runs a block with one order and returns its code. */
static uint16_t place(struct rig_order order)
{
    rig_begin(&rig, 500);
    const struct vm_act *const act = rig_place(&rig, order);
    rig_run(&rig);
    return act->outcome.code;
}

/* place_raw is place of an action that rig_place would not make. */
static uint16_t place_raw(struct vm_place raw)
{
    rig_begin(&rig, 500);
    struct vm_action const action = {.kind = VM_ACTION_PLACE, .place = raw};
    const struct vm_act *const act = rig_act(&rig, 2, &action);
    rig_run(&rig);
    return act->outcome.code;
}

static void fields(void **state)
{
    (void)state;
    struct vm_place const good = {
        .side = VM_BUY, .time_in_force = VM_GTC, .price = vm_price(900), .lots = vm_lots(1)};
    struct vm_place bad = good;
    assert_int_equal(place_raw(good), VM_OK);
    bad.side = 0;
    assert_int_equal(place_raw(bad), VM_REJECT_FIELD_RANGE);
    bad.side = 3;
    assert_int_equal(place_raw(bad), VM_REJECT_FIELD_RANGE);
    bad = good;
    bad.time_in_force = 0;
    assert_int_equal(place_raw(bad), VM_REJECT_FIELD_RANGE);
    bad.time_in_force = 4;
    assert_int_equal(place_raw(bad), VM_REJECT_FIELD_RANGE);
    bad.time_in_force = VM_GTT; /* without an expiry */
    assert_int_equal(place_raw(bad), VM_REJECT_FIELD_RANGE);
    bad = good;
    bad.expires_ms = rig.block.time_ms + 10000; /* with one, but GTC */
    assert_int_equal(place_raw(bad), VM_REJECT_FIELD_RANGE);
    bad = good;
    bad.lots = vm_lots(0);
    assert_int_equal(place_raw(bad), VM_REJECT_FIELD_RANGE);
    bad.lots = vm_lots(INT64_MIN);
    assert_int_equal(place_raw(bad), VM_REJECT_FIELD_RANGE);
    bad = good;
    bad.post_only = true;
    bad.time_in_force = VM_IOC;
    assert_int_equal(place_raw(bad), VM_REJECT_FIELD_RANGE);
    bad = good;
    bad.market = 1;
    assert_int_equal(place_raw(bad), VM_REJECT_MARKET_UNKNOWN);
    bad.market = UINT32_MAX;
    assert_int_equal(place_raw(bad), VM_REJECT_MARKET_UNKNOWN);
}

static void market_status(void **state)
{
    (void)state;
    struct rig_order const order = {.account = 2, .lots = 1, .price = 900};
    vm_market_mut(rig.state, 0)->row.status = VM_MARKET_QUARANTINED;
    assert_int_equal(place(order), VM_REJECT_MARKET_QUARANTINED);
    vm_market_mut(rig.state, 0)->row.status = VM_MARKET_SETTLING;
    assert_int_equal(place(order), VM_REJECT_MARKET_CLOSED);
    vm_market_mut(rig.state, 0)->row.status = VM_MARKET_SETTLED;
    assert_int_equal(place(order), VM_REJECT_MARKET_CLOSED);
}

static void size_and_band(void **state)
{
    (void)state;
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 1000000, .price = 900}), VM_OK);
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 1000001, .price = 900}),
                     VM_REJECT_ORDER_SIZE);
    vm_param_set(rig.state, VM_PARAM_ORDER_BAND, 100000000); /* 900 to 1100 */
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 1, .price = 900}), VM_OK);
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 1, .price = 899}),
                     VM_REJECT_PRICE_BAND);
    assert_int_equal(place((struct rig_order){.account = 2, .lots = -1, .price = 1100}), VM_OK);
    assert_int_equal(place((struct rig_order){.account = 2, .lots = -1, .price = 1101}),
                     VM_REJECT_PRICE_BAND);
    assert_int_equal(place((struct rig_order){.account = 2, .lots = -1, .price = INT64_MAX}),
                     VM_REJECT_PRICE_BAND);
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 1, .price = INT64_MIN}),
                     VM_REJECT_PRICE_BAND);
}

static void expiry(void **state)
{
    (void)state;
    rig_begin(&rig, 500);
    uint64_t const now = rig.block.time_ms;
    struct vm_act *const late = rig_place(
        &rig, (struct rig_order){.account = 2, .lots = 1, .price = 900, .expires_ms = now});
    struct vm_act *const good = rig_place(
        &rig, (struct rig_order){.account = 2, .lots = 1, .price = 900, .expires_ms = now + 1000});
    rig_run(&rig);
    assert_int_equal(late->outcome.code, VM_REJECT_EXPIRED_ORDER);
    uint64_t const handle = good->outcome.result;
    rig_begin(&rig, 999);
    rig_run(&rig);
    assert_int_equal(rig_resting(&rig, handle), 1);
    rig_begin(&rig, 1);
    rig_run(&rig);
    assert_int_equal(rig_resting(&rig, handle), 0);
    struct vm_event event;
    assert_true(rig_event(&rig, VM_EVENT_ORDER, 0, &event));
    assert_int_equal(event.order.change, VM_ORDER_EXPIRED);
}

static void reduce_only(void **state)
{
    (void)state;
    struct rig_order sell = {.account = 2, .lots = -1, .price = 1100, .reduce_only = true};
    assert_int_equal(place(sell), VM_REJECT_REDUCE_ONLY); /* nothing held */
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 2, .lots = 5, .price = 1000});
    rig_place(&rig, (struct rig_order){.account = 3, .lots = -5, .price = 1000});
    rig_run(&rig);
    assert_int_equal(rig_lots(&rig, 2, 0), 5);
    sell.lots = -6;
    assert_int_equal(place(sell), VM_REJECT_REDUCE_ONLY);
    sell.lots = -5;
    assert_int_equal(place(sell), VM_OK);
    sell.lots = 1;
    assert_int_equal(place(sell), VM_REJECT_REDUCE_ONLY); /* the wrong side */
    /* safe mode and an unsafe stage take reduce-only orders, and no others */
    sell.lots = -1;
    vm_chain_mut(rig.state)->safe_mode = 1;
    assert_int_equal(place(sell), VM_OK);
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 1, .price = 900}),
                     VM_REJECT_SAFE_MODE);
    vm_chain_mut(rig.state)->safe_mode = 0;
    vm_account_mut(rig.state, 2)->row.stage = VM_STAGE_CLOSING;
    assert_int_equal(place(sell), VM_OK);
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 1, .price = 900}),
                     VM_REJECT_ACCOUNT_UNSAFE);
}

static void open_interest(void **state)
{
    (void)state;
    struct vm_market_row listing = rig_listing();
    listing.open_interest_max = vm_lots(5);
    uint32_t const market = rig_market(&rig, &listing);
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 2, .market = market, .lots = 5, .price = 1000});
    rig_place(&rig, (struct rig_order){.account = 3, .market = market, .lots = -5, .price = 1000});
    rig_run(&rig);
    struct rig_order order = {.account = 4, .market = market, .lots = 1, .price = 900};
    assert_int_equal(place(order), VM_REJECT_OPEN_INTEREST);
    order = (struct rig_order){.account = 2, .market = market, .lots = -3, .price = 1100};
    assert_int_equal(place(order), VM_OK);
    order.lots = -2;
    assert_int_equal(place(order), VM_OK);
    order.lots = -1; /* the open ones take the whole position already */
    assert_int_equal(place(order), VM_REJECT_OPEN_INTEREST);
}

static void margin(void **state)
{
    (void)state;
    int64_t const taken = rig_cash(&rig, 2) - 1000 * RIG_UNIT;
    assert_true(vm_cash_add(rig.state, 2, vm_money(-taken)));
    /* one lot at the mark needs about a tenth of 1000 and a hundredth more */
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 20, .price = 1000}),
                     VM_REJECT_MARGIN);
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 5, .price = 1000}), VM_OK);
    /* what is open counts */
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 5, .price = 1000}),
                     VM_REJECT_MARGIN);
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 1, .price = 1000}), VM_OK);
    /* and so does what the same block brought before */
    rig_begin(&rig, 500);
    uint32_t taken_count = 0;
    for (uint32_t i = 0; i < 8; i++) {
        rig_place(&rig, (struct rig_order){.account = 2, .lots = 1, .price = 1000});
    }
    rig_run(&rig);
    for (uint32_t i = 0; i < 8; i++) {
        taken_count += rig.act[i].outcome.code == VM_OK;
    }
    assert_in_range(taken_count, 1, 3);
}

static void client_ids(void **state)
{
    (void)state;
    struct rig_order const order = {.account = 2, .lots = 1, .price = 900, .client_id = 7};
    assert_int_equal(place(order), VM_OK);
    assert_int_equal(place(order), VM_REJECT_CLIENT_ID_TAKEN);
    struct rig_order other = order;
    other.account = 3;
    assert_int_equal(place(other), VM_OK);
    /* cancelled by client id: gone, and a tombstone until the cancel's expiry */
    rig_begin(&rig, 500);
    struct vm_action const cancel = {.kind = VM_ACTION_CANCEL_CLIENT, .cancel_client = {0, 7}};
    struct vm_act *const act = rig_act(&rig, 2, &cancel);
    struct vm_act *const same_block = rig_place(&rig, order);
    rig_run(&rig);
    assert_int_equal(act->outcome.code, VM_OK);
    assert_int_equal(same_block->outcome.code, VM_REJECT_CLIENT_ID_CANCELLED);
    assert_int_equal(place(order), VM_REJECT_CLIENT_ID_CANCELLED);
    assert_int_equal(vm_market(rig.state, 0)->orders_open, 1);
    rig_begin(&rig, 30000);
    struct vm_act *const after = rig_place(&rig, order);
    rig_run(&rig);
    assert_int_equal(after->outcome.code, VM_OK);
    /* the same id twice in one block: the first stands */
    rig_begin(&rig, 500);
    struct rig_order twice = {.account = 5, .lots = 1, .price = 900, .client_id = 9};
    struct vm_act *const first = rig_place(&rig, twice);
    struct vm_act *const second = rig_place(&rig, twice);
    rig_run(&rig);
    assert_int_equal((first->outcome.code == VM_OK) + (second->outcome.code == VM_OK), 1);
}

static void limits_of_orders(void **state)
{
    (void)state;
    vm_param_set(rig.state, VM_PARAM_ORDERS_MAX, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(place((struct rig_order){.account = 2, .lots = 1, .price = 900}), VM_OK);
    }
    assert_int_equal(place((struct rig_order){.account = 2, .lots = 1, .price = 900}),
                     VM_REJECT_ORDERS_FULL);
}

static void cancels(void **state)
{
    (void)state;
    rig_begin(&rig, 500);
    struct vm_act *const own =
        rig_place(&rig, (struct rig_order){.account = 2, .lots = 1, .price = 900});
    rig_place(&rig, (struct rig_order){.account = 2, .lots = -1, .price = 1100});
    rig_place(&rig, (struct rig_order){.account = 2, .lots = -1, .price = 1101});
    rig_run(&rig);
    uint64_t const handle = own->outcome.result;
    rig_begin(&rig, 500);
    struct vm_action const one = {.kind = VM_ACTION_CANCEL, .cancel_order = handle};
    struct vm_action const none = {.kind = VM_ACTION_CANCEL, .cancel_order = handle + 1};
    struct vm_action const client = {.kind = VM_ACTION_CANCEL_CLIENT, .cancel_client = {9, 7}};
    struct vm_action const zero = {.kind = VM_ACTION_CANCEL_CLIENT, .cancel_client = {0, 0}};
    struct vm_action const absent = {.kind = VM_ACTION_CANCEL_ALL, .cancel_all = {9, false}};
    struct vm_action const all = {.kind = VM_ACTION_CANCEL_ALL, .cancel_all = {0, false}};
    struct vm_act *const foreign = rig_act(&rig, 3, &one);
    struct vm_act *const unknown = rig_act(&rig, 2, &none);
    struct vm_act *const good = rig_act(&rig, 2, &one);
    struct vm_act *const again = rig_act(&rig, 2, &one);
    struct vm_act *const no_market = rig_act(&rig, 2, &client);
    struct vm_act *const no_id = rig_act(&rig, 2, &zero);
    struct vm_act *const no_market_all = rig_act(&rig, 2, &absent);
    struct vm_act *const rest = rig_act(&rig, 2, &all);
    rig_run(&rig);
    assert_int_equal(foreign->outcome.code, VM_REJECT_ORDER_UNKNOWN);
    assert_int_equal(unknown->outcome.code, VM_REJECT_ORDER_UNKNOWN);
    assert_int_equal(good->outcome.code, VM_OK);
    assert_int_equal(again->outcome.code, VM_REJECT_ORDER_UNKNOWN);
    assert_int_equal(no_market->outcome.code, VM_REJECT_MARKET_UNKNOWN);
    assert_int_equal(no_id->outcome.code, VM_REJECT_FIELD_RANGE);
    assert_int_equal(no_market_all->outcome.code, VM_REJECT_MARKET_UNKNOWN);
    assert_int_equal(rest->outcome.code, VM_OK);
    assert_int_equal(rest->outcome.result, 2);
    assert_int_equal(vm_market(rig.state, 0)->orders_open, 0);
}

static void closed_markets_lose_their_orders(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        place((struct rig_order){
            .account = 2 + i, .lots = i % 2 == 0 ? 1 : -1, .price = 900 + 40 * i});
    }
    assert_true(vm_market(rig.state, 0)->orders_open > 0);
    vm_market_mut(rig.state, 0)->row.status = VM_MARKET_QUARANTINED;
    rig_begin(&rig, 500);
    rig_run(&rig);
    assert_int_equal(vm_market(rig.state, 0)->orders_open, 0);
    struct vm_event event;
    assert_true(rig_event(&rig, VM_EVENT_ORDER, 0, &event));
    assert_int_equal(event.order.change, VM_ORDER_MARKET_CLOSED);
}

/* Of an account that is long 5: its bids go, and asks beyond 5 lots, older first kept. */
static void risk_increasing_orders(void **state)
{
    (void)state;
    rig_begin(&rig, 500);
    rig_place(&rig, (struct rig_order){.account = 2, .lots = 5, .price = 1000});
    rig_place(&rig, (struct rig_order){.account = 3, .lots = -5, .price = 1000});
    rig_run(&rig);
    static const int64_t lots[5] = {1, -3, -4, -2, -1};
    uint64_t handle[5];
    for (uint32_t i = 0; i < 5; i++) {
        rig_begin(&rig, 500);
        struct vm_act *const act = rig_place(
            &rig,
            (struct rig_order){.account = 2, .lots = lots[i], .price = lots[i] > 0 ? 900 : 1100});
        rig_run(&rig);
        handle[i] = act->outcome.result;
    }
    rig_begin(&rig, 500);
    assert_int_equal(vm_execution_cancel_increasing(&rig.x, 2, VM_ORDER_PROTECTED), 3);
    assert_int_equal(rig_resting(&rig, handle[0]), 0);
    assert_int_equal(rig_resting(&rig, handle[1]), 3);
    assert_int_equal(rig_resting(&rig, handle[2]), 0);
    assert_int_equal(rig_resting(&rig, handle[3]), 2);
    assert_int_equal(rig_resting(&rig, handle[4]), 0);
    assert_int_equal(vm_execution_cancel_increasing(&rig.x, 2, VM_ORDER_PROTECTED), 0);
}

/* --- a block is a set -------------------------------------------------------------------- */

#define ROUND_ACTS 60u

struct drawn {
    uint32_t account;
    struct vm_action action;
};

static void draw(struct nv_test_rng *rng, struct drawn *d)
{
    d->account = RIG_FIRST + nv_test_below(rng, 8);
    d->action = (struct vm_action){.kind = VM_ACTION_PLACE};
    struct vm_place *const place = &d->action.place;
    place->side = nv_test_below(rng, 2) == 0 ? VM_BUY : VM_SELL;
    place->time_in_force = nv_test_below(rng, 4) == 0 ? VM_IOC : VM_GTC;
    place->post_only = place->time_in_force == VM_GTC && nv_test_below(rng, 4) == 0;
    place->reduce_only = nv_test_below(rng, 6) == 0;
    place->price = vm_price(RIG_INDEX - 6 + (int64_t)nv_test_below(rng, 13));
    place->lots = vm_lots(1 + nv_test_below(rng, 9));
    place->client_id = nv_test_below(rng, 3) == 0 ? 1 + nv_test_below(rng, 5) : 0;
    if (nv_test_below(rng, 6) == 0) {
        d->action = (struct vm_action){.kind = VM_ACTION_CANCEL_CLIENT,
                                       .cancel_client = {0, 1 + nv_test_below(rng, 5)}};
    }
}

/* A book of all open orders and the holdings, in one number. */
static uint64_t digest(void)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < vm_account_count(rig.state); i++) {
        struct nv_test_rng mix = {(uint64_t)rig_lots(&rig, i, 0) * 31 +
                                  (uint64_t)rig_cash(&rig, i)};
        uint32_t const position = vm_position_find(rig.state, i, 0);
        sum = sum * 31 + nv_test_next(&mix);
        uint32_t slot = position == VM_NONE ? VM_NONE : vm_order_first_own(rig.state, position);
        while (slot != VM_NONE) {
            const struct vm_order *const o = vm_order(rig.state, slot);
            mix.state = o->row.tie ^ (uint64_t)vm_lots_raw(o->row.lots) ^ (uint64_t)slot << 40 ^
                        (uint64_t)o->row.generation << 20;
            sum += nv_test_next(&mix);
            slot = vm_order_next_own(rig.state, slot);
        }
    }
    return sum;
}

static void shuffle(struct nv_test_rng *rng, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        uint32_t const j = nv_test_below(rng, i);
        struct vm_act const act = rig.act[i - 1];
        rig.act[i - 1] = rig.act[j];
        rig.act[j] = act;
    }
}

/* The same blocks, with acts in hash order and in any order: the same state, the
 * slots and generations of handles included. */
static void order_of_acts_does_not_matter(void **state)
{
    (void)state;
    uint64_t digests[2];
    for (uint32_t run = 0; run < 2; run++) {
        struct nv_test_rng rng = {31};
        struct nv_test_rng other = {77};
        if (run == 1) {
            rig_deinit(&rig);
            (void)setup(NULL);
        }
        for (uint32_t block = 0; block < 200; block++) {
            rig_begin(&rig, 500);
            for (uint32_t i = 0; i < ROUND_ACTS; i++) {
                struct drawn d;
                draw(&rng, &d);
                (void)rig_act(&rig, d.account, &d.action);
            }
            if (run == 1) {
                shuffle(&other, ROUND_ACTS);
            }
            rig_run(&rig);
        }
        rig_laws(&rig);
        digests[run] = digest();
    }
    assert_int_equal(digests[0], digests[1]);
}

/* What cancel and place tell an account does not depend on the others' actions. */
static void others_do_not_matter(void **state)
{
    (void)state;
    struct nv_test_rng rng = {32};
    for (uint32_t block = 0; block < 150; block++) {
        struct drawn drawn[ROUND_ACTS];
        uint16_t code[ROUND_ACTS];
        uint64_t const seed = rig.tx_seed;
        for (uint32_t i = 0; i < ROUND_ACTS; i++) {
            draw(&rng, &drawn[i]);
        }
        /* alone first, undone afterwards */
        uint32_t const alone = RIG_FIRST + nv_test_below(&rng, 8);
        rig_begin(&rig, 500);
        for (uint32_t i = 0; i < ROUND_ACTS; i++) {
            rig.tx_seed = seed + i;
            if (drawn[i].account == alone) {
                (void)rig_act(&rig, alone, &drawn[i].action);
            }
        }
        vm_undo_begin(rig.state);
        vm_execution_cancel(&rig.x);
        vm_execution_place(&rig.x);
        uint32_t const count = rig.x.act_count;
        for (uint32_t i = 0; i < count; i++) {
            code[i] = rig.act[i].outcome.code;
        }
        vm_undo_rollback(rig.state);
        /* then with all */
        rig.x.act_count = 0;
        for (uint32_t i = 0; i < ROUND_ACTS; i++) {
            rig.tx_seed = seed + i;
            (void)rig_act(&rig, drawn[i].account, &drawn[i].action);
        }
        vm_execution_cancel(&rig.x);
        vm_execution_place(&rig.x);
        uint32_t at = 0;
        for (uint32_t i = 0; i < ROUND_ACTS; i++) {
            if (drawn[i].account == alone) {
                assert_int_equal(rig.act[i].outcome.code, code[at]);
                at++;
            }
        }
        assert_int_equal(at, count);
        rig.tx_seed = seed + ROUND_ACTS;
        vm_execution_match(&rig.x);
        vm_exec_credits_land(&rig.x);
    }
    rig_laws(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(fields, setup, teardown),
        cmocka_unit_test_setup_teardown(market_status, setup, teardown),
        cmocka_unit_test_setup_teardown(size_and_band, setup, teardown),
        cmocka_unit_test_setup_teardown(expiry, setup, teardown),
        cmocka_unit_test_setup_teardown(reduce_only, setup, teardown),
        cmocka_unit_test_setup_teardown(open_interest, setup, teardown),
        cmocka_unit_test_setup_teardown(margin, setup, teardown),
        cmocka_unit_test_setup_teardown(client_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_of_orders, setup, teardown),
        cmocka_unit_test_setup_teardown(cancels, setup, teardown),
        cmocka_unit_test_setup_teardown(closed_markets_lose_their_orders, setup, teardown),
        cmocka_unit_test_setup_teardown(risk_increasing_orders, setup, teardown),
        cmocka_unit_test_setup_teardown(order_of_acts_does_not_matter, setup, teardown),
        cmocka_unit_test_setup_teardown(others_do_not_matter, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
