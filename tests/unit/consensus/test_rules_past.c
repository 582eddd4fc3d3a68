/* Goal: a second chain of an epoch that has ended stops the engine as long as that
 * epoch's validators have stake to lose, and not any longer (docs/spec/consensus.md
 * section 17).
 * Method: one engine of four in its second epoch; everybody else writes another end
 * of the first one. */

#include <string.h>

#include "tests/lib/engine_epoch.h"
#include "tests/lib/nv_test.h"

#define LATER 100000u /* milliseconds */

static struct engine_epoch e;
static uint32_t other;
static struct nv_sig sigs[2][EPOCH_VALIDATORS];
static uint8_t set_bytes[CS_VALSET_SIZE_MAX];

static int start(void **state)
{
    (void)engine_epoch_start(state);
    engine_epoch_finish(&e);
    other = (cs_summary(e.one.cs).me + 1) % EPOCH_VALIDATORS;
    return 0;
}

/* other_end makes a handover of the first epoch with another block, final in a view. */
static struct cs_message other_end(uint64_t view)
{
    struct cs_message message = {.type = CS_MSG_EPOCH_RESPONSE};
    struct nv_hash hash;
    message.handover.header = e.block[2];
    message.handover.header.time_ms++;
    cs_header_hash(&hash, &message.handover.header);
    struct cs_ballot const ballot = cs_build_ballot(CS_FINALIZE, view, view - 1, hash);
    message.handover.final = engine_one_quorum(&e.one, sigs[0], &ballot);
    message.handover.set = nv_view_of(set_bytes, cs_valset_encode(&e.one.net.set, set_bytes));
    return message;
}

/* stopped checks the halt of the last step: everybody else has signed both. */
static void stopped(bool culprits)
{
    const struct cs_effect *const halt = engine_one_effect(&e.one, CS_FX_HALT, 0);
    assert_non_null(halt);
    assert_int_equal(halt->halt.code, CS_HALT_FORK);
    assert_true(nv_hash_eq(&halt->halt.signers->hash, &e.one.net.set.hash));
    for (uint32_t i = 0; i < EPOCH_VALIDATORS; i++) {
        bool const guilty = culprits && i != cs_summary(e.one.cs).me;
        assert_int_equal(cs_bitmap_has(&halt->halt.culprits, i), guilty);
    }
}

static void doubts(uint64_t view)
{
    struct cs_message request;
    const struct cs_effect *const ask =
        engine_one_sent(&e.one, CS_FX_BROADCAST, CS_MSG_CERT_REQUEST);
    assert_non_null(ask);
    assert_int_equal(cs_message_decode(&request, CS_MSG_CERT_REQUEST, ask->send.bytes), NV_OK);
    assert_int_equal(request.cert_request.epoch, 1);
    assert_int_equal(request.cert_request.count, 1);
    assert_int_equal(request.cert_request.view[0], view);
    assert_false(cs_summary(e.one.cs).halted);
}

static void another_end_in_the_same_view_stops(void **state)
{
    (void)state;
    struct cs_message const message = other_end(2);
    engine_one_give(&e.one, other, &message);
    stopped(true);
    assert_non_null(engine_one_sent(&e.one, CS_FX_BROADCAST, CS_MSG_CERT_RESPONSE));
}

static void anybody_may_say_so(void **state)
{
    (void)state;
    struct cs_message const message = other_end(2);
    engine_one_give(&e.one, CS_PEER_OTHER + 5, &message);
    stopped(true);
}

/* answer gives certificates of the first epoch's view 2, in which fin was final: the
 * other chain nullified it. */
static void answer(void)
{
    struct cs_message message = {.type = CS_MSG_CERT_RESPONSE};
    static uint8_t bytes[CS_CERTIFICATE_SIZE_MAX];
    struct nv_writer w;
    struct cs_ballot const ballot = cs_build_ballot(CS_NULLIFY, 2, 0, e.hash[0]);
    struct cs_certificate const null = engine_one_quorum(&e.one, sigs[1], &ballot);
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_certificate_put(&w, &null);
    message.cert_response.certificates = (struct cs_list){nv_writer_view(&w), 1};
    engine_one_give(&e.one, other, &message);
}

static void another_end_in_another_view_is_asked_about(void **state)
{
    (void)state;
    struct cs_message const message = other_end(3);
    engine_one_give(&e.one, other, &message);
    doubts(2);
    assert_non_null(engine_one_sent(&e.one, CS_FX_BROADCAST, CS_MSG_EPOCH_RESPONSE));
    engine_one_pass(&e.one, 5000); /* time for many a view: nothing is signed */
    assert_false(engine_one_voted(&e.one, CS_NULLIFY));
}

static void the_answer_names_the_culprits(void **state)
{
    (void)state;
    struct cs_message const message = other_end(3);
    engine_one_give(&e.one, other, &message);
    answer();
    stopped(true);
}

static void without_an_answer_nobody_is_named(void **state)
{
    (void)state;
    struct cs_message const message = other_end(3);
    engine_one_give(&e.one, other, &message);
    for (uint32_t i = 0; i < 15; i++) {
        engine_one_pass(&e.one, e.one.config.delay_ns / 1000000);
        doubts(2);
    }
    engine_one_pass(&e.one, e.one.config.delay_ns / 1000000);
    stopped(false);
}

static void a_forgery_means_nothing(void **state)
{
    (void)state;
    struct cs_message const message = other_end(2);
    sigs[0][1].bytes[7] ^= 1;
    engine_one_give(&e.one, other, &message);
    assert_null(engine_one_effect(&e.one, CS_FX_HALT, 0));
    assert_null(engine_one_sent(&e.one, CS_FX_BROADCAST, CS_MSG_CERT_REQUEST));
}

static void the_own_end_means_nothing(void **state)
{
    (void)state;
    bool right = false;
    struct cs_message message = other_end(2);
    struct cs_ballot const ballot = cs_build_ballot(CS_FINALIZE, 3, 2, e.hash[2]);
    message.handover.header = e.block[2];
    message.handover.final = engine_one_quorum(&e.one, sigs[0], &ballot);
    assert_false(engine_one_mail(&e.one, &right, other, &message).wanted);
}

static void chains_that_parted_before_are_followed_back(void **state)
{
    (void)state;
    struct nv_hash hash;
    struct cs_message message = other_end(2);
    message.handover.header.valset_hash.bytes[0] ^= 1;
    cs_header_hash(&hash, &message.handover.header);
    struct cs_ballot const ballot = cs_build_ballot(CS_FINALIZE, 2, 1, hash);
    message.handover.final = engine_one_quorum(&e.one, sigs[0], &ballot);
    engine_one_give(&e.one, other, &message);
    assert_null(engine_one_sent(&e.one, CS_FX_SEND, CS_MSG_EPOCH_REQUEST)); /* there is none */
    assert_null(engine_one_effect(&e.one, CS_FX_HALT, 0));

    message.handover.header.epoch = 2; /* the present one: of validators that are not ours */
    cs_header_hash(&hash, &message.handover.header);
    struct cs_ballot later = cs_build_ballot(CS_FINALIZE, 2, 1, hash);
    later.epoch = 2;
    message.handover.final = engine_one_quorum(&e.one, sigs[0], &later);
    engine_one_give(&e.one, other, &message);
    const struct cs_effect *const ask = engine_one_sent(&e.one, CS_FX_SEND, CS_MSG_EPOCH_REQUEST);
    assert_non_null(ask);
    assert_int_equal(ask->send.peer, other);
    assert_int_equal(nv_be64_load(ask->send.bytes.bytes), 1);
}

static void a_status_with_another_hash_is_asked_about(void **state)
{
    (void)state;
    struct cs_message status = {.type = CS_MSG_STATUS};
    status.status =
        (struct cs_status){.epoch = 2, .view = 1, .final_height = 2, .final_hash = e.hash[2]};
    engine_one_give(&e.one, other, &status);
    assert_null(engine_one_sent(&e.one, CS_FX_SEND, CS_MSG_EPOCH_REQUEST));
    status.status.final_hash.bytes[0] ^= 1;
    engine_one_give(&e.one, other, &status);
    assert_non_null(engine_one_sent(&e.one, CS_FX_SEND, CS_MSG_EPOCH_REQUEST));
}

static void a_pair_of_an_ended_epoch_stops(void **state)
{
    (void)state;
    struct cs_message message = {.type = CS_MSG_CERT_RESPONSE};
    static uint8_t bytes[2 * CS_CERTIFICATE_SIZE_MAX];
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    for (uint32_t i = 0; i < 2; i++) {
        struct cs_ballot const ballot = cs_build_ballot(CS_NOTARIZE, 7, 6, cs_build_hash(i));
        struct cs_certificate const made = engine_one_quorum(&e.one, sigs[i], &ballot);
        cs_certificate_put(&w, &made);
    }
    message.cert_response.certificates = (struct cs_list){nv_writer_view(&w), 2};
    engine_one_give(&e.one, CS_PEER_OTHER + 1, &message);
    stopped(true);
}

/* close_second is a restart in which the journal ends the second epoch, much later
 * than the first. */
static void close_second(void)
{
    static uint8_t bytes[CS_RECORD_HEAD_SIZE + CS_HANDOVER_SIZE_MAX];
    struct cs_record record = {.type = CS_RECORD_EPOCH};
    struct nv_writer w;
    struct nv_hash hash;
    record.handover = other_end(2).handover;
    record.handover.header.epoch = 2;
    record.handover.header.time_ms += LATER;
    cs_header_hash(&hash, &record.handover.header);
    struct cs_ballot ballot = cs_build_ballot(CS_FINALIZE, 2, 1, hash);
    ballot.epoch = 2;
    record.handover.final = engine_one_quorum(&e.one, sigs[0], &ballot);
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_record_put(&w, &record);
    engine_one_again(&e.one);
    engine_epoch_replay(&e);
    assert_int_equal(cs_recover(e.one.cs, nv_writer_view(&w)), NV_OK);
    engine_one_step(&e.one, (struct cs_event){.kind = CS_EV_START});
    assert_int_equal(cs_summary(e.one.cs).epoch, 3);
}

/* told returns the epoch whose second chain the last step told of, or 0. */
static uint64_t told(void)
{
    const struct cs_effect *trace = NULL;
    for (uint32_t i = 0; (trace = engine_one_effect(&e.one, CS_FX_TRACE, i)) != NULL; i++) {
        if (trace->trace.code == CS_TRACE_PAST_FORK) {
            return trace->trace.a;
        }
    }
    return 0;
}

/* SPEC consensus 17: "if the epoch has *expired* (5) it means nothing" */
static void long_ago_is_told_once_and_means_nothing(void **state)
{
    (void)state;
    close_second();
    other = (cs_summary(e.one.cs).me + 1) % EPOCH_VALIDATORS;
    struct cs_message const message = other_end(2);
    engine_one_give(&e.one, other, &message);
    assert_null(engine_one_effect(&e.one, CS_FX_HALT, 0));
    assert_int_equal(told(), 1);
    engine_one_give(&e.one, other, &message);
    assert_int_equal(told(), 0);
    assert_false(cs_summary(e.one.cs).halted);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_prestate_setup_teardown(test, start, engine_epoch_stop, &e)
    const struct CMUnitTest tests[] = {
        CASE(another_end_in_the_same_view_stops),
        CASE(anybody_may_say_so),
        CASE(another_end_in_another_view_is_asked_about),
        CASE(the_answer_names_the_culprits),
        CASE(without_an_answer_nobody_is_named),
        CASE(a_forgery_means_nothing),
        CASE(the_own_end_means_nothing),
        CASE(chains_that_parted_before_are_followed_back),
        CASE(a_status_with_another_hash_is_asked_about),
        CASE(a_pair_of_an_ended_epoch_stops),
        CASE(long_ago_is_told_once_and_means_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
