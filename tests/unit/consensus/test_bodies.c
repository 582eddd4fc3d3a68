/* Goal: an engine counts few bodies as held however many views are given up, keeps those
 * that it needs, and never acts on one that it has given up.
 * Method: one engine of four; the test proposes a block with a body in each view of
 * another leader, says that the body is valid, and has the view nullified. */

#include <stdlib.h>

#include "consensus/chain.h"
#include "tests/lib/engine_one.h"
#include "tests/lib/nv_test.h"

#define VALIDATORS 4u
#define VIEWS_MAX  512u
#define VIEWS      300u

static struct engine_one one;
static struct nv_hash block[VIEWS + 1]; /* by view; zero: none */
static uint32_t block_count;

static int start(void **state)
{
    (void)state;
    memset(block, 0, sizeof block);
    block_count = 0;
    engine_one_init(&one, VALIDATORS, engine_one_follower(VALIDATORS, 3));
    free(one.memory);
    one.config.views_max = VIEWS_MAX;
    one.memory = calloc(1, cs_memory(&one.config));
    assert_non_null(one.memory);
    engine_one_again(&one);
    engine_one_step(&one, (struct cs_event){.kind = CS_EV_START});
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_one_drop(&one);
    return 0;
}

static void body_say(uint64_t view, enum cs_body_verdict verdict)
{
    engine_one_step(&one,
                    (struct cs_event){
                        .kind = CS_EV_BODY,
                        .body = {.block_hash = block[view], .verdict = verdict},
                    });
}

/* propose has a block of the present view proposed, with a body that is there. */
static void propose(uint64_t view)
{
    struct cs_header header = engine_one_header(&one, view);
    header.body_root = cs_build_hash(5);
    header.body_size = 100;
    header.tx_count = 1;
    cs_header_hash(&block[view], &header);
    struct cs_message const message = engine_one_proposal(&one, &header);
    engine_one_give(&one, header.proposer, &message);
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
    body_say(view, CS_BODY_VALID);
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
    assert_true(cs_body_held(one.cs, &block[view]));
    block_count++;
}

static void certify(enum cs_vote_kind kind, uint64_t view)
{
    struct nv_sig sigs[VALIDATORS];
    struct nv_hash const none = {{0}};
    struct cs_ballot const ballot =
        cs_build_ballot(kind, view, 0, kind == CS_NULLIFY ? none : block[view]);
    struct cs_message message = {.type = CS_MSG_CERTIFICATE};
    message.certificate = engine_one_quorum(&one, sigs, &ballot);
    engine_one_give(&one, (cs_summary(one.cs).me + 1) % VALIDATORS, &message);
}

/* stand_still has all views up to `last` given up; of view `certified` the block is
 * notarized as well. */
static void stand_still(uint64_t last, uint64_t certified)
{
    for (uint64_t view = 1; view <= last; view++) {
        assert_int_equal(cs_summary(one.cs).view, view);
        if (cs_leader(one.cs, view) != cs_summary(one.cs).me) {
            propose(view);
        }
        certify(CS_NULLIFY, view);
        if (view == certified) {
            certify(CS_NOTARIZE, view);
        }
        uint32_t const held = block_count < CS_BODIES_MAX ? block_count : CS_BODIES_MAX;
        assert_int_equal(cs_summary(one.cs).bodies_held, held);
    }
    assert_true(block_count > CS_BODIES_MAX + 20);
}

static void views_given_up_do_not_fill_the_room(void **state)
{
    (void)state;
    stand_still(VIEWS, 0);
    assert_false(cs_body_held(one.cs, &block[2]));
    body_say(2, CS_BODY_VALID); /* it was on its way */
    assert_int_equal(cs_summary(one.cs).bodies_held, CS_BODIES_MAX);
}

static void what_may_be_a_parent_is_kept(void **state)
{
    (void)state;
    stand_still(VIEWS, 1);
    assert_true(cs_body_held(one.cs, &block[1]));
    assert_false(cs_body_held(one.cs, &block[2]));
}

/* A body that was given up is asked for when it is needed; until it is there again
 * there is no vote, and then it need not be judged once more. */
static void what_was_given_up_comes_again_before_a_vote(void **state)
{
    (void)state;
    stand_still(VIEWS, 0);
    certify(CS_NOTARIZE, 2);
    assert_false(engine_one_voted(&one, CS_FINALIZE));
    const struct cs_effect *const need = engine_one_effect(&one, CS_FX_NEED_BODY, 0);
    assert_non_null(need);
    assert_memory_equal(&need->body.block_hash, &block[2], sizeof block[2]);
    body_say(2, CS_BODY_HELD);
    assert_true(engine_one_voted(&one, CS_FINALIZE));
    assert_true(cs_body_held(one.cs, &block[2]));
    assert_int_equal(cs_summary(one.cs).bodies_held, CS_BODIES_MAX);
}

/* A body of its own would have no place. */
static void a_leader_without_room_proposes_an_empty_block(void **state)
{
    uint64_t view = VIEWS;
    (void)state;
    while (cs_leader(one.cs, view) != cs_summary(one.cs).me) {
        view--;
    }
    stand_still(view - 1, 0);
    assert_int_equal(cs_summary(one.cs).view, view);
    engine_one_step(&one, (struct cs_event){.kind = CS_EV_WORK, .work = {.waiting = 5}});
    assert_false(engine_one_voted(&one, CS_NOTARIZE));
    engine_one_pass(&one, one.config.delay_ns / 1000000);
    assert_null(engine_one_effect(&one, CS_FX_BUILD, 0));
    assert_true(engine_one_voted(&one, CS_NOTARIZE));
}

/* know_chain makes the headers known of blocks of heights 1 to `count`, a view each. */
static void know_chain(uint64_t count)
{
    struct cs_block made = {.header = engine_one_header(&one, 1)};
    made.header.body_root = cs_build_hash(5);
    made.header.body_size = 100;
    made.header.tx_count = 1;
    for (uint64_t height = 1; height <= count; height++) {
        made.header.height = height;
        made.header.view = height;
        made.header.parent_view = height - 1;
        made.header.parent_hash = height == 1 ? one.config.chain_id : block[height - 1];
        cs_header_hash(&block[height], &made.header);
        assert_non_null(cs__block_add(one.cs, &made, &block[height]));
    }
}

/* asks_by_height has the top block become final, and a peer tell that it is; it returns
 * whether the engine asks for blocks from the lowest one on. */
static bool asks_by_height(uint64_t top)
{
    struct nv_sig sigs[VALIDATORS];
    uint32_t const peer = (cs_summary(one.cs).me + 1) % VALIDATORS;
    struct cs_message message = {.type = CS_MSG_CERTIFICATE};
    know_chain(top);
    struct cs_ballot const ballot = cs_build_ballot(CS_FINALIZE, top, top - 1, block[top]);
    message.certificate = engine_one_quorum(&one, sigs, &ballot);
    engine_one_give(&one, peer, &message);
    assert_non_null(engine_one_effect(&one, CS_FX_NEED_BODY, 0));
    message = (struct cs_message){.type = CS_MSG_STATUS};
    message.status.epoch = CS_FIRST_EPOCH;
    message.status.view = top + 1;
    message.status.final_height = top;
    message.status.final_view = top;
    message.status.final_hash = block[top];
    message.status.time_ms = one.wall_ms;
    message.status.entry_kind = CS_FINALIZE;
    engine_one_give(&one, peer, &message);
    const struct cs_effect *const ask = engine_one_sent(&one, CS_FX_SEND, CS_MSG_BLOCK_REQUEST);
    return ask != NULL && ask->send.bytes.bytes[0] == 2;
}

/* All bodies below a finalization are held at once: not of more than 128 blocks, if
 * there is one between. */
static void too_far_a_finalization_is_approached_by_height(void **state)
{
    assert_true(asks_by_height(CS_BLOCKS_MAX + 1));
    (void)stop(state);
    (void)start(state);
    assert_false(asks_by_height(CS_BLOCKS_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(views_given_up_do_not_fill_the_room, start, stop),
        cmocka_unit_test_setup_teardown(what_may_be_a_parent_is_kept, start, stop),
        cmocka_unit_test_setup_teardown(what_was_given_up_comes_again_before_a_vote, start, stop),
        cmocka_unit_test_setup_teardown(a_leader_without_room_proposes_an_empty_block, start, stop),
        cmocka_unit_test_setup_teardown(
            too_far_a_finalization_is_approached_by_height, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
