/* Goal: votes have one encoding, a signature binds all of a ballot, and two
 * votes are an offence exactly in the four ways of docs/spec/consensus.md 17.
 * Method: every bit changed; all pairs of ballots in a small world. */

#include "consensus/vote.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/nv_test.h"

static struct cs_net net;

static int net_make(void **state)
{
    (void)state;
    cs_net_init(&net, NULL, 4);
    return 0;
}

static void every_bit_is_signed(void **state)
{
    (void)state;
    uint8_t bytes[CS_VOTE_SIZE];
    uint8_t again[CS_VOTE_SIZE];
    struct nv_writer w;
    struct nv_reader r;
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 9, 7, cs_build_hash(1));
    struct cs_vote vote = cs_build_vote(&net, &ballot, 2);
    assert_true(cs_vote_verify(&vote, &net.chain_id, &net.set));
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_vote_put(&w, &vote);
    assert_int_equal(w.size, CS_VOTE_SIZE);
    for (uint32_t i = 0; i < 8 * CS_VOTE_SIZE; i++) {
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
        nv_reader_init(&r, nv_view_of(bytes, sizeof bytes));
        if (cs_vote_get(&r, &vote) == NV_OK) {
            nv_writer_init(&w, again, sizeof again);
            cs_vote_put(&w, &vote);
            assert_memory_equal(again, bytes, sizeof bytes);
            assert_false(cs_vote_verify(&vote, &net.chain_id, &net.set));
        }
        bytes[i / 8] ^= (uint8_t)(1u << i % 8);
    }
    for (uint32_t size = 0; size < CS_VOTE_SIZE; size++) {
        nv_reader_init(&r, nv_view_of(bytes, size));
        assert_int_equal(cs_vote_get(&r, &vote), NV_ERR_TRUNCATED);
    }
}

static void another_chain_is_another_signature(void **state)
{
    (void)state;
    struct cs_ballot const ballot = cs_build_ballot(CS_NULLIFY, 9, 0, cs_build_hash(1));
    struct cs_vote const vote = cs_build_vote(&net, &ballot, 1);
    struct nv_hash const other = cs_build_hash(77);
    assert_true(cs_vote_verify(&vote, &net.chain_id, &net.set));
    assert_false(cs_vote_verify(&vote, &other, &net.set));
}

static void refuses_what_is_not_canonical(void **state)
{
    (void)state;
    struct {
        enum cs_vote_kind kind;
        uint64_t parent_view;
        struct nv_hash hash;
        uint16_t signer;
        enum nv_err expected;
    } const cases[] = {
        {CS_NULLIFY, 0, {{0}}, 3, NV_OK},
        {CS_NULLIFY, 1, {{0}}, 3, NV_ERR_MALFORMED},
        {CS_NULLIFY, 0, {{1}}, 3, NV_ERR_MALFORMED},
        {CS_NOTARIZE, 0, {{1}}, CS_VALIDATORS_MAX, NV_ERR_MALFORMED},
        {CS_FINALIZE, 5, {{1}}, 0, NV_OK},
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t bytes[CS_VOTE_SIZE];
        struct nv_writer w;
        struct nv_reader r;
        struct cs_vote vote = {.ballot = {.kind = cases[i].kind,
                                          .parent_view = cases[i].parent_view,
                                          .block_hash = cases[i].hash},
                               .signer = cases[i].signer};
        nv_writer_init(&w, bytes, sizeof bytes);
        cs_vote_put(&w, &vote);
        nv_reader_init(&r, nv_view_of(bytes, sizeof bytes));
        assert_int_equal(cs_vote_get(&r, &vote), cases[i].expected);
        for (uint32_t kind = 0; kind < 256; kind += kind < 4 ? 1 : 63) {
            bytes[0] = (uint8_t)kind;
            nv_reader_init(&r, nv_view_of(bytes, sizeof bytes));
            if (kind < 1 || kind > 3) {
                assert_int_equal(cs_vote_get(&r, &vote), NV_ERR_MALFORMED);
            }
        }
    }
}

/* model_offence says by plain cases what section 17 says. */
static enum cs_offence model_offence(const struct cs_ballot *a, const struct cs_ballot *b)
{
    bool const same = cs_ballot_eq(a, b);
    bool const block =
        a->parent_view == b->parent_view && nv_hash_eq(&a->block_hash, &b->block_hash);
    if (a->view != b->view) {
        return CS_OFFENCE_NONE;
    }
    switch (a->kind * 10 + b->kind) {
    case 11: return same ? CS_OFFENCE_NONE : CS_OFFENCE_NOTARIZE_TWICE;
    case 23:
    case 32: return CS_OFFENCE_NULLIFY_FINAL;
    case 33: return same ? CS_OFFENCE_NONE : CS_OFFENCE_FINALIZE_TWICE;
    case 13:
    case 31: return block ? CS_OFFENCE_NONE : CS_OFFENCE_SWITCH;
    default: return CS_OFFENCE_NONE;
    }
}

static void offences_are_the_four(void **state)
{
    (void)state;
    struct cs_vote votes[3 * 2 * 2 * 2];
    uint32_t count = 0;
    for (uint32_t kind = CS_NOTARIZE; kind <= CS_FINALIZE; kind++) {
        for (uint32_t i = 0; i < 8; i++) {
            votes[count] = (struct cs_vote){.signer = 1};
            votes[count++].ballot = cs_build_ballot(
                (enum cs_vote_kind)kind, 5 + (i & 1), 3 + (i >> 1 & 1), cs_build_hash(i >> 2));
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < count; j++) {
            assert_int_equal(cs_vote_offence(&votes[i], &votes[j]),
                             model_offence(&votes[i].ballot, &votes[j].ballot));
            struct cs_vote other = votes[j];
            other.signer = 2;
            assert_int_equal(cs_vote_offence(&votes[i], &other), CS_OFFENCE_NONE);
            other.signer = 1;
            other.ballot.epoch = 2;
            assert_int_equal(cs_vote_offence(&votes[i], &other), CS_OFFENCE_NONE);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_is_signed),
        cmocka_unit_test(another_chain_is_another_signature),
        cmocka_unit_test(refuses_what_is_not_canonical),
        cmocka_unit_test(offences_are_the_four),
    };
    return cmocka_run_group_tests(tests, net_make, NULL);
}
