/* Goal: a proposal is voted for if and only if every rule of
 * docs/spec/consensus.md section 10.4 holds, and what may still come is waited
 * for.
 * Method: one engine of four, the leader's proposal written by the test; each
 * rule broken alone. */

#include <string.h>

#include "consensus/rules.h"
#include "tests/lib/engine_one.h"
#include "tests/lib/nv_test.h"

#define VALIDATORS 4u

static struct engine_one one;

static void propose(const struct cs_header *header)
{
    struct cs_message const message = engine_one_proposal(&one, header);
    engine_one_give(&one, header->proposer, &message);
}

static int start(void **state)
{
    (void)state;
    engine_one_init(&one, VALIDATORS, engine_one_follower(VALIDATORS, 3));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_one_drop(&one);
    return 0;
}

static void good_block_gets_a_vote_after_its_record(void **state)
{
    (void)state;
    struct cs_header const header = engine_one_header(&one, 1);
    propose(&header);
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
    assert_int_equal(engine_one_invalid(&one), 0);
    const struct cs_effect *const persist = engine_one_effect(&one, CS_FX_PERSIST, 0);
    assert_non_null(persist);
    assert_true(persist->persist.sync);
    assert_int_equal(persist->persist.count, 2); /* the block and the vote */
    assert_true(persist < engine_one_effect(&one, CS_FX_BROADCAST, 0));
    propose(&header); /* once more: no second vote */
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
}

/* spoil breaks one rule and returns the verdict it must bring. */
static enum cs__verdict spoil(struct cs_header *header, uint32_t which)
{
    switch (which) {
    case 0: header->chain_id.bytes[0] ^= 1; return CS__BAD_CHAIN;
    case 1: header->valset_hash.bytes[0] ^= 1; return CS__BAD_SET;
    case 2: header->next_valset_hash.bytes[0] ^= 1; return CS__BAD_SET;
    case 3: header->params_hash.bytes[0] ^= 1; return CS__BAD_PARAMS;
    case 4: header->evidence_root.bytes[0] ^= 1; return CS__BAD_JUSTIFY;
    case 5: header->height = 2; return CS__BAD_HEIGHT;
    case 6: header->height = 0; return CS__BAD_EXECUTED;
    case 7: header->executed_height = 1; return CS__BAD_EXECUTED;
    case 8: header->state_root.bytes[0] ^= 1; return CS__BAD_ROOT;
    case 9: header->justify_hash.bytes[0] ^= 1; return CS__BAD_JUSTIFY;
    case 10: header->parent_hash.bytes[0] ^= 1; return CS__BAD_JUSTIFY;
    case 11: header->tx_count = 1; return CS__BAD_BODY_FIELDS;
    case 12: header->body_size = 1; return CS__BAD_BODY_FIELDS;
    case 13: header->body_root.bytes[0] ^= 1; return CS__BAD_BODY_FIELDS;
    case 14:
        header->body_root.bytes[0] ^= 1;
        header->tx_count = 1;
        header->body_size = (1u << 20) + 1;
        return CS__BAD_BODY_FIELDS;
    case 15: header->time_ms = one.config.genesis_time_ms - 1; return CS__BAD_TIME;
    default: return CS__GOOD;
    }
}

static void each_broken_rule_gets_a_nullify(void **state)
{
    (void)state;
    for (uint32_t which = 0; which <= 16; which++) {
        (void)start(NULL);
        struct cs_header header = engine_one_header(&one, 1);
        enum cs__verdict const expected = spoil(&header, which);
        propose(&header);
        assert_int_equal(engine_one_invalid(&one), expected);
        assert_int_equal(engine_one_voted(&one, CS_NOTARIZE), expected == CS__GOOD);
        assert_int_equal(engine_one_voted(&one, CS_NULLIFY), expected != CS__GOOD);
        (void)stop(NULL);
    }
}

static void block_with_another_certificate_is_not_kept(void **state)
{
    struct nv_hash hash;
    struct cs_header kept;
    (void)state;
    struct cs_header header = engine_one_header(&one, 1);
    header.justify_hash.bytes[0] ^= 1;
    propose(&header);
    cs_header_hash(&hash, &header);
    assert_false(cs_block_header(one.cs, &hash, &kept));
    header.justify_hash.bytes[0] ^= 1;
    propose(&header);
    cs_header_hash(&hash, &header);
    assert_true(cs_block_header(one.cs, &hash, &kept));
}

static void block_of_the_past_is_refused_and_of_the_future_waits(void **state)
{
    (void)state;
    struct cs_header header = engine_one_header(&one, 1);
    one.wall_ms += 2001;
    propose(&header);
    assert_int_equal(engine_one_invalid(&one), CS__BAD_TIME);
    engine_one_drop(&one);

    (void)start(NULL);
    header = engine_one_header(&one, 1);
    header.time_ms += 600;
    propose(&header);
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
    assert_int_equal(engine_one_invalid(&one), 0);
    engine_one_pass(&one, 99);
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
    engine_one_pass(&one, 1);
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
}

static struct cs_header header_with_body(void)
{
    struct cs_header header = engine_one_header(&one, 1);
    header.body_root = cs_build_hash(5);
    header.body_size = 100;
    header.tx_count = 1;
    return header;
}

static void body_say(const struct cs_header *header, enum cs_body_verdict verdict)
{
    struct cs_event event = {.kind = CS_EV_BODY};
    cs_header_hash(&event.body.block_hash, header);
    event.body.verdict = verdict;
    engine_one_step(&one, event);
}

static void body_is_waited_for_and_asked_for(void **state)
{
    (void)state;
    struct cs_header const header = header_with_body();
    propose(&header);
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
    const struct cs_effect *need = engine_one_effect(&one, CS_FX_NEED_BODY, 0);
    assert_non_null(need);
    assert_true(need->body.streaming); /* the leader sends it unasked */
    assert_int_equal(need->body.peer, header.proposer);
    engine_one_pass(&one, 200);
    need = engine_one_effect(&one, CS_FX_NEED_BODY, 0);
    assert_non_null(need);
    assert_false(need->body.streaming);
    assert_int_equal(need->body.peer, header.proposer);
    engine_one_pass(&one, 100);
    need = engine_one_effect(&one, CS_FX_NEED_BODY, 0);
    assert_non_null(need);
    assert_int_not_equal(need->body.peer, header.proposer); /* somebody else now */
    body_say(&header, CS_BODY_HELD);
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
    body_say(&header, CS_BODY_VALID);
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
}

/* asks returns whether a block is asked for. */
static bool asks(void)
{
    const struct cs_effect *effect = NULL;
    for (uint32_t i = 0; (effect = engine_one_effect(&one, CS_FX_SEND, i)) != NULL; i++) {
        if (effect->send.type == CS_MSG_BLOCK_REQUEST) {
            return true;
        }
    }
    return false;
}

/* SPEC consensus 15: "A block that is notarized in the view before the own one is asked for D/10 after it is missed" */
static void a_block_that_others_voted_for_is_asked_for_a_little_later(void **state)
{
    static struct nv_sig sigs[VALIDATORS];
    struct nv_hash hash;
    bool right = false;
    (void)state;
    struct cs_header const header = engine_one_header(&one, 1);
    cs_header_hash(&hash, &header);
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 1, 0, hash);
    struct cs_message const message = {.type = CS_MSG_CERTIFICATE,
                                       .certificate = engine_one_quorum(&one, sigs, &ballot)};
    for (uint32_t round = 0; round < 2; round++) {
        uint32_t const from = (one.net.set.count - 1 + header.proposer) % one.net.set.count;
        (void)engine_one_mail(&one, &right, from, &message);
        assert_true(right);
        assert_false(asks());
        engine_one_pass(&one, 9);
        assert_false(asks());
        if (round == 0) { /* lost */
            engine_one_pass(&one, 1);
            assert_true(asks());
        } else { /* only late */
            propose(&header);
            engine_one_pass(&one, 1);
            assert_false(asks());
        }
        (void)stop(NULL);
        (void)start(NULL);
    }
}

static void invalid_body_gets_a_nullify(void **state)
{
    (void)state;
    struct cs_header const header = header_with_body();
    propose(&header);
    body_say(&header, CS_BODY_INVALID);
    assert_int_equal(engine_one_invalid(&one), CS__BAD_BODY);
    assert_true(engine_one_voted(&one, CS_NULLIFY));
    body_say(&header, CS_BODY_VALID); /* once said, it stays */
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
}

/* notarization gives the engine the certificate of view 1 that all others have voted. */
static void notarization(const struct cs_header *header)
{
    struct nv_sig sigs[VALIDATORS];
    struct nv_hash hash;
    cs_header_hash(&hash, header);
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 1, 0, hash);
    struct cs_message const message = {.type = CS_MSG_CERTIFICATE,
                                       .certificate = engine_one_quorum(&one, sigs, &ballot)};
    engine_one_give(&one, (one.net.set.count - 1 + header->proposer) % one.net.set.count, &message);
}

static void what_a_quorum_has_judged_is_finalized(void **state)
{
    (void)state;
    struct cs_header const header = header_with_body();
    propose(&header);
    notarization(&header);
    assert_false(engine_one_voted(&one, CS_FINALIZE)); /* the body is not there */
    body_say(&header, CS_BODY_HELD);
    assert_true(engine_one_voted(&one, CS_FINALIZE));
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
}

static void what_is_found_invalid_is_not_finalized(void **state)
{
    (void)state;
    struct cs_header const header = header_with_body();
    propose(&header);
    body_say(&header, CS_BODY_INVALID);
    notarization(&header);
    assert_false(engine_one_voted(&one, CS_FINALIZE));
}

/* nullification gives the engine the certificate that a view was skipped. */
static void nullification(uint64_t view)
{
    struct nv_sig sigs[VALIDATORS];
    bool right = false;
    struct cs_ballot const ballot = cs_build_ballot(CS_NULLIFY, view, 0, cs_build_hash(0));
    struct cs_message const message = {
        .type = CS_MSG_CERTIFICATE,
        .certificate = engine_one_quorum(&one, sigs, &ballot),
    };
    (void)engine_one_mail(&one, &right, (cs_summary(one.cs).me + 1) % VALIDATORS, &message);
    assert_true(right);
}

static void skipped_views_must_be_nullified(void **state)
{
    (void)state;
    nullification(2); /* into view 3, with a hole at 1 */
    assert_int_equal(cs_summary(one.cs).view, 3);
    struct cs_header const header = engine_one_header(&one, 3);
    propose(&header);
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
    assert_int_equal(engine_one_invalid(&one), 0);
    nullification(1);
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
}

static void missing_certificates_are_asked_for(void **state)
{
    (void)state;
    nullification(2);
    const struct cs_effect *const request = engine_one_effect(&one, CS_FX_SEND, 0);
    assert_non_null(request);
    assert_int_equal(request->send.type, CS_MSG_CERT_REQUEST);
    assert_int_equal(request->send.peer, cs_leader(one.cs, 3));
    engine_one_pass(&one, 100); /* D later: everybody */
    assert_int_equal(engine_one_effect(&one, CS_FX_BROADCAST, 0)->send.type, CS_MSG_CERT_REQUEST);
}

static void late_view_gets_no_vote(void **state)
{
    (void)state;
    struct cs_header const header = engine_one_header(&one, 1);
    nullification(1);
    assert_int_equal(cs_summary(one.cs).view, 2);
    propose(&header);
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
    assert_false(engine_one_voted(&one, CS_NULLIFY));
}

static void nullified_view_may_still_be_notarized_but_not_finalized(void **state)
{
    (void)state;
    struct cs_header const header = engine_one_header(&one, 1);
    struct cs_ballot ballot = cs_build_ballot(CS_NOTARIZE, 1, 0, cs_build_hash(0));
    engine_one_pass(&one, 1000 + 245); /* idle time, then the leader's */
    assert_true(engine_one_voted(&one, CS_NULLIFY));
    propose(&header);
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
    cs_header_hash(&ballot.block_hash, &header);
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        if (i != cs_summary(one.cs).me && i != header.proposer) {
            struct cs_vote const vote = cs_build_vote(&one.net, &ballot, i);
            (void)engine_one_vote(&one, &vote);
            assert_false(engine_one_voted(&one, CS_FINALIZE));
        }
    }
    assert_int_equal(cs_summary(one.cs).view, 2);
    assert_int_equal(cs_summary(one.cs).views_nullified, 1); /* it was lost all the same */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(good_block_gets_a_vote_after_its_record, start, stop),
        cmocka_unit_test(each_broken_rule_gets_a_nullify),
        cmocka_unit_test_setup_teardown(block_with_another_certificate_is_not_kept, start, stop),
        cmocka_unit_test_setup_teardown(
            block_of_the_past_is_refused_and_of_the_future_waits, start, stop),
        cmocka_unit_test_setup_teardown(body_is_waited_for_and_asked_for, start, stop),
        cmocka_unit_test_setup_teardown(
            a_block_that_others_voted_for_is_asked_for_a_little_later, start, stop),
        cmocka_unit_test_setup_teardown(invalid_body_gets_a_nullify, start, stop),
        cmocka_unit_test_setup_teardown(what_a_quorum_has_judged_is_finalized, start, stop),
        cmocka_unit_test_setup_teardown(what_is_found_invalid_is_not_finalized, start, stop),
        cmocka_unit_test_setup_teardown(skipped_views_must_be_nullified, start, stop),
        cmocka_unit_test_setup_teardown(missing_certificates_are_asked_for, start, stop),
        cmocka_unit_test_setup_teardown(late_view_gets_no_vote, start, stop),
        cmocka_unit_test_setup_teardown(
            nullified_view_may_still_be_notarized_but_not_finalized, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
