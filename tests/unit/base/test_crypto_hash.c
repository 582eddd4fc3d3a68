/* Goal: SHA-256 and the tagged hash are the published ones, from any thread.
 * Method: FIPS 180-4 vectors; BIP-340's own tags; parts against the whole;
 * several threads that compute the same chain. */

#include <pthread.h>

#include "base/hash.h"

#include "tests/lib/nv_test.h"

static void assert_hash(const struct nv_hash *got, const char *expected)
{
    struct nv_hash hash;
    nv_test_hex(hash.bytes, sizeof hash.bytes, expected);
    assert_memory_equal(got->bytes, hash.bytes, sizeof hash.bytes);
}

static void published_vectors(void **state)
{
    (void)state;
    static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    struct nv_hash hash;
    nv_sha256(&hash, nv_view_of(NULL, 0));
    assert_hash(&hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    nv_sha256(&hash, nv_view_of_text("abc"));
    assert_hash(&hash, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    nv_sha256(&hash, nv_view_of_text(two_blocks));
    assert_hash(&hash, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void a_million_letters(void **state)
{
    (void)state;
    static uint8_t letters[1000000];
    struct nv_hash hash;
    memset(letters, 'a', sizeof letters);
    nv_sha256(&hash, nv_view_of(letters, sizeof letters));
    assert_hash(&hash, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void parts_are_the_whole(void **state)
{
    (void)state;
    uint8_t bytes[200];
    struct nv_test_rng rng = {1};
    nv_test_fill(&rng, bytes, sizeof bytes);
    for (uint32_t round = 0; round < 500; round++) {
        uint32_t const size = nv_test_below(&rng, sizeof bytes + 1);
        uint32_t const a = nv_test_below(&rng, size + 1);
        uint32_t const b = a + nv_test_below(&rng, size - a + 1);
        struct nv_view const parts[4] = {
            nv_view_of(bytes, a),
            nv_view_of(NULL, 0),
            nv_view_of(bytes + a, b - a),
            nv_view_of(bytes + b, size - b),
        };
        struct nv_hash whole;
        struct nv_hash split;
        nv_sha256(&whole, nv_view_of(bytes, size));
        nv_sha256_parts(&split, parts, 4);
        assert_true(nv_hash_eq(&whole, &split));
    }
}

static void tagged_hash_is_its_formula(void **state)
{
    (void)state;
    struct nv_hash tag;
    struct nv_hash expected;
    struct nv_hash got;
    nv_sha256(&tag, nv_view_of_text("BIP0340/challenge"));
    /* As implementations of BIP-340 have it precomputed. */
    assert_hash(&tag, "7bb52d7a9fef58323eb1bf7a407db382d2f3f2d81bb1224f49fe518f6d48d37c");
    struct nv_view const parts[3] = {
        nv_hash_view(&tag), nv_hash_view(&tag), nv_view_of_text("message")};
    nv_sha256_parts(&expected, parts, 3);
    nv_tagged_hash(&got, "BIP0340/challenge", parts + 2, 1);
    assert_true(nv_hash_eq(&got, &expected));

    struct nv_view const halves[2] = {nv_view_of_text("mess"), nv_view_of_text("age")};
    nv_tagged_hash(&got, "BIP0340/challenge", halves, 2);
    assert_true(nv_hash_eq(&got, &expected));
    nv_tagged_hash(&got, "BIP0340/nonce", halves, 2);
    assert_false(nv_hash_eq(&got, &expected));
}

static void the_output_may_lie_in_the_input(void **state)
{
    (void)state;
    struct nv_hash expected;
    struct nv_hash hash = {{1, 2, 3}};
    nv_sha256(&expected, nv_hash_view(&hash));
    nv_sha256(&hash, nv_hash_view(&hash));
    assert_true(nv_hash_eq(&hash, &expected));
}

static void hashes_are_ordered_by_bytes(void **state)
{
    (void)state;
    struct nv_hash const zero = {{0}};
    struct nv_hash const low = {{0, 0xff}};
    struct nv_hash const high = {{0x80}};
    struct nv_hash last = {{0}};
    last.bytes[31] = 1;
    assert_true(nv_hash_is_zero(&zero));
    assert_false(nv_hash_is_zero(&last));
    assert_false(nv_hash_is_zero(&high));
    assert_true(nv_hash_cmp(&zero, &last) < 0);
    assert_true(nv_hash_cmp(&low, &high) < 0);
    assert_true(nv_hash_cmp(&high, &low) > 0);
    assert_int_equal(nv_hash_cmp(&low, &low), 0);
    assert_false(nv_hash_eq(&zero, &last));
}

#define THREADS 4u
#define CHAIN   2000u

static void *hash_chain(void *out)
{
    struct nv_hash *const hash = (struct nv_hash *)out;
    for (uint32_t i = 0; i < CHAIN; i++) {
        nv_sha256(hash, nv_hash_view(hash));
    }
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    struct nv_hash results[THREADS] = {{{0}}};
    struct nv_hash expected = {{0}};
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, hash_chain, &results[i]), 0);
    }
    hash_chain(&expected);
    for (uint32_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(nv_hash_eq(&results[i], &expected));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(a_million_letters),
        cmocka_unit_test(parts_are_the_whole),
        cmocka_unit_test(tagged_hash_is_its_formula),
        cmocka_unit_test(the_output_may_lie_in_the_input),
        cmocka_unit_test(hashes_are_ordered_by_bytes),
        cmocka_unit_test(threads_do_not_disturb_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
