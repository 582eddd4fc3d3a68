/* Goal: only what can be of use costs a signature check, and nothing that is
 * wrong gets in.
 * Method: one engine of four; messages that are early, late, doubled, in the
 * wrong mouth, known already, conflicting, forged. */

#include <string.h>

#include "consensus/rules.h"
#include "tests/lib/engine_one.h"
#include "tests/lib/nv_test.h"

#define VALIDATORS 4u

static struct engine_one one;
static uint32_t others[3]; /* all but the engine's own */

static int start(void **state)
{
    uint32_t count = 0;
    (void)state;
    engine_one_init(&one, VALIDATORS, 0);
    for (uint32_t i = 1; i < VALIDATORS; i++) {
        others[count++] = i;
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_one_drop(&one);
    return 0;
}

static struct cs_vote nullify_of(uint64_t view, uint32_t signer)
{
    struct cs_ballot const ballot = cs_build_ballot(CS_NULLIFY, view, 0, cs_build_hash(0));
    return cs_build_vote(&one.net, &ballot, signer);
}

static struct cs_vote notarize_of(uint64_t view, uint32_t block, uint32_t signer)
{
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, view, 0, cs_build_hash(block));
    return cs_build_vote(&one.net, &ballot, signer);
}

static void a_vote_is_checked_once(void **state)
{
    (void)state;
    struct cs_vote const vote = nullify_of(1, others[0]);
    assert_true(engine_one_vote(&one, &vote).own_sig);
    assert_false(engine_one_vote(&one, &vote).own_sig);
}

static void votes_outside_the_window_are_not_checked(void **state)
{
    (void)state;
    uint64_t const views[] = {1, 5, 6, 100, UINT64_MAX};
    for (uint32_t i = 0; i < sizeof views / sizeof *views; i++) {
        struct cs_vote const vote = nullify_of(views[i], others[0]);
        assert_int_equal(engine_one_vote(&one, &vote).own_sig, views[i] <= 5);
    }
}

static void a_vote_counts_from_its_signers_mouth_only(void **state)
{
    (void)state;
    bool right = false;
    struct cs_message message = {.type = CS_MSG_VOTE, .vote = nullify_of(1, others[0])};
    assert_false(engine_one_mail(&one, &right, others[1], &message).wanted);
    assert_false(engine_one_mail(&one, &right, CS_PEER_OTHER, &message).wanted);
    message.vote.ballot.epoch = 2; /* tells where its sender is, and counts for nothing */
    struct cs_plan const plan = engine_one_mail(&one, &right, others[0], &message);
    assert_true(plan.wanted);
    assert_false(plan.own_sig);
}

static void a_forged_vote_is_found(void **state)
{
    (void)state;
    bool right = true;
    struct cs_message message = {.type = CS_MSG_VOTE, .vote = nullify_of(1, others[0])};
    message.vote.sig.bytes[40] ^= 1;
    assert_true(engine_one_mail(&one, &right, others[0], &message).own_sig);
    assert_false(right);
}

static void after_the_certificate_votes_are_kept_unchecked(void **state)
{
    (void)state;
    struct cs_vote vote = nullify_of(1, others[0]);
    (void)engine_one_vote(&one, &vote);
    vote = nullify_of(1, others[1]);
    (void)engine_one_vote(&one, &vote);
    if (cs_summary(one.cs).view == 1) { /* unless the engine nullified, too */
        engine_one_pass(&one, 1000 + 245);
    }
    assert_int_equal(cs_summary(one.cs).view, 2);
    vote = nullify_of(1, others[2]);
    assert_false(engine_one_vote(&one, &vote).own_sig);
    assert_null(engine_one_effect(&one, CS_FX_EVIDENCE, 0));
    /* It was kept: a finalize vote of the same validator is now proof. */
    struct cs_ballot const ballot = cs_build_ballot(CS_FINALIZE, 1, 0, cs_build_hash(1));
    vote = cs_build_vote(&one.net, &ballot, others[2]);
    assert_true(engine_one_vote(&one, &vote).own_sig);
    const struct cs_effect *const evidence = engine_one_effect(&one, CS_FX_EVIDENCE, 0);
    assert_non_null(evidence);
    assert_int_equal(evidence->evidence.offence, CS_OFFENCE_NULLIFY_FINAL);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(cs_vote_verify(&evidence->evidence.vote[i], &one.net.chain_id, &one.net.set));
    }
}

static void an_offender_is_told_of_once_a_view(void **state)
{
    (void)state;
    struct cs_vote vote = notarize_of(1, 1, others[0]);
    (void)engine_one_vote(&one, &vote);
    vote = notarize_of(1, 2, others[0]);
    assert_true(engine_one_vote(&one, &vote).own_sig);
    assert_non_null(engine_one_effect(&one, CS_FX_EVIDENCE, 0));
    vote = notarize_of(1, 3, others[0]);
    assert_false(engine_one_vote(&one, &vote).own_sig);
    assert_null(engine_one_effect(&one, CS_FX_EVIDENCE, 0));
    vote = notarize_of(1, 1, others[1]);
    assert_true(engine_one_vote(&one, &vote).own_sig); /* others go on counting */
}

static void a_certificate_is_checked_once_and_not_again_by_its_votes(void **state)
{
    (void)state;
    struct nv_sig sigs[VALIDATORS];
    bool right = false;
    struct cs_ballot const ballot = cs_build_ballot(CS_NULLIFY, 1, 0, cs_build_hash(0));
    struct cs_message message = {.type = CS_MSG_CERTIFICATE};
    struct cs_vote const vote = nullify_of(1, others[1]);
    (void)engine_one_vote(&one, &vote);
    message.certificate = cs_build_certificate(
        &one.net, sigs, &ballot, &(struct cs_bitmap){{0x0e}}); /* all the others */
    struct cs_plan plan = engine_one_mail(&one, &right, others[0], &message);
    assert_true(right);
    assert_int_equal(plan.certificates, 1);
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        assert_int_equal(cs_bitmap_has(&plan.known, i), i == others[1]);
    }
    assert_int_equal(cs_summary(one.cs).view, 2);
    plan = engine_one_mail(&one, &right, others[2], &message);
    assert_int_equal(plan.certificates, 0);
}

static void certificates_of_other_epochs_and_far_views_are_not_checked(void **state)
{
    (void)state;
    struct nv_sig sigs[VALIDATORS];
    bool right = false;
    struct cs_ballot ballot = cs_build_ballot(CS_NULLIFY, 65, 0, cs_build_hash(0));
    struct cs_message message = {.type = CS_MSG_CERTIFICATE};
    message.certificate = engine_one_quorum(&one, sigs, &ballot);
    assert_int_equal(engine_one_mail(&one, &right, others[0], &message).certificates, 0);
    ballot.view = 64; /* as far as the engine holds views */
    message.certificate = engine_one_quorum(&one, sigs, &ballot);
    assert_int_equal(engine_one_mail(&one, &right, others[0], &message).certificates, 1);
    ballot.view = 63;
    ballot.epoch = 2;
    message.certificate = engine_one_quorum(&one, sigs, &ballot);
    assert_int_equal(engine_one_mail(&one, &right, others[0], &message).certificates, 0);
    assert_int_equal(cs_summary(one.cs).view, 65);
}

static void known_signatures_do_not_help_another_epoch(void **state)
{
    (void)state;
    struct nv_sig sigs[VALIDATORS];
    bool right = true;
    for (uint32_t i = 0; i < 3; i++) {
        struct cs_vote const vote = notarize_of(1, 1, others[i]);
        (void)engine_one_vote(&one, &vote);
    }
    assert_int_equal(cs_summary(one.cs).view, 2);
    struct cs_header header = engine_one_header(&one, 2);
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 1, 0, cs_build_hash(1));
    header.parent_view = 1;
    header.proposer = (uint16_t)cs_leader(one.cs, 2);
    struct cs_message message = engine_one_proposal(&one, &header);
    message.proposal.has_justify = true;
    message.proposal.justify =
        cs_build_certificate(&one.net, sigs, &ballot, &(struct cs_bitmap){{0x0e}});
    if (header.proposer == cs_summary(one.cs).me) {
        return; /* the engine leads; nobody could send it this */
    }
    struct cs_plan plan = engine_one_mail(&one, &right, header.proposer, &message);
    assert_true(right);
    assert_int_equal(cs_bitmap_count(&plan.known), 3);
    engine_one_drop(&one);

    (void)start(NULL);
    for (uint32_t i = 0; i < 3; i++) {
        struct cs_vote const vote = notarize_of(1, 1, others[i]);
        (void)engine_one_vote(&one, &vote);
    }
    message.proposal.justify.ballot.epoch = 9; /* signed for epoch 1 */
    plan = engine_one_mail(&one, &right, header.proposer, &message);
    assert_int_equal(cs_bitmap_count(&plan.known), 0);
    assert_int_equal(plan.certificates & 1u, 0); /* the engine judges it by that epoch's set ... */
    assert_int_equal(engine_one_invalid(&one), CS__BAD_JUSTIFY); /* ... which there is none of */
}

static void the_own_signature_in_anothers_hand_stops_the_engine(void **state)
{
    (void)state;
    struct nv_sig sigs[VALIDATORS];
    bool right = false;
    struct cs_ballot const ballot = cs_build_ballot(CS_NULLIFY, 1, 0, cs_build_hash(0));
    struct cs_message message = {.type = CS_MSG_CERTIFICATE};
    message.certificate = cs_build_quorum(&one.net, sigs, &ballot); /* with the engine's */
    (void)engine_one_mail(&one, &right, others[0], &message);
    const struct cs_effect *const halt = engine_one_effect(&one, CS_FX_HALT, 0);
    assert_non_null(halt);
    assert_int_equal(halt->halt.code, CS_HALT_SECOND_SIGNER);
    assert_true(cs_summary(one.cs).halted);
    engine_one_pass(&one, 10000);
    assert_int_equal(one.effects.count, 0);
}

static void a_proposal_comes_from_its_leader_only(void **state)
{
    (void)state;
    bool right = false;
    uint32_t const leader = cs_leader(one.cs, 2);
    struct cs_header header = engine_one_header(&one, 2);
    struct cs_message message = engine_one_proposal(&one, &header);
    assert_false(engine_one_mail(&one, &right, (leader + 1) % VALIDATORS, &message).wanted);
    header.proposer = (uint16_t)((leader + 1) % VALIDATORS);
    message = engine_one_proposal(&one, &header);
    assert_false(engine_one_mail(&one, &right, header.proposer, &message).wanted);
}

static void requests_are_answered_so_often_a_second(void **state)
{
    (void)state;
    bool right = false;
    uint32_t answers = 0;
    struct nv_sig sigs[VALIDATORS];
    struct cs_ballot const ballot = cs_build_ballot(CS_NULLIFY, 1, 0, cs_build_hash(0));
    struct cs_message message = {.type = CS_MSG_CERTIFICATE};
    message.certificate = engine_one_quorum(&one, sigs, &ballot);
    (void)engine_one_mail(&one, &right, others[0], &message);
    message = (struct cs_message){.type = CS_MSG_CERT_REQUEST};
    message.cert_request.epoch = 1;
    message.cert_request.count = 1;
    message.cert_request.view[0] = 1;
    for (uint32_t i = 0; i < 40; i++) {
        (void)engine_one_mail(&one, &right, others[1], &message);
        const struct cs_effect *const send = engine_one_effect(&one, CS_FX_SEND, 0);
        answers += send != NULL && send->send.type == CS_MSG_CERT_RESPONSE;
    }
    assert_int_equal(answers, 10);
    (void)engine_one_mail(&one, &right, others[2], &message); /* another's share */
    assert_non_null(engine_one_effect(&one, CS_FX_SEND, 0));
    one.now_ns += 1000000000;
    (void)engine_one_mail(&one, &right, others[1], &message);
    assert_non_null(engine_one_effect(&one, CS_FX_SEND, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_vote_is_checked_once, start, stop),
        cmocka_unit_test_setup_teardown(votes_outside_the_window_are_not_checked, start, stop),
        cmocka_unit_test_setup_teardown(a_vote_counts_from_its_signers_mouth_only, start, stop),
        cmocka_unit_test_setup_teardown(a_forged_vote_is_found, start, stop),
        cmocka_unit_test_setup_teardown(
            after_the_certificate_votes_are_kept_unchecked, start, stop),
        cmocka_unit_test_setup_teardown(an_offender_is_told_of_once_a_view, start, stop),
        cmocka_unit_test_setup_teardown(
            a_certificate_is_checked_once_and_not_again_by_its_votes, start, stop),
        cmocka_unit_test_setup_teardown(
            certificates_of_other_epochs_and_far_views_are_not_checked, start, stop),
        cmocka_unit_test_setup_teardown(known_signatures_do_not_help_another_epoch, start, stop),
        cmocka_unit_test_setup_teardown(
            the_own_signature_in_anothers_hand_stops_the_engine, start, stop),
        cmocka_unit_test_setup_teardown(a_proposal_comes_from_its_leader_only, start, stop),
        cmocka_unit_test_setup_teardown(requests_are_answered_so_often_a_second, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
