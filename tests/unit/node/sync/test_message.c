/* Goal: messages about snapshots come out as they went in, and other bytes are
 * refused.
 * Method: each kind encoded and decoded; every prefix; values beyond their
 * bounds. */

#include <string.h>

#include "node/sync/message.h"
#include "tests/lib/nv_test.h"

static uint8_t bytes[4096];

static struct nv_view encode(const struct sync_message *message)
{
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    sync_encode(&w, message);
    return nv_writer_view(&w);
}

static struct sync_message offers_of(uint32_t count)
{
    struct sync_message message = {.type = SYNC_SNAPSHOTS};
    message.offers.executed_height = 1234;
    message.offers.count = count;
    for (uint32_t i = 0; i < count; i++) {
        message.offers.offer[i].height = 100 - i;
        memset(&message.offers.offer[i].root, (int)i + 1, 32);
        memset(&message.offers.offer[i].manifest_hash, (int)i + 9, 32);
    }
    return message;
}

static void offers_go_there_and_back(void **state)
{
    (void)state;
    struct sync_message out;
    for (uint32_t count = 0; count <= SYNC_OFFERS_MAX; count++) {
        struct sync_message const message = offers_of(count);
        struct nv_view const view = encode(&message);
        assert_true(view.size <= SYNC_OFFERS_SIZE);
        assert_int_equal(sync_decode(&out, SYNC_SNAPSHOTS, view), NV_OK);
        assert_int_equal(out.offers.executed_height, 1234);
        assert_int_equal(out.offers.count, count);
        assert_memory_equal(
            out.offers.offer, message.offers.offer, count * sizeof out.offers.offer[0]);
        for (uint32_t size = 0; size < view.size; size++) {
            assert_int_not_equal(sync_decode(&out, SYNC_SNAPSHOTS, nv_view_of(bytes, size)), NV_OK);
        }
        assert_int_equal(sync_decode(&out, SYNC_SNAPSHOTS, nv_view_of(bytes, view.size + 1)),
                         NV_ERR_TRAILING);
    }
}

static void offers_descend(void **state)
{
    (void)state;
    struct sync_message out;
    struct sync_message message = offers_of(2);
    message.offers.offer[1].height = 100;
    assert_int_equal(sync_decode(&out, SYNC_SNAPSHOTS, encode(&message)), NV_ERR_MALFORMED);
    message.offers.offer[1].height = 0;
    assert_int_equal(sync_decode(&out, SYNC_SNAPSHOTS, encode(&message)), NV_ERR_MALFORMED);
    struct nv_view const view = encode(&message);
    bytes[8] = SYNC_OFFERS_MAX + 1;
    assert_int_equal(sync_decode(&out, SYNC_SNAPSHOTS, view), NV_ERR_TOO_LARGE);
}

static void parts_go_there_and_back(void **state)
{
    (void)state;
    struct sync_message out;
    static uint32_t const parts[] = {0, ST_CHUNKS_MAX - 1, ST_PART_ANCHOR, ST_PART_MANIFEST};
    for (uint32_t i = 0; i < 4; i++) {
        struct sync_message message = {.type = SYNC_PART_REQ,
                                       .part = {.height = 7, .part = parts[i]}};
        assert_int_equal(sync_decode(&out, SYNC_PART_REQ, encode(&message)), NV_OK);
        assert_int_equal(out.part.height, 7);
        assert_int_equal(out.part.part, parts[i]);
        message.type = SYNC_PART;
        message.part.bytes = nv_view_of_text("contents");
        assert_int_equal(sync_decode(&out, SYNC_PART, encode(&message)), NV_OK);
        assert_int_equal(out.part.bytes.size, 8);
        assert_memory_equal(out.part.bytes.bytes, "contents", 8);
        assert_int_equal(sync_decode(&out, SYNC_PART_REQ, encode(&message)), NV_ERR_TRAILING);
        assert_int_equal(sync_decode(&out, SYNC_PART, nv_view_of(bytes, 11)), NV_ERR_TRUNCATED);
    }
    struct sync_message message = {.type = SYNC_PART_REQ,
                                   .part = {.height = 7, .part = ST_CHUNKS_MAX}};
    assert_int_equal(sync_decode(&out, SYNC_PART_REQ, encode(&message)), NV_ERR_MALFORMED);
    message.part = (struct sync_part){.height = 0, .part = 1};
    assert_int_equal(sync_decode(&out, SYNC_PART_REQ, encode(&message)), NV_ERR_MALFORMED);
}

static void a_question_has_no_bytes(void **state)
{
    (void)state;
    struct sync_message out;
    assert_int_equal(sync_decode(&out, SYNC_SNAPSHOTS_REQ, nv_view_of("", 0)), NV_OK);
    assert_int_equal(sync_decode(&out, SYNC_SNAPSHOTS_REQ, nv_view_of("x", 1)), NV_ERR_TRAILING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offers_go_there_and_back),
        cmocka_unit_test(offers_descend),
        cmocka_unit_test(parts_go_there_and_back),
        cmocka_unit_test(a_question_has_no_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
