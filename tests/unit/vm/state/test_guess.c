/* Goal: a guess is what was noted last for its key, or none; a full set forgets its
 * oldest, and nothing else.
 * Method: a table of one set, and one of many against a model. */

#include <string.h>

#include "tests/lib/nv_test.h"
#include "vm/state/guess.h"

static void a_full_set_forgets_its_oldest(void **state)
{
    (void)state;
    struct vm_guess_set set;
    struct vm_guess const guess = {.sets = &set, .mask = 0};
    memset(&set, 0, sizeof set);
    for (uint32_t key = 1; key <= VM_GUESS_WAYS; key++) {
        assert_int_equal(vm__guess_find(&guess, key), UINT32_MAX);
        vm__guess_note(&guess, key, 100 + key);
    }
    vm__guess_note(&guess, 1, 7); /* the oldest becomes the newest */
    vm__guess_note(&guess, 99, 199);
    assert_int_equal(vm__guess_find(&guess, 1), 7);
    assert_int_equal(vm__guess_find(&guess, 2), UINT32_MAX);
    for (uint32_t key = 3; key <= VM_GUESS_WAYS; key++) {
        assert_int_equal(vm__guess_find(&guess, key), 100 + key);
    }
    assert_int_equal(vm__guess_find(&guess, 99), 199);
}

#define SETS 64u
#define KEYS 100u

static void a_guess_is_what_was_noted_last(void **state)
{
    (void)state;
    static struct vm_guess_set sets[SETS];
    struct vm_guess const guess = {.sets = sets, .mask = SETS - 1};
    uint32_t model[KEYS];
    uint32_t known = 0;
    struct nv_test_rng rng = {.state = 5};
    memset(model, 0xff, sizeof model);
    for (uint32_t round = 0; round < 10000; round++) {
        uint32_t const key = (uint32_t)nv_test_below(&rng, KEYS);
        uint32_t const found = vm__guess_find(&guess, key * UINT64_C(0x123456789ab));
        assert_true(found == UINT32_MAX || found == model[key]);
        known += found != UINT32_MAX ? 1u : 0u;
        model[key] = round;
        vm__guess_note(&guess, key * UINT64_C(0x123456789ab), round);
    }
    assert_true(known > 9000); /* few sets are full */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_set_forgets_its_oldest),
        cmocka_unit_test(a_guess_is_what_was_noted_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
