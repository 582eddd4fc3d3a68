/* test_at_once.c - who asks does the work itself only while the other thread has
 * nothing to do and half of the last pieces were quick. */

#include "node/mail/at_once.h"
#include "tests/lib/nv_test.h"

#define LAST     8u
#define LEAST    4u
#define TRIES    1000000u
#define AGES_AGO 1u

static void slow_pieces(struct node_at_once *a, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        a->since_ns = AGES_AGO;
        assert_true(node_at_once_end(a) > 1000000);
    }
}

/* quick_pieces ends so many in a row: a loaded machine may stop this thread in the
 * middle of one, and then they begin anew, after as many slow ones as count. */
static void quick_pieces(struct node_at_once *a, uint32_t count)
{
    uint32_t row = 0;
    for (uint32_t tries = 0; row < count && tries < TRIES; tries++) {
        node_at_once_begin(a);
        row++;
        if (node_at_once_end(a) > 100000) {
            slow_pieces(a, LAST);
            row = 0;
        }
    }
    assert_int_equal(row, count);
}

static void test_some_quick_ones_are_needed(void **state)
{
    (void)state;
    struct node_at_once a = {0};
    assert_false(node_at_once_may(&a));
    quick_pieces(&a, LEAST - 1);
    assert_false(node_at_once_may(&a));
    slow_pieces(&a, LAST);
    quick_pieces(&a, LEAST);
    assert_true(node_at_once_may(&a));
}

static void test_half_of_the_last_may_be_slow(void **state)
{
    (void)state;
    struct node_at_once a = {0};
    quick_pieces(&a, LAST);
    slow_pieces(&a, LAST - LEAST);
    assert_true(node_at_once_may(&a));
    slow_pieces(&a, 1);
    assert_false(node_at_once_may(&a));
}

static void test_what_was_before_the_last_is_forgotten(void **state)
{
    (void)state;
    struct node_at_once a = {0};
    quick_pieces(&a, 5 * LAST);
    slow_pieces(&a, LAST);
    assert_false(node_at_once_may(&a));
    quick_pieces(&a, LEAST - 1);
    assert_false(node_at_once_may(&a));
    slow_pieces(&a, 5 * LAST);
    quick_pieces(&a, LEAST);
    assert_true(node_at_once_may(&a));
}

static void test_not_while_something_is_under_way(void **state)
{
    (void)state;
    struct node_at_once a = {0};
    quick_pieces(&a, LAST);
    node_at_once_give(&a);
    node_at_once_give(&a);
    assert_false(node_at_once_may(&a));
    node_at_once_done(&a);
    assert_false(node_at_once_may(&a));
    node_at_once_done(&a);
    assert_true(node_at_once_may(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_some_quick_ones_are_needed),
        cmocka_unit_test(test_half_of_the_last_may_be_slow),
        cmocka_unit_test(test_what_was_before_the_last_is_forgotten),
        cmocka_unit_test(test_not_while_something_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
