/* Goal: Keccak-256 is Ethereum's.
 * Method: known digests; the sizes around the block of 136 bytes are checked
 * against the second implementation's vectors in test_golden.c. */

#include "base/keccak.h"

#include "tests/lib/nv_test.h"

static void known_digests(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *hash;
    } cases[] = {
        {"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"},
        {"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"},
        /* the first four bytes are an ERC-20 transfer's selector */
        {"transfer(address,uint256)",
         "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nv_hash got;
        struct nv_hash expected;
        nv_keccak256(&got, nv_view_of_text(cases[i].text));
        nv_test_hex(expected.bytes, 32, cases[i].hash);
        assert_memory_equal(got.bytes, expected.bytes, 32);
    }
}

static void nothing_needs_no_pointer(void **state)
{
    (void)state;
    struct nv_hash a;
    struct nv_hash b;
    nv_keccak256(&a, nv_view_of(NULL, 0));
    nv_keccak256(&b, nv_view_of_text(""));
    assert_true(nv_hash_eq(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests),
        cmocka_unit_test(nothing_needs_no_pointer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
