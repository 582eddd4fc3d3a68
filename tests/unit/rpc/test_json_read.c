/* Goal: JSON that is not acceptable is refused with a reason, before it costs
 * anything.
 *
 * Method: texts at and beyond each limit. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "rpc/json_read.h"
#include "tests/lib/nv_test.h"

static char reason[RPC_JSON_REASON];

static enum nv_err read_text(const char *text)
{
    struct json_t *root = NULL;
    enum nv_err const err = rpc__json_read(&root, nv_view_of_text(text), reason);
    json_decref(root);
    return err;
}

static void good_texts_are_read(void **state)
{
    (void)state;
    assert_int_equal(read_text("{}"), NV_OK);
    assert_int_equal(read_text(" [1, \"a\\u00e9\", {\"b\": null}] "), NV_OK);
    assert_int_equal(read_text("[9223372036854775807]"), NV_OK);
}

static void bad_texts_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "{",
        "}",
        "nope",
        "1",
        "\"a\"",
        "{} {}",
        "{\"a\":1,}",
        "[1,]",
        "{\"a\":1,\"a\":2}",
        "[01]",
        "[+1]",
        "['a']",
        "[NaN]",
        "[1e999]",
        "[9223372036854775808]",
        "[\"\xff\"]",
        "[\"\xc0\xaf\"]",
        "[\"\\ud800\"]",
        "[\"\\u0000\"]",
        "[\"a\nb\"]",
        "/* */ []",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        reason[0] = '\0';
        assert_int_equal(read_text(bad[i]), NV_ERR_MALFORMED);
        assert_true(reason[0] != '\0');
    }
}

static void depth_is_bounded(void **state)
{
    (void)state;
    char text[128];
    memset(text, '[', RPC_JSON_DEPTH);
    memset(text + RPC_JSON_DEPTH, ']', RPC_JSON_DEPTH);
    text[2 * RPC_JSON_DEPTH] = '\0';
    assert_int_equal(read_text(text), NV_OK);
    memset(text, '[', RPC_JSON_DEPTH + 1);
    memset(text + RPC_JSON_DEPTH + 1, ']', RPC_JSON_DEPTH + 1);
    text[2 * RPC_JSON_DEPTH + 2] = '\0';
    assert_int_equal(read_text(text), NV_ERR_TOO_LARGE);
    assert_non_null(strstr(reason, "deeper than 32"));
}

static void brackets_in_strings_do_not_count(void **state)
{
    (void)state;
    char text[256];
    char many[100];
    memset(many, '[', sizeof many - 1);
    many[sizeof many - 1] = '\0';
    snprintf(text, sizeof text, "[\"%s\\\"%s\\\\\"]", many, many);
    assert_int_equal(read_text(text), NV_OK);
}

static void values_are_counted(void **state)
{
    (void)state;
    static char text[3 * RPC_JSON_VALUES];
    uint32_t size = 0;
    text[size++] = '[';
    for (uint32_t i = 1; i < RPC_JSON_VALUES; i++) {
        text[size++] = '1';
        text[size++] = ',';
    }
    text[size++] = '1';
    text[size++] = ']';
    text[size] = '\0';
    assert_int_equal(read_text(text), NV_OK);
    text[size - 1] = ',';
    text[size++] = '1';
    text[size++] = ']';
    text[size] = '\0';
    assert_int_equal(read_text(text), NV_ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts_are_read),
        cmocka_unit_test(bad_texts_are_refused),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(brackets_in_strings_do_not_count),
        cmocka_unit_test(values_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
