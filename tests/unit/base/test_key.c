/* Goal: keys from seeds, and addresses, are those of the specification.
 * Method: the formulas written out with base/hash.h (the vectors of
 * tests/golden/bytes.json are checked in test_golden.c). */

#include "base/key.h"

#include "tests/lib/nv_test.h"

static void a_seed_gives_one_key(void **state)
{
    (void)state;
    struct nv_test_rng rng = {1};
    for (uint32_t i = 0; i < 20; i++) {
        uint8_t seed[32];
        struct nv_seckey seckey;
        struct nv_pubkey pubkey;
        struct nv_pubkey again;
        struct nv_hash expected;
        nv_test_fill(&rng, seed, sizeof seed);
        struct nv_view const part = nv_view_of(seed, sizeof seed);
        nv_tagged_hash(&expected, "novate/seckey/v1", &part, 1);
        assert_int_equal(nv_key_from_seed(&seckey, &pubkey, seed), NV_OK);
        assert_memory_equal(seckey.bytes, expected.bytes, 32);
        assert_int_equal(nv_key_public(&again, &seckey), NV_OK);
        assert_memory_equal(pubkey.bytes, again.bytes, 32);
        assert_true(nv_pubkey_valid(&pubkey));
    }
}

static void an_address_is_the_end_of_a_hash(void **state)
{
    (void)state;
    struct nv_pubkey pubkey = {{7}};
    struct nv_hash hash;
    struct nv_address address;
    struct nv_view const part = nv_view_of(pubkey.bytes, 32);
    nv_tagged_hash(&hash, "novate/address/v1", &part, 1);
    nv_address_of_key(&address, &pubkey);
    assert_memory_equal(address.bytes, hash.bytes + 12, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_seed_gives_one_key),
        cmocka_unit_test(an_address_is_the_end_of_a_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
