/* Goal: arithmetic is exact or refuses; every rounding mode is the one that its
 * name says.
 * Method: a small domain exhaustively, where a floor found by search is the
 * model; then random 64-bit operands, where the quotient is proved by its
 * defining inequality in 128 bits; the edges of every type by hand. */

#include <string.h>

#include "base/int.h"

#include "tests/lib/nv_test.h"

static const enum nv_round rounds[] = {NV_ROUND_FLOOR, NV_ROUND_CEIL, NV_ROUND_ZERO, NV_ROUND_AWAY};

#define ROUNDS (sizeof rounds / sizeof rounds[0])

/* model finds floor(a / b) by walking, and rounds from there. */
static int32_t model(int32_t a, int32_t b, enum nv_round round)
{
    int32_t const up = b < 0 ? -a : a;
    int32_t const down = b < 0 ? -b : b;
    int32_t floor = 0;
    while (floor * down > up) {
        floor--;
    }
    while ((floor + 1) * down <= up) {
        floor++;
    }
    if (floor * down == up) {
        return floor;
    }
    switch (round) {
    case NV_ROUND_FLOOR: return floor;
    case NV_ROUND_CEIL: return floor + 1;
    case NV_ROUND_ZERO: return up < 0 ? floor + 1 : floor;
    case NV_ROUND_AWAY: break;
    }
    return up < 0 ? floor : floor + 1;
}

static void check_small(int32_t a, int32_t b, int32_t c)
{
    for (size_t i = 0; i < ROUNDS; i++) {
        int64_t got = 99999;
        nv_i128 wide = 99999;
        int32_t const expected = model(a * b, c, rounds[i]);
        assert_true(nv_muldiv_i64(a, b, c, rounds[i], &got));
        assert_int_equal(got, expected);
        assert_true(nv_div_i64(a * b, c, rounds[i], &got));
        assert_int_equal(got, expected);
        assert_true(nv_div_i128(a * b, c, rounds[i], &wide));
        assert_true(wide == expected);
    }
}

static void a_small_domain_is_exact(void **state)
{
    (void)state;
    for (int32_t a = -12; a <= 12; a++) {
        for (int32_t b = -12; b <= 12; b++) {
            for (int32_t c = 1; c <= 6; c++) {
                check_small(a, b, c);
                check_small(a, b, -c);
            }
        }
    }
}

/* rounded_right proves that `q` is a / b in that mode: q * b is within |b| of
 * a, on the side that the mode allows. */
static bool rounded_right(nv_i128 a, nv_i128 b, nv_i128 q, enum nv_round round)
{
    nv_i128 rest = a - q * b; /* of the sign of b: q is below the quotient */
    rest = b < 0 ? -rest : rest;
    nv_i128 const size = b < 0 ? -b : b;
    bool const negative = (a < 0) != (b < 0);
    if (rest <= -size || rest >= size) {
        return false;
    }
    switch (round) {
    case NV_ROUND_FLOOR: return rest >= 0;
    case NV_ROUND_CEIL: return rest <= 0;
    case NV_ROUND_ZERO: return negative ? rest <= 0 : rest >= 0;
    case NV_ROUND_AWAY: break;
    }
    return negative ? rest >= 0 : rest <= 0;
}

static int64_t random_i64(struct nv_test_rng *rng)
{
    uint64_t const bits = nv_test_next(rng);
    int64_t const magnitude = (int64_t)(bits >> (1 + nv_test_below(rng, 63)));
    return nv_test_below(rng, 2) == 0 ? magnitude : -magnitude;
}

static void random_quotients_are_rounded_right(void **state)
{
    (void)state;
    struct nv_test_rng rng = {1};
    uint32_t fitted = 0;
    for (uint32_t i = 0; i < 200000; i++) {
        int64_t const a = random_i64(&rng);
        int64_t const b = random_i64(&rng);
        int64_t const c = random_i64(&rng);
        enum nv_round const round = rounds[i % ROUNDS];
        int64_t got = 0;
        if (nv_muldiv_i64(a, b, c, round, &got)) {
            fitted++;
            assert_true(rounded_right((nv_i128)a * b, c, got, round));
        } else if (c != 0) {
            /* It did not fit: the truncated quotient is at the edge or beyond. */
            nv_i128 const rough = (nv_i128)a * b / c;
            assert_true(rough >= INT64_MAX || rough <= INT64_MIN);
        }
    }
    assert_true(fitted > 100000);
}

static void quotients_at_the_edges(void **state)
{
    (void)state;
    int64_t got = 7;
    /* 2^63 is the first that does not fit, -2^63 the last that does. */
    assert_false(nv_muldiv_i64(INT64_MIN, -1, 1, NV_ROUND_ZERO, &got));
    assert_false(nv_muldiv_i64(INT64_MIN, 1, -1, NV_ROUND_ZERO, &got));
    assert_false(nv_div_i64(INT64_MIN, -1, NV_ROUND_ZERO, &got));
    assert_int_equal(got, 7);
    assert_true(nv_muldiv_i64(INT64_MIN, INT64_MIN, INT64_MIN, NV_ROUND_ZERO, &got));
    assert_true(got == INT64_MIN);
    assert_true(nv_muldiv_i64(INT64_MAX, INT64_MAX, INT64_MAX, NV_ROUND_AWAY, &got));
    assert_true(got == INT64_MAX);
    got = 7;
    /* Rounding itself may be what does not fit: 2^63 - 1/2. */
    assert_true(nv_muldiv_i64(6148914691236517205, 3, 2, NV_ROUND_FLOOR, &got));
    assert_true(got == INT64_MAX);
    got = 7;
    assert_false(nv_muldiv_i64(6148914691236517205, 3, 2, NV_ROUND_CEIL, &got));
    assert_false(nv_muldiv_i64(1, 1, 0, NV_ROUND_FLOOR, &got));
    assert_false(nv_div_i64(0, 0, NV_ROUND_FLOOR, &got));
    assert_int_equal(got, 7);
}

static void wide_quotients_at_the_edges(void **state)
{
    (void)state;
    nv_i128 got = 7;
    assert_false(nv_div_i128(NV_I128_MIN, -1, NV_ROUND_ZERO, &got));
    assert_true(got == 7);
    assert_true(nv_div_i128(NV_I128_MIN, 1, NV_ROUND_AWAY, &got));
    assert_true(got == NV_I128_MIN);
    assert_true(nv_div_i128(NV_I128_MIN, NV_I128_MIN, NV_ROUND_AWAY, &got));
    assert_true(got == 1);
    assert_true(nv_div_i128(1, NV_I128_MIN, NV_ROUND_FLOOR, &got));
    assert_true(got == -1);
    assert_true(nv_div_i128(1, NV_I128_MIN, NV_ROUND_CEIL, &got));
    assert_true(got == 0);
    assert_true(nv_div_i128(NV_I128_MAX, 2, NV_ROUND_AWAY, &got));
    assert_true(got == NV_I128_MAX / 2 + 1);
    assert_false(nv_div_i128(1, 0, NV_ROUND_AWAY, &got));
}

/* For each type: the last that fits and the first that does not. */
#define CHECK_EDGES(suffix, type, min, max)                                                        \
    do {                                                                                           \
        type out = 7;                                                                              \
        assert_true(nv_add_##suffix((max)-1, 1, &out) && out == (max));                            \
        assert_true(nv_sub_##suffix((min) + 1, 1, &out) && out == (min));                          \
        assert_true(nv_mul_##suffix((max) / 2, 2, &out) && out == (max)-1);                        \
        out = 7;                                                                                   \
        assert_false(nv_add_##suffix(max, 1, &out));                                               \
        assert_false(nv_sub_##suffix(min, 1, &out));                                               \
        assert_false(nv_mul_##suffix((max) / 2 + 1, 2, &out));                                     \
        assert_true(out == 7);                                                                     \
    } while (0)

static void checked_arithmetic_at_the_edges(void **state)
{
    (void)state;
    CHECK_EDGES(i32, int32_t, INT32_MIN, INT32_MAX);
    CHECK_EDGES(u32, uint32_t, 0, UINT32_MAX);
    CHECK_EDGES(i64, int64_t, INT64_MIN, INT64_MAX);
    CHECK_EDGES(u64, uint64_t, 0, UINT64_MAX);
    CHECK_EDGES(i128, nv_i128, NV_I128_MIN, NV_I128_MAX);
    CHECK_EDGES(u128, nv_u128, 0, NV_U128_MAX);
}

static void signs_at_the_edges(void **state)
{
    (void)state;
    int64_t out = 7;
    assert_false(nv_neg_i64(INT64_MIN, &out));
    assert_false(nv_abs_i64(INT64_MIN, &out));
    assert_int_equal(out, 7);
    assert_true(nv_neg_i64(INT64_MAX, &out) && out == -INT64_MAX);
    assert_true(nv_abs_i64(-5, &out) && out == 5);
    assert_true(nv_abs_i64(5, &out) && out == 5);
    assert_true(nv_abs_i64(0, &out) && out == 0);
    assert_true(nv_magnitude_i64(INT64_MIN) == (uint64_t)INT64_MAX + 1);
    assert_true(nv_magnitude_i64(-1) == 1 && nv_magnitude_i64(0) == 0);
    assert_true(nv_magnitude_i64(INT64_MAX) == INT64_MAX);
}

#define CHECK_NARROW(suffix, type, min, max)                                                       \
    do {                                                                                           \
        type out = 7;                                                                              \
        assert_true(nv_narrow_try_##suffix(min, &out) && out == (min));                            \
        assert_true(nv_narrow_try_##suffix(max, &out) && out == (max));                            \
        assert_true(nv_narrow_##suffix(max) == (max));                                             \
        assert_true(nv_narrow_##suffix(min) == (min));                                             \
        out = 7;                                                                                   \
        assert_false(nv_narrow_try_##suffix((nv_i128)(max) + 1, &out));                            \
        assert_false(nv_narrow_try_##suffix((nv_i128)(min)-1, &out));                              \
        assert_false(nv_narrow_try_##suffix(NV_I128_MAX, &out));                                   \
        assert_false(nv_narrow_try_##suffix(NV_I128_MIN, &out));                                   \
        assert_true(out == 7);                                                                     \
    } while (0)

static void narrowing_at_the_edges(void **state)
{
    (void)state;
    CHECK_NARROW(u8, uint8_t, 0, UINT8_MAX);
    CHECK_NARROW(u16, uint16_t, 0, UINT16_MAX);
    CHECK_NARROW(u32, uint32_t, 0, UINT32_MAX);
    CHECK_NARROW(u64, uint64_t, 0, UINT64_MAX);
    CHECK_NARROW(i8, int8_t, INT8_MIN, INT8_MAX);
    CHECK_NARROW(i16, int16_t, INT16_MIN, INT16_MAX);
    CHECK_NARROW(i32, int32_t, INT32_MIN, INT32_MAX);
    CHECK_NARROW(i64, int64_t, INT64_MIN, INT64_MAX);
}

static void narrows(void *ctx)
{
    (void)!nv_narrow_u32(*(const int64_t *)ctx);
}

static void narrowing_what_does_not_fit_is_a_mistake(void **state)
{
    (void)state;
    int64_t value = UINT32_MAX;
    NV_TEST_SURVIVES(narrows, &value);
    value++;
    NV_TEST_DIES(narrows, &value);
    value = -1;
    NV_TEST_DIES(narrows, &value);
}

static void divides_oddly(void *ctx)
{
    int64_t out = 0;
    (void)!nv_div_i64(1, 2, *(const enum nv_round *)ctx, &out);
}

static void no_rounding_mode_is_a_mistake(void **state)
{
    (void)state;
    enum nv_round round = NV_ROUND_AWAY;
    NV_TEST_SURVIVES(divides_oddly, &round);
    uint32_t const zero = 0;
    memcpy(&round, &zero, sizeof round);
    NV_TEST_DIES(divides_oddly, &round);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_domain_is_exact),
        cmocka_unit_test(random_quotients_are_rounded_right),
        cmocka_unit_test(quotients_at_the_edges),
        cmocka_unit_test(wide_quotients_at_the_edges),
        cmocka_unit_test(checked_arithmetic_at_the_edges),
        cmocka_unit_test(signs_at_the_edges),
        cmocka_unit_test(narrowing_at_the_edges),
        cmocka_unit_test(narrowing_what_does_not_fit_is_a_mistake),
        cmocka_unit_test(no_rounding_mode_is_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
