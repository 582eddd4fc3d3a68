/* Goal: what falls due is done in the order of docs/spec/work.md, so much a block,
 * and a node that has loaded the rows goes on where the others are; an order past
 * its expiry never trades.
 * Method: a budget of three against more than that, block by block; states loaded
 * from rows beside the one that was there all along. */

#include "tests/lib/nv_test.h"
#include "tests/lib/vm_rig.h"
#include "tests/lib/vm_rows.h"

#define TRADERS 12u
#define BUDGET  3u
#define DUE     8u

static struct vm_rig rig;
static uint32_t market;

static int setup(void **state)
{
    (void)state;
    rig_init(&rig, TRADERS);
    struct vm_market_row const listing = rig_listing();
    market = rig_market(&rig, &listing);
    rig.limits.block_due_max = BUDGET;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_deinit(&rig);
    return 0;
}

/* place_due places orders of one lot at 900 and above that expire after `ms`. */
static void place_due(uint64_t handle[DUE], uint64_t ms)
{
    struct vm_act *act[DUE];
    for (uint32_t i = 0; i < DUE; i++) {
        act[i] = rig_place(&rig,
                           (struct rig_order){.account = RIG_FIRST + i,
                                              .market = market,
                                              .lots = 1,
                                              .price = 900 + (int64_t)i,
                                              .expires_ms = rig.block.time_ms + ms});
    }
    rig_run(&rig);
    for (uint32_t i = 0; i < DUE; i++) {
        assert_int_equal(act[i]->outcome.code, VM_OK);
        handle[i] = act[i]->outcome.result;
    }
}

static uint32_t still_open(const uint64_t handle[DUE])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < DUE; i++) {
        count += rig_resting(&rig, handle[i]) > 0 ? 1u : 0u;
    }
    return count;
}

static uint32_t told(uint8_t change)
{
    struct vm_event event;
    uint32_t count = 0;
    for (uint32_t i = 0; rig_event(&rig, VM_EVENT_ORDER, i, &event); i++) {
        count += event.order.change == change ? 1u : 0u;
    }
    return count;
}

static void orders_leave_by_so_many_a_block(void **state)
{
    (void)state;
    uint64_t early[DUE], late[DUE];
    rig_begin(&rig, 100);
    place_due(late, 2000);
    rig_begin(&rig, 100);
    place_due(early, 1000);
    static const uint32_t left[][2] = {{5, 8}, {2, 8}, {0, 7}, {0, 4}, {0, 1}, {0, 0}};
    for (uint32_t i = 0; i < 6; i++) {
        rig_begin(&rig, i == 0 ? 5000 : 100);
        rig_run(&rig);
        assert_int_equal(still_open(early), left[i][0]);
        assert_int_equal(still_open(late), left[i][1]);
        assert_int_equal(told(VM_ORDER_EXPIRED), i < 5 ? BUDGET : 1);
    }
    rig_laws(&rig);
}

static void an_expired_order_does_not_trade(void **state)
{
    (void)state;
    uint64_t handle[DUE];
    rig_begin(&rig, 100);
    place_due(handle, 1000);
    rig_begin(&rig, 5000);
    uint32_t const seller = RIG_FIRST + TRADERS - 1;
    struct vm_act *const sale = rig_place(
        &rig, (struct rig_order){.account = seller, .market = market, .lots = -20, .price = 900});
    rig_run(&rig);
    assert_int_equal(sale->outcome.code, VM_OK);
    assert_int_equal(still_open(handle), 0);
    assert_int_equal(told(VM_ORDER_EXPIRED), DUE); /* three in their turn, five by the auction */
    assert_int_equal(rig_lots(&rig, seller, market), 0);
    assert_int_equal(rig_resting(&rig, sale->outcome.result), 20);
    rig_laws(&rig);
}

static void closed_markets_wait_behind_what_expired(void **state)
{
    (void)state;
    uint64_t handle[DUE], other[DUE];
    struct vm_market_row const listing = rig_listing();
    uint32_t const first = market;
    rig_begin(&rig, 100);
    place_due(handle, 1000);
    market = rig_market(&rig, &listing);
    rig_begin(&rig, 100);
    place_due(other, 100000);
    vm_market_mut(rig.state, market)->row.status = VM_MARKET_SETTLING;
    static const uint32_t left[][2] = {{5, 8}, {2, 8}, {0, 7}, {0, 4}, {0, 1}, {0, 0}};
    for (uint32_t i = 0; i < 6; i++) {
        rig_begin(&rig, i == 0 ? 5000 : 100);
        rig_run(&rig);
        assert_int_equal(still_open(handle), left[i][0]);
        assert_int_equal(still_open(other), left[i][1]);
    }
    assert_int_equal(vm_market(rig.state, market)->orders_open, 0);
    market = first;
}

/* put_tombstones puts and takes so that where cells lie tells nothing of keys. */
static void put_tombstones(struct vm_state *s, struct nv_test_rng *rng)
{
    for (uint32_t i = 0; i < 60; i++) {
        uint64_t const account = 1 + nv_test_below(rng, TRADERS);
        uint64_t const id = 1 + nv_test_below(rng, 50);
        assert_true(vm_tombstone_put(s, 0, account, id, 1 + nv_test_below(rng, 3)));
    }
}

static void block_end(struct vm_state *s)
{
    const struct nv_row *writes;
    (void)vm_state_writes(s, &rig.block_arena, &writes);
}

static void tombstones_go_alike_after_loading(void **state)
{
    (void)state;
    struct nv_test_rng rng = {.state = 3};
    struct vm_rows *const here = vm_rows_new();
    struct vm_rows *const there = vm_rows_new();
    put_tombstones(rig.state, &rng);
    vm_tombstones_expire(rig.state, 1, 10);
    block_end(rig.state);
    put_tombstones(rig.state, &rng);
    block_end(rig.state);
    vm_rows_dump(here, rig.state);
    struct vm_state_box box;
    vm_state_box_open(&box, &rig.limits);
    assert_int_equal(vm_rows_load(here, box.state), NV_OK);
    block_end(box.state);
    uint32_t before = here->count + 1;
    while (here->count < before) {
        before = here->count;
        vm_tombstones_expire(rig.state, 3, BUDGET);
        vm_tombstones_expire(box.state, 3, BUDGET);
        vm_rows_dump(here, rig.state);
        vm_rows_dump(there, box.state);
        assert_true(vm_rows_equal(here, there));
        assert_true(before - here->count <= BUDGET);
        block_end(rig.state);
        block_end(box.state);
    }
    vm_state_box_close(&box);
    vm_rows_free(here);
    vm_rows_free(there);
}

static void a_tombstone_past_its_expiry_refuses_nothing(void **state)
{
    (void)state;
    assert_true(vm_tombstone_put(rig.state, market, 5, 77, 1000));
    assert_true(vm_tombstone_has(rig.state, market, 5, 77, 999));
    assert_false(vm_tombstone_has(rig.state, market, 5, 77, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(orders_leave_by_so_many_a_block, setup, teardown),
        cmocka_unit_test_setup_teardown(an_expired_order_does_not_trade, setup, teardown),
        cmocka_unit_test_setup_teardown(closed_markets_wait_behind_what_expired, setup, teardown),
        cmocka_unit_test_setup_teardown(tombstones_go_alike_after_loading, setup, teardown),
        cmocka_unit_test_setup_teardown(
            a_tombstone_past_its_expiry_refuses_nothing, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
