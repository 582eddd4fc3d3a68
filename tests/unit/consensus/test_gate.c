/* Goal: the sign gate lets no two votes through that together are an offence,
 * whatever is asked of it and in whatever order.
 * Method: all sequences of five requests over three views' worth of ballots,
 * with the gate as its own journal: after each step it may be replaced by one
 * that was fed the stored votes again. */

#include "base/arena.h"

#include "consensus/gate.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/nv_test.h"

#define SIZE     8u
#define REQUESTS 6u

static uint8_t memory[1u << 20];

static void gate_make(struct cs__gate *gate, struct nv_arena *arena)
{
    nv_arena_init(arena, memory, sizeof memory);
    cs__gate_init(gate, arena, SIZE);
}

static struct cs_vote vote_of(const struct cs_ballot *ballot)
{
    return (struct cs_vote){.ballot = *ballot, .signer = 1};
}

/* The ballots that are asked for: two blocks, all kinds, one view. */
static struct cs_ballot request(uint32_t which)
{
    enum cs_vote_kind const kinds[REQUESTS] = {
        CS_NOTARIZE, CS_NOTARIZE, CS_NULLIFY, CS_FINALIZE, CS_FINALIZE, CS_FINALIZE};
    uint32_t const blocks[REQUESTS] = {1, 2, 0, 1, 2, 1};
    struct cs_ballot ballot = cs_build_ballot(kinds[which], 5, 3, cs_build_hash(blocks[which]));
    if (which == 5) {
        ballot.parent_view = 2; /* the same block on another parent */
    }
    return ballot;
}

/* restart fills a new gate from the votes that were stored. */
static void
restart(struct cs__gate *gate, struct nv_arena *arena, const struct cs_vote *votes, uint32_t count)
{
    gate_make(gate, arena);
    for (uint32_t i = 0; i < count; i++) {
        cs__gate_store(gate, &votes[i]);
    }
}

static void assert_no_offence(const struct cs_vote *votes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = i + 1; j < count; j++) {
            assert_int_equal(cs_vote_offence(&votes[i], &votes[j]), CS_OFFENCE_NONE);
            assert_false(cs_ballot_eq(&votes[i].ballot, &votes[j].ballot));
        }
    }
}

static void no_sequence_gives_an_offence(void **state)
{
    (void)state;
    uint32_t sequences = 1;
    for (uint32_t i = 0; i < 5; i++) {
        sequences *= REQUESTS;
    }
    for (uint32_t sequence = 0; sequence < sequences; sequence++) {
        struct nv_arena arena;
        struct cs__gate gate;
        struct cs_vote signed_votes[5];
        uint32_t count = 0;
        uint32_t rest = sequence;
        gate_make(&gate, &arena);
        for (uint32_t i = 0; i < 5; i++) {
            struct cs_ballot const ballot = request(rest % REQUESTS);
            rest /= REQUESTS;
            if (!cs__gate_allows(&gate, &ballot, 5)) {
                continue;
            }
            signed_votes[count] = vote_of(&ballot);
            cs__gate_store(&gate, &signed_votes[count]);
            assert_true(cs__gate_holds(&gate, &ballot));
            count++;
            if (sequence % 2 == 1) {
                restart(&gate, &arena, signed_votes, count);
            }
        }
        assert_true(count >= 1);
        assert_no_offence(signed_votes, count);
    }
}

static void what_must_be_possible_is(void **state)
{
    (void)state;
    struct nv_arena arena;
    struct cs__gate gate;
    struct cs_ballot const notarize = request(0);
    struct cs_ballot const nullify = request(2);
    struct cs_ballot const finalize = request(3);
    struct cs_vote vote = vote_of(&nullify);
    gate_make(&gate, &arena);
    assert_true(cs__gate_allows(&gate, &notarize, 5));
    assert_false(cs__gate_allows(&gate, &notarize, 6)); /* only in the own view */
    assert_true(cs__gate_allows(&gate, &finalize, 6));
    assert_true(cs__gate_allows(&gate, &nullify, 6));
    cs__gate_store(&gate, &vote);
    assert_true(cs__gate_allows(&gate, &notarize, 5)); /* notarize after nullify */
    assert_false(cs__gate_allows(&gate, &finalize, 5));
    vote = vote_of(&notarize);
    cs__gate_store(&gate, &vote);
    assert_true(cs__gate_holds(&gate, &nullify));
    assert_true(cs__gate_holds(&gate, &notarize));
}

static void final_views_are_closed(void **state)
{
    (void)state;
    struct nv_arena arena;
    struct cs__gate gate;
    struct cs_ballot ballot = request(2);
    struct cs_vote const vote = vote_of(&ballot);
    gate_make(&gate, &arena);
    cs__gate_store(&gate, &vote);
    cs__gate_raise(&gate, 4);
    assert_true(cs__gate_holds(&gate, &ballot));
    cs__gate_raise(&gate, 5);
    assert_false(cs__gate_holds(&gate, &ballot));
    assert_null(cs__gate_find(&gate, 5));
    for (uint64_t view = 0; view < 20; view++) {
        ballot.view = view;
        assert_int_equal(cs__gate_allows(&gate, &ballot, view), view > 5 && view <= 5 + SIZE);
    }
    ballot.view = 13; /* the ring's place of view 5 */
    assert_null(cs__gate_find(&gate, 13));
    struct cs_vote const later = vote_of(&ballot);
    cs__gate_store(&gate, &later);
    assert_false(cs__gate_find(&gate, 13)->has[CS_NOTARIZE]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_sequence_gives_an_offence),
        cmocka_unit_test(what_must_be_possible_is),
        cmocka_unit_test(final_views_are_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
