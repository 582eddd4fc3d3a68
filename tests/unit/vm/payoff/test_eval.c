/* Goal: a program yields what docs/spec/payoff.md section 3 says, rounded as it
 * says.
 * Method: payoffs worked out by hand, around their kinks and below zero; every
 * operation; random programs compared with a model. */

#include <string.h>

#include "tests/lib/nv_test.h"
#include "tests/lib/payoff_build.h"
#include "tests/lib/payoff_model.h"
#include "vm/payoff/payoff.h"

#define USD INT64_C(1000000)

static int64_t eval(const char *hex, int64_t s)
{
    uint8_t bytes[700];
    uint32_t const size = (uint32_t)strlen(hex) / 2;
    uint32_t at = 0;
    nv_test_hex(bytes, size, hex);
    assert_int_equal(vm_payoff_check(nv_view_of(bytes, size), &at), VM_PAYOFF_OK);
    struct vm_payoff_inputs const inputs = {vm_money(s)};
    int64_t const result = vm_money_raw(vm_payoff_eval(nv_view_of(bytes, size), &inputs));
    assert_int_equal(payoff_model_eval(nv_view_of(bytes, size), &inputs), result);
    return result;
}

static void linear(void **state)
{
    (void)state;
    assert_int_equal(eval("4e5650310000000111002000", 0), 0);
    assert_int_equal(eval("4e5650310000000111002000", 61234 * USD + 7), 61234 * USD + 7);
    /* inputs are clamped to [0, 2^52] */
    assert_int_equal(eval("4e5650310000000111002000", -5), 0);
    assert_int_equal(eval("4e5650310000000111002000", (INT64_C(1) << 52) + 9), INT64_C(1) << 52);
}

static void call_spread(void **state)
{
    (void)state;
    /* min(max(S - 60000, 0), 9000) */
    static const char spread[] = "4e56503100030004"
                                 "0000000000000000"
                                 "0000000218711a00"
                                 "0000000df8475800"
                                 "02002042"
                                 "06000040"
                                 "05000041"
                                 "11000000";
    assert_int_equal(eval(spread, 0), 0);
    assert_int_equal(eval(spread, 60000 * USD), 0);
    assert_int_equal(eval(spread, 60000 * USD + 1), 1);
    assert_int_equal(eval(spread, 64000 * USD), 4000 * USD);
    assert_int_equal(eval(spread, 69000 * USD), 9000 * USD);
    assert_int_equal(eval(spread, 69000 * USD + 1), 9000 * USD);
}

static void digital(void **state)
{
    (void)state;
    /* 2500 where S >= 60000, else 0: ge r0 S k2; sel r0 k1 k0 */
    static const char digital[] = "4e56503100030003"
                                  "0000000000000000"
                                  "000000009502f900"
                                  "0000000df8475800"
                                  "0a002042"
                                  "10004140"
                                  "11000000";
    assert_int_equal(eval(digital, 60000 * USD - 1), 0);
    assert_int_equal(eval(digital, 60000 * USD), 2500 * USD);
}

static void participation_is_floored(void **state)
{
    (void)state;
    /* 1.35 × (S - 60000): mulr rounds down, below zero too */
    static const char note[] = "4e56503100010103"
                               "0000000df8475800"
                               "0000000050775d80"
                               "02002040"
                               "08000041"
                               "11000000";
    assert_int_equal(eval(note, 60000 * USD + 1), 1);
    assert_int_equal(eval(note, 60000 * USD + 3), 4);
    assert_int_equal(eval(note, 60000 * USD - 1), -2);
    assert_int_equal(eval(note, 60000 * USD - 3), -5);
    assert_int_equal(eval(note, 60000 * USD - 20), -27);
}

static void inverse(void **state)
{
    (void)state;
    /* 100 × (1 - 50000 / max(S, 100)): div floors, and its divisor may not be 0 */
    static const char inverse[] = "4e56503100020105"
                                  "0000000005f5e100"
                                  "0000000ba43b7400"
                                  "000000003b9aca00"
                                  "06002040"
                                  "09004100"
                                  "02004200"
                                  "08004000"
                                  "11000000";
    assert_int_equal(eval(inverse, 50000 * USD), 0);
    assert_int_equal(eval(inverse, 100000 * USD), 50 * USD);
    /* 50000 / 25000 = 2: -100 */
    assert_int_equal(eval(inverse, 25000 * USD), -100 * USD);
    /* 50000 / 75000 = 0.666666666: 1 - that = 0.333333334, 33.3333334 */
    assert_int_equal(eval(inverse, 75000 * USD), 33333333);
    assert_int_equal(eval(inverse, 0), -49900 * USD);
}

static void logic(void **state)
{
    (void)state;
    /* S where 10 < S and not S >= 20, or S = 30; else 0.  gt S k1; ge S k2; not; and; eq; or; sel */
    static const char window[] = "4e56503100040008"
                                 "0000000000000000"
                                 "000000000000000a"
                                 "0000000000000014"
                                 "000000000000001e"
                                 "0b002041"
                                 "0a012042"
                                 "0f010100"
                                 "0d000001"
                                 "0c012043"
                                 "0e000001"
                                 "10002040"
                                 "11000000";
    for (int64_t s = 0; s < 40; s++) {
        assert_int_equal(eval(window, s), (s > 10 && s < 20) || s == 30 ? s : 0);
    }
}

static void clamp_abs_neg(void **state)
{
    (void)state;
    /* -clamp(|S - 100|, 10, 50) */
    static const char collar[] = "4e56503100030005"
                                 "000000000000000a"
                                 "0000000000000032"
                                 "0000000000000064"
                                 "02002042"
                                 "04000000"
                                 "07004041"
                                 "03000000"
                                 "11000000";
    assert_int_equal(eval(collar, 100), -10);
    assert_int_equal(eval(collar, 91), -10);
    assert_int_equal(eval(collar, 80), -20);
    assert_int_equal(eval(collar, 149), -49);
    assert_int_equal(eval(collar, 0), -50);
}

static void per_lot_is_floored_once(void **state)
{
    (void)state;
    uint8_t linear_program[VM_PAYOFF_LINEAR_SIZE];
    vm_payoff_linear(linear_program);
    struct nv_view const program = nv_view_of(linear_program, VM_PAYOFF_LINEAR_SIZE);
    struct vm_payoff_inputs const inputs = {vm_money(1999)};
    assert_int_equal(vm_money_raw(vm_payoff_per_lot(program, 1000, &inputs)), 1);
    assert_int_equal(vm_money_raw(vm_payoff_per_lot(program, 1, &inputs)), 1999);
    /* -S: a negative payoff goes down, so that long and short cancel */
    uint8_t short_program[16];
    nv_test_hex(short_program, 16, "4e565031000000020300200011000000");
    struct nv_view const negative = nv_view_of(short_program, 16);
    assert_int_equal(vm_money_raw(vm_payoff_per_lot(negative, 1000, &inputs)), -2);
}

static void random_programs_yield_what_a_model_does(void **state)
{
    (void)state;
    struct nv_test_rng rng = {3};
    uint32_t compared = 0;
    for (uint32_t round = 0; round < 3000; round++) {
        uint8_t seed[200];
        uint8_t program[PAYOFF_BUILD_MAX];
        uint32_t at = 0;
        nv_test_fill(&rng, seed, sizeof seed);
        struct payoff_bytes from = {seed, sizeof seed, 0};
        struct nv_view const view = nv_view_of(program, payoff_build(program, &from));
        if (vm_payoff_check(view, &at) != VM_PAYOFF_OK) {
            continue;
        }
        for (uint32_t i = 0; i < 75; i++) {
            uint32_t const shift = 8 + nv_test_below(&rng, 50);
            struct vm_payoff_inputs const inputs = {
                vm_money((int64_t)(nv_test_next(&rng) >> shift))};
            assert_int_equal(vm_money_raw(vm_payoff_eval(view, &inputs)),
                             payoff_model_eval(view, &inputs));
            compared++;
        }
    }
    assert_true(compared > 50000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),
        cmocka_unit_test(call_spread),
        cmocka_unit_test(digital),
        cmocka_unit_test(participation_is_floored),
        cmocka_unit_test(inverse),
        cmocka_unit_test(logic),
        cmocka_unit_test(clamp_abs_neg),
        cmocka_unit_test(per_lot_is_floored_once),
        cmocka_unit_test(random_programs_yield_what_a_model_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
