/* Goal: what is written is JSON, escaped and in canonical numbers, and never
 * more than the limit.
 *
 * Method: texts compared; the parser of the client side reads back everything
 * that hostile strings become. */

#include <jansson.h>
#include <string.h>

#include "base/heap.h"

#include "rpc/json_write.h"
#include "tests/lib/nv_test.h"

static struct rpc_json json;

static int setup(void **state)
{
    (void)state;
    rpc__json_init(&json, 1u << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rpc__json_deinit(&json);
    return 0;
}

static void is(const char *expected)
{
    assert_false(json.failed);
    assert_int_equal(json.size, strlen(expected));
    assert_memory_equal(json.bytes, expected, json.size);
    rpc__json_reset(&json);
}

static void commas_stand_where_they_belong(void **state)
{
    (void)state;
    rpc__json_object(&json, NULL);
    rpc__json_array(&json, "a");
    rpc__json_number(&json, NULL, 1);
    rpc__json_array(&json, NULL);
    rpc__json_end(&json, ']');
    rpc__json_object(&json, NULL);
    rpc__json_end(&json, '}');
    rpc__json_end(&json, ']');
    rpc__json_bool(&json, "b", true);
    rpc__json_null(&json, "c");
    rpc__json_end(&json, '}');
    is("{\"a\":[1,[],{}],\"b\":true,\"c\":null}");
}

static void numbers_are_canonical(void **state)
{
    (void)state;
    rpc__json_array(&json, NULL);
    rpc__json_u64(&json, NULL, UINT64_MAX);
    rpc__json_i64(&json, NULL, INT64_MIN);
    rpc__json_number(&json, NULL, INT64_MIN);
    rpc__json_micro(&json, NULL, 1500000);
    rpc__json_micro(&json, NULL, -1);
    rpc__json_micro(&json, NULL, 0);
    rpc__json_decimal(&json, NULL, 9007199254740993, 0);
    rpc__json_end(&json, ']');
    is("[\"18446744073709551615\",\"-9223372036854775808\",-9223372036854775808,\"1.5\","
       "\"-0.000001\",\"0\",\"9007199254740993\"]");
}

static void bytes_are_lower_case_hex(void **state)
{
    (void)state;
    uint8_t bytes[200];
    memset(bytes, 0xaf, sizeof bytes);
    rpc__json_hex(&json, NULL, nv_view_of(bytes, 0));
    is("\"0x\"");
    rpc__json_hex(&json, NULL, nv_view_of(bytes, 2));
    is("\"0xafaf\"");
    rpc__json_hex(&json, NULL, nv_view_of(bytes, sizeof bytes));
    assert_int_equal(json.size, 2 * sizeof bytes + 4);
}

static void strings_are_escaped(void **state)
{
    (void)state;
    rpc__json_text(&json, NULL, "a\"b\\c\n\x01\x7f");
    is("\"a\\\"b\\\\c\\u000a\\u0001\\u007f\"");
    rpc__json_text(&json, NULL, "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\x89");
    is("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x8e\x89\"");
    /* overlong, surrogate, beyond U+10FFFF, cut short, alone */
    rpc__json_text(&json, NULL, "\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82 \x80");
    is("\"?? ??? ???? ?? ?\"");
    rpc__json_text(&json, NULL, NULL);
    is("null");
}

/* Whatever the bytes, the result is one JSON string. */
static void any_bytes_become_a_string(void **state)
{
    (void)state;
    struct nv_test_rng rng = {.state = 1};
    for (int i = 0; i < 20000; i++) {
        uint8_t bytes[16];
        json_error_t error;
        uint32_t const size = nv_test_below(&rng, sizeof bytes + 1);
        nv_test_fill(&rng, bytes, sizeof bytes);
        rpc__json_reset(&json);
        rpc__json_string(&json, NULL, nv_view_of(bytes, size));
        struct json_t *value = json_loadb(
            (const char *)json.bytes, json.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
        assert_true(json_is_string(value));
        json_decref(value);
    }
}

static void the_limit_holds_at_every_byte(void **state)
{
    (void)state;
    static const char whole[] = "{\"a\":[\"0xff\",\"b\"]}";
    for (uint32_t limit = 0; limit <= sizeof whole; limit++) {
        uint8_t const byte = 0xff;
        struct rpc_json small;
        rpc__json_init(&small, limit);
        rpc__json_object(&small, NULL);
        rpc__json_array(&small, "a");
        rpc__json_hex(&small, NULL, nv_view_of(&byte, 1));
        rpc__json_text(&small, NULL, "b");
        rpc__json_end(&small, ']');
        rpc__json_end(&small, '}');
        assert_int_equal(small.failed, limit < sizeof whole - 1);
        assert_true(small.size <= limit);
        rpc__json_deinit(&small);
    }
}

static void want_of_memory_fails_the_writer(void **state)
{
    (void)state;
    nv_heap_fail_at(1);
    rpc__json_text(&json, NULL, "a");
    assert_true(json.failed);
    nv_heap_fail_at(0);
    rpc__json_reset(&json);
    rpc__json_text(&json, NULL, "a");
    is("\"a\"");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(commas_stand_where_they_belong),
        CASE(numbers_are_canonical),
        CASE(bytes_are_lower_case_hex),
        CASE(strings_are_escaped),
        CASE(any_bytes_become_a_string),
        CASE(the_limit_holds_at_every_byte),
        CASE(want_of_memory_fails_the_writer),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
