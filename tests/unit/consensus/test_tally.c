/* Goal: a quorum is found when it is there and not before, first votes count,
 * and unverified votes weigh nothing.
 * Method: weighted sets, votes in seeded orders, one candidate against another. */

#include "base/arena.h"

#include "consensus/tally.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/nv_test.h"

static uint8_t memory[1u << 20];
static struct nv_arena arena;
static struct cs_net net;

static struct cs__tally *tally_make(const uint64_t *stakes, uint32_t count)
{
    cs_net_init(&net, stakes, count);
    nv_arena_init(&arena, memory, sizeof memory);
    struct cs__tally *const tally = cs__tally_new(&arena, &net.set, net.set.count, 1);
    cs__tally_reset(tally, 9);
    return tally;
}

static struct cs_vote vote_for(uint32_t block, uint32_t signer)
{
    struct cs_vote vote = {.signer = (uint16_t)signer};
    vote.ballot = cs_build_ballot(CS_NOTARIZE, 9, 7, cs_build_hash(block));
    vote.sig.bytes[0] = (uint8_t)signer;
    return vote;
}

static void quorum_comes_with_the_last_needed_vote(void **state)
{
    (void)state;
    uint64_t const stakes[5] = {30, 25, 20, 15, 10}; /* a quorum is 67 */
    struct nv_test_rng rng = {5};
    for (uint32_t trial = 0; trial < 200; trial++) {
        struct cs__tally *const tally = tally_make(stakes, 5);
        uint64_t stake = 0;
        uint32_t voted = 0;
        while (voted != 0x1f) {
            uint32_t const signer = nv_test_below(&rng, 5);
            struct cs_vote const vote = vote_for(1, signer);
            struct cs_ballot ballot;
            bool const again = (voted >> signer & 1u) != 0;
            assert_int_equal(cs__tally_add(tally, &vote, true),
                             again ? CS__VOTE_REPEATED : CS__VOTE_COUNTED);
            stake += again ? 0 : stakes[signer];
            voted |= 1u << signer;
            assert_int_equal(cs__tally_quorum(tally, &ballot, CS_NOTARIZE), stake >= 67);
            assert_false(cs__tally_quorum(tally, &ballot, CS_FINALIZE));
        }
    }
}

static void the_first_vote_counts(void **state)
{
    (void)state;
    struct cs__tally *const tally = tally_make(NULL, 4);
    struct cs_ballot ballot;
    struct cs_vote got;
    bool verified = false;
    for (uint32_t signer = 0; signer < 2; signer++) {
        struct cs_vote const first = vote_for(1, signer);
        struct cs_vote const second = vote_for(2, signer);
        assert_int_equal(cs__tally_add(tally, &first, true), CS__VOTE_COUNTED);
        assert_int_equal(cs__tally_add(tally, &second, true), CS__VOTE_OTHER);
        assert_true(cs__tally_vote(tally, &got, &verified, CS_NOTARIZE, signer));
        assert_true(cs_ballot_eq(&got.ballot, &first.ballot));
    }
    struct cs_vote const third = vote_for(2, 2);
    struct cs_vote const fourth = vote_for(2, 3);
    assert_int_equal(cs__tally_add(tally, &third, true), CS__VOTE_COUNTED);
    assert_int_equal(cs__tally_add(tally, &fourth, true), CS__VOTE_COUNTED);
    assert_false(cs__tally_quorum(tally, &ballot, CS_NOTARIZE)); /* two each */
}

static void unverified_votes_weigh_nothing_until_they_are(void **state)
{
    (void)state;
    struct cs__tally *const tally = tally_make(NULL, 4);
    struct cs_ballot ballot;
    struct nv_sig sigs[4];
    struct cs_bitmap signers;
    for (uint32_t signer = 0; signer < 4; signer++) {
        struct cs_vote const vote = vote_for(1, signer);
        assert_int_equal(cs__tally_add(tally, &vote, false), CS__VOTE_STORED);
        assert_int_equal(cs__tally_add(tally, &vote, false), CS__VOTE_REPEATED);
        assert_false(cs__tally_knows(tally, &vote.ballot, signer, &vote.sig));
    }
    assert_false(cs__tally_quorum(tally, &ballot, CS_NOTARIZE));
    for (uint32_t signer = 1; signer < 4; signer++) {
        struct cs_vote const vote = vote_for(1, signer);
        assert_int_equal(cs__tally_add(tally, &vote, true), CS__VOTE_COUNTED);
        assert_true(cs__tally_knows(tally, &vote.ballot, signer, &vote.sig));
    }
    assert_true(cs__tally_quorum(tally, &ballot, CS_NOTARIZE));
    assert_int_equal(cs__tally_gather(tally, sigs, &signers, &ballot), 3);
    assert_false(cs_bitmap_has(&signers, 0));
    for (uint32_t i = 0; i < 3; i++) { /* by index */
        assert_int_equal(sigs[i].bytes[0], i + 1);
    }
}

static void reset_forgets(void **state)
{
    (void)state;
    struct cs__tally *const tally = tally_make(NULL, 4);
    struct cs_vote vote = vote_for(1, 0);
    struct cs_vote got;
    bool verified = false;
    assert_int_equal(cs__tally_add(tally, &vote, true), CS__VOTE_COUNTED);
    cs_bitmap_add(&tally->accused, 0);
    cs__tally_reset(tally, 10);
    assert_false(cs__tally_vote(tally, &got, &verified, CS_NOTARIZE, 0));
    assert_int_equal(cs_bitmap_count(&tally->accused), 0);
    vote.ballot.view = 10;
    assert_int_equal(cs__tally_add(tally, &vote, true), CS__VOTE_COUNTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quorum_comes_with_the_last_needed_vote),
        cmocka_unit_test(the_first_vote_counts),
        cmocka_unit_test(unverified_votes_weigh_nothing_until_they_are),
        cmocka_unit_test(reset_forgets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
