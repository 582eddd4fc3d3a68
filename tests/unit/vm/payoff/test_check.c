/* Goal: a program is accepted when docs/spec/payoff.md says so, with the verdict
 * that it names otherwise, and hostile bytes do no harm.
 * Method: programs worked out by hand, each then spoilt in one way; programs
 * built from random bytes by the page's rules; random and spoilt bytes. */

#include <string.h>

#include "tests/lib/nv_test.h"
#include "tests/lib/payoff_build.h"
#include "vm/payoff/payoff.h"

/* max(S - 60000, 0), capped at 9000: what a call spread pays. */
static const char spread[] = "4e56503100030004"
                             "0000000000000000"
                             "00000002"
                             "18711a00"         /* 9,000,000,000 */
                             "0000000df8475800" /* 60,000,000,000 */
                             "02002042"         /* sub r0, S, k2 */
                             "06000040"         /* max r0, r0, k0 */
                             "05000041"         /* min r0, r0, k1 */
                             "11000000";        /* ret r0 */
#define SPREAD_SIZE 48u

static enum vm_payoff_verdict check(const uint8_t *bytes, uint32_t size)
{
    uint32_t at = 99;
    enum vm_payoff_verdict const verdict = vm_payoff_check(nv_view_of(bytes, size), &at);
    assert_true(at < 64);
    return verdict;
}

static enum vm_payoff_verdict check_hex(const char *hex)
{
    uint8_t bytes[700];
    uint32_t const size = (uint32_t)strlen(hex) / 2;
    return check(nv_test_hex(bytes, size, hex), size);
}

static void by_hand(void **state)
{
    (void)state;
    uint8_t bytes[SPREAD_SIZE];
    assert_int_equal(check(nv_test_hex(bytes, SPREAD_SIZE, spread), SPREAD_SIZE), VM_PAYOFF_OK);
    uint8_t linear[VM_PAYOFF_LINEAR_SIZE];
    uint8_t expected[VM_PAYOFF_LINEAR_SIZE];
    vm_payoff_linear(linear);
    assert_memory_equal(linear, nv_test_hex(expected, 12, "4e5650310000000111002000"), 12);
    assert_int_equal(check(linear, 12), VM_PAYOFF_OK);
}

static void form(void **state)
{
    (void)state;
    uint8_t bytes[SPREAD_SIZE + 1] = {0};
    nv_test_hex(bytes, SPREAD_SIZE, spread);
    for (uint32_t size = 0; size < SPREAD_SIZE; size++) {
        assert_int_equal(check(bytes, size), VM_PAYOFF_FORM);
    }
    assert_int_equal(check(bytes, SPREAD_SIZE + 1), VM_PAYOFF_FORM);
    for (uint32_t i = 0; i < 5; i++) { /* magic, observers */
        bytes[i] ^= 1;
        assert_int_equal(check(bytes, SPREAD_SIZE), VM_PAYOFF_FORM);
        bytes[i] ^= 1;
    }
    assert_int_equal(check_hex("4e56503100000000"), VM_PAYOFF_FORM); /* empty */
    assert_int_equal(check_hex("4e56503100000001"
                               "11002001"),
                     VM_PAYOFF_FORM); /* b of ret */
    assert_int_equal(check_hex("4e56503100000001"
                               "11012000"),
                     VM_PAYOFF_FORM); /* d of ret */
    assert_int_equal(check_hex("4e56503100000001"
                               "12002000"),
                     VM_PAYOFF_FORM); /* no such op */
    assert_int_equal(check_hex("4e56503100000001"
                               "00002000"),
                     VM_PAYOFF_FORM); /* op 0 */
    assert_int_equal(check_hex("4e56503100000001"
                               "11001000"),
                     VM_PAYOFF_FORM); /* operand 16 */
    assert_int_equal(check_hex("4e56503100000001"
                               "11002100"),
                     VM_PAYOFF_FORM); /* operand 33 */
    assert_int_equal(check_hex("4e56503100000001"
                               "11004000"),
                     VM_PAYOFF_FORM); /* no constant */
    assert_int_equal(check_hex("4e56503100000001"
                               "03002000"),
                     VM_PAYOFF_FORM); /* no ret */
    assert_int_equal(check_hex("4e56503100000002"
                               "11002000"
                               "11002000"),
                     VM_PAYOFF_FORM); /* two */
    assert_int_equal(check_hex("4e56503100000002"
                               "03102000"
                               "11000000"),
                     VM_PAYOFF_FORM); /* d 16 */
    assert_int_equal(check_hex("4e56503100000002"
                               "03002001"
                               "11000000"),
                     VM_PAYOFF_FORM); /* b of neg */
}

static void types(void **state)
{
    (void)state;
    /* price times price, register never written, ratio returned, mask as number */
    assert_int_equal(check_hex("4e56503100000002"
                               "08002020"
                               "11000000"),
                     VM_PAYOFF_TYPE);
    assert_int_equal(check_hex("4e56503100000001"
                               "11000000"),
                     VM_PAYOFF_TYPE);
    assert_int_equal(check_hex("4e56503100000002"
                               "02002001"
                               "11000000"),
                     VM_PAYOFF_TYPE);
    assert_int_equal(check_hex("4e56503100000101"
                               "0000000000000001"
                               "11004000"),
                     VM_PAYOFF_TYPE);
    assert_int_equal(check_hex("4e56503100010002"
                               "0000000000000001"
                               "0a002040"
                               "11000000"),
                     VM_PAYOFF_TYPE);
    /* S - ratio; sel by a value; and of values; not of a value; div by a ratio */
    assert_int_equal(check_hex("4e56503100000102"
                               "0000000000000001"
                               "02002040"
                               "11000000"),
                     VM_PAYOFF_TYPE);
    assert_int_equal(check_hex("4e56503100000003"
                               "03002000"
                               "10002020"
                               "11000000"),
                     VM_PAYOFF_TYPE);
    assert_int_equal(check_hex("4e56503100000002"
                               "0d002020"
                               "11000000"),
                     VM_PAYOFF_TYPE);
    assert_int_equal(check_hex("4e56503100000002"
                               "0f002000"
                               "11000000"),
                     VM_PAYOFF_TYPE);
    assert_int_equal(check_hex("4e56503100000102"
                               "0000000000000001"
                               "09002040"
                               "11000000"),
                     VM_PAYOFF_TYPE);
    /* clamp whose d is of another type than its ends */
    assert_int_equal(check_hex("4e56503100000103"
                               "0000000000000001"
                               "04004000"
                               "07002020"
                               "11000000"),
                     VM_PAYOFF_TYPE);
}

static void canonical(void **state)
{
    (void)state;
    /* dead code; an unused constant; a destination that is not the lowest; operands swapped */
    assert_int_equal(check_hex("4e56503100000002"
                               "03002000"
                               "11002000"),
                     VM_PAYOFF_CANONICAL);
    assert_int_equal(check_hex("4e56503100010001"
                               "0000000000000001"
                               "11002000"),
                     VM_PAYOFF_CANONICAL);
    assert_int_equal(check_hex("4e56503100000002"
                               "03012000"
                               "11000100"),
                     VM_PAYOFF_CANONICAL);
    assert_int_equal(check_hex("4e56503100010002"
                               "0000000000000001"
                               "01004020"
                               "11000000"),
                     VM_PAYOFF_CANONICAL);
    assert_int_equal(check_hex("4e56503100010002"
                               "0000000000000001"
                               "01002040"
                               "11000000"),
                     VM_PAYOFF_OK);
    /* overwritten before it is read */
    assert_int_equal(check_hex("4e56503100000003"
                               "03002000"
                               "04002000"
                               "11000000"),
                     VM_PAYOFF_CANONICAL);
    /* constants: descending, equal */
    assert_int_equal(check_hex("4e56503100020003"
                               "0000000000000002"
                               "0000000000000001"
                               "01002040"
                               "02000041"
                               "11000000"),
                     VM_PAYOFF_CANONICAL);
    assert_int_equal(check_hex("4e56503100020003"
                               "0000000000000002"
                               "0000000000000002"
                               "01002040"
                               "02000041"
                               "11000000"),
                     VM_PAYOFF_CANONICAL);
    /* -1 stands before 1, and a ratio may be below the last value */
    assert_int_equal(check_hex("4e56503100020103"
                               "ffffffffffffffff"
                               "0000000000000001"
                               "fffffffffffffff0"
                               "0700"
                               "4041"
                               "08000042"
                               "11000000"),
                     VM_PAYOFF_TYPE);
    assert_int_equal(check_hex("4e56503100020104"
                               "ffffffffffffffff"
                               "0000000000000001"
                               "fffffffffffffff0"
                               "03002000"
                               "07004041"
                               "08000042"
                               "11000000"),
                     VM_PAYOFF_OK);
}

static void cost(void **state)
{
    (void)state;
    /* n times r0' = r0 / S would not type; so r1 = S / k, r0 = r0 mulr r1: 16 a pair */
    uint8_t bytes[400];
    nv_test_hex(bytes,
                20,
                "4e56503100010000"
                "0000000010000000"
                "04002000");
    uint32_t size = 20;
    for (uint32_t pair = 0; pair < 10; pair++) {
        /* the cost is 1 + 16 pairs; 160 is reached with 9 pairs (145) and passed with 10 (161) */
        nv_test_hex(bytes + size,
                    8,
                    "09012040"
                    "08000001");
        size += 8;
        nv_test_hex(bytes + size, 4, "11000000");
        bytes[7] = (uint8_t)(2 + 2 * (pair + 1));
        enum vm_payoff_verdict const verdict = check(bytes, size + 4);
        assert_true(pair < 9 ? verdict != VM_PAYOFF_COST : verdict == VM_PAYOFF_COST);
    }
}

static void intervals(void **state)
{
    (void)state;
    /* S + k: the top is 2^52 + k, which must stay below 2^62 */
    assert_int_equal(check_hex("4e56503100010002"
                               "3fefffffffffffff"
                               "01002040"
                               "11000000"),
                     VM_PAYOFF_OK);
    assert_int_equal(check_hex("4e56503100010002"
                               "3ff0000000000000"
                               "01002040"
                               "11000000"),
                     VM_PAYOFF_INTERVAL);
    /* the constant itself */
    assert_int_equal(check_hex("4e56503100010002"
                               "4000000000000000"
                               "05002040"
                               "11000000"),
                     VM_PAYOFF_INTERVAL);
    assert_int_equal(check_hex("4e56503100010002"
                               "c000000000000000"
                               "06002040"
                               "11000000"),
                     VM_PAYOFF_INTERVAL);
    assert_int_equal(check_hex("4e56503100010002"
                               "c000000000000001"
                               "06002040"
                               "11000000"),
                     VM_PAYOFF_OK);
    /* k / S: S may be 0.  k / (S + 1) is at most k × 1e9 */
    assert_int_equal(check_hex("4e56503100010103"
                               "0000000000000001"
                               "0000000000000001"
                               "09004020"
                               "08000041"
                               "11000000"),
                     VM_PAYOFF_TYPE);
    assert_int_equal(check_hex("4e56503100010003"
                               "0000000000000001"
                               "09004020"
                               "08004000"
                               "11000000"),
                     VM_PAYOFF_INTERVAL);
    assert_int_equal(check_hex("4e56503100010004"
                               "0000000000000001"
                               "01002040"
                               "09004000"
                               "08004000"
                               "11000000"),
                     VM_PAYOFF_OK);
    /* S × 1024 - 1 ppb reaches 2^62 - 4.5e6; S × 1024 reaches 2^62 */
    assert_int_equal(check_hex("4e56503100000102"
                               "000000ee6b27ffff"
                               "08002040"
                               "11000000"),
                     VM_PAYOFF_OK);
    assert_int_equal(check_hex("4e56503100000102"
                               "000000ee6b280000"
                               "08002040"
                               "11000000"),
                     VM_PAYOFF_INTERVAL);
}

static void built_programs_pass(void **state)
{
    (void)state;
    struct nv_test_rng rng = {1};
    uint32_t accepted = 0;
    uint32_t wide = 0;
    for (uint32_t round = 0; round < 20000; round++) {
        uint8_t seed[200];
        uint8_t program[PAYOFF_BUILD_MAX];
        nv_test_fill(&rng, seed, sizeof seed);
        struct payoff_bytes from = {seed, sizeof seed, 0};
        uint32_t const size = payoff_build(program, &from);
        if (size > 0) {
            enum vm_payoff_verdict const verdict = check(program, size);
            accepted += verdict == VM_PAYOFF_OK;
            wide += verdict == VM_PAYOFF_INTERVAL || verdict == VM_PAYOFF_COST;
            assert_true(verdict == VM_PAYOFF_OK || verdict == VM_PAYOFF_INTERVAL ||
                        verdict == VM_PAYOFF_COST);
        }
    }
    assert_true(accepted > 10000);
    assert_true(wide > 100);
}

/* A spoilt program is refused or is another valid one; it never does harm. */
static void spoilt_programs_do_no_harm(void **state)
{
    (void)state;
    struct nv_test_rng rng = {2};
    uint8_t bytes[SPREAD_SIZE];
    uint32_t refused = 0;
    for (uint32_t round = 0; round < 200000; round++) {
        nv_test_hex(bytes, SPREAD_SIZE, spread);
        for (uint32_t hits = 1 + nv_test_below(&rng, 3); hits > 0; hits--) {
            bytes[nv_test_below(&rng, SPREAD_SIZE)] = (uint8_t)nv_test_next(&rng);
        }
        if (check(bytes, SPREAD_SIZE) != VM_PAYOFF_OK) {
            refused++;
            continue;
        }
        struct vm_payoff_inputs const inputs = {vm_money((int64_t)nv_test_next(&rng))};
        int64_t const result =
            vm_money_raw(vm_payoff_eval(nv_view_of(bytes, SPREAD_SIZE), &inputs));
        assert_true(result > -(INT64_C(1) << 62) && result < INT64_C(1) << 62);
    }
    assert_true(refused > 50000 && refused < 200000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(form),
        cmocka_unit_test(types),
        cmocka_unit_test(canonical),
        cmocka_unit_test(cost),
        cmocka_unit_test(intervals),
        cmocka_unit_test(built_programs_pass),
        cmocka_unit_test(spoilt_programs_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
