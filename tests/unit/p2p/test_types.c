/* Goal: the header's table and the page that describes it are one thing.
 * Method: each row of P2P_TYPES must stand in docs/spec/p2p.md word for word, and each reason must
 * have a name and a text of its own. */

#include <stdio.h>
#include <string.h>

#include "p2p/p2p.h"
#include "p2p/types.h"
#include "tests/lib/nv_test.h"

static char page[65536];

static int read_page(void **state)
{
    (void)state;
    FILE *file = fopen("docs/spec/p2p.md", "rb");
    assert_non_null(file);
    size_t const size = fread(page, 1, sizeof(page) - 1, file);
    (void)fclose(file);
    page[size] = '\0';
    return size == 0 ? -1 : 0;
}

/* with_commas writes 98304 as 98,304. */
static const char *with_commas(char out[16], uint32_t value)
{
    if (value >= 1000) {
        (void)snprintf(out, 16, "%u,%03u", value / 1000, value % 1000);
    } else {
        (void)snprintf(out, 16, "%u", value);
    }
    return out;
}

static void expect_row(uint32_t number, const char *name, uint32_t lanes, uint32_t bytes_max)
{
    static const char *const lane_text[] = {"", "0", "1", "0, 1"};
    char size[16];
    char row[128];
    (void)snprintf(row,
                   sizeof(row),
                   "| %u | %s | %s | %s |\n",
                   number,
                   name,
                   lane_text[lanes],
                   with_commas(size, bytes_max));
    if (strstr(page, row) == NULL) {
        fail_msg("docs/spec/p2p.md lacks the row %s", row);
    }
}

static void test_the_page_has_every_type(void **state)
{
    (void)state;
    expect_row(P2P__TYPE_AUTH, "AUTH", 3, P2P__AUTH_SIZE);
    expect_row(P2P__TYPE_REFUSE, "REFUSE", 3, P2P__REFUSE_SIZE);
    expect_row(P2P__TYPE_PING, "PING", 3, P2P__PING_SIZE);
    expect_row(P2P__TYPE_PONG, "PONG", 3, P2P__PING_SIZE);
    expect_row(P2P__TYPE_ADDRESS, "ADDRESS", 2, P2P__ADDRESS_BYTES);
#define EXPECT(number, name, lanes, bytes_max, replaces)                                           \
    expect_row((number), #name, (lanes), (bytes_max));
    P2P_TYPES(EXPECT)
#undef EXPECT
}

static void test_bounds_by_lane(void **state)
{
    (void)state;
    assert_int_equal(p2p_type_max(P2P_TYPE_VOTE, 0), 160);
    assert_int_equal(p2p_type_max(P2P_TYPE_VOTE, 1), 0);
    assert_int_equal(p2p_type_max(P2P_TYPE_BODY_CHUNK, 0), 66560);
    assert_int_equal(p2p_type_max(P2P_TYPE_BODY_CHUNK, 1), 66560);
    assert_int_equal(p2p_type_max(P2P__TYPE_PING, 0), 0); /* not for others to send */
    assert_int_equal(p2p_type_max(200, 0), 0);
    assert_true(p2p__type_replaces(P2P_TYPE_STATUS));
    assert_false(p2p__type_replaces(P2P_TYPE_VOTE));
    assert_false(p2p__type_replaces(0));
}

static void test_every_reason_is_worded(void **state)
{
    (void)state;
    assert_string_equal(p2p_reason_name(P2P_REASON_CHAIN), "CHAIN");
    for (uint32_t a = 0; a < P2P_REASON_COUNT; a++) {
        assert_string_not_equal(p2p_reason_name((enum p2p_reason)a), "unknown");
        for (uint32_t b = a + 1; b < P2P_REASON_COUNT; b++) {
            assert_string_not_equal(p2p_reason_text((enum p2p_reason)a),
                                    p2p_reason_text((enum p2p_reason)b));
        }
    }
    assert_string_equal(p2p_reason_name((enum p2p_reason)P2P_REASON_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_page_has_every_type),
        cmocka_unit_test(test_bounds_by_lane),
        cmocka_unit_test(test_every_reason_is_worded),
    };
    return cmocka_run_group_tests(tests, read_page, NULL);
}
