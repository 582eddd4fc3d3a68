/* Goal: a certificate is a quorum's signatures over one ballot, in one
 * encoding, and nothing less passes.
 * Method: sets of every size to 20; one signer too few; one signature wrong;
 * every bit changed. */

#include <string.h>

#include "consensus/certificate.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/nv_test.h"

static struct cs_net net;
static uint8_t bytes[CS_CERTIFICATE_SIZE_MAX];

static uint32_t encode(const struct cs_certificate *certificate)
{
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_certificate_put(&w, certificate);
    assert_false(w.overflow);
    return w.size;
}

static enum nv_err decode(struct cs_certificate *certificate, uint32_t size)
{
    struct nv_reader r;
    nv_reader_init(&r, nv_view_of(bytes, size));
    NV_TRY(cs_certificate_get(&r, certificate));
    return nv_reader_end(&r);
}

static void quorum_verifies_and_one_less_does_not(void **state)
{
    (void)state;
    struct nv_sig sigs[CS_VALIDATORS_MAX];
    struct cs_ballot const ballot = cs_build_ballot(CS_FINALIZE, 9, 7, cs_build_hash(1));
    for (uint32_t n = 1; n <= 20; n++) {
        struct cs_certificate got;
        cs_net_init(&net, NULL, n);
        struct cs_certificate made = cs_build_quorum(&net, sigs, &ballot);
        uint32_t const size = encode(&made);
        assert_int_equal(size, 58 + (made.signer_count + 7) / 8 + 64 * made.signer_count);
        assert_int_equal(decode(&got, size), NV_OK);
        assert_true(cs_certificate_verify(&got, &net.chain_id, &net.set, NULL));
        if (made.signer_count > 1) {
            made = cs_build_first(&net, sigs, &ballot, made.signer_count - 1);
            assert_int_equal(decode(&got, encode(&made)), NV_OK);
            assert_false(cs_certificate_verify(&got, &net.chain_id, &net.set, NULL));
        }
    }
}

static void every_bit_counts(void **state)
{
    (void)state;
    struct nv_sig sigs[CS_VALIDATORS_MAX];
    uint8_t again[CS_CERTIFICATE_SIZE_MAX];
    struct cs_certificate got;
    struct nv_hash first;
    struct nv_hash hash;
    struct nv_writer w;
    cs_net_init(&net, NULL, 4);
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 9, 7, cs_build_hash(1));
    struct cs_certificate const made = cs_build_quorum(&net, sigs, &ballot);
    uint32_t const size = encode(&made);
    cs_certificate_hash(&first, &made);
    for (uint32_t i = 0; i < 8 * size; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        if (decode(&got, size) == NV_OK) {
            assert_false(cs_certificate_verify(&got, &net.chain_id, &net.set, NULL));
            cs_certificate_hash(&hash, &got);
            assert_false(nv_hash_eq(&hash, &first));
            nv_writer_init(&w, again, sizeof again);
            cs_certificate_put(&w, &got);
            assert_int_equal(w.size, size);
            assert_memory_equal(again, bytes, size);
        }
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (uint32_t cut = 0; cut < size; cut++) {
        assert_int_not_equal(decode(&got, cut), NV_OK);
    }
}

static void refuses_bits_beyond_the_set_and_none_at_all(void **state)
{
    (void)state;
    struct nv_sig sigs[CS_VALIDATORS_MAX];
    struct cs_certificate got;
    cs_net_init(&net, NULL, 5);
    struct cs_ballot const ballot = cs_build_ballot(CS_NULLIFY, 9, 0, cs_build_hash(1));
    struct cs_certificate const made = cs_build_first(&net, sigs, &ballot, 4);
    uint32_t const size = encode(&made);
    assert_int_equal(bytes[57], 1);
    assert_int_equal(bytes[58], 0x0f);
    bytes[58] = 0x2f; /* validator 5 of 0..4, with bytes for its signature */
    memset(bytes + size, 1, 64);
    assert_int_equal(decode(&got, size + 64), NV_OK);
    assert_false(cs_certificate_verify(&got, &net.chain_id, &net.set, NULL));
    bytes[58] = 0;
    assert_int_equal(decode(&got, 59), NV_ERR_MALFORMED);
    bytes[58] = 0x0f;
    bytes[57] = 0; /* no bitmap */
    assert_int_equal(decode(&got, size), NV_ERR_MALFORMED);
    bytes[57] = CS_BITMAP_SIZE + 1;
    assert_int_equal(decode(&got, size), NV_ERR_MALFORMED);
    bytes[57] = 1;
    bytes[0] = 4;
    assert_int_equal(decode(&got, size), NV_ERR_MALFORMED);
    bytes[0] = CS_NULLIFY;
    bytes[57 - 1] = 1; /* a nullification of a block */
    assert_int_equal(decode(&got, size), NV_ERR_MALFORMED);
}

static void known_signatures_are_not_verified_again(void **state)
{
    (void)state;
    struct nv_sig sigs[CS_VALIDATORS_MAX];
    struct cs_bitmap known = {{0}};
    cs_net_init(&net, NULL, 4);
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 9, 7, cs_build_hash(1));
    struct cs_certificate const made = cs_build_first(&net, sigs, &ballot, 3);
    sigs[1].bytes[5] ^= 1;
    assert_false(cs_certificate_verify(&made, &net.chain_id, &net.set, &known));
    cs_bitmap_add(&known, 1);
    assert_true(cs_certificate_verify(&made, &net.chain_id, &net.set, &known));
    sigs[2].bytes[5] ^= 1; /* a signature that nobody vouched for */
    assert_false(cs_certificate_verify(&made, &net.chain_id, &net.set, &known));
}

static void stake_weighs_and_not_heads(void **state)
{
    (void)state;
    struct nv_sig sigs[CS_VALIDATORS_MAX];
    uint64_t const stakes[9] = {17, 1, 1, 1, 1, 1, 1, 1, 1};
    struct cs_bitmap others = {{0}};
    cs_net_init(&net, stakes, 9);
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 9, 7, cs_build_hash(1));
    struct cs_certificate made = cs_build_first(&net, sigs, &ballot, 1);
    assert_true(cs_certificate_verify(&made, &net.chain_id, &net.set, NULL)); /* 17 of 25 */
    for (uint32_t i = 1; i < 9; i++) {
        cs_bitmap_add(&others, i);
    }
    made = cs_build_certificate(&net, sigs, &ballot, &others);
    assert_false(cs_certificate_verify(&made, &net.chain_id, &net.set, NULL)); /* 8 of 25 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quorum_verifies_and_one_less_does_not),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(refuses_bits_beyond_the_set_and_none_at_all),
        cmocka_unit_test(known_signatures_are_not_verified_again),
        cmocka_unit_test(stake_weighs_and_not_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
