/* Goal: no more handshakes are begun in any time than the rate and a quarter of a second's allow,
 * none is lost that was due, and who had one lately is remembered.
 * Method: a clock that the test moves by steps of many sizes. */

#include <string.h>

#include "p2p/budget.h"
#include "tests/lib/nv_test.h"

static struct p2p__network network(uint32_t number)
{
    struct p2p__network out = {{0}, false};
    memcpy(out.bytes, &number, sizeof(number));
    return out;
}

/* drain takes what there is and returns how much. */
static uint32_t drain(struct p2p__budget *budget, uint64_t now_ms)
{
    struct p2p__network const one = network(1);
    uint32_t taken = 0;
    while (p2p__budget_has(budget, now_ms)) {
        (void)p2p__budget_take(budget, &one);
        taken++;
    }
    return taken;
}

static void test_a_full_bucket_holds_a_quarter_of_a_second(void **state)
{
    (void)state;
    struct p2p__budget budget;
    p2p__budget_init(&budget, 100);
    assert_int_equal(drain(&budget, 1000), 25);
    assert_int_equal(drain(&budget, 1000), 0);
    assert_int_equal(drain(&budget, 1009), 0);
    assert_int_equal(drain(&budget, 1010), 1);
    assert_int_equal(drain(&budget, 1260), 25);
    assert_int_equal(drain(&budget, UINT64_MAX), 25);
}

static void test_the_least_rate(void **state)
{
    (void)state;
    struct p2p__budget budget;
    p2p__budget_init(&budget, 1);
    assert_int_equal(drain(&budget, 5), 1);
    assert_int_equal(drain(&budget, 1004), 0);
    assert_int_equal(drain(&budget, 1005), 1);
    assert_int_equal(drain(&budget, 9999999), 1);
}

static void test_the_rate_whatever_the_steps(void **state)
{
    (void)state;
    static const uint64_t steps_ms[] = {1, 3, 7, 10, 100, 240};
    for (uint32_t i = 0; i < 6; i++) {
        struct p2p__budget budget;
        p2p__budget_init(&budget, 100);
        uint64_t now_ms = 1;
        uint64_t taken = drain(&budget, now_ms);
        while (now_ms < 100000) {
            now_ms += steps_ms[i];
            taken += drain(&budget, now_ms);
        }
        assert_int_equal(taken, 25 + (now_ms - 1) / 10);
    }
}

static void test_the_last_networks_are_remembered(void **state)
{
    (void)state;
    struct p2p__budget budget;
    p2p__budget_init(&budget, 4000); /* 1,000 at once */
    for (uint32_t i = 0; i < P2P__SERVED_MAX; i++) {
        struct p2p__network const one = network(i);
        assert_true(p2p__budget_has(&budget, 1));
        assert_int_equal(p2p__budget_served(&budget, &one), 0);
        assert_int_equal(p2p__budget_take(&budget, &one), i + 1);
    }
    struct p2p__network const first = network(0);
    struct p2p__network const second = network(1);
    struct p2p__network const newest = network(P2P__SERVED_MAX);
    assert_int_equal(p2p__budget_served(&budget, &first), 1);
    assert_int_equal(p2p__budget_take(&budget, &first), P2P__SERVED_MAX + 1);
    assert_int_equal(p2p__budget_take(&budget, &newest), P2P__SERVED_MAX + 2);
    assert_int_equal(p2p__budget_served(&budget, &first), P2P__SERVED_MAX + 1);
    assert_int_equal(p2p__budget_served(&budget, &second), 0); /* the longest ago made room */
    struct p2p__network known = first;
    known.known = true;
    assert_int_equal(p2p__budget_served(&budget, &known), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_full_bucket_holds_a_quarter_of_a_second),
        cmocka_unit_test(test_the_least_rate),
        cmocka_unit_test(test_the_rate_whatever_the_steps),
        cmocka_unit_test(test_the_last_networks_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
