/* Goal: each type of parameter takes its canonical form and nothing else, and
 * the fault names the parameter, what was expected and what came.
 *
 * Method: a specification with every type, and objects that fit or do not. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "rpc/params.h"
#include "tests/lib/nv_test.h"

static const char SPEC[] = "flag:bool n:count big:u64 d:decimal h:hash b:bytes a:address "
                           "name:name list:names at:seqs must:count!";

static struct rpc_fault fault;

static bool check(const char *text)
{
    json_error_t error;
    struct json_t *params = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(params);
    memset(&fault, 0, sizeof fault);
    bool const good = rpc__params_check(params, SPEC, "meta:bool", &fault);
    json_decref(params);
    return good;
}

static void every_type_takes_its_form(void **state)
{
    (void)state;
    static const char *const good[] = {
        "{\"must\":0}",
        "{\"must\":2147483647,\"flag\":true,\"meta\":false}",
        "{\"must\":1,\"big\":\"18446744073709551615\"}",
        "{\"must\":1,\"d\":\"-0.000001\"}",
        "{\"must\":1,\"h\":\"0x00000000000000000000000000000000000000000000000000000000000000ff\"}",
        "{\"must\":1,\"b\":\"0x\"}",
        "{\"must\":1,\"a\":\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"}",
        "{\"must\":1,\"name\":\"x\",\"list\":[\"a\",\"b\"],\"at\":{\"a\":\"1:2\"}}",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(check(good[i]));
        assert_int_equal(fault.code, 0);
    }
}

static void no_type_takes_another(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"{\"must\":-1}", "must"},
        {"{\"must\":2147483648}", "must"},
        {"{\"must\":1.0}", "must"},
        {"{\"must\":\"1\"}", "must"},
        {"{\"must\":null}", "must"},
        {"{\"must\":1,\"flag\":1}", "flag"},
        {"{\"must\":1,\"big\":1}", "big"},
        {"{\"must\":1,\"big\":\"01\"}", "big"},
        {"{\"must\":1,\"big\":\"-1\"}", "big"},
        {"{\"must\":1,\"big\":\"18446744073709551616\"}", "big"},
        {"{\"must\":1,\"d\":1.5}", "d"},
        {"{\"must\":1,\"d\":\"1.0000001\"}", "d"},
        {"{\"must\":1,\"d\":\"nan\"}", "d"},
        {"{\"must\":1,\"h\":\"0x00\"}", "h"},
        {"{\"must\":1,\"b\":\"0x0\"}", "b"},
        {"{\"must\":1,\"b\":\"00\"}", "b"},
        {"{\"must\":1,\"a\":\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe\"}", "a"},
        {"{\"must\":1,\"name\":\"\"}", "name"},
        {"{\"must\":1,\"list\":[]}", "list"},
        {"{\"must\":1,\"list\":[1]}", "list"},
        {"{\"must\":1,\"list\":{}}", "list"},
        {"{\"must\":1,\"at\":[]}", "at"},
        {"{\"must\":1,\"at\":{\"a\":1}}", "at"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(check(bad[i][0]));
        assert_int_equal(fault.code, RPC_ERROR_INVALID_PARAMS);
        assert_string_equal(fault.field, bad[i][1]);
        assert_true(fault.expected[0] != '\0');
    }
}

static void the_canonical_form_is_named(void **state)
{
    (void)state;
    static const char *const wrong[][2] = {
        {"1.50", "1.5"},
        {"01", "1"},
        {"+1", "1"},
        {"1.", "1"},
        {".5", "0.5"},
        {"-0", "0"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"must\":1,\"d\":\"%s\"}", wrong[i][0]);
        assert_false(check(text));
        assert_int_equal(fault.code, RPC_ERROR_NON_CANONICAL);
        assert_string_equal(fault.got, wrong[i][0]);
        assert_string_equal(fault.canonical, wrong[i][1]);
    }
    assert_false(check("{\"must\":1,\"a\":\"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed\"}"));
    assert_string_equal(fault.canonical, "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
}

static void missing_and_unknown_ones_are_named(void **state)
{
    (void)state;
    assert_false(check("{}"));
    assert_string_equal(fault.field, "must");
    assert_string_equal(fault.got, "nothing");
    assert_false(check("{\"must\":1,\"more\":2}"));
    assert_string_equal(fault.field, "more");
    assert_non_null(strstr(fault.expected, "must:count!"));
    memset(&fault, 0, sizeof fault);
    assert_false(rpc__params_check(NULL, SPEC, "", &fault));
    assert_true(rpc__params_check(NULL, "n:count", "", &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_takes_its_form),
        cmocka_unit_test(no_type_takes_another),
        cmocka_unit_test(the_canonical_form_is_named),
        cmocka_unit_test(missing_and_unknown_ones_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
