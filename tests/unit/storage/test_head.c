/* Goal: the head of a checkpoint is the bytes of docs/spec/state.md section 5, and
 * damaged bytes are refused.
 * Method: one head written out by hand; every bit flipped, every length. */

#include "base/codec.h"

#include "storage/db.h"
#include "tests/lib/nv_test.h"

static struct st_head sample(void)
{
    struct st_head head = {.height = 0x0102030405060708ull, .row_count = 99};
    memset(head.block_hash.bytes, 0xaa, 32);
    memset(head.root.bytes, 0xbb, 32);
    return head;
}

static void the_bytes_are_those_of_the_page(void **state)
{
    (void)state;
    struct st_head const head = sample();
    struct st_head back;
    uint8_t bytes[ST__HEAD_SIZE];
    uint8_t expected[84];
    struct nv_hash checksum;
    nv_test_hex(expected, 12, "000000010102030405060708");
    memset(expected + 12, 0xaa, 32);
    memset(expected + 44, 0xbb, 32);
    nv_be64_store(expected + 76, 99);
    nv_sha256(&checksum, nv_view_of(expected, sizeof expected));
    st__head_encode(bytes, &head);
    assert_memory_equal(bytes, expected, sizeof expected);
    assert_memory_equal(bytes + 84, &checksum, 32);
    assert_int_equal(st__head_decode(&back, nv_view_of(bytes, sizeof bytes)), NV_OK);
    assert_int_equal(back.height, head.height);
    assert_int_equal(back.row_count, head.row_count);
    assert_memory_equal(&back.root, &head.root, 32);
    assert_memory_equal(&back.block_hash, &head.block_hash, 32);
}

static void damage_is_refused(void **state)
{
    (void)state;
    struct st_head const head = sample();
    struct st_head back;
    uint8_t bytes[ST__HEAD_SIZE + 1] = {0};
    st__head_encode(bytes, &head);
    for (uint32_t i = 0; i < ST__HEAD_SIZE * 8; i++) {
        bytes[i / 8] = (uint8_t)(bytes[i / 8] ^ (1u << (i % 8)));
        enum nv_err const err = st__head_decode(&back, nv_view_of(bytes, ST__HEAD_SIZE));
        assert_int_equal(err, i < 32 ? NV_ERR_VERSION : NV_ERR_CORRUPT);
        bytes[i / 8] = (uint8_t)(bytes[i / 8] ^ (1u << (i % 8)));
    }
    for (uint32_t size = 0; size <= sizeof bytes; size++) {
        enum nv_err const err = st__head_decode(&back, nv_view_of(bytes, size));
        assert_int_equal(err, size == ST__HEAD_SIZE ? NV_OK : NV_ERR_CORRUPT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bytes_are_those_of_the_page),
        cmocka_unit_test(damage_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
