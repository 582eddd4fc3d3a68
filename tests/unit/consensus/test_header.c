/* Goal: a header has one encoding, and every bit of it is in the hash.
 * Method: every single bit changed; every truncation. */

#include <string.h>

#include "consensus/header.h"
#include "tests/lib/nv_test.h"

static void every_bit_counts(void **state)
{
    (void)state;
    struct nv_test_rng rng = {1};
    uint8_t bytes[CS_HEADER_SIZE];
    uint8_t again[CS_HEADER_SIZE];
    struct cs_header header;
    struct nv_hash hash;
    struct nv_hash first;
    struct nv_reader r;
    struct nv_writer w;
    nv_test_fill(&rng, bytes, sizeof bytes);
    nv_be16_store(bytes, CS_HEADER_VERSION);
    nv_reader_init(&r, nv_view_of(bytes, sizeof bytes));
    assert_int_equal(cs_header_get(&r, &header), NV_OK);
    cs_header_hash(&first, &header);
    for (uint32_t i = 0; i < 8 * CS_HEADER_SIZE; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        nv_reader_init(&r, nv_view_of(bytes, sizeof bytes));
        enum nv_err const err = cs_header_get(&r, &header);
        assert_int_equal(err, i < 16 ? NV_ERR_VERSION : NV_OK);
        if (err == NV_OK) {
            nv_writer_init(&w, again, sizeof again);
            cs_header_put(&w, &header);
            assert_int_equal(w.size, sizeof bytes);
            assert_memory_equal(again, bytes, sizeof bytes);
            cs_header_hash(&hash, &header);
            assert_false(nv_hash_eq(&hash, &first));
        }
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

static void short_bytes_are_no_header(void **state)
{
    (void)state;
    uint8_t bytes[CS_HEADER_SIZE] = {0, CS_HEADER_VERSION};
    struct cs_header header;
    struct nv_reader r;
    for (uint32_t size = 0; size < CS_HEADER_SIZE; size++) {
        nv_reader_init(&r, nv_view_of(bytes, size));
        assert_int_equal(cs_header_get(&r, &header), NV_ERR_TRUNCATED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(short_bytes_are_no_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
