/* Goal: a light client believes what a quorum of an epoch's validators signed
 * and what follows from it by hashes, and nothing else, whatever bytes it is
 * given.
 *
 * Method: a chain with known keys and a state of a few rows. The whole way is
 * walked once, over several epochs with other keys each; then what honest bytes
 * in the wrong place would do, one verdict after the other; then every single
 * bit of each object that decides is flipped. */

#include <string.h>

#include "base/codec.h"

#include "consensus/light_client.h"
#include "tests/lib/light_build.h"
#include "tests/lib/nv_test.h"

#define TRUSTING UINT64_C(5000)

static struct light_world world;
static struct cs_light light;
static struct row_model model;
static struct nv_hash root;
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
    struct nv_writer writer;
    struct nv_row_range const range = {key_of(1, 3), key_of(1, 3)};
    model.count = 0;
    for (uint8_t i = 0; i < 12; i++) {
        struct nv_row const row = {key_of(1 + i % 3, i), nv_view_of(values, 3u + i)};
        assert_true(model_put(&model, &row));
    }
    model_root(&root, &model);
    nv_writer_init(&writer, proof_bytes, sizeof proof_bytes);
    model_prove(&writer, &model, &range, 1);
    assert_false(writer.overflow);
    proof_size = writer.size;
}

static int setup(void **state)
{
    (void)state;
    light_world_init(&world, NULL, 4);
    make_rows();
    cs_light_init(&light, &world.net.chain_id, LIGHT_TIME_MS, TRUSTING, &world.net.set);
    light_world_final(&world, &root, 70, 0);
    return 0;
}

static enum cs_light_verdict check_at(struct cs_light_final *final, uint64_t now_ms)
{
    struct cs_light_block const block = light_world_block(&world);
    return cs_light_final(final, &light, now_ms, &block);
}

static enum cs_light_verdict check(void)
{
    struct cs_light_final final;
    return check_at(&final, LIGHT_TIME_MS);
}

/* boundary makes the block that closes the epoch for the next validators. */
static void boundary(const struct cs_net *next, uint64_t height)
{
    light_world_final(&world, &root, height, 0);
    world.header.next_valset_hash = next->set.hash;
    light_world_seal(&world, 0);
}

static enum cs_light_verdict advance(const struct cs_net *next)
{
    uint8_t set[CS_VALSET_SIZE_MAX];
    struct cs_light_block const block = light_world_block(&world);
    uint32_t const size = cs_valset_encode(&next->set, set);
    return cs_light_advance(&light, world.header.time_ms, &block, nv_view_of(set, size));
}

/* ---- one epoch ---- */

static void test_the_way(void **state)
{
    (void)state;
    struct cs_light_final final;
    struct nv_proof proof;
    struct nv_view value;
    struct nv_row_key const there = key_of(1, 3);
    struct nv_row_key const other = key_of(2, 4);
    assert_int_equal(check_at(&final, LIGHT_TIME_MS), CS_LIGHT_OK);
    assert_int_equal(final.header.executed_height, 70);
    assert_int_equal(final.header.height, 72);
    assert_int_equal(cs_light_open(&proof, &final, nv_view_of(proof_bytes, proof_size)),
                     CS_LIGHT_OK);
    assert_int_equal(nv_proof_find(&proof, &there, &value), NV_SHOWN_PRESENT);
    assert_int_equal(value.size, 6);
    assert_int_equal(nv_proof_find(&proof, &other, &value), NV_SHOWN_NOT);
}

static void test_other_headers(void **state)
{
    (void)state;
    struct cs_header const honest = world.header;
    world.header.chain_id.bytes[0] ^= 1u;
    light_world_seal(&world, 0);
    assert_int_equal(check(), CS_LIGHT_CHAIN);
    world.header = honest;
    world.header.epoch = 2;
    light_world_seal(&world, 0);
    assert_int_equal(check(), CS_LIGHT_LATER);
    world.header.epoch = 0;
    light_world_seal(&world, 0);
    assert_int_equal(check(), CS_LIGHT_EARLIER);
    world.header = honest;
    world.header.valset_hash.bytes[31] ^= 1u;
    light_world_seal(&world, 0);
    assert_int_equal(check(), CS_LIGHT_VALIDATORS);
    world.header = honest;
    world.header.height = 0;
    light_world_seal(&world, 0);
    assert_int_equal(check(), CS_LIGHT_ORDER);
    world.header.height = 1;
    world.header.time_ms = LIGHT_TIME_MS - 1;
    light_world_seal(&world, 0);
    assert_int_equal(check(), CS_LIGHT_ORDER);
    world.header.time_ms = LIGHT_TIME_MS;
    light_world_seal(&world, 0);
    assert_int_equal(check(), CS_LIGHT_OK);
}

/* Votes of another kind, epoch or block, and of a minority prove nothing. */
static void test_other_votes(void **state)
{
    (void)state;
    struct nv_hash block;
    cs_header_hash(&block, &world.header);
    struct cs_ballot ballot =
        cs_build_ballot(CS_NOTARIZE, world.header.view, world.header.parent_view, block);
    light_world_certify(&world, &ballot, 4);
    assert_int_equal(check(), CS_LIGHT_NOT_FINAL);
    ballot = cs_build_ballot(CS_NULLIFY, world.header.view, 0, block);
    light_world_certify(&world, &ballot, 4);
    assert_int_equal(check(), CS_LIGHT_NOT_FINAL);
    ballot =
        cs_build_ballot(CS_FINALIZE, world.header.view, world.header.parent_view, cs_build_hash(9));
    light_world_certify(&world, &ballot, 4);
    assert_int_equal(check(), CS_LIGHT_BLOCK);
    ballot = cs_build_ballot(CS_FINALIZE, world.header.view, world.header.parent_view, block);
    ballot.epoch = 2;
    light_world_certify(&world, &ballot, 4);
    assert_int_equal(check(), CS_LIGHT_BLOCK);
    ballot.epoch = 1;
    light_world_certify(&world, &ballot, 2);
    assert_int_equal(check(), CS_LIGHT_SIGNATURES);
    light_world_certify(&world, &ballot, 4);
    assert_int_equal(check(), CS_LIGHT_OK);
}

/* A block is final by a finalization of any view: a boundary block is proposed
 * again until it is. */
static void test_proposed_again(void **state)
{
    (void)state;
    struct nv_hash block;
    cs_header_hash(&block, &world.header);
    struct cs_ballot const ballot =
        cs_build_ballot(CS_FINALIZE, world.header.view + 3, world.header.view, block);
    light_world_certify(&world, &ballot, 0);
    assert_int_equal(check(), CS_LIGHT_OK);
}

/* Stake counts, not heads: one validator with most of it is a quorum. */
static void test_stake(void **state)
{
    (void)state;
    uint64_t const stakes[] = {100, 10, 10, 10, 10};
    light_world_init(&world, stakes, 5);
    cs_light_init(&light, &world.net.chain_id, LIGHT_TIME_MS, TRUSTING, &world.net.set);
    light_world_final(&world, &root, 3, 1);
    assert_int_equal(check(), CS_LIGHT_OK);
    struct cs_bitmap minor = {{0x1e}};
    struct nv_sig sigs[CS_VALIDATORS_MAX];
    struct nv_hash block;
    struct nv_writer writer;
    cs_header_hash(&block, &world.header);
    struct cs_ballot const ballot =
        cs_build_ballot(CS_FINALIZE, world.header.view, world.header.parent_view, block);
    struct cs_certificate const certificate =
        cs_build_certificate(&world.net, sigs, &ballot, &minor);
    nv_writer_init(&writer, world.certificate_bytes, sizeof world.certificate_bytes);
    cs_certificate_put(&writer, &certificate);
    world.certificate_size = writer.size;
    assert_int_equal(check(), CS_LIGHT_SIGNATURES);
}

static void test_trusting_period(void **state)
{
    (void)state;
    struct cs_light_final final;
    assert_int_equal(check_at(&final, 0), CS_LIGHT_OK);
    assert_int_equal(check_at(&final, LIGHT_TIME_MS + TRUSTING), CS_LIGHT_OK);
    assert_int_equal(check_at(&final, LIGHT_TIME_MS + TRUSTING + 1), CS_LIGHT_EXPIRED);
    assert_int_equal(check_at(&final, UINT64_MAX), CS_LIGHT_EXPIRED);
    light.trusting_ms = UINT64_MAX;
    assert_int_equal(check_at(&final, UINT64_MAX), CS_LIGHT_OK);
    light.trusting_ms = 0;
    assert_int_equal(check_at(&final, UINT64_MAX), CS_LIGHT_OK);
}

static void test_cut_short(void **state)
{
    (void)state;
    struct cs_light_final final;
    struct nv_proof proof;
    uint8_t longer[CS_HEADER_SIZE + 1] = {0};
    struct cs_light_block const whole = light_world_block(&world);
    struct cs_light_block part = whole;
    for (part.header.size = 0; part.header.size < whole.header.size; part.header.size++) {
        assert_int_equal(cs_light_final(&final, &light, 0, &part), CS_LIGHT_HEADER);
    }
    memcpy(longer, whole.header.bytes, CS_HEADER_SIZE);
    part.header = nv_view_of(longer, sizeof longer);
    assert_int_equal(cs_light_final(&final, &light, 0, &part), CS_LIGHT_HEADER);
    part = whole;
    for (part.certificate.size = 0; part.certificate.size < whole.certificate.size;
         part.certificate.size++) {
        assert_int_equal(cs_light_final(&final, &light, 0, &part), CS_LIGHT_CERTIFICATE);
    }
    part.certificate.size = whole.certificate.size + 1;
    assert_int_equal(cs_light_final(&final, &light, 0, &part), CS_LIGHT_CERTIFICATE);
    assert_int_equal(check_at(&final, 0), CS_LIGHT_OK);
    for (uint32_t size = 0; size < proof_size; size++) {
        assert_int_equal(cs_light_open(&proof, &final, nv_view_of(proof_bytes, size)),
                         CS_LIGHT_PROOF);
    }
    final.header.state_root.bytes[0] ^= 1u;
    assert_int_equal(cs_light_open(&proof, &final, nv_view_of(proof_bytes, proof_size)),
                     CS_LIGHT_ROOT);
}

/* ---- ancestors and forks ---- */

static void test_ancestors(void **state)
{
    (void)state;
    struct cs_light_final final;
    struct cs_header grand = world.header;
    struct cs_header parent = world.header;
    uint8_t grand_bytes[CS_HEADER_SIZE];
    uint8_t parent_bytes[CS_HEADER_SIZE];
    struct nv_writer writer;
    grand.height = 70;
    nv_writer_init(&writer, grand_bytes, sizeof grand_bytes);
    cs_header_put(&writer, &grand);
    parent.height = 71;
    cs_header_hash(&parent.parent_hash, &grand);
    nv_writer_init(&writer, parent_bytes, sizeof parent_bytes);
    cs_header_put(&writer, &parent);
    cs_header_hash(&world.header.parent_hash, &parent);
    light_world_seal(&world, 0);

    struct nv_view const first = nv_view_of(grand_bytes, sizeof grand_bytes);
    struct nv_view const second = nv_view_of(parent_bytes, sizeof parent_bytes);
    assert_int_equal(check_at(&final, 0), CS_LIGHT_OK);
    struct cs_light_final const top = final;
    assert_int_equal(cs_light_parent(&final, first), CS_LIGHT_PARENT);
    assert_int_equal(cs_light_parent(&final, light_world_header(&world)), CS_LIGHT_PARENT);
    assert_int_equal(cs_light_parent(&final, nv_view_of(parent_bytes, 347)), CS_LIGHT_HEADER);
    assert_memory_equal(&final, &top, sizeof final);
    for (uint32_t bit = 0; bit < 8 * CS_HEADER_SIZE; bit++) {
        parent_bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_not_equal(cs_light_parent(&final, second), CS_LIGHT_OK);
        parent_bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_int_equal(cs_light_parent(&final, second), CS_LIGHT_OK);
    assert_int_equal(final.header.height, 71);
    assert_int_equal(cs_light_parent(&final, first), CS_LIGHT_OK);
    assert_int_equal(final.header.height, 70);
}

/* A parent by hash whose height does not fit was signed by nobody honest; it is
 * refused all the same. */
static void test_ancestor_height(void **state)
{
    (void)state;
    struct cs_light_final final;
    uint8_t bytes[CS_HEADER_SIZE];
    struct nv_writer writer;
    struct cs_header parent = world.header;
    parent.height = 70;
    nv_writer_init(&writer, bytes, sizeof bytes);
    cs_header_put(&writer, &parent);
    cs_header_hash(&world.header.parent_hash, &parent);
    light_world_seal(&world, 0);
    assert_int_equal(check_at(&final, 0), CS_LIGHT_OK);
    assert_int_equal(cs_light_parent(&final, nv_view_of(bytes, sizeof bytes)), CS_LIGHT_PARENT);
}

static void test_fork(void **state)
{
    (void)state;
    struct cs_light_final one;
    struct cs_light_final other;
    assert_int_equal(check_at(&one, 0), CS_LIGHT_OK);
    assert_false(cs_light_fork(&one, &one));
    world.header.state_root.bytes[5] ^= 1u;
    light_world_seal(&world, 0);
    assert_int_equal(check_at(&other, 0), CS_LIGHT_OK);
    assert_true(cs_light_fork(&one, &other));
    world.header.height++;
    light_world_seal(&world, 0);
    assert_int_equal(check_at(&other, 0), CS_LIGHT_OK);
    assert_false(cs_light_fork(&one, &other));
    other.header.height--;
    other.header.chain_id.bytes[0] ^= 1u;
    assert_false(cs_light_fork(&one, &other));
}

/* ---- from epoch to epoch ---- */

static void test_epochs(void **state)
{
    (void)state;
    struct cs_net next;
    struct cs_light_final final;
    for (uint32_t epoch = 1; epoch <= 5; epoch++) {
        cs_net_init_at(&next, NULL, 3 + epoch, 10 * epoch);
        boundary(&next, 100u * epoch);
        assert_int_equal(advance(&next), CS_LIGHT_OK);
        assert_int_equal(light.epoch, epoch + 1);
        assert_int_equal(light.boundary_height, 100u * epoch + 2);
        assert_int_equal(light.boundary_time_ms, LIGHT_TIME_MS + 100u * epoch);
        assert_int_equal(check(), CS_LIGHT_EARLIER);
        light_world_final(&world, &root, 100u * epoch + 1, 0);
        assert_int_equal(check(), CS_LIGHT_EARLIER);
        light_world_follow(&world, &next);
        light_world_final(&world, &root, 100u * epoch, 0);
        assert_int_equal(check(), CS_LIGHT_ORDER);
        light_world_final(&world, &root, 100u * epoch + 1, 0);
        assert_int_equal(check_at(&final, LIGHT_TIME_MS), CS_LIGHT_OK);
    }
    assert_true(nv_hash_eq(&light.chain_id, &world.net.chain_id));
    assert_int_equal(light.trusting_ms, TRUSTING);
}

/* The trusting period counts from the boundary of the set that signs. */
static void test_epochs_expire(void **state)
{
    (void)state;
    struct cs_net next;
    struct cs_light_final final;
    cs_net_init_at(&next, NULL, 4, 10);
    boundary(&next, TRUSTING);
    struct cs_light const before = light;
    world.header.time_ms = LIGHT_TIME_MS + TRUSTING + 1;
    light_world_seal(&world, 0);
    assert_int_equal(advance(&next), CS_LIGHT_EXPIRED);
    assert_memory_equal(&light, &before, sizeof light);
    boundary(&next, TRUSTING);
    assert_int_equal(advance(&next), CS_LIGHT_OK);
    light_world_follow(&world, &next);
    light_world_final(&world, &root, TRUSTING + 1, 0);
    assert_int_equal(check_at(&final, LIGHT_TIME_MS + 2 * TRUSTING), CS_LIGHT_OK);
    assert_int_equal(check_at(&final, LIGHT_TIME_MS + 2 * TRUSTING + 1), CS_LIGHT_EXPIRED);
}

/* A later epoch, by the hash of the block that closed the one before. */
static void test_begin_later(void **state)
{
    (void)state;
    struct cs_net third;
    struct cs_net fourth;
    struct nv_hash named;
    uint8_t set[CS_VALSET_SIZE_MAX];
    struct cs_light const before = light;
    cs_net_init_at(&third, NULL, 5, 10);
    cs_net_init_at(&fourth, NULL, 6, 20);
    light_world_follow(&world, &third); /* nobody shows the way there */
    boundary(&fourth, 300);
    cs_header_hash(&named, &world.header);
    struct nv_view const header = light_world_header(&world);
    struct nv_view const next = nv_view_of(set, cs_valset_encode(&fourth.set, set));

    struct nv_hash other = named;
    other.bytes[31] ^= 1;
    assert_int_equal(cs_light_begin(&light, &other, header, next), CS_LIGHT_OTHER);
    struct nv_view const shorter = nv_view_of(header.bytes, header.size - 1);
    assert_int_equal(cs_light_begin(&light, &named, shorter, next), CS_LIGHT_HEADER);
    uint8_t wrong[CS_VALSET_SIZE_MAX];
    struct nv_view const third_set = nv_view_of(wrong, cs_valset_encode(&third.set, wrong));
    assert_int_equal(cs_light_begin(&light, &named, header, third_set), CS_LIGHT_SET);
    light.chain_id.bytes[0] ^= 1;
    assert_int_equal(cs_light_begin(&light, &named, header, next), CS_LIGHT_CHAIN);
    light.chain_id.bytes[0] ^= 1;
    assert_memory_equal(&light, &before, sizeof light);

    assert_int_equal(cs_light_begin(&light, &named, header, next), CS_LIGHT_OK);
    assert_int_equal(light.epoch, 3);
    assert_int_equal(light.trusting_ms, TRUSTING);
    assert_int_equal(light.boundary_height, world.header.height);
    assert_true(nv_hash_eq(&light.boundary_hash, &named));
    light_world_follow(&world, &fourth);
    light_world_final(&world, &root, 400, 0);
    assert_int_equal(check(), CS_LIGHT_OK);
}

static void test_begin_within_an_epoch(void **state)
{
    (void)state;
    uint8_t set[CS_VALSET_SIZE_MAX];
    struct nv_hash named;
    cs_header_hash(&named, &world.header);
    struct nv_view const same = nv_view_of(set, cs_valset_encode(&world.net.set, set));
    assert_int_equal(cs_light_begin(&light, &named, light_world_header(&world), same),
                     CS_LIGHT_NO_BOUNDARY);
}

static void test_epoch_skipped(void **state)
{
    (void)state;
    struct cs_net second;
    struct cs_net third;
    struct cs_light const before = light;
    cs_net_init_at(&second, NULL, 4, 10);
    cs_net_init_at(&third, NULL, 4, 20);
    light_world_follow(&world, &second);
    boundary(&third, 200);
    assert_int_equal(advance(&third), CS_LIGHT_LATER);
    assert_memory_equal(&light, &before, sizeof light);
}

/* The new validators cannot bring themselves in. */
static void test_epoch_usurped(void **state)
{
    (void)state;
    struct cs_net next;
    cs_net_init_at(&next, NULL, 4, 10);
    struct nv_hash const believed = world.net.set.hash;
    light_world_follow(&world, &next);
    world.epoch = 1;
    boundary(&next, 100);
    assert_int_equal(advance(&next), CS_LIGHT_VALIDATORS);
    world.header.valset_hash = believed;
    light_world_seal(&world, 0);
    assert_int_equal(advance(&next), CS_LIGHT_SIGNATURES);
}

static void test_next_set(void **state)
{
    (void)state;
    struct cs_net next;
    struct cs_net other;
    struct cs_light const before = light;
    uint8_t set[CS_VALSET_SIZE_MAX];
    cs_net_init_at(&next, NULL, 4, 10);
    cs_net_init_at(&other, NULL, 5, 10);
    light_world_final(&world, &root, 90, 0);
    assert_int_equal(advance(&next), CS_LIGHT_NO_BOUNDARY);
    boundary(&next, 100);
    assert_int_equal(advance(&other), CS_LIGHT_SET);
    uint32_t const size = cs_valset_encode(&next.set, set);
    struct cs_light_block const block = light_world_block(&world);
    for (uint32_t bit = 0; bit < 8 * size; bit++) {
        set[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        assert_int_equal(cs_light_advance(&light, 0, &block, nv_view_of(set, size)), CS_LIGHT_SET);
        set[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    assert_int_equal(cs_light_advance(&light, 0, &block, nv_view_of(set, size - 1)), CS_LIGHT_SET);
    assert_memory_equal(&light, &before, sizeof light);
    assert_int_equal(cs_light_advance(&light, 0, &block, nv_view_of(set, size)), CS_LIGHT_OK);
}

/* ---- the light state's bytes ---- */

static void test_bytes(void **state)
{
    (void)state;
    static struct cs_light again;
    uint8_t bytes[CS_LIGHT_SIZE_MAX];
    uint8_t once_more[CS_LIGHT_SIZE_MAX];
    uint32_t const size = cs_light_encode(&light, bytes);
    assert_int_equal(size, CS_LIGHT_HEAD_SIZE + 2u + 4u * CS_VALIDATOR_SIZE);
    assert_int_equal(cs_light_decode(&again, nv_view_of(bytes, size)), NV_OK);
    assert_int_equal(cs_light_encode(&again, once_more), size);
    assert_memory_equal(bytes, once_more, size);
    for (uint32_t part = 0; part < size; part++) {
        assert_int_not_equal(cs_light_decode(&again, nv_view_of(bytes, part)), NV_OK);
    }
    for (uint32_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (cs_light_decode(&again, nv_view_of(bytes, size)) == NV_OK) {
            assert_true(bit / 8 < CS_LIGHT_HEAD_SIZE - NV_HASH_SIZE);
            assert_int_equal(cs_light_encode(&again, once_more), size);
            assert_memory_equal(bytes, once_more, size);
        }
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_way, setup),
        cmocka_unit_test_setup(test_other_headers, setup),
        cmocka_unit_test_setup(test_other_votes, setup),
        cmocka_unit_test_setup(test_proposed_again, setup),
        cmocka_unit_test_setup(test_stake, setup),
        cmocka_unit_test_setup(test_trusting_period, setup),
        cmocka_unit_test_setup(test_cut_short, setup),
        cmocka_unit_test_setup(test_ancestors, setup),
        cmocka_unit_test_setup(test_ancestor_height, setup),
        cmocka_unit_test_setup(test_fork, setup),
        cmocka_unit_test_setup(test_epochs, setup),
        cmocka_unit_test_setup(test_epochs_expire, setup),
        cmocka_unit_test_setup(test_begin_later, setup),
        cmocka_unit_test_setup(test_begin_within_an_epoch, setup),
        cmocka_unit_test_setup(test_epoch_skipped, setup),
        cmocka_unit_test_setup(test_epoch_usurped, setup),
        cmocka_unit_test_setup(test_next_set, setup),
        cmocka_unit_test_setup(test_bytes, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
