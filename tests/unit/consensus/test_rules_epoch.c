/* Goal: an epoch ends where docs/spec/consensus.md section 18 says, with the set
 * that the state gives; its last block is proposed again until it is final; and
 * nothing of one epoch counts in the next.
 * Method: one engine of four, everything else written by the test. */

#include <string.h>

#include "consensus/rules.h"
#include "tests/lib/engine_one.h"
#include "tests/lib/nv_test.h"

#define VALIDATORS 4u
#define EPOCH_MS   300u

static struct engine_one one;
static struct nv_sig sigs[4][VALIDATORS];
static struct cs_header block[3]; /* by height */
static struct nv_hash hash[3];
static uint8_t journal[1u << 16];
static uint32_t journal_size;

/* not_leader returns a validator that leads none of the first three views. */
static uint32_t not_leader(void)
{
    struct cs_net net;
    struct cs_schedule schedule;
    uint32_t leads = 0;
    uint32_t me = 0;
    cs_net_init(&net, NULL, VALIDATORS);
    cs_schedule_init(&schedule, &net.set, &net.chain_id, CS_FIRST_EPOCH, &net.chain_id);
    for (uint64_t view = 1; view <= 3; view++) {
        leads |= 1u << cs_schedule_leader(&schedule, view);
    }
    while ((leads >> me & 1u) != 0) {
        me++;
    }
    assert_true(me < VALIDATORS);
    return me;
}

static struct cs_certificate certificate(enum cs_vote_kind kind, uint64_t view, uint32_t height)
{
    uint64_t const parent = kind == CS_NULLIFY ? 0 : view - 1;
    struct cs_ballot const ballot = cs_build_ballot(kind, view, parent, hash[height]);
    return engine_one_quorum(&one, sigs[view], &ballot);
}

static void keep(void)
{
    const struct cs_effect *effect = NULL;
    for (uint32_t i = 0; (effect = engine_one_effect(&one, CS_FX_PERSIST, i)) != NULL; i++) {
        struct nv_view const records = effect->persist.records;
        assert_true(journal_size + records.size <= sizeof journal);
        memcpy(journal + journal_size, records.bytes, records.size);
        journal_size += records.size;
    }
}

/* give sends a message from whom it concerns. */
static void give(uint32_t from, const struct cs_message *message)
{
    bool right = false;
    struct cs_plan const plan = engine_one_mail(&one, &right, from, message);
    assert_true(plan.wanted);
    assert_true(right);
    keep();
}

/* propose gives block `height` in the view of that number, on the one below. */
static void propose(uint32_t height)
{
    struct cs_header *const header = &block[height];
    struct cs_certificate justify = {.signer_count = 0};
    if (height > 1) {
        justify = certificate(CS_NOTARIZE, height - 1, height - 1);
        cs_certificate_hash(&header->justify_hash, &justify);
    }
    struct cs_message message = engine_one_proposal(&one, header);
    message.proposal.has_justify = height > 1;
    message.proposal.justify = justify;
    cs_header_hash(&hash[height], header);
    give(header->proposer, &message);
}

static void header_on(uint32_t height)
{
    block[height] = engine_one_header(&one, height);
    block[height].height = height;
    block[height].parent_view = height - 1;
    block[height].parent_hash = hash[height - 1];
}

/* start brings the engine to where the next block closes the epoch. */
static int start(void **state)
{
    (void)state;
    journal_size = 0;
    engine_one_epochs(&one, VALIDATORS, not_leader(), EPOCH_MS);
    hash[0] = one.net.chain_id;
    engine_one_pass(&one, EPOCH_MS);
    header_on(1);
    propose(1);
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
    header_on(2);
    block[2].next_valset_hash = one.net.set.hash; /* by the state after the genesis */
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_one_drop(&one);
    return 0;
}

static void last_block_names_the_next_set(void **state)
{
    (void)state;
    propose(2);
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
}

static void last_block_without_a_set_is_invalid(void **state)
{
    (void)state;
    memset(&block[2].next_valset_hash, 0, sizeof block[2].next_valset_hash);
    propose(2);
    assert_int_equal(engine_one_invalid(&one), CS__BAD_SET);
}

static void last_block_with_another_set_is_invalid(void **state)
{
    (void)state;
    block[2].next_valset_hash.bytes[5] ^= 1;
    propose(2);
    assert_int_equal(engine_one_invalid(&one), CS__BAD_SET);
}

static void another_block_with_a_set_is_invalid(void **state)
{
    (void)state;
    engine_one_drop(&one);
    engine_one_epochs(&one, VALIDATORS, not_leader(), EPOCH_MS);
    engine_one_pass(&one, EPOCH_MS);
    header_on(1);
    block[1].next_valset_hash = one.net.set.hash;
    propose(1);
    assert_int_equal(engine_one_invalid(&one), CS__BAD_SET);
}

/* again proposes block 2 once more, in view 3. */
static void again(void)
{
    uint32_t const leader = cs_leader(one.cs, 3);
    struct cs_message message = engine_one_proposal(&one, &block[2]);
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 3, 2, hash[2]);
    struct cs_certificate const notarized = certificate(CS_NOTARIZE, 2, 2);
    uint8_t list[CS_CERTIFICATE_SIZE_MAX];
    struct nv_writer w;
    nv_writer_init(&w, list, sizeof list);
    cs_certificate_put(&w, &notarized);
    message.proposal.again = true;
    message.proposal.view = 3;
    message.proposal.parent_view = 2;
    message.proposal.sig = cs_build_vote(&one.net, &ballot, leader).sig;
    message.proposal.has_justify = true;
    message.proposal.justify = certificate(CS_NOTARIZE, 1, 1);
    message.proposal.certificates = (struct cs_list){nv_writer_view(&w), 1};
    give(leader, &message);
}

static void last_block_is_proposed_again(void **state)
{
    (void)state;
    propose(2);
    again();
    assert_int_equal(cs_summary(one.cs).view, 3);
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
    assert_true(engine_one_voted(&one, CS_FINALIZE)); /* of view 2 */
}

static void nothing_stands_on_the_last_block(void **state)
{
    (void)state;
    propose(2);
    struct cs_header header = engine_one_header(&one, 3);
    struct cs_certificate const justify = certificate(CS_NOTARIZE, 2, 2);
    header.height = 3;
    header.parent_view = 2;
    header.parent_hash = hash[2];
    cs_certificate_hash(&header.justify_hash, &justify);
    struct cs_message message = engine_one_proposal(&one, &header);
    message.proposal.has_justify = true;
    message.proposal.justify = justify;
    give(header.proposer, &message);
    assert_int_equal(engine_one_invalid(&one), CS__BAD_PARENT);
}

/* finish makes the last block final. */
static void finish(void)
{
    struct cs_message message = {.type = CS_MSG_CERTIFICATE};
    propose(2);
    message.certificate = certificate(CS_FINALIZE, 2, 2);
    give((cs_summary(one.cs).me + 1) % VALIDATORS, &message);
}

static void handover_is_durable_before_the_first_message(void **state)
{
    (void)state;
    bool turned = false;
    bool kept = false;
    finish();
    assert_int_equal(cs_summary(one.cs).epoch, 2);
    assert_int_equal(cs_summary(one.cs).view, 1);
    assert_int_equal(cs_summary(one.cs).final_height, 2);
    for (uint32_t i = 0; i < one.effects.count; i++) {
        const struct cs_effect *const effect = &one.effects.list[i];
        if (effect->kind == CS_FX_PERSIST && effect->persist.records.bytes[0] == CS_RECORD_EPOCH) {
            assert_true(effect->persist.sync);
            kept = true;
        }
        if (effect->kind == CS_FX_EPOCH) {
            assert_true(kept);
            assert_int_equal(effect->epoch.epoch, 2);
            assert_int_equal(effect->epoch.set->count, VALIDATORS);
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
    finish();
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        struct cs_ballot const ballot = cs_build_ballot(CS_NULLIFY, 1, 0, hash[0]);
        struct cs_vote const vote = cs_build_vote(&one.net, &ballot, i);
        if (i != cs_summary(one.cs).me) {
            assert_false(engine_one_vote(&one, &vote).own_sig);
        }
    }
    assert_int_equal(cs_summary(one.cs).view, 1);
}

static void votes_of_the_new_epoch_count(void **state)
{
    (void)state;
    finish();
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        struct cs_ballot ballot = cs_build_ballot(CS_NULLIFY, 1, 0, hash[0]);
        ballot.epoch = 2;
        struct cs_vote const vote = cs_build_vote(&one.net, &ballot, i);
        if (i != cs_summary(one.cs).me) {
            assert_true(engine_one_vote(&one, &vote).own_sig);
        }
    }
    assert_int_equal(cs_summary(one.cs).view, 2);
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
    uint32_t const other = (cs_summary(one.cs).me + 1) % VALIDATORS;
    cs_net_init_at(&strangers, NULL, VALIDATORS, 50);
    finish();
    struct cs_message message = double_vote(&strangers, 1, 1);
    assert_false(engine_one_mail(&one, &right, other, &message).wanted);
    message = double_vote(&one.net, other, 3); /* it has not begun */
    assert_false(engine_one_mail(&one, &right, other, &message).wanted);
    message = double_vote(&one.net, other, 1);
    give(CS_PEER_OTHER + 3, &message); /* anybody may say so */
    const struct cs_effect *const kept = engine_one_effect(&one, CS_FX_PERSIST, 0);
    assert_non_null(kept);
    assert_int_equal(kept->persist.records.bytes[0], CS_RECORD_EVIDENCE);
    assert_false(engine_one_mail(&one, &right, other, &message).wanted); /* once is enough */
}

static void another_set_than_the_own_state_gives_stops_the_engine(void **state)
{
    (void)state;
    block[2].next_valset_hash.bytes[5] ^= 1;
    finish();
    const struct cs_effect *const halt = engine_one_effect(&one, CS_FX_HALT, 0);
    assert_non_null(halt);
    assert_int_equal(halt->halt.code, CS_HALT_STATE);
}

static void restart_is_in_the_new_epoch_without_old_votes(void **state)
{
    (void)state;
    struct nv_reader r;
    finish();
    engine_one_again(&one);
    nv_reader_init(&r, nv_view_of(journal, journal_size));
    while (nv_reader_left(&r) > 0) {
        struct cs_record record;
        uint32_t const at = r.at;
        assert_int_equal(cs_record_get(&r, &record), NV_OK);
        assert_int_equal(cs_recover(one.cs, nv_view_of(journal + at, r.at - at)), NV_OK);
    }
    nv_reader_init(&r, nv_view_of(journal, journal_size)); /* and all of it once more */
    while (nv_reader_left(&r) > 0) {
        struct cs_record record;
        uint32_t const at = r.at;
        assert_int_equal(cs_record_get(&r, &record), NV_OK);
        assert_int_equal(cs_recover(one.cs, nv_view_of(journal + at, r.at - at)), NV_OK);
    }
    engine_one_step(&one, (struct cs_event){.kind = CS_EV_START});
    assert_int_equal(cs_summary(one.cs).epoch, 2);
    assert_int_equal(cs_summary(one.cs).view, 1);
    assert_int_equal(cs_summary(one.cs).final_height, 2);
    assert_int_equal(cs_summary(one.cs).certificates_held, 2); /* both of the handover */
}

static const struct cs_effect *sent(enum cs_message_type type)
{
    const struct cs_effect *effect = NULL;
    for (uint32_t i = 0; (effect = engine_one_effect(&one, CS_FX_SEND, i)) != NULL; i++) {
        if (effect->send.type == type) {
            return effect;
        }
    }
    return NULL;
}

/* sent_to returns to whom the last step sent such a message, and its bytes, or
 * CS_NOBODY. */
static uint32_t sent_to(enum cs_message_type type, struct nv_view *out)
{
    const struct cs_effect *const effect = sent(type);
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
    uint32_t const other = (cs_summary(one.cs).me + 1) % VALIDATORS;
    static uint8_t bytes[CS_HANDOVER_SIZE_MAX];
    struct cs_message message = status_of(1);
    struct nv_view handover;
    finish();
    give(other, &message);
    assert_int_equal(sent_to(CS_MSG_EPOCH_RESPONSE, &handover), other);
    memcpy(bytes, handover.bytes, handover.size);
    handover.bytes = bytes;
    give(other, &message);
    assert_null(sent(CS_MSG_EPOCH_RESPONSE)); /* once in a while is enough */

    engine_one_again(&one); /* one that has nothing of it */
    engine_one_step(&one, (struct cs_event){.kind = CS_EV_START});
    message = status_of(7);
    give(CS_PEER_OTHER + 9, &message);
    struct nv_view request;
    assert_int_equal(sent_to(CS_MSG_EPOCH_REQUEST, &request), CS_PEER_OTHER + 9);
    assert_int_equal(cs_message_decode(&message, CS_MSG_EPOCH_RESPONSE, handover), NV_OK);
    give(CS_PEER_OTHER + 9, &message);
    assert_non_null(sent(CS_MSG_BLOCK_REQUEST)); /* for what it has to make final */
}

static void unknown_state_is_waited_for(void **state)
{
    (void)state;
    struct nv_hash const root = cs_build_hash(70);
    struct cs_valset next = one.net.set;
    next.member[0].stake = 9;
    struct cs_valset set;
    assert_int_equal(cs_valset_init(&set, next.member, VALIDATORS), NV_OK);
    engine_one_step(&one,
                    (struct cs_event){.kind = CS_EV_EXECUTED,
                                      .executed = {.height = 4, .root = root, .next = &set}});
    propose(2); /* it names the set after the genesis: now there is a gap behind it */
    assert_int_equal(engine_one_invalid(&one), 0);
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(last_block_names_the_next_set, start, stop),
        cmocka_unit_test_setup_teardown(last_block_without_a_set_is_invalid, start, stop),
        cmocka_unit_test_setup_teardown(last_block_with_another_set_is_invalid, start, stop),
        cmocka_unit_test_setup_teardown(another_block_with_a_set_is_invalid, start, stop),
        cmocka_unit_test_setup_teardown(last_block_is_proposed_again, start, stop),
        cmocka_unit_test_setup_teardown(nothing_stands_on_the_last_block, start, stop),
        cmocka_unit_test_setup_teardown(handover_is_durable_before_the_first_message, start, stop),
        cmocka_unit_test_setup_teardown(votes_of_the_old_epoch_do_not_count, start, stop),
        cmocka_unit_test_setup_teardown(votes_of_the_new_epoch_count, start, stop),
        cmocka_unit_test_setup_teardown(faults_of_an_ended_epoch_wait_for_a_block, start, stop),
        cmocka_unit_test_setup_teardown(
            another_set_than_the_own_state_gives_stops_the_engine, start, stop),
        cmocka_unit_test_setup_teardown(restart_is_in_the_new_epoch_without_old_votes, start, stop),
        cmocka_unit_test_setup_teardown(laggards_get_the_handover_and_can_use_it, start, stop),
        cmocka_unit_test_setup_teardown(unknown_state_is_waited_for, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
