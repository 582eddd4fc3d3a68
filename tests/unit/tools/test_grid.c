/* Goal: what a person writes becomes exactly the lots and ticks that were
 * meant, or is refused with the number that would do.
 *
 * Method: numbers on, beside and beyond the steps of three grids: BTC-PERP's,
 * one whose lot is no decimal, and one with a tick of a whole unit. */

#include "tests/lib/nv_test.h"
#include "tools/grid.h"

static const struct tool_grid btc = {100000, 1000}; /* tick 0.1, lot 0.001 */
static const struct tool_grid third = {3000000, 3}; /* tick 3, lot 1/3 */

static void lots_are(const struct tool_grid *grid, const char *text, int64_t lots)
{
    char nearest[NV_DECIMAL_TEXT];
    char back[NV_DECIMAL_TEXT];
    int64_t got = -1;
    assert_int_equal(grid_lots(&got, nearest, grid, text), GRID_OK);
    assert_int_equal(got, lots);
    assert_string_equal(nearest, "");
    grid_size(back, grid, got);
    assert_string_equal(back, text);
}

static void lots_fail(const struct tool_grid *grid, const char *text, int fit, const char *hint)
{
    char nearest[NV_DECIMAL_TEXT];
    int64_t got = -7;
    assert_int_equal(grid_lots(&got, nearest, grid, text), fit);
    assert_int_equal(got, -7);
    assert_string_equal(nearest, hint);
}

static void test_sizes(void **state)
{
    (void)state;
    lots_are(&btc, "0.1", 100);
    lots_are(&btc, "0.001", 1);
    lots_are(&btc, "12.345", 12345);
    lots_are(&btc, "2147483.647", 2147483647);
    lots_are(&third, "7", 21);
}

static void test_sizes_refused(void **state)
{
    (void)state;
    lots_fail(&btc, "0.0004", GRID_BETWEEN, "0.001"); /* never 0 as the hint */
    lots_fail(&btc, "0.0014", GRID_BETWEEN, "0.001");
    lots_fail(&btc, "0.0015", GRID_BETWEEN, "0.002");
    lots_fail(&btc, "0.001000001", GRID_BETWEEN, "0.001");
    lots_fail(&btc, "0", GRID_RANGE, "");
    lots_fail(&btc, "-0.1", GRID_RANGE, "");
    lots_fail(&btc, "2147483.648", GRID_RANGE, "");
    lots_fail(&btc, "9223372036", GRID_RANGE, "");
    lots_fail(&btc, "99999999999", GRID_NO_NUMBER, "");
    lots_fail(&btc, "0.10", GRID_NOT_CANONICAL, "0.1");
    lots_fail(&btc, ".1", GRID_NOT_CANONICAL, "0.1");
    lots_fail(&btc, "1e3", GRID_NO_NUMBER, "");
    lots_fail(&btc, "", GRID_NO_NUMBER, "");
    lots_fail(&btc, "0.0000000001", GRID_NO_NUMBER, ""); /* finer than sizes are read */
    lots_fail(&third, "0.333333333", GRID_BETWEEN, "0.333333333");
}

static void ticks_are(const struct tool_grid *grid, const char *text, int64_t ticks)
{
    char nearest[NV_DECIMAL_TEXT];
    char back[NV_DECIMAL_TEXT];
    int64_t got = -1;
    assert_int_equal(grid_ticks(&got, nearest, grid, text), GRID_OK);
    assert_int_equal(got, ticks);
    grid_price(back, grid, got);
    assert_string_equal(back, text);
}

static void ticks_fail(const struct tool_grid *grid, const char *text, int fit, const char *hint)
{
    char nearest[NV_DECIMAL_TEXT];
    int64_t got = -7;
    assert_int_equal(grid_ticks(&got, nearest, grid, text), fit);
    assert_int_equal(got, -7);
    assert_string_equal(nearest, hint);
}

static void test_prices(void **state)
{
    (void)state;
    ticks_are(&btc, "60000.5", 600005);
    ticks_are(&btc, "0", 0);
    ticks_are(&btc, "-0.3", -3);
    ticks_are(&third, "-9", -3);
    ticks_fail(&btc, "60000.54", GRID_BETWEEN, "60000.5");
    ticks_fail(&btc, "60000.55", GRID_BETWEEN, "60000.6");
    ticks_fail(&btc, "-0.04", GRID_BETWEEN, "0");
    ticks_fail(&third, "-4", GRID_BETWEEN, "-3");
    ticks_fail(&third, "-5", GRID_BETWEEN, "-6");
    ticks_fail(&btc, "60000.50", GRID_NOT_CANONICAL, "60000.5");
    ticks_fail(&btc, "0.0000001", GRID_NO_NUMBER, "");
    ticks_fail(&btc, "60,000", GRID_NO_NUMBER, "");
    /* ticks of a micro: 2^53 - 1 is the last that a transaction holds */
    struct tool_grid const fine = {1, 1};
    ticks_are(&fine, "9007199254.740991", 9007199254740991);
    ticks_fail(&fine, "9007199254.740992", GRID_RANGE, "");
}

static void test_money(void **state)
{
    (void)state;
    char nearest[NV_DECIMAL_TEXT];
    int64_t micro = 0;
    assert_int_equal(grid_micro(&micro, nearest, "100.000001"), GRID_OK);
    assert_int_equal(micro, 100000001);
    assert_int_equal(grid_micro(&micro, nearest, "0"), GRID_RANGE);
    assert_int_equal(grid_micro(&micro, nearest, "-1"), GRID_RANGE);
    assert_int_equal(grid_micro(&micro, nearest, "1.0000001"), GRID_NO_NUMBER);
    assert_int_equal(grid_micro(&micro, nearest, "2305843009213.693953"), GRID_RANGE);
    assert_int_equal(grid_micro(&micro, nearest, "2305843009213.693952"), GRID_OK);
}

static void test_making(void **state)
{
    (void)state;
    struct tool_grid grid;
    assert_int_equal(grid_make(&grid, "0.1", "0.0001"), NV_OK);
    assert_int_equal(grid.tick_micro, 100000);
    assert_int_equal(grid.lots_per_unit, 1000);
    assert_int_equal(grid_make(&grid, "0.1", "0"), NV_ERR_CORRUPT);
    assert_int_equal(grid_make(&grid, "0.1", "0.00003"), NV_ERR_CORRUPT);
    assert_int_equal(grid_make(&grid, "-", "-"), NV_ERR_CORRUPT);
}

static void test_limits(void **state)
{
    (void)state;
    int64_t ticks = 0;
    /* 2 % beyond 60000.07 is 61200.0714 and 58800.0686. */
    assert_true(grid_limit(&ticks, &btc, 60000070000, 20000000, true));
    assert_int_equal(ticks, 612000);
    assert_true(grid_limit(&ticks, &btc, 60000070000, 20000000, false));
    assert_int_equal(ticks, 588001);
    /* below zero the better price of a seller is still the higher */
    assert_true(grid_limit(&ticks, &btc, -100000, 20000000, false));
    assert_int_equal(ticks, -1);
    assert_true(grid_limit(&ticks, &btc, -100000, 20000000, true));
    assert_int_equal(ticks, -1);
    assert_false(grid_limit(&ticks, &btc, INT64_MAX, 20000000, true));
}

static void test_written(void **state)
{
    (void)state;
    char text[NV_DECIMAL_TEXT];
    grid_per_lot(text, &btc, 60000070);
    assert_string_equal(text, "60000.07");
    grid_per_lot(text, &btc, INT64_MAX);
    assert_string_equal(text, "-");
    grid_size(text, &third, 1);
    assert_string_equal(text, "0.333333333");
    grid_size(text, &btc, INT64_MAX);
    assert_string_equal(text, "9223372036854775.807");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_sizes_refused),
        cmocka_unit_test(test_prices),
        cmocka_unit_test(test_money),
        cmocka_unit_test(test_making),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
