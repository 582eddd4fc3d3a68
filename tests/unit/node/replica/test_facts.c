/* test_facts.c - what the VM is told of a block beside its transactions.
 *
 * Method: blocks made by hand, put into bytes and read back as the journal's are,
 * must give what the engine's own form of them gave. */

#include <string.h>

#include "node/replica/facts.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/nv_test.h"

static struct cs_net net;
static struct nv_sig sigs[CS_VALIDATORS_MAX];
static struct vm_offence offences[CS_EVIDENCE_MAX];

static void the_first_block_knows_little(void **state)
{
    (void)state;
    struct cs_block const block = {.header = {.epoch = 1, .height = 1}};
    struct vm_consensus facts;
    replica_facts(&facts, offences, &block, 0);
    assert_int_equal(facts.epoch, 1);
    assert_false(facts.boundary);
    assert_false(facts.signers_known);
    assert_int_equal(facts.offence_count, 0);
}

static void signers_are_those_of_the_justify(void **state)
{
    (void)state;
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 7, 6, cs_build_hash(1));
    struct cs_bitmap some = {{0}};
    struct vm_consensus facts;
    cs_bitmap_add(&some, 0);
    cs_bitmap_add(&some, 2);
    cs_bitmap_add(&some, 9);
    struct cs_block const block = {
        .header = {.epoch = 3, .height = 8},
        .has_justify = true,
        .justify = cs_build_certificate(&net, sigs, &ballot, &some),
    };
    replica_facts(&facts, offences, &block, 5);
    assert_int_equal(facts.epoch, 3);
    assert_true(facts.signers_known);
    assert_int_equal(facts.signers[0], 5);
    assert_int_equal(facts.signers[1], 2);
    assert_int_equal(facts.next_height, 0); /* it closes nothing */
}

static void a_boundary_names_the_parents_executed_height(void **state)
{
    (void)state;
    struct cs_block const block = {
        .header = {.epoch = 2,
                   .height = 100,
                   .executed_height = 98,
                   .next_valset_hash = cs_build_hash(5)},
    };
    struct vm_consensus facts;
    replica_facts(&facts, offences, &block, 96);
    assert_true(facts.boundary);
    assert_int_equal(facts.next_height, 96);
}

/* A list of items about `count` validators, in the order of their keys. */
static struct cs_list evidence_of(uint32_t count, uint8_t *bytes, uint32_t size)
{
    struct cs_evidence items[4];
    struct nv_writer w;
    for (uint32_t i = 0; i < count; i++) {
        struct cs_ballot const a = cs_build_ballot(CS_NULLIFY, 20 + i, 0, cs_build_hash(0));
        struct cs_ballot const b = cs_build_ballot(CS_FINALIZE, 20 + i, 19, cs_build_hash(2));
        struct cs_vote const one = cs_build_vote(&net, &a, i);
        struct cs_vote const two = cs_build_vote(&net, &b, i);
        assert_true(cs_evidence_make(&items[i], &one, &two, &net.set));
        for (uint32_t j = i; j > 0 && cs_evidence_cmp(&items[j - 1], &items[j]) > 0; j--) {
            struct cs_evidence const swap = items[j];
            items[j] = items[j - 1];
            items[j - 1] = swap;
        }
    }
    nv_writer_init(&w, bytes, size);
    for (uint32_t i = 0; i < count; i++) {
        cs_evidence_put(&w, &items[i]);
    }
    assert_false(w.overflow);
    return (struct cs_list){.bytes = nv_writer_view(&w), .count = count};
}

static void the_same_from_the_journal(void **state)
{
    (void)state;
    uint8_t list[1024];
    uint8_t bytes[CS_BLOCK_SIZE_MAX];
    struct vm_offence again[CS_EVIDENCE_MAX];
    struct cs_ballot const ballot = cs_build_ballot(CS_FINALIZE, 7, 6, cs_build_hash(1));
    struct cs_block const block = {
        .header = {.epoch = 4,
                   .height = 50,
                   .executed_height = 48,
                   .next_valset_hash = cs_build_hash(5)},
        .has_justify = true,
        .justify = cs_build_quorum(&net, sigs, &ballot),
        .evidence = evidence_of(3, list, sizeof list),
    };
    struct cs_block stored;
    struct vm_consensus live;
    struct vm_consensus replayed;
    struct nv_writer w;
    struct nv_reader r;
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_block_put(&w, &block);
    nv_reader_init(&r, nv_writer_view(&w));
    assert_int_equal(cs_block_get(&r, &stored), NV_OK);
    replica_facts(&live, offences, &block, 47);
    replica_facts(&replayed, again, &stored, 47);
    assert_int_equal(replayed.epoch, live.epoch);
    assert_int_equal(replayed.boundary, live.boundary);
    assert_int_equal(replayed.next_height, 47);
    assert_memory_equal(replayed.signers, live.signers, sizeof live.signers);
    assert_int_equal(replayed.offence_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_memory_equal(&again[i].key, &offences[i].key, sizeof again[i].key);
        assert_int_equal(again[i].epoch, 1); /* of the votes, not of the block */
        assert_int_equal(again[i].kind, CS_OFFENCE_NULLIFY_FINAL);
        assert_true(cs_valset_find(&net.set, &again[i].key) < 3);
    }
}

int main(void)
{
    cs_net_init(&net, NULL, 12);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_block_knows_little),
        cmocka_unit_test(signers_are_those_of_the_justify),
        cmocka_unit_test(a_boundary_names_the_parents_executed_height),
        cmocka_unit_test(the_same_from_the_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
