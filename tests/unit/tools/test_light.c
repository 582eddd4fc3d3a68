/* Goal: what a light client believes was signed by a quorum of the validators
 * of the genesis, and nothing else is believed.
 *
 * Method: a chain with known keys and a state of a few rows. The whole way is
 * walked once; then every single bit of header, certificate and proof is
 * flipped, and each flip must be refused; then what honest bytes in the wrong
 * place would do: another chain, a notarization, too few signers. */

#include <string.h>

#include "base/codec.h"

#include "tests/lib/light_build.h"
#include "tests/lib/nv_test.h"
#include "tools/light.h"

static struct light_world world;
static struct light_chain chain;
static struct row_model model;
static uint8_t proof_bytes[1u << 14];
static uint32_t proof_size;

static struct nv_row_key key_of(uint8_t table, uint8_t number)
{
    struct nv_row_key key = {{table, 0, 0, number}};
    return key;
}

static void make_rows(void)
{
    static const uint8_t values[] = "what the rows hold";
    model.count = 0;
    for (uint8_t i = 0; i < 12; i++) {
        struct nv_row const row = {key_of(1 + i % 3, i), nv_view_of(values, 3u + i)};
        assert_true(model_put(&model, &row));
    }
}

static int setup(void **state)
{
    (void)state;
    struct nv_hash root;
    struct nv_writer writer;
    struct nv_row_range const range = {key_of(1, 3), key_of(1, 3)};
    light_world_init(&world, NULL, 4);
    make_rows();
    model_root(&root, &model);
    light_world_final(&world, &root, 70, 0);
    nv_writer_init(&writer, proof_bytes, sizeof proof_bytes);
    model_prove(&writer, &model, &range, 1);
    assert_false(writer.overflow);
    proof_size = writer.size;
    assert_int_equal(light_chain_read(&chain, light_world_genesis(&world)), NV_OK);
    return 0;
}

static enum light_verdict check(struct light_final *final)
{
    return light_check(final, &chain, light_world_header(&world), light_world_certificate(&world));
}

static void test_the_way(void **state)
{
    (void)state;
    struct light_final final;
    struct nv_proof proof;
    struct nv_view value;
    struct nv_row_key const there = key_of(1, 3);
    struct nv_row_key const other = key_of(2, 4);
    assert_int_equal(check(&final), LIGHT_OK);
    assert_int_equal(final.height, 70);
    assert_int_equal(final.block_height, 72);
    assert_int_equal(final.signers, 3);
    assert_int_equal(final.validators, 4);
    assert_true(3 * final.stake > 2 * final.stake_total);
    assert_int_equal(light_open(&proof, &final, nv_view_of(proof_bytes, proof_size)), LIGHT_OK);
    assert_int_equal(nv_proof_find(&proof, &there, &value), NV_SHOWN_PRESENT);
    assert_int_equal(value.size, 6);
    assert_int_equal(nv_proof_find(&proof, &other, &value), NV_SHOWN_NOT);
}

/* flip_all flips each bit of some bytes; each must be refused. */
static void flip_all(uint8_t *bytes, uint32_t size)
{
    struct light_final final;
    struct nv_proof proof;
    for (uint32_t bit = 0; bit < 8 * size; bit++) {
        uint8_t const mask = (uint8_t)(1u << (bit % 8));
        bytes[bit / 8] ^= mask;
        enum light_verdict verdict = check(&final);
        if (verdict == LIGHT_OK) {
            verdict = light_open(&proof, &final, nv_view_of(proof_bytes, proof_size));
        }
        assert_int_not_equal(verdict, LIGHT_OK);
        bytes[bit / 8] ^= mask;
    }
    assert_int_equal(check(&final), LIGHT_OK);
}

static void test_flipped_header(void **state)
{
    (void)state;
    flip_all(world.header_bytes, sizeof world.header_bytes);
}

static void test_flipped_certificate(void **state)
{
    (void)state;
    flip_all(world.certificate_bytes, world.certificate_size);
}

static void test_flipped_proof(void **state)
{
    (void)state;
    flip_all(proof_bytes, proof_size);
}

static void test_cut_short(void **state)
{
    (void)state;
    struct light_final final;
    struct nv_proof proof;
    struct nv_view const header = light_world_header(&world);
    struct nv_view const certificate = light_world_certificate(&world);
    for (uint32_t size = 0; size < header.size; size++) {
        assert_int_equal(light_check(&final, &chain, nv_view_of(header.bytes, size), certificate),
                         LIGHT_HEADER);
    }
    for (uint32_t size = 0; size < certificate.size; size++) {
        assert_int_equal(light_check(&final, &chain, header, nv_view_of(certificate.bytes, size)),
                         LIGHT_CERTIFICATE);
    }
    assert_int_equal(check(&final), LIGHT_OK);
    for (uint32_t size = 0; size < proof_size; size++) {
        assert_int_equal(light_open(&proof, &final, nv_view_of(proof_bytes, size)),
                         LIGHT_PROOF_FORM);
    }
}

static void test_other_chain(void **state)
{
    (void)state;
    struct light_final final;
    struct light_chain other = chain;
    other.id.bytes[0] ^= 1u;
    assert_int_equal(
        light_check(&final, &other, light_world_header(&world), light_world_certificate(&world)),
        LIGHT_CHAIN);
}

static void test_other_validators(void **state)
{
    (void)state;
    static struct light_world more;
    struct light_final final;
    struct light_chain other;
    light_world_init(&more, NULL, 5);
    assert_int_equal(light_chain_read(&other, light_world_genesis(&more)), NV_OK);
    other.id = chain.id;
    assert_int_equal(
        light_check(&final, &other, light_world_header(&world), light_world_certificate(&world)),
        LIGHT_VALIDATORS);
}

/* Votes of another kind, for another block, and of a minority prove nothing. */
static void test_other_votes(void **state)
{
    (void)state;
    struct light_final final;
    struct nv_hash block;
    cs_header_hash(&block, &world.header);
    struct cs_ballot ballot =
        cs_build_ballot(CS_NOTARIZE, world.header.view, world.header.parent_view, block);
    light_world_certify(&world, &ballot, 4);
    assert_int_equal(check(&final), LIGHT_NOT_FINAL);
    ballot = cs_build_ballot(CS_NULLIFY, world.header.view, 0, block);
    light_world_certify(&world, &ballot, 4);
    assert_int_equal(check(&final), LIGHT_NOT_FINAL);
    ballot =
        cs_build_ballot(CS_FINALIZE, world.header.view, world.header.parent_view, cs_build_hash(9));
    light_world_certify(&world, &ballot, 4);
    assert_int_equal(check(&final), LIGHT_BLOCK);
    ballot = cs_build_ballot(CS_FINALIZE, world.header.view, world.header.parent_view, block);
    light_world_certify(&world, &ballot, 2);
    assert_int_equal(check(&final), LIGHT_SIGNATURES);
    light_world_certify(&world, &ballot, 4);
    assert_int_equal(check(&final), LIGHT_OK);
}

/* Stake counts, not heads: one validator with most of it is a quorum. */
static void test_stake(void **state)
{
    (void)state;
    static struct light_world rich;
    struct light_chain rich_chain;
    struct light_final final;
    uint64_t const stakes[] = {100, 10, 10, 10, 10};
    struct nv_hash const root = cs_build_hash(1);
    light_world_init(&rich, stakes, 5);
    assert_int_equal(light_chain_read(&rich_chain, light_world_genesis(&rich)), NV_OK);
    light_world_final(&rich, &root, 3, 1);
    assert_int_equal(
        light_check(&final, &rich_chain, light_world_header(&rich), light_world_certificate(&rich)),
        LIGHT_OK);
    assert_int_equal(final.signers, 1);
    assert_int_equal(final.stake, 100);
    assert_int_equal(final.stake_total, 140);
}

static void test_genesis(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "",
        "[]",
        "{}",
        "{\"validators\": []}",
        "{\"validators\": [{\"key\": \"0x00\", \"stake\": \"1\"}]}",
        "{\"validators\": [1]}",
    };
    struct light_chain out;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        assert_int_equal(light_chain_read(&out, nv_view_of_text(broken[i])), NV_ERR_MALFORMED);
    }
    assert_true(nv_hash_eq(&chain.validators.hash, &world.net.set.hash));
    assert_true(chain.devnet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_way, setup),
        cmocka_unit_test_setup(test_flipped_header, setup),
        cmocka_unit_test_setup(test_flipped_certificate, setup),
        cmocka_unit_test_setup(test_flipped_proof, setup),
        cmocka_unit_test_setup(test_cut_short, setup),
        cmocka_unit_test_setup(test_other_chain, setup),
        cmocka_unit_test_setup(test_other_validators, setup),
        cmocka_unit_test_setup(test_other_votes, setup),
        cmocka_unit_test_setup(test_stake, setup),
        cmocka_unit_test_setup(test_genesis, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
