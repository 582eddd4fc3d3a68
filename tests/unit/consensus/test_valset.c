/* Goal: a validator set has one order, one encoding and one idea of a quorum.
 * Method: members in every order; edges of stake and count; every truncation
 * and every single changed byte of an encoding; quorums at exactly two thirds. */

#include <string.h>

#include "consensus/valset.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/nv_test.h"

static struct cs_validator member(uint8_t first, uint64_t stake)
{
    struct cs_validator made = {.stake = stake};
    memset(made.key.bytes, 7, sizeof made.key.bytes);
    made.key.bytes[0] = first;
    return made;
}

static void order_of_members_does_not_matter(void **state)
{
    (void)state;
    struct cs_validator const forth[4] = {member(1, 9), member(2, 9), member(3, 8), member(4, 10)};
    struct cs_validator const back[4] = {forth[3], forth[2], forth[1], forth[0]};
    struct cs_valset a;
    struct cs_valset b;
    assert_int_equal(cs_valset_init(&a, forth, 4), NV_OK);
    assert_int_equal(cs_valset_init(&b, back, 4), NV_OK);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(a.member[0].stake, 10);
    assert_int_equal(a.member[1].key.bytes[0], 1); /* equal stakes by key */
    assert_int_equal(a.member[2].key.bytes[0], 2);
    assert_int_equal(a.member[3].stake, 8);
    assert_int_equal(a.stake_total, 36);
    assert_int_equal(cs_valset_find(&a, &forth[2].key), 3);
    struct nv_pubkey const stranger = {{99}};
    assert_int_equal(cs_valset_find(&a, &stranger), CS_VALIDATORS_MAX);
}

static void refuses_members_out_of_range(void **state)
{
    (void)state;
    struct cs_valset set;
    struct cs_validator many[CS_VALIDATORS_MAX + 1];
    for (uint32_t i = 0; i <= CS_VALIDATORS_MAX; i++) {
        many[i] = member((uint8_t)i, 1);
    }
    assert_int_equal(cs_valset_init(&set, many, 0), NV_ERR_RANGE);
    assert_int_equal(cs_valset_init(&set, many, CS_VALIDATORS_MAX + 1), NV_ERR_RANGE);
    assert_int_equal(cs_valset_init(&set, many, CS_VALIDATORS_MAX), NV_OK);
    many[1].stake = 0;
    assert_int_equal(cs_valset_init(&set, many, 2), NV_ERR_RANGE);
    many[1].stake = CS_STAKE_TOTAL_MAX;
    assert_int_equal(cs_valset_init(&set, many, 2), NV_ERR_RANGE);
    many[1].stake = UINT64_MAX;
    assert_int_equal(cs_valset_init(&set, many, 2), NV_ERR_RANGE);
    many[1].stake = CS_STAKE_TOTAL_MAX - 1;
    assert_int_equal(cs_valset_init(&set, many, 2), NV_OK);
    many[1] = many[0];
    assert_int_equal(cs_valset_init(&set, many, 2), NV_ERR_EXISTS);
    many[1].stake = 2; /* the same key, sorted apart by another member */
    many[2].stake = 1;
    assert_int_equal(cs_valset_init(&set, many, 3), NV_ERR_EXISTS);
}

static void decodes_what_it_encodes_and_nothing_else(void **state)
{
    (void)state;
    struct cs_validator const members[3] = {member(1, 9), member(2, 9), member(3, 8)};
    uint8_t bytes[CS_VALSET_SIZE_MAX];
    uint8_t again[CS_VALSET_SIZE_MAX];
    struct cs_valset set;
    struct cs_valset got;
    assert_int_equal(cs_valset_init(&set, members, 3), NV_OK);
    uint32_t const size = cs_valset_encode(&set, bytes);
    assert_int_equal(size, 2 + 3 * CS_VALIDATOR_SIZE);
    assert_int_equal(cs_valset_decode(&got, nv_view_of(bytes, size)), NV_OK);
    assert_memory_equal(&got, &set, sizeof set);
    for (uint32_t cut = 0; cut < size; cut++) {
        assert_int_not_equal(cs_valset_decode(&got, nv_view_of(bytes, cut)), NV_OK);
    }
    assert_int_equal(cs_valset_decode(&got, nv_view_of(bytes, size + 1)), NV_ERR_TRAILING);
    for (uint32_t i = 0; i < 8 * size; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        if (cs_valset_decode(&got, nv_view_of(bytes, size)) == NV_OK) {
            assert_int_equal(cs_valset_encode(&got, again), size);
            assert_memory_equal(again, bytes, size);
            assert_false(nv_hash_eq(&got.hash, &set.hash));
        }
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
}

static void refuses_another_order(void **state)
{
    (void)state;
    struct cs_validator const members[2] = {member(1, 9), member(2, 9)};
    uint8_t bytes[CS_VALSET_SIZE_MAX];
    struct cs_valset set;
    assert_int_equal(cs_valset_init(&set, members, 2), NV_OK);
    uint32_t const size = cs_valset_encode(&set, bytes);
    bytes[2 + 2] = 2; /* the keys change places */
    bytes[2 + CS_VALIDATOR_SIZE + 2] = 1;
    assert_int_equal(cs_valset_decode(&set, nv_view_of(bytes, size)), NV_ERR_MALFORMED);
    bytes[2 + CS_VALIDATOR_SIZE + 2] = 2; /* and now they are equal */
    assert_int_equal(cs_valset_decode(&set, nv_view_of(bytes, size)), NV_ERR_MALFORMED);
}

static void quorum_is_more_than_two_thirds(void **state)
{
    (void)state;
    struct cs_net net;
    uint64_t const edge[3] = {UINT64_C(1) << 61, UINT64_C(1) << 60, UINT64_C(1) << 59};
    for (uint32_t n = 1; n <= CS_VALIDATORS_MAX; n++) {
        cs_net_init(&net, NULL, n);
        uint32_t const least = 2 * n / 3 + 1;
        assert_false(cs_valset_quorum(&net.set, least - 1));
        assert_true(cs_valset_quorum(&net.set, least));
        assert_true(cs_valset_quorum(&net.set, n));
    }
    cs_net_init(&net, edge, 3); /* total 7 * 2^59 */
    assert_false(cs_valset_quorum(&net.set, edge[0]));
    assert_false(cs_valset_quorum(&net.set, 2 * net.set.stake_total / 3));
    assert_true(cs_valset_quorum(&net.set, 2 * net.set.stake_total / 3 + 1));
    struct cs_bitmap group = {{0}};
    cs_bitmap_add(&group, 0);
    cs_bitmap_add(&group, 2);
    assert_int_equal(cs_valset_stake(&net.set, &group), edge[0] + edge[2]);
    assert_true(cs_valset_quorum(&net.set, cs_valset_stake(&net.set, &group)));
}

static void bitmap_counts(void **state)
{
    (void)state;
    struct cs_bitmap map = {{0}};
    uint32_t const chosen[] = {0, 7, 8, 63, 64, 127};
    for (uint32_t i = 0; i < sizeof chosen / sizeof *chosen; i++) {
        assert_false(cs_bitmap_has(&map, chosen[i]));
        cs_bitmap_add(&map, chosen[i]);
        cs_bitmap_add(&map, chosen[i]);
        assert_true(cs_bitmap_has(&map, chosen[i]));
        assert_int_equal(cs_bitmap_count(&map), i + 1);
    }
    assert_false(cs_bitmap_has(&map, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(order_of_members_does_not_matter),
        cmocka_unit_test(refuses_members_out_of_range),
        cmocka_unit_test(decodes_what_it_encodes_and_nothing_else),
        cmocka_unit_test(refuses_another_order),
        cmocka_unit_test(quorum_is_more_than_two_thirds),
        cmocka_unit_test(bitmap_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
