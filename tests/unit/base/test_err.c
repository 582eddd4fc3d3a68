/* Goal: every error code has a name and a text of its own.
 * Method: walk over the codes. */

#include <string.h>

#include "base/err.h"

#include "tests/lib/nv_test.h"

#define COUNT_ONE(name, text) +1
#define CODES                 (1 NV_ERR(COUNT_ONE)) /* with NV_OK */

static void names_and_texts_are_distinct(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < CODES; i++) {
        enum nv_err const a = (enum nv_err)i;
        assert_true(strlen(nv_err_name(a)) > 0);
        assert_true(strlen(nv_err_text(a)) > 0);
        for (uint32_t j = 0; j < i; j++) {
            enum nv_err const b = (enum nv_err)j;
            assert_string_not_equal(nv_err_name(a), nv_err_name(b));
            assert_string_not_equal(nv_err_text(a), nv_err_text(b));
        }
    }
}

static void names_follow_the_codes(void **state)
{
    (void)state;
    assert_int_equal(NV_OK, 0);
    assert_string_equal(nv_err_name(NV_OK), "OK");
    assert_string_equal(nv_err_name(NV_ERR_TRUNCATED), "TRUNCATED");
    assert_string_equal(nv_err_name(NV_ERR_CRYPTO), "CRYPTO");
}

static void a_number_that_is_no_code_is_unknown(void **state)
{
    (void)state;
    uint32_t const no_code[] = {CODES, CODES + 1, UINT32_MAX};
    for (size_t i = 0; i < sizeof no_code / sizeof no_code[0]; i++) {
        enum nv_err err;
        memcpy(&err, &no_code[i], sizeof err);
        assert_string_equal(nv_err_name(err), "UNKNOWN");
        assert_string_equal(nv_err_text(err), "an unknown error");
    }
}

static enum nv_err tries(enum nv_err err, bool *went_on)
{
    NV_TRY(err);
    *went_on = true;
    return NV_OK;
}

static void try_returns_the_error(void **state)
{
    (void)state;
    bool went_on = false;
    assert_int_equal(tries(NV_ERR_IO, &went_on), NV_ERR_IO);
    assert_false(went_on);
    assert_int_equal(tries(NV_OK, &went_on), NV_OK);
    assert_true(went_on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_texts_are_distinct),
        cmocka_unit_test(names_follow_the_codes),
        cmocka_unit_test(a_number_that_is_no_code_is_unknown),
        cmocka_unit_test(try_returns_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
