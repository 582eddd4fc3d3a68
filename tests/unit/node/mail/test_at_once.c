/* test_at_once.c - who asks does the work itself only while the other thread has
 * nothing to do and the last pieces were quick. */

#include "node/mail/at_once.h"
#include "tests/lib/nv_test.h"

#define ROW      8u
#define TRIES    1000000u
#define AGES_AGO 1u

/* quick_pieces ends pieces at once until a row of them was quick: a loaded
 * machine may stop this thread in the middle of one. */
static void quick_pieces(struct node_at_once *a)
{
    uint32_t tries = 0;
    for (; !node_at_once_may(a) && tries < TRIES; tries++) {
        node_at_once_begin(a);
        (void)node_at_once_end(a);
    }
    assert_true(tries < TRIES);
}

static void test_a_row_of_quick_ones_is_needed(void **state)
{
    (void)state;
    struct node_at_once a = {0};
    for (uint32_t i = 0; i < ROW - 1; i++) {
        assert_false(node_at_once_may(&a));
        node_at_once_begin(&a);
        (void)node_at_once_end(&a);
    }
    assert_false(node_at_once_may(&a));
    quick_pieces(&a);
    assert_true(node_at_once_may(&a));
}

static void test_a_slow_one_ends_it(void **state)
{
    (void)state;
    struct node_at_once a = {0};
    quick_pieces(&a);
    a.since_ns = AGES_AGO;
    assert_true(node_at_once_end(&a) > 1000000);
    for (uint32_t i = 0; i < ROW - 1; i++) {
        assert_false(node_at_once_may(&a));
        node_at_once_begin(&a);
        (void)node_at_once_end(&a);
    }
    assert_false(node_at_once_may(&a));
}

static void test_not_while_something_is_under_way(void **state)
{
    (void)state;
    struct node_at_once a = {0};
    quick_pieces(&a);
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
        cmocka_unit_test(test_a_row_of_quick_ones_is_needed),
        cmocka_unit_test(test_a_slow_one_ends_it),
        cmocka_unit_test(test_not_while_something_is_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
