/* Goal: proof of a fault goes to everybody and into a block once, and is no fault
 * of who passes it on (docs/spec/consensus.md section 17).
 * Method: one engine of four that leads the first view; the test signs for the
 * others. */

#include <string.h>

#include "consensus/rules.h"
#include "tests/lib/engine_one.h"
#include "tests/lib/nv_test.h"

#define VALIDATORS 4u

static struct engine_one one;
static uint32_t liar;

static struct cs_schedule schedule_of_first(void)
{
    struct cs_net net;
    struct cs_schedule schedule;
    cs_net_init(&net, NULL, VALIDATORS);
    cs_schedule_init(&schedule, &net.set, &net.chain_id, CS_FIRST_EPOCH, &net.chain_id);
    return schedule;
}

static int lead(void **state)
{
    (void)state;
    struct cs_schedule const schedule = schedule_of_first();
    engine_one_init(&one, VALIDATORS, cs_schedule_leader(&schedule, 1));
    liar = (cs_summary(one.cs).me + 1) % VALIDATORS;
    return 0;
}

/* follow makes the engine another than the first leader. */
static int follow(void **state)
{
    (void)state;
    struct cs_schedule const schedule = schedule_of_first();
    uint32_t const leader = cs_schedule_leader(&schedule, 1);
    engine_one_init(&one, VALIDATORS, (leader + 1) % VALIDATORS);
    liar = (leader + 2) % VALIDATORS;
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_one_drop(&one);
    return 0;
}

static struct cs_vote lie(uint64_t n)
{
    struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 2, 1, cs_build_hash(n));
    return cs_build_vote(&one.net, &ballot, liar);
}

static void two_votes(void)
{
    struct cs_vote const first = lie(1);
    struct cs_vote const second = lie(2);
    (void)engine_one_vote(&one, &first);
    (void)engine_one_vote(&one, &second);
}

static struct cs_message item(void)
{
    struct cs_message message = {.type = CS_MSG_EVIDENCE};
    struct cs_vote const first = lie(1);
    struct cs_vote const second = lie(2);
    assert_true(cs_evidence_make(&message.evidence, &first, &second, &one.net.set));
    return message;
}

/* proposed returns how many items the proposal of the last step carries. */
static uint32_t proposed(void)
{
    struct cs_message message;
    const struct cs_effect *const effect = engine_one_sent(&one, CS_FX_BROADCAST, CS_MSG_PROPOSAL);
    if (effect == NULL) {
        return UINT32_MAX;
    }
    assert_int_equal(cs_message_decode(&message, CS_MSG_PROPOSAL, effect->send.bytes), NV_OK);
    struct cs_block const block = {.header = message.proposal.header,
                                   .has_justify = message.proposal.has_justify,
                                   .justify = message.proposal.justify,
                                   .evidence = message.proposal.evidence};
    assert_true(cs_block_sound(&block));
    assert_true(cs_evidence_list_verify(&block.evidence, &one.net.chain_id));
    return block.evidence.count;
}

static void a_fault_is_told_to_all_once(void **state)
{
    (void)state;
    two_votes();
    assert_non_null(engine_one_effect(&one, CS_FX_EVIDENCE, 0));
    assert_non_null(engine_one_sent(&one, CS_FX_BROADCAST, CS_MSG_EVIDENCE));
    struct cs_vote const third = lie(3);
    (void)engine_one_vote(&one, &third);
    assert_null(engine_one_effect(&one, CS_FX_EVIDENCE, 0));
    assert_null(engine_one_sent(&one, CS_FX_BROADCAST, CS_MSG_EVIDENCE));
}

static void a_leader_includes_it(void **state)
{
    (void)state;
    two_votes();
    engine_one_pass(&one, 1100);
    assert_int_equal(proposed(), 1);
}

static void a_leader_includes_what_others_found(void **state)
{
    (void)state;
    bool right = false;
    struct cs_message const message = item();
    assert_true(engine_one_mail(&one, &right, liar, &message).own_sig);
    assert_true(right);
    assert_false(engine_one_mail(&one, &right, liar, &message).wanted); /* once is enough */
    engine_one_pass(&one, 1100);
    assert_int_equal(proposed(), 1);
}

static void a_leader_has_nothing_to_say_of_the_honest(void **state)
{
    (void)state;
    engine_one_pass(&one, 1100);
    assert_int_equal(proposed(), 0);
}

static void forged_or_foreign_evidence_is_not_taken(void **state)
{
    (void)state;
    bool right = true;
    struct cs_message message = item();
    message.evidence.half[1].sig.bytes[9] ^= 1;
    (void)engine_one_mail(&one, &right, liar, &message);
    assert_false(right);
    message = item();
    message.evidence.key.bytes[3] ^= 1; /* nobody's */
    assert_false(engine_one_mail(&one, &right, liar, &message).wanted);
    message = item();
    message.evidence.half[0].ballot.epoch = 7;
    message.evidence.half[1].ballot.epoch = 7;
    assert_false(engine_one_mail(&one, &right, liar, &message).wanted);
}

/* propose gives a block of the first leader with the items; it returns whether the
 * signatures were right. */
static bool propose(const struct cs_evidence *items, uint32_t count)
{
    static uint8_t bytes[CS_EVIDENCE_LIST_SIZE_MAX];
    bool right = false;
    struct nv_writer w;
    struct cs_header header = engine_one_header(&one, 1);
    nv_writer_init(&w, bytes, sizeof bytes);
    for (uint32_t i = 0; i < count; i++) {
        cs_evidence_put(&w, &items[i]);
    }
    struct cs_list const list = {nv_writer_view(&w), count};
    cs_evidence_root(&header.evidence_root, &list);
    struct cs_message message = engine_one_proposal(&one, &header);
    message.proposal.evidence = list;
    (void)engine_one_mail(&one, &right, header.proposer, &message);
    return right;
}

static void a_block_with_evidence_is_voted_for(void **state)
{
    (void)state;
    struct cs_message const message = item();
    assert_true(propose(&message.evidence, 1));
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
}

static void what_is_known_already_is_no_fault_of_a_block(void **state)
{
    (void)state;
    two_votes();
    struct cs_message const message = item();
    assert_true(propose(&message.evidence, 1));
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
}

static void evidence_about_nobody_is_no_fault_of_a_block(void **state)
{
    (void)state;
    struct cs_net strangers;
    struct cs_evidence about;
    cs_net_init(&strangers, NULL, VALIDATORS + 1);
    struct cs_valset set = strangers.set;
    uint32_t stranger = 0;
    while (cs_valset_find(&one.net.set, &set.member[stranger].key) != CS_VALIDATORS_MAX) {
        stranger++;
    }
    struct cs_ballot const first = cs_build_ballot(CS_NOTARIZE, 2, 1, cs_build_hash(1));
    struct cs_ballot const second = cs_build_ballot(CS_NOTARIZE, 2, 1, cs_build_hash(2));
    struct cs_vote const a = cs_build_vote(&strangers, &first, stranger);
    struct cs_vote const b = cs_build_vote(&strangers, &second, stranger);
    assert_true(cs_evidence_make(&about, &a, &b, &set));
    assert_true(propose(&about, 1));
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
}

static void a_forgery_in_a_block_is_its_leaders(void **state)
{
    (void)state;
    struct cs_message message = item();
    message.evidence.half[0].sig.bytes[40] ^= 1;
    assert_false(propose(&message.evidence, 1));
}

static void evidence_of_a_later_epoch_is_invalid(void **state)
{
    (void)state;
    struct cs_evidence later;
    struct cs_ballot first = cs_build_ballot(CS_NOTARIZE, 2, 1, cs_build_hash(1));
    struct cs_ballot second = cs_build_ballot(CS_NOTARIZE, 2, 1, cs_build_hash(2));
    first.epoch = 2;
    second.epoch = 2;
    struct cs_vote const a = cs_build_vote(&one.net, &first, liar);
    struct cs_vote const b = cs_build_vote(&one.net, &second, liar);
    assert_true(cs_evidence_make(&later, &a, &b, &one.net.set));
    assert_true(propose(&later, 1));
    assert_int_equal(engine_one_invalid(&one), CS__BAD_EVIDENCE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_fault_is_told_to_all_once, follow, stop),
        cmocka_unit_test_setup_teardown(a_leader_includes_it, lead, stop),
        cmocka_unit_test_setup_teardown(a_leader_includes_what_others_found, lead, stop),
        cmocka_unit_test_setup_teardown(a_leader_has_nothing_to_say_of_the_honest, lead, stop),
        cmocka_unit_test_setup_teardown(forged_or_foreign_evidence_is_not_taken, follow, stop),
        cmocka_unit_test_setup_teardown(a_block_with_evidence_is_voted_for, follow, stop),
        cmocka_unit_test_setup_teardown(what_is_known_already_is_no_fault_of_a_block, follow, stop),
        cmocka_unit_test_setup_teardown(evidence_about_nobody_is_no_fault_of_a_block, follow, stop),
        cmocka_unit_test_setup_teardown(a_forgery_in_a_block_is_its_leaders, follow, stop),
        cmocka_unit_test_setup_teardown(evidence_of_a_later_epoch_is_invalid, follow, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
