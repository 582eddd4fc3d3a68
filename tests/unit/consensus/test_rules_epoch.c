/* Goal: an epoch ends where docs/spec/consensus.md section 18 says, with the set
 * that the state gives; its last block is proposed again until it is final; and
 * nothing of one epoch counts in the next.
 * Method: one engine of four, everything else written by the test. */

#include <string.h>

#include "consensus/rules.h"
#include "tests/lib/engine_epoch.h"
#include "tests/lib/nv_test.h"

static struct engine_epoch e;

static void last_block_names_the_next_set(void **state)
{
    (void)state;
    engine_epoch_propose(&e, 2);
    assert_true(engine_one_voted(&e.one, CS_NOTARIZE));
}

static void last_block_without_a_set_is_invalid(void **state)
{
    (void)state;
    memset(&e.block[2].next_valset_hash, 0, sizeof e.block[2].next_valset_hash);
    engine_epoch_propose(&e, 2);
    assert_int_equal(engine_one_invalid(&e.one), CS__BAD_SET);
}

static void last_block_with_another_set_is_invalid(void **state)
{
    (void)state;
    e.block[2].next_valset_hash.bytes[5] ^= 1;
    engine_epoch_propose(&e, 2);
    assert_int_equal(engine_one_invalid(&e.one), CS__BAD_SET);
}

static void another_block_with_a_set_is_invalid(void **state)
{
    (void)state;
    engine_epoch_drop(&e);
    engine_epoch_begin(&e);
    engine_epoch_header(&e, 1);
    e.block[1].next_valset_hash = e.one.net.set.hash;
    engine_epoch_propose(&e, 1);
    assert_int_equal(engine_one_invalid(&e.one), CS__BAD_SET);
}

/* again proposes block 2 once more, in view 3. */
static void again(void)
{
    uint32_t const leader = cs_leader(e.one.cs, 3);
    struct cs_message message = engine_one_proposal(&e.one, &e.block[2]);
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 3, 2, e.hash[2]);
    struct cs_certificate const notarized = engine_epoch_certificate(&e, CS_NOTARIZE, 2, 2);
    uint8_t list[CS_CERTIFICATE_SIZE_MAX];
    struct nv_writer w;
    nv_writer_init(&w, list, sizeof list);
    cs_certificate_put(&w, &notarized);
    message.proposal.again = true;
    message.proposal.view = 3;
    message.proposal.parent_view = 2;
    message.proposal.sig = cs_build_vote(&e.one.net, &ballot, leader).sig;
    message.proposal.has_justify = true;
    message.proposal.justify = engine_epoch_certificate(&e, CS_NOTARIZE, 1, 1);
    message.proposal.certificates = (struct cs_list){nv_writer_view(&w), 1};
    engine_epoch_give(&e, leader, &message);
}

static void last_block_is_proposed_again(void **state)
{
    (void)state;
    engine_epoch_propose(&e, 2);
    again();
    assert_int_equal(cs_summary(e.one.cs).view, 3);
    assert_true(engine_one_voted(&e.one, CS_NOTARIZE));
    assert_true(engine_one_voted(&e.one, CS_FINALIZE)); /* of view 2 */
}

/* Nobody may have kept the rows by which its transactions were judged. */
static void last_block_is_voted_for_again_unjudged(void **state)
{
    (void)state;
    struct cs_event event = {.kind = CS_EV_BODY, .body = {.verdict = CS_BODY_HELD}};
    e.block[2].body_root = cs_build_hash(5);
    e.block[2].body_size = 100;
    e.block[2].tx_count = 1;
    engine_epoch_propose(&e, 2);
    event.body.block_hash = e.hash[2];
    engine_one_step(&e.one, event);
    assert_false(engine_one_voted(&e.one, CS_NOTARIZE));
    again();
    assert_int_equal(cs_summary(e.one.cs).view, 3);
    assert_true(engine_one_voted(&e.one, CS_NOTARIZE));
    assert_true(engine_one_voted(&e.one, CS_FINALIZE)); /* of view 2 */
}

static void nothing_stands_on_the_last_block(void **state)
{
    (void)state;
    engine_epoch_propose(&e, 2);
    struct cs_header header = engine_one_header(&e.one, 3);
    struct cs_certificate const justify = engine_epoch_certificate(&e, CS_NOTARIZE, 2, 2);
    header.height = 3;
    header.parent_view = 2;
    header.parent_hash = e.hash[2];
    cs_certificate_hash(&header.justify_hash, &justify);
    struct cs_message message = engine_one_proposal(&e.one, &header);
    message.proposal.has_justify = true;
    message.proposal.justify = justify;
    engine_epoch_give(&e, header.proposer, &message);
    assert_int_equal(engine_one_invalid(&e.one), CS__BAD_PARENT);
}

static void handover_is_durable_before_the_first_message(void **state)
{
    (void)state;
    bool turned = false;
    bool kept = false;
    engine_epoch_finish(&e);
    assert_int_equal(cs_summary(e.one.cs).epoch, 2);
    assert_int_equal(cs_summary(e.one.cs).view, 1);
    assert_int_equal(cs_summary(e.one.cs).final_height, 2);
    for (uint32_t i = 0; i < e.one.effects.count; i++) {
        const struct cs_effect *const effect = &e.one.effects.list[i];
        if (effect->kind == CS_FX_PERSIST && effect->persist.records.bytes[0] == CS_RECORD_EPOCH) {
            assert_true(effect->persist.sync);
            kept = true;
        }
        if (effect->kind == CS_FX_EPOCH) {
            assert_true(kept);
            assert_int_equal(effect->epoch.epoch, 2);
            assert_int_equal(effect->epoch.set->count, EPOCH_VALIDATORS);
            turned = true;
        }
        if (effect->kind == CS_FX_BROADCAST && effect->send.type == CS_MSG_STATUS) {
            assert_true(turned);
        }
    }
    assert_true(turned);
}

static void votes_of_the_old_epoch_do_not_count(void **state)
{
    (void)state;
    engine_epoch_finish(&e);
    for (uint32_t i = 0; i < EPOCH_VALIDATORS; i++) {
        struct cs_ballot const ballot = cs_build_ballot(CS_NULLIFY, 1, 0, e.hash[0]);
        struct cs_vote const vote = cs_build_vote(&e.one.net, &ballot, i);
        if (i != cs_summary(e.one.cs).me) {
            assert_false(engine_one_vote(&e.one, &vote).own_sig);
        }
    }
    assert_int_equal(cs_summary(e.one.cs).view, 1);
}

static void votes_of_the_new_epoch_count(void **state)
{
    (void)state;
    engine_epoch_finish(&e);
    for (uint32_t i = 0; i < EPOCH_VALIDATORS; i++) {
        struct cs_ballot ballot = cs_build_ballot(CS_NULLIFY, 1, 0, e.hash[0]);
        ballot.epoch = 2;
        struct cs_vote const vote = cs_build_vote(&e.one.net, &ballot, i);
        if (i != cs_summary(e.one.cs).me) {
            assert_true(engine_one_vote(&e.one, &vote).own_sig);
        }
    }
    assert_int_equal(cs_summary(e.one.cs).view, 2);
}

/* double_vote makes an item about a key that signs for an index in an epoch. */
static struct cs_message double_vote(const struct cs_net *net, uint32_t signer, uint64_t epoch)
{
    struct cs_message message = {.type = CS_MSG_EVIDENCE};
    struct cs_vote vote[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct cs_ballot ballot = cs_build_ballot(CS_NOTARIZE, 2, 1, cs_build_hash(i));
        ballot.epoch = epoch;
        vote[i] = cs_build_vote(net, &ballot, signer);
    }
    assert_true(cs_evidence_make(&message.evidence, &vote[0], &vote[1], &net->set));
    return message;
}

static void faults_of_an_ended_epoch_wait_for_a_block(void **state)
{
    (void)state;
    struct cs_net strangers;
    bool right = false;
    uint32_t const other = (cs_summary(e.one.cs).me + 1) % EPOCH_VALIDATORS;
    cs_net_init_at(&strangers, NULL, EPOCH_VALIDATORS, 50);
    engine_epoch_finish(&e);
    struct cs_message message = double_vote(&strangers, 1, 1);
    assert_false(engine_one_mail(&e.one, &right, other, &message).wanted);
    message = double_vote(&e.one.net, other, 3); /* it has not begun */
    assert_false(engine_one_mail(&e.one, &right, other, &message).wanted);
    message = double_vote(&e.one.net, other, 1);
    engine_epoch_give(&e, CS_PEER_OTHER + 3, &message); /* anybody may say so */
    const struct cs_effect *const kept = engine_one_effect(&e.one, CS_FX_PERSIST, 0);
    assert_non_null(kept);
    assert_int_equal(kept->persist.records.bytes[0], CS_RECORD_EVIDENCE);
    assert_false(engine_one_mail(&e.one, &right, other, &message).wanted); /* once is enough */
}

static void another_set_than_the_own_state_gives_stops_the_engine(void **state)
{
    (void)state;
    e.block[2].next_valset_hash.bytes[5] ^= 1;
    engine_epoch_finish(&e);
    const struct cs_effect *const halt = engine_one_effect(&e.one, CS_FX_HALT, 0);
    assert_non_null(halt);
    assert_int_equal(halt->halt.code, CS_HALT_STATE);
}

static void restart_is_in_the_new_epoch_without_old_votes(void **state)
{
    (void)state;
    engine_epoch_finish(&e);
    engine_one_again(&e.one);
    engine_epoch_replay(&e);
    engine_epoch_replay(&e); /* and all of it once more */
    engine_one_step(&e.one, (struct cs_event){.kind = CS_EV_START});
    assert_int_equal(cs_summary(e.one.cs).epoch, 2);
    assert_int_equal(cs_summary(e.one.cs).view, 1);
    assert_int_equal(cs_summary(e.one.cs).final_height, 2);
    assert_int_equal(cs_summary(e.one.cs).certificates_held, 3); /* one may yet prove a fork */
}

/* sent_to returns to whom the last step sent such a message, and its bytes, or
 * CS_NOBODY. */
static uint32_t sent_to(enum cs_message_type type, struct nv_view *out)
{
    const struct cs_effect *const effect = engine_one_sent(&e.one, CS_FX_SEND, type);
    *out = effect != NULL ? effect->send.bytes : nv_view_of(NULL, 0);
    return effect != NULL ? effect->send.peer : CS_NOBODY;
}

static struct cs_message status_of(uint64_t epoch)
{
    struct cs_message message = {.type = CS_MSG_STATUS};
    message.status.epoch = epoch;
    message.status.view = 1;
    return message;
}

static void laggards_get_the_handover_and_can_use_it(void **state)
{
    (void)state;
    uint32_t const other = (cs_summary(e.one.cs).me + 1) % EPOCH_VALIDATORS;
    static uint8_t bytes[CS_HANDOVER_SIZE_MAX];
    struct cs_message message = status_of(1);
    struct nv_view handover;
    engine_epoch_finish(&e);
    engine_epoch_give(&e, other, &message);
    assert_int_equal(sent_to(CS_MSG_EPOCH_RESPONSE, &handover), other);
    memcpy(bytes, handover.bytes, handover.size);
    handover.bytes = bytes;
    engine_epoch_give(&e, other, &message);
    assert_null(
        engine_one_sent(&e.one, CS_FX_SEND, CS_MSG_EPOCH_RESPONSE)); /* once in a while is enough */

    engine_one_again(&e.one); /* one that has nothing of it */
    engine_one_step(&e.one, (struct cs_event){.kind = CS_EV_START});
    message = status_of(7);
    engine_epoch_give(&e, CS_PEER_OTHER + 9, &message);
    struct nv_view request;
    assert_int_equal(sent_to(CS_MSG_EPOCH_REQUEST, &request), CS_PEER_OTHER + 9);
    assert_int_equal(cs_message_decode(&message, CS_MSG_EPOCH_RESPONSE, handover), NV_OK);
    engine_epoch_give(&e, CS_PEER_OTHER + 9, &message);
    assert_non_null(engine_one_sent(
        &e.one, CS_FX_SEND, CS_MSG_BLOCK_REQUEST)); /* for what it has to make final */
}

static void unknown_state_is_waited_for(void **state)
{
    (void)state;
    struct nv_hash const root = cs_build_hash(70);
    struct cs_valset next = e.one.net.set;
    next.member[0].stake = 9;
    struct cs_valset set;
    assert_int_equal(cs_valset_init(&set, next.member, EPOCH_VALIDATORS), NV_OK);
    engine_one_step(&e.one,
                    (struct cs_event){.kind = CS_EV_EXECUTED,
                                      .executed = {.height = 4, .root = root, .next = &set}});
    engine_epoch_propose(&e,
                         2); /* it names the set after the genesis: now there is a gap behind it */
    assert_int_equal(engine_one_invalid(&e.one), 0);
    assert_false(engine_one_voted(&e.one, CS_NOTARIZE));
}

int main(void)
{
#define CASE(test) EPOCH_CASE(test, &e)
    const struct CMUnitTest tests[] = {
        CASE(last_block_names_the_next_set),
        CASE(last_block_without_a_set_is_invalid),
        CASE(last_block_with_another_set_is_invalid),
        CASE(another_block_with_a_set_is_invalid),
        CASE(last_block_is_proposed_again),
        CASE(last_block_is_voted_for_again_unjudged),
        CASE(nothing_stands_on_the_last_block),
        CASE(handover_is_durable_before_the_first_message),
        CASE(votes_of_the_old_epoch_do_not_count),
        CASE(votes_of_the_new_epoch_count),
        CASE(faults_of_an_ended_epoch_wait_for_a_block),
        CASE(another_set_than_the_own_state_gives_stops_the_engine),
        CASE(restart_is_in_the_new_epoch_without_old_votes),
        CASE(laggards_get_the_handover_and_can_use_it),
        CASE(unknown_state_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
