/* test_inbox.c - the ring gives back what was put in, in order, and refuses
 * what does not fit.
 *
 * Method: random items go in and out of a small ring beside a plain list of
 * what must come; every byte is compared.  Sizes near the ring's own, and a
 * ring filled to its last byte, are tried by hand. */

#include <string.h>

#include "node/mail/inbox.h"
#include "tests/lib/nv_test.h"

#define CAP  512u
#define HEAD 24u

static struct node_inbox inbox;

static bool put(uint32_t tag, uint32_t size)
{
    uint8_t bytes[CAP];
    memset(bytes, (int)(tag & 0xff), sizeof bytes);
    struct node_inbox_item const item = {
        .kind = tag, .peer = tag + 1, .type = tag + 2, .ticket = tag + 3, .bytes = {bytes, size}};
    return node_inbox_put(&inbox, &item);
}

static void expect(uint32_t tag, uint32_t size)
{
    struct node_inbox_item item;
    assert_true(node_inbox_take(&inbox, &item));
    assert_int_equal(item.kind, tag);
    assert_int_equal(item.peer, tag + 1);
    assert_int_equal(item.type, tag + 2);
    assert_int_equal(item.ticket, tag + 3);
    assert_int_equal(item.bytes.size, size);
    for (uint32_t i = 0; i < size; i++) {
        assert_int_equal(item.bytes.bytes[i], tag & 0xff);
    }
}

static void test_random(void **state)
{
    (void)state;
    struct {
        uint32_t tag, size;
    } model[64];
    uint32_t first = 0;
    uint32_t count = 0;
    uint32_t refused = 0;
    struct nv_test_rng rng = {7};
    assert_int_equal(node_inbox_open(&inbox, CAP), NV_OK);
    for (uint32_t i = 0; i < 20000; i++) {
        uint32_t const size = nv_test_below(&rng, 120);
        if (nv_test_below(&rng, 2) == 0 && count < 64) {
            if (put(i, size)) {
                model[(first + count) % 64].tag = i;
                model[(first + count) % 64].size = size;
                count++;
            } else {
                refused++;
            }
        } else if (count > 0) {
            expect(model[first % 64].tag, model[first % 64].size);
            first++;
            count--;
        }
        assert_int_equal(node_inbox_empty(&inbox), count == 0);
    }
    assert_true(refused > 100);
    node_inbox_close(&inbox);
}

static void test_edges(void **state)
{
    (void)state;
    struct node_inbox_item item;
    assert_int_equal(node_inbox_open(&inbox, CAP), NV_OK);
    assert_false(node_inbox_take(&inbox, &item));
    assert_false(put(1, CAP - HEAD + 1));
    assert_true(put(1, CAP - HEAD)); /* all of it */
    assert_false(put(2, 0));
    expect(1, CAP - HEAD);
    assert_false(put(2, 0)); /* what was given out is still borrowed */
    assert_false(node_inbox_take(&inbox, &item));
    for (uint32_t i = 0; i < CAP / HEAD; i++) {
        assert_true(put(i, 0));
    }
    assert_false(put(99, 0));
    for (uint32_t i = 0; i < CAP / HEAD; i++) {
        expect(i, 0);
    }
    node_inbox_close(&inbox);
}

static void test_wraps_with_a_short_end(void **state)
{
    (void)state;
    struct node_inbox_item item;
    assert_int_equal(node_inbox_open(&inbox, CAP), NV_OK);
    assert_true(put(1, 200));
    assert_true(put(2, CAP - HEAD - 200 - HEAD - 8)); /* leaves 8 bytes at the end */
    expect(1, 200);
    assert_false(put(3, 8)); /* 1 is still borrowed */
    expect(2, CAP - HEAD - 200 - HEAD - 8);
    assert_true(put(3, 100)); /* from the beginning */
    expect(3, 100);
    assert_false(node_inbox_take(&inbox, &item));
    node_inbox_close(&inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_wraps_with_a_short_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
