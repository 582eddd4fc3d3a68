/* Goal: signatures are BIP-340's, made the same everywhere; whatever is hostile
 * is refused.
 * Method: all test vectors of BIP-340 with 32-byte messages (vector 0 is the one
 * without auxiliary randomness, so signing is compared there); then own
 * signatures with every bit spoiled; threads. */

#include <pthread.h>

#include "base/key.h"

#include "tests/lib/nv_test.h"

struct vector {
    const char *seckey; /* NULL where only verification is given */
    const char *pubkey;
    const char *digest;
    const char *sig;
    bool valid;
};

static const struct vector vectors[] = {
    {"0000000000000000000000000000000000000000000000000000000000000003",
     "f9308a019258c31049344f85f89d5229b531c845836f99b08601f113bce036f9",
     "0000000000000000000000000000000000000000000000000000000000000000",
     "e907831f80848d1069a5371b402410364bdf1c5f8307b0084c55f1ce2dca8215"
     "25f66a4a85ea8b71e482a74f382d2ce5ebeee8fdb2172f477df4900d310536c0",
     true},
    {"b7e151628aed2a6abf7158809cf4f3c762e7160f38b4da56a784d9045190cfef",
     "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
     "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
     "6896bd60eeae296db48a229ff71dfe071bde413e6d43f917dc8dcf8c78de3341"
     "8906d11ac976abccb20b091292bff4ea897efcb639ea871cfa95f6de339e4b0a",
     true},
    {"c90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b14e5c9",
     "dd308afec5777e13121fa72b9cc1b7cc0139715309b086c960e18fd969774eb8",
     "7e2d58d8b3bcdf1abadec7829054f90dda9805aab56c77333024b9d0a508b75c",
     "5831aaeed7b44bb74e5eab94ba9d4294c49bcf2a60728d8b4c200f50dd313c1b"
     "ab745879a5ad954a72c45a91c3a51d3c7adea98d82f8481e0e1e03674a6f3fb7",
     true},
    /* msg above p and n */
    {"0b432b2677937381aef05bb02a66ecd012773062cf3fa2549e44f58ed2401710",
     "25d1dff95105f5253c4022f628a996ad3a0d95fbf21d468a1b33f8c160d8f517",
     "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "7eb0509757e246f19449885651611cb965ecc1a187dd51b64fda1edc9637d5ec"
     "97582b9cb13db3933705b32ba982af5af25fd78881ebb32771fc5922efc66ea3",
     true},
    {NULL,
     "d69c3509bb99e412e68b0fe8544e72837dfa30746d8be2aa65975f29d22dc7b9",
     "4df3c3f68fcc83b27e9d42c90431a72499f17875c81a599b566c9889b9696703",
     "00000000000000000000003b78ce563f89a0ed9414f5aa28ad0d96d6795f9c63"
     "76afb1548af603b3eb45c9f8207dee1060cb71c04e80f593060b07d28308d7f4",
     true},
    /* the public key is not on the curve */
    {NULL,
     "eefdea4cdb677750a420fee807eacf21eb9898ae79b9768766e4faa04a2d4a34",
     "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
     "6cff5c3ba86c69ea4b7376f31a9bcb4f74c1976089b2d9963da2e5543e177769"
     "69e89b4c5564d00349106b8497785dd7d1d713a8ae82b32fa79d5f7fc407d39b",
     false},
    /* R has an odd y */
    {NULL,
     "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
     "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
     "fff97bd5755eeea420453a14355235d382f6472f8568a18b2f057a1460297556"
     "3cc27944640ac607cd107ae10923d9ef7a73c643e166be5ebeafa34b1ac553e2",
     false},
    /* the message is negated */
    {NULL,
     "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
     "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
     "1fa62e331edbc21c394792d2ab1100a7b432b013df3f6ff4f99fcb33e0e1515f"
     "28890b3edb6e7189b630448b515ce4f8622a954cfe545735aaea5134fccdb2bd",
     false},
    /* s is negated */
    {NULL,
     "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
     "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
     "6cff5c3ba86c69ea4b7376f31a9bcb4f74c1976089b2d9963da2e5543e177769"
     "961764b3aa9b2ffcb6ef947b6887a226e8d7c93e00c5ed0c1834ff0d0c2e6da6",
     false},
    /* sG - eP is infinite; r is 0 */
    {NULL,
     "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
     "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
     "0000000000000000000000000000000000000000000000000000000000000000"
     "123dda8328af9c23a94c1feecfd123ba4fb73476f0d594dcb65c6425bd186051",
     false},
    /* sG - eP is infinite; r is 1 */
    {NULL,
     "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
     "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
     "0000000000000000000000000000000000000000000000000000000000000001"
     "7615fbaf5ae28864013c099742deadb4dba87f11ac6754f93780d5a1837cf197",
     false},
    /* r is no x coordinate */
    {NULL,
     "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
     "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
     "4a298dacae57395a15d0795ddbfd1dcb564da82b0f269bc70a74f8220429ba1d"
     "69e89b4c5564d00349106b8497785dd7d1d713a8ae82b32fa79d5f7fc407d39b",
     false},
    /* r is the field size */
    {NULL,
     "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
     "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f"
     "69e89b4c5564d00349106b8497785dd7d1d713a8ae82b32fa79d5f7fc407d39b",
     false},
    /* s is the curve order */
    {NULL,
     "dff1d77f2a671c5f36183726db2341be58feae1da2deced843240f7b502ba659",
     "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
     "6cff5c3ba86c69ea4b7376f31a9bcb4f74c1976089b2d9963da2e5543e177769"
     "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
     false},
    /* the public key exceeds the field size */
    {NULL,
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30",
     "243f6a8885a308d313198a2e03707344a4093822299f31d0082efa98ec4e6c89",
     "6cff5c3ba86c69ea4b7376f31a9bcb4f74c1976089b2d9963da2e5543e177769"
     "69e89b4c5564d00349106b8497785dd7d1d713a8ae82b32fa79d5f7fc407d39b",
     false},
};

#define VECTORS (sizeof vectors / sizeof vectors[0])

static void bip340_vectors_verify(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        struct nv_pubkey pubkey;
        struct nv_hash digest;
        struct nv_sig sig;
        nv_test_hex(pubkey.bytes, 32, vectors[i].pubkey);
        nv_test_hex(digest.bytes, 32, vectors[i].digest);
        nv_test_hex(sig.bytes, 64, vectors[i].sig);
        assert_int_equal(nv_verify(&sig, &pubkey, &digest), vectors[i].valid);
        bool const key_valid = i != 5 && i != 14;
        assert_int_equal(nv_pubkey_valid(&pubkey), key_valid);
    }
}

static void bip340_keys_are_derived(void **state)
{
    (void)state;
    for (size_t i = 0; i < VECTORS; i++) {
        if (vectors[i].seckey == NULL) {
            continue;
        }
        struct nv_seckey seckey;
        struct nv_pubkey expected;
        struct nv_pubkey got;
        nv_test_hex(seckey.bytes, 32, vectors[i].seckey);
        nv_test_hex(expected.bytes, 32, vectors[i].pubkey);
        assert_int_equal(nv_key_public(&got, &seckey), NV_OK);
        assert_memory_equal(got.bytes, expected.bytes, 32);
    }
}

static void signing_is_deterministic(void **state)
{
    (void)state;
    struct nv_seckey seckey;
    struct nv_hash digest;
    struct nv_sig expected;
    struct nv_sig got;
    nv_test_hex(seckey.bytes, 32, vectors[0].seckey);
    nv_test_hex(digest.bytes, 32, vectors[0].digest);
    nv_test_hex(expected.bytes, 64, vectors[0].sig);
    for (uint32_t i = 0; i < 2; i++) {
        nv_sign(&got, &seckey, &digest);
        assert_memory_equal(got.bytes, expected.bytes, 64);
    }
}

static void a_signer_signs_as_its_key(void **state)
{
    (void)state;
    struct nv_seckey seckey;
    struct nv_seckey const zero = {{0}};
    struct nv_signer signer;
    struct nv_pubkey expected;
    struct nv_pubkey pubkey;
    struct nv_hash digest;
    struct nv_sig sig;
    struct nv_sig got;
    nv_test_hex(seckey.bytes, 32, vectors[0].seckey);
    assert_int_equal(nv_key_public(&expected, &seckey), NV_OK);
    assert_int_equal(nv_signer_init(&signer, &pubkey, &zero), NV_ERR_RANGE);
    assert_int_equal(nv_signer_init(&signer, &pubkey, &seckey), NV_OK);
    assert_memory_equal(pubkey.bytes, expected.bytes, 32);
    for (uint32_t i = 0; i < 20; i++) {
        memset(digest.bytes, (int)i, sizeof digest.bytes);
        nv_sign(&sig, &seckey, &digest);
        nv_signer_sign(&got, &signer, &digest);
        assert_memory_equal(got.bytes, sig.bytes, 64);
    }
}

/* Many keys, and others in their places, each after others and again at once. */
static void many_keys_take_turns(void **state)
{
    (void)state;
    static struct nv_pubkey pubkey[200];
    static struct nv_sig sig[200];
    struct nv_hash const digest = {{7}};
    for (uint32_t i = 0; i < 200; i++) {
        uint8_t const seed[32] = {(uint8_t)i, 1};
        struct nv_seckey seckey;
        assert_int_equal(nv_key_from_seed(&seckey, &pubkey[i], seed), NV_OK);
        nv_sign(&sig[i], &seckey, &digest);
    }
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t const who = i * 37 % 200;
        assert_true(nv_verify(&sig[who], &pubkey[who], &digest));
        assert_false(nv_verify(&sig[who], &pubkey[(who + 1) % 200], &digest));
        assert_true(nv_verify(&sig[who], &pubkey[who], &digest));
        struct nv_pubkey none = pubkey[who];
        memset(none.bytes + 2, 0xff, 30); /* in the same place, mostly no point */
        assert_false(nv_verify(&sig[who], &none, &digest));
    }
}

static void a_spoiled_bit_is_noticed(void **state)
{
    (void)state;
    struct nv_test_rng rng = {1};
    uint8_t seed[32];
    struct nv_seckey seckey;
    struct nv_pubkey pubkey;
    struct nv_hash digest;
    struct nv_sig sig;
    nv_test_fill(&rng, seed, sizeof seed);
    nv_test_fill(&rng, digest.bytes, sizeof digest.bytes);
    assert_int_equal(nv_key_from_seed(&seckey, &pubkey, seed), NV_OK);
    nv_sign(&sig, &seckey, &digest);
    assert_true(nv_verify(&sig, &pubkey, &digest));
    for (uint32_t bit = 0; bit < 512; bit++) {
        sig.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(nv_verify(&sig, &pubkey, &digest));
        sig.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (uint32_t bit = 0; bit < 256; bit++) {
        digest.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(nv_verify(&sig, &pubkey, &digest));
        digest.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        pubkey.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(nv_verify(&sig, &pubkey, &digest));
        pubkey.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(nv_verify(&sig, &pubkey, &digest));
}

/* The group's order and its neighbours. */
static void secret_keys_have_a_range(void **state)
{
    (void)state;
    static const struct {
        const char *seckey;
        enum nv_err err;
    } cases[] = {
        {"0000000000000000000000000000000000000000000000000000000000000000", NV_ERR_RANGE},
        {"0000000000000000000000000000000000000000000000000000000000000001", NV_OK},
        {"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140", NV_OK},
        {"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", NV_ERR_RANGE},
        {"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", NV_ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct nv_seckey seckey;
        struct nv_pubkey pubkey;
        nv_test_hex(seckey.bytes, 32, cases[i].seckey);
        assert_int_equal(nv_key_public(&pubkey, &seckey), cases[i].err);
    }
}

static void signs_with_zero(void *ctx)
{
    struct nv_seckey const zero = {{0}};
    struct nv_hash const digest = {{0}};
    nv_sign((struct nv_sig *)ctx, &zero, &digest);
}

static void signing_with_no_key_is_a_mistake(void **state)
{
    (void)state;
    struct nv_sig sig;
    NV_TEST_DIES(signs_with_zero, &sig);
}

#define THREADS 4u
#define ROUNDS  20u

static void *sign_and_verify(void *ctx)
{
    uint8_t const *const start = (const uint8_t *)ctx;
    uint8_t seed[32] = {*start};
    struct nv_seckey seckey;
    struct nv_pubkey pubkey;
    struct nv_sig sig;
    bool good = nv_key_from_seed(&seckey, &pubkey, seed) == NV_OK;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct nv_hash digest = {{0}};
        digest.bytes[0] = (uint8_t)i;
        nv_sign(&sig, &seckey, &digest);
        good = nv_verify(&sig, &pubkey, &digest) && good;
    }
    return good ? ctx : NULL;
}

static void threads_share_the_contexts(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    uint8_t starts[THREADS];
    for (uint32_t i = 0; i < THREADS; i++) {
        starts[i] = (uint8_t)i;
        assert_int_equal(pthread_create(&threads[i], NULL, sign_and_verify, &starts[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &starts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bip340_vectors_verify),
        cmocka_unit_test(bip340_keys_are_derived),
        cmocka_unit_test(signing_is_deterministic),
        cmocka_unit_test(a_signer_signs_as_its_key),
        cmocka_unit_test(many_keys_take_turns),
        cmocka_unit_test(a_spoiled_bit_is_noticed),
        cmocka_unit_test(secret_keys_have_a_range),
        cmocka_unit_test(signing_with_no_key_is_a_mistake),
        cmocka_unit_test(threads_share_the_contexts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
