/* Goal: every value has one text, and only that text is read.
 * Method: published EIP-55 addresses; tables of right and wrong texts (more are
 * in tests/golden/bytes.json); random values there and back. */

#include "base/fmt.h"

#include "tests/lib/nv_test.h"

static void hex_there_and_back(void **state)
{
    (void)state;
    struct nv_test_rng rng = {1};
    for (uint32_t size = 0; size <= 40; size++) {
        uint8_t bytes[40];
        uint8_t again[40] = {0};
        uint32_t again_size = 0;
        char text[NV_BYTES_TEXT(40)];
        nv_test_fill(&rng, bytes, sizeof bytes);
        nv_hex_encode(text, bytes, size);
        assert_int_equal(strlen(text), 2 * size);
        assert_int_equal(nv_hex_decode(again, size, nv_view_of_text(text)), NV_OK);
        assert_memory_equal(again, bytes, size);
        nv_bytes_format(text, bytes, size);
        assert_int_equal(strlen(text), 2 * size + 2);
        assert_int_equal(nv_bytes_parse(again, size, nv_view_of_text(text)), NV_OK);
        assert_memory_equal(again, bytes, size);
        assert_int_equal(nv_bytes_parse_up_to(again, &again_size, 40, nv_view_of_text(text)),
                         NV_OK);
        assert_int_equal(again_size, size);
    }
}

static void other_hex_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "0x",
                                        "0x0",
                                        "0x012",
                                        "0x01234",
                                        "0X0123",
                                        "0x012g",
                                        "0x012/",
                                        "0x012:",
                                        "0x01A3",
                                        "0x 123",
                                        "01230x",
                                        "x0123",
                                        "0x012\xb0",
                                        "1x0123",
                                        "0x0123 "};
    uint8_t bytes[2];
    uint32_t size = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct nv_view const text = nv_view_of_text(texts[i]);
        assert_int_equal(nv_bytes_parse(bytes, 2, text), NV_ERR_MALFORMED);
        if (strcmp(texts[i], "0x") != 0) {
            assert_int_not_equal(nv_bytes_parse_up_to(bytes, &size, 2, text), NV_OK);
        }
    }
    assert_int_equal(nv_hex_decode(bytes, 2, nv_view_of_text("0x01")), NV_ERR_MALFORMED);
    assert_int_equal(nv_hex_decode(bytes, 2, nv_view_of_text("AbCd")), NV_OK);
    assert_int_equal(bytes[0] << 8 | bytes[1], 0xabcd);
    assert_int_equal(nv_bytes_parse_up_to(bytes, &size, 2, nv_view_of_text("0x012345")),
                     NV_ERR_TOO_LARGE);
    assert_int_equal(size, 0);
}

/* The examples of EIP-55. */
static const char *const addresses[] = {
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
};

#define ADDRESSES (sizeof addresses / sizeof addresses[0])

static void addresses_have_their_mixed_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADDRESSES; i++) {
        struct nv_address address;
        char text[NV_ADDRESS_TEXT];
        assert_int_equal(nv_address_parse(&address, nv_view_of_text(addresses[i])), NV_OK);
        nv_address_format(text, &address);
        assert_string_equal(text, addresses[i]);
    }
}

static void a_letter_of_the_wrong_case_is_noticed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ADDRESSES; i++) {
        for (uint32_t at = 2; at < 42; at++) {
            char text[NV_ADDRESS_TEXT];
            char right[NV_ADDRESS_TEXT];
            struct nv_address address;
            memcpy(text, addresses[i], sizeof text);
            bool const letter = text[at] > '9';
            text[at] = (char)(letter ? text[at] ^ 0x20 : text[at]);
            enum nv_err const err = nv_address_parse(&address, nv_view_of_text(text));
            assert_int_equal(err, letter ? NV_ERR_MISMATCH : NV_OK);
            nv_address_format(right, &address); /* the caller can name it */
            assert_string_equal(right, addresses[i]);
        }
    }
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "0x",
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAedd",
        "0X5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeg",
    };
    struct nv_address address = {{9}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(nv_address_parse(&address, nv_view_of_text(texts[i])), NV_ERR_MALFORMED);
        assert_int_equal(address.bytes[0], 9);
    }
}

static void decimals_there_and_back(void **state)
{
    (void)state;
    struct nv_test_rng rng = {2};
    for (uint32_t i = 0; i < 50000; i++) {
        int64_t const magnitude = (int64_t)(nv_test_next(&rng) >> (1 + nv_test_below(&rng, 63)));
        int64_t const value = i % 2 == 0 ? magnitude : -magnitude - 1;
        uint32_t const places = nv_test_below(&rng, NV_PLACES_MAX + 1);
        char text[NV_DECIMAL_TEXT];
        char canonical[NV_DECIMAL_TEXT];
        int64_t again = 0;
        nv_decimal_format(text, value, places);
        assert_true(strlen(text) < NV_DECIMAL_TEXT);
        assert_int_equal(nv_decimal_parse(&again, canonical, nv_view_of_text(text), places), NV_OK);
        assert_true(again == value);
        assert_string_equal(canonical, text);
    }
}

static void decimals_at_the_edges(void **state)
{
    (void)state;
    static const struct {
        int64_t value;
        uint32_t places;
        const char *text;
    } cases[] = {
        {INT64_MAX, 0, "9223372036854775807"},
        {INT64_MIN, 0, "-9223372036854775808"},
        {INT64_MAX, 6, "9223372036854.775807"},
        {INT64_MIN, 6, "-9223372036854.775808"},
        {INT64_MAX, 18, "9.223372036854775807"},
        {INT64_MIN, 18, "-9.223372036854775808"},
        {1, 18, "0.000000000000000001"},
        {-1, 18, "-0.000000000000000001"},
        {0, 18, "0"},
        {1000000, 6, "1"},
        {1100000, 6, "1.1"},
        {100, 0, "100"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[NV_DECIMAL_TEXT];
        char canonical[NV_DECIMAL_TEXT];
        int64_t value = 7;
        nv_decimal_format(text, cases[i].value, cases[i].places);
        assert_string_equal(text, cases[i].text);
        enum nv_err const err =
            nv_decimal_parse(&value, canonical, nv_view_of_text(text), cases[i].places);
        assert_int_equal(err, NV_OK);
        assert_true(value == cases[i].value);
    }
}

static void other_decimals_name_the_right_one(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum nv_err err;
        const char *canonical;
    } cases[] = {
        {"1.50", NV_ERR_MALFORMED, "1.5"},
        {"-1.50", NV_ERR_MALFORMED, "-1.5"},
        {"+1", NV_ERR_MALFORMED, "1"},
        {"01", NV_ERR_MALFORMED, "1"},
        {".5", NV_ERR_MALFORMED, "0.5"},
        {"5.", NV_ERR_MALFORMED, "5"},
        {"-0", NV_ERR_MALFORMED, "0"},
        {"0.0", NV_ERR_MALFORMED, "0"},
        {"000000000000000000000000000000001", NV_ERR_MALFORMED, "1"},
        {"1.00000000000000000000000000000000000", NV_ERR_MALFORMED, "1"},
        {"", NV_ERR_MALFORMED, ""},
        {"+", NV_ERR_MALFORMED, ""},
        {".", NV_ERR_MALFORMED, ""},
        {"-.", NV_ERR_MALFORMED, ""},
        {"1.2.3", NV_ERR_MALFORMED, ""},
        {"1e6", NV_ERR_MALFORMED, ""},
        {"1,000", NV_ERR_MALFORMED, ""},
        {"\xd9\xa1", NV_ERR_MALFORMED, ""},
        {"0.0000001", NV_ERR_RANGE, ""},
        {"9223372036854.775808", NV_ERR_RANGE, ""},
        {"-9223372036854.775809", NV_ERR_RANGE, ""},
        {"18446744073709551616", NV_ERR_RANGE, ""},
        {"99999999999999999999999999999999999999999", NV_ERR_RANGE, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char canonical[NV_DECIMAL_TEXT];
        int64_t value = 7;
        enum nv_err const err =
            nv_decimal_parse(&value, canonical, nv_view_of_text(cases[i].text), NV_MICRO_PLACES);
        assert_int_equal(err, cases[i].err);
        assert_string_equal(canonical, cases[i].canonical);
        assert_int_equal(value, 7);
    }
}

/* A text may hold a zero byte, which a string would end at. */
static void a_zero_byte_is_no_end(void **state)
{
    (void)state;
    char canonical[NV_DECIMAL_TEXT];
    int64_t value = 0;
    uint64_t whole = 0;
    struct nv_view const text = nv_view_of("1\0", 2);
    assert_int_equal(nv_decimal_parse(&value, canonical, text, 6), NV_ERR_MALFORMED);
    assert_int_equal(nv_u64_parse(&whole, text), NV_ERR_MALFORMED);
    assert_int_equal(nv_decimal_parse(&value, canonical, nv_view_of(NULL, 0), 6), NV_ERR_MALFORMED);
    assert_int_equal(nv_u64_parse(&whole, nv_view_of(NULL, 0)), NV_ERR_MALFORMED);
}

static void whole_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum nv_err err;
        uint64_t value;
    } cases[] = {
        {"0", NV_OK, 0},
        {"10", NV_OK, 10},
        {"18446744073709551615", NV_OK, UINT64_MAX},
        {"18446744073709551616", NV_ERR_RANGE, 7},
        {"99999999999999999999", NV_ERR_RANGE, 7},
        {"99999999999999999999x", NV_ERR_MALFORMED, 7},
        {"", NV_ERR_MALFORMED, 7},
        {"00", NV_ERR_MALFORMED, 7},
        {"01", NV_ERR_MALFORMED, 7},
        {"+1", NV_ERR_MALFORMED, 7},
        {"-1", NV_ERR_MALFORMED, 7},
        {"1.0", NV_ERR_MALFORMED, 7},
        {" 1", NV_ERR_MALFORMED, 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t value = 7;
        assert_int_equal(nv_u64_parse(&value, nv_view_of_text(cases[i].text)), cases[i].err);
        assert_true(value == cases[i].value);
        if (cases[i].err == NV_OK) {
            char text[NV_DECIMAL_TEXT];
            nv_u64_format(text, value);
            assert_string_equal(text, cases[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_there_and_back),
        cmocka_unit_test(other_hex_is_refused),
        cmocka_unit_test(addresses_have_their_mixed_case),
        cmocka_unit_test(a_letter_of_the_wrong_case_is_noticed),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(decimals_there_and_back),
        cmocka_unit_test(decimals_at_the_edges),
        cmocka_unit_test(other_decimals_name_the_right_one),
        cmocka_unit_test(a_zero_byte_is_no_end),
        cmocka_unit_test(whole_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
