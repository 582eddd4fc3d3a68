/* Goal: evidence is two signed votes of one key that conflict, in one form only,
 * and a block's list of it is bounded, sorted and without repetition.
 * Method: real signatures; each bit of an item changed. */

#include <string.h>

#include "consensus/evidence.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/nv_test.h"

#define MEMBERS 18u

static struct cs_net net;
static uint8_t bytes[CS_EVIDENCE_LIST_SIZE_MAX + CS_EVIDENCE_SIZE];

static int start(void **state)
{
    (void)state;
    cs_net_init(&net, NULL, MEMBERS);
    return 0;
}

static struct cs_vote vote_of(enum cs_vote_kind kind, uint64_t epoch, uint64_t n, uint32_t signer)
{
    struct cs_ballot ballot = cs_build_ballot(kind, 4, 3, cs_build_hash(n));
    ballot.epoch = epoch;
    return cs_build_vote(&net, &ballot, signer);
}

static struct cs_evidence item_of(uint64_t epoch, uint32_t signer)
{
    struct cs_evidence item;
    struct cs_vote const a = vote_of(CS_NOTARIZE, epoch, 1, signer);
    struct cs_vote const b = vote_of(CS_NOTARIZE, epoch, 2, signer);
    assert_true(cs_evidence_make(&item, &a, &b, &net.set));
    return item;
}

static void both_orders_give_the_same_item(void **state)
{
    (void)state;
    struct cs_evidence one;
    struct cs_evidence two;
    struct cs_vote const a = vote_of(CS_FINALIZE, 1, 1, 3);
    struct cs_vote const b = vote_of(CS_NULLIFY, 1, 0, 3);
    assert_true(cs_evidence_make(&one, &a, &b, &net.set));
    assert_true(cs_evidence_make(&two, &b, &a, &net.set));
    assert_memory_equal(&one, &two, sizeof one);
    assert_int_equal(cs_evidence_offence(&one), CS_OFFENCE_NULLIFY_FINAL);
    assert_memory_equal(&one.key, &net.set.member[3].key, sizeof one.key);
    assert_true(cs_evidence_verify(&one, &net.chain_id));
}

static void votes_that_do_not_conflict_prove_nothing(void **state)
{
    (void)state;
    struct cs_evidence item;
    struct cs_vote const a = vote_of(CS_NOTARIZE, 1, 1, 3);
    struct cs_vote const same = vote_of(CS_FINALIZE, 1, 1, 3);
    struct cs_vote const other = vote_of(CS_NOTARIZE, 1, 2, 4);
    struct cs_vote const later = vote_of(CS_NOTARIZE, 2, 2, 3);
    assert_false(cs_evidence_make(&item, &a, &a, &net.set));
    assert_false(cs_evidence_make(&item, &a, &same, &net.set));
    assert_false(cs_evidence_make(&item, &a, &other, &net.set));
    assert_false(cs_evidence_make(&item, &a, &later, &net.set));
}

static void every_bit_counts(void **state)
{
    (void)state;
    struct cs_evidence item = item_of(1, 3);
    struct nv_writer w;
    struct nv_reader r;
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_evidence_put(&w, &item);
    assert_int_equal(w.size, CS_EVIDENCE_SIZE);
    for (uint32_t i = 0; i < 8 * CS_EVIDENCE_SIZE; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        nv_reader_init(&r, nv_view_of(bytes, CS_EVIDENCE_SIZE));
        if (cs_evidence_get(&r, &item) == NV_OK) {
            assert_false(cs_evidence_verify(&item, &net.chain_id));
        }
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    struct nv_hash const other_chain = cs_build_hash(5);
    nv_reader_init(&r, nv_view_of(bytes, CS_EVIDENCE_SIZE));
    assert_int_equal(cs_evidence_get(&r, &item), NV_OK);
    assert_true(cs_evidence_verify(&item, &net.chain_id));
    assert_false(cs_evidence_verify(&item, &other_chain));
    struct cs_evidence const swapped = {item.key, {item.half[1], item.half[0]}};
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_evidence_put(&w, &swapped);
    nv_reader_init(&r, nv_writer_view(&w));
    assert_int_equal(cs_evidence_get(&r, &item), NV_ERR_MALFORMED);
}

/* list_of writes a list of the first `count` members' items, by key. */
static uint32_t list_of(uint32_t count, bool twice)
{
    struct cs_evidence item[MEMBERS];
    struct nv_writer w;
    for (uint32_t i = 0; i < count; i++) {
        item[i] = item_of(1, i);
        for (uint32_t at = i; at > 0 && cs_evidence_cmp(&item[at - 1], &item[at]) > 0; at--) {
            struct cs_evidence const swap = item[at];
            item[at] = item[at - 1];
            item[at - 1] = swap;
        }
    }
    if (twice) {
        item[1] = item[0];
    }
    nv_writer_init(&w, bytes, sizeof bytes);
    nv_put_u8(&w, (uint8_t)count);
    for (uint32_t i = 0; i < count; i++) {
        cs_evidence_put(&w, &item[i]);
    }
    return w.size;
}

static enum nv_err list_read(struct cs_list *list, uint32_t size)
{
    struct nv_reader r;
    nv_reader_init(&r, nv_view_of(bytes, size));
    NV_TRY(cs_evidence_list_get(&r, list));
    return nv_reader_end(&r);
}

static void lists_are_bounded_sorted_and_unique(void **state)
{
    (void)state;
    struct cs_list list;
    for (uint32_t count = 0; count <= CS_EVIDENCE_MAX; count++) {
        assert_true(cs_evidence_fits(count));
        assert_int_equal(list_read(&list, list_of(count, false)), NV_OK);
        assert_int_equal(list.count, count);
        assert_true(cs_evidence_list_verify(&list, &net.chain_id));
    }
    bytes[100] ^= 1; /* in a hash that was signed */
    assert_false(cs_evidence_list_verify(&list, &net.chain_id));
    assert_false(cs_evidence_fits(CS_EVIDENCE_MAX + 1));
    assert_int_equal(list_read(&list, list_of(CS_EVIDENCE_MAX + 1, false)), NV_ERR_TOO_LARGE);
    assert_int_equal(list_read(&list, list_of(3, true)), NV_ERR_MALFORMED);
    uint32_t const size = list_of(2, false);
    uint8_t swap[CS_EVIDENCE_SIZE];
    memcpy(swap, bytes + 1, CS_EVIDENCE_SIZE);
    memmove(bytes + 1, bytes + 1 + CS_EVIDENCE_SIZE, CS_EVIDENCE_SIZE);
    memcpy(bytes + 1 + CS_EVIDENCE_SIZE, swap, CS_EVIDENCE_SIZE);
    assert_int_equal(list_read(&list, size), NV_ERR_MALFORMED);
}

static void epochs_of_one_key_are_apart(void **state)
{
    (void)state;
    struct cs_evidence const one = item_of(1, 3);
    struct cs_evidence const two = item_of(2, 3);
    struct cs_evidence const again = item_of(1, 3);
    assert_true(cs_evidence_cmp(&one, &two) < 0);
    assert_true(cs_evidence_cmp(&two, &one) > 0);
    assert_int_equal(cs_evidence_cmp(&one, &again), 0);
    assert_int_equal(cs_evidence_epoch(&two), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(both_orders_give_the_same_item, start),
        cmocka_unit_test_setup(votes_that_do_not_conflict_prove_nothing, start),
        cmocka_unit_test_setup(every_bit_counts, start),
        cmocka_unit_test_setup(lists_are_bounded_sorted_and_unique, start),
        cmocka_unit_test_setup(epochs_of_one_key_are_apart, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
