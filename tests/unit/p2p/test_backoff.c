/* Goal: pauses grow to their limit, are spread, and start anew only after a link that held.
 * Method: the bounds of every pause over many draws; the sequence of a node that flaps. */

#include "p2p/backoff.h"
#include "tests/lib/nv_test.h"

static void test_pauses_double_to_the_limit_with_half_at_random(void **state)
{
    (void)state;
    static const uint32_t wholes[] = {200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000};
    for (uint32_t i = 0; i < 9; i++) {
        uint32_t low = UINT32_MAX;
        uint32_t high = 0;
        for (uint64_t entropy = 0; entropy < 20000; entropy++) {
            uint32_t const pause = p2p__backoff_pause(200, 10000, i + 1, entropy);
            low = pause < low ? pause : low;
            high = pause > high ? pause : high;
        }
        assert_int_equal(low, wholes[i] / 2);
        assert_int_equal(high, wholes[i]);
    }
    assert_in_range(p2p__backoff_pause(200, 10000, UINT32_MAX, UINT64_MAX), 5000, 10000);
    assert_in_range(p2p__backoff_pause(1, 1, 5, 77), 0, 1);
    assert_in_range(p2p__backoff_pause(1, UINT32_MAX, 64, 0), UINT32_MAX / 2, UINT32_MAX);
}

static void test_only_a_link_that_held_resets(void **state)
{
    (void)state;
    struct p2p__backoff backoff = {.first_ms = 100, .max_ms = 1000};
    assert_true(p2p__backoff_due(&backoff, 0));
    for (uint32_t i = 1; i <= 5; i++) {
        p2p__backoff_ended(
            &backoff, 5000, 1000, 0); /* links that last the longest pause: flapping */
        assert_int_equal(backoff.failures, i);
    }
    assert_false(p2p__backoff_due(&backoff, 5499));
    assert_true(p2p__backoff_due(&backoff, 5500));
    p2p__backoff_ended(&backoff, 7000, 1001, UINT64_MAX);
    assert_int_equal(backoff.failures, 1);
    assert_in_range(backoff.next_at_ms, 7050, 7100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pauses_double_to_the_limit_with_half_at_random),
        cmocka_unit_test(test_only_a_link_that_held_resets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
