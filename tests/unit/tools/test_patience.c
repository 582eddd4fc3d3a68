/* Goal: patience makes pauses, and ends; how long a pause is, is not looked at. */

#include "tests/lib/nv_test.h"
#include "tools/patience.h"

#define WAITS_MAX 1000u

static void patience_of_nothing_ends_at_once(void **state)
{
    (void)state;
    struct tool_patience patience = {0};
    assert_false(tool_patience_wait(&patience, 0));
    assert_false(tool_patience_wait(&patience, 0));
}

static void patience_pauses_and_ends(void **state)
{
    (void)state;
    struct tool_patience patience = {0};
    uint32_t waits = 0;
    while (waits < WAITS_MAX && tool_patience_wait(&patience, 150)) {
        waits++;
    }
    assert_true(waits >= 1);
    assert_true(waits <= 2); /* a pause may take longer, never less */
    assert_false(tool_patience_wait(&patience, 150));
}

/* Whoever finds another reason to wait may have more patience for that. */
static void patience_is_counted_from_the_first_wait(void **state)
{
    (void)state;
    struct tool_patience patience = {0};
    assert_true(tool_patience_wait(&patience, 10));
    assert_false(tool_patience_wait(&patience, 10));
    assert_true(tool_patience_wait(&patience, UINT32_MAX));
    assert_false(tool_patience_wait(&patience, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patience_of_nothing_ends_at_once),
        cmocka_unit_test(patience_pauses_and_ends),
        cmocka_unit_test(patience_is_counted_from_the_first_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
