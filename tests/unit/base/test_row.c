/* Goal: bits, order and hashes of rows are those of docs/spec/state.md.
 * Method: single bits at every position, hashes from their definition written out. */

#include "base/row.h"

#include "tests/lib/nv_test.h"

static void bits_count_from_the_highest(void **state)
{
    (void)state;
    for (uint32_t depth = 0; depth < NV_ROW_KEY_BITS; depth++) {
        struct nv_row_key key = {{0}};
        key.bytes[depth / 8] = (uint8_t)(0x80u >> (depth % 8));
        for (uint32_t i = 0; i < NV_ROW_KEY_BITS; i++) {
            assert_int_equal(nv_row_key_bit(&key, i), i == depth);
        }
    }
}

static void the_first_difference_is_found(void **state)
{
    (void)state;
    struct nv_test_rng rng = {1};
    for (uint32_t depth = 0; depth < NV_ROW_KEY_BITS; depth++) {
        struct nv_row_key a;
        struct nv_row_key b;
        nv_test_fill(&rng, &a, sizeof a);
        nv_test_fill(&rng, &b, sizeof b);
        for (uint32_t i = 0; i <= depth; i++) {
            uint8_t const mask = (uint8_t)(0x80u >> (i % 8));
            uint8_t const want = (uint8_t)(a.bytes[i / 8] ^ (i == depth ? mask : 0));
            b.bytes[i / 8] = (uint8_t)((b.bytes[i / 8] & ~mask) | (want & mask));
        }
        assert_int_equal(nv_row_key_diff(&a, &b), depth);
        assert_int_equal(nv_row_key_diff(&b, &a), depth);
        assert_int_equal(nv_row_key_cmp(&a, &b) < 0, nv_row_key_bit(&b, depth));
        assert_int_equal(nv_row_key_diff(&a, &a), NV_ROW_KEY_BITS);
    }
}

static void a_reach_is_a_prefix_and_a_bit(void **state)
{
    (void)state;
    struct nv_test_rng rng = {2};
    for (uint32_t depth = 0; depth < NV_ROW_KEY_BITS; depth++) {
        struct nv_row_range reach;
        struct nv_row_key near;
        nv_test_fill(&rng, &near, sizeof near);
        bool const bit = !nv_row_key_bit(&near, depth);
        nv_row_key_reach(&reach, &near, depth, bit);
        assert_int_equal(nv_row_key_diff(&reach.first, &near), depth);
        assert_int_equal(nv_row_key_diff(&reach.last, &near), depth);
        for (uint32_t i = depth + 1; i < NV_ROW_KEY_BITS; i++) {
            assert_false(nv_row_key_bit(&reach.first, i));
            assert_true(nv_row_key_bit(&reach.last, i));
        }
        nv_row_key_reach(&reach, &near, depth, !bit);
        assert_true(nv_row_key_cmp(&reach.first, &near) <= 0);
        assert_true(nv_row_key_cmp(&near, &reach.last) <= 0);
        assert_int_equal(nv_row_key_bit(&reach.first, depth), !bit);
    }
}

static void hashes_are_those_of_the_page(void **state)
{
    (void)state;
    struct nv_hash left = {{1}};
    struct nv_hash right = {{2}};
    struct nv_hash want;
    struct nv_hash got;
    uint8_t bytes[66] = {0};

    memset(bytes + 1, 'k', 32);
    memcpy(bytes + 33, left.bytes, 32);
    nv_sha256(&want, nv_view_of(bytes, 65));
    struct nv_row_key key;
    memset(key.bytes, 'k', 32);
    nv_row_leaf_hash(&got, &key, &left);
    assert_memory_equal(&got, &want, 32);

    bytes[0] = 1;
    bytes[1] = 200;
    memcpy(bytes + 2, left.bytes, 32);
    memcpy(bytes + 34, right.bytes, 32);
    nv_sha256(&want, nv_view_of(bytes, 66));
    nv_row_inner_hash(&got, 200, &left, &right);
    assert_memory_equal(&got, &want, 32);
    nv_row_inner_hash(&right, 200, &left, &right);
    assert_memory_equal(&right, &want, 32);

    /* SHA-256 of the byte 02, from another implementation. */
    nv_row_empty_root(&got);
    nv_test_hex(want.bytes, 32, "dbc1b4c900ffe48d575b5da5c638040125f65db0fe3e24494b76ea986457d986");
    assert_memory_equal(&got, &want, 32);
}

static void the_next_key_carries_and_ends(void **state)
{
    (void)state;
    struct nv_row_key key = {{0}};
    struct nv_row_key want = {{0}};
    assert_true(nv_row_key_next(&key));
    want.bytes[31] = 1;
    assert_memory_equal(&key, &want, sizeof key);
    memset(key.bytes + 1, 0xff, 31);
    assert_true(nv_row_key_next(&key));
    memset(&want, 0, sizeof want);
    want.bytes[0] = 1;
    assert_memory_equal(&key, &want, sizeof key);
    memset(&key, 0xff, sizeof key);
    assert_false(nv_row_key_next(&key));
    want.bytes[0] = 0;
    assert_memory_equal(&key, &want, sizeof key);
}

static void a_prefix_has_all_keys_that_begin_with_it(void **state)
{
    (void)state;
    struct nv_row_range range;
    struct nv_row_range want;
    memset(&want.first, 0, sizeof want.first);
    memset(&want.last, 0xff, sizeof want.last);
    nv_row_range_prefix(&range, NULL, 0);
    assert_memory_equal(&range, &want, sizeof range);
    nv_row_range_prefix(&range, (const uint8_t *)"ab", 2);
    memcpy(want.first.bytes, "ab", 2);
    memcpy(want.last.bytes, "ab", 2);
    assert_memory_equal(&range, &want, sizeof range);
    nv_row_range_prefix(&range, want.first.bytes, NV_ROW_KEY_SIZE);
    assert_memory_equal(&range.first, &want.first, sizeof range.first);
    assert_memory_equal(&range.last, &want.first, sizeof range.last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_count_from_the_highest),
        cmocka_unit_test(the_first_difference_is_found),
        cmocka_unit_test(a_reach_is_a_prefix_and_a_bit),
        cmocka_unit_test(the_next_key_carries_and_ends),
        cmocka_unit_test(a_prefix_has_all_keys_that_begin_with_it),
        cmocka_unit_test(hashes_are_those_of_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
