/* Goal: a key whose journal is lost signs in no epoch that may hold an unknown vote of
 * it, and in the first one that cannot; a journal may begin with the end of a later
 * epoch.
 * Method: one engine of four at the end of its first epoch, begun anew without its
 * journal or with records of epochs that it never saw. */

#include <string.h>

#include "consensus/rules.h"
#include "consensus/self.h"
#include "consensus/state.h"
#include "tests/lib/engine_epoch.h"
#include "tests/lib/nv_test.h"

static struct engine_epoch e;

/* sit_out begins anew with an engine that sits out, and has block 1. */
static void sit_out(uint64_t until_ms)
{
    e.one.config.sit_out_until_ms = until_ms;
    engine_one_again(&e.one);
    engine_one_step(&e.one, (struct cs_event){.kind = CS_EV_START});
    engine_epoch_propose(&e, 1);
    assert_true(cs_summary(e.one.cs).sits_out);
    assert_false(engine_one_voted(&e.one, CS_NOTARIZE));
}

/* nullifies lets all timers of the view pass, and returns whether it votes to leave it. */
static bool nullifies(void)
{
    bool voted = false;
    for (uint32_t i = 0; i < 20; i++) {
        engine_one_pass(&e.one, 100);
        voted = voted || engine_one_voted(&e.one, CS_NULLIFY);
    }
    return voted;
}

static void a_key_sits_out_the_first_epoch_by_the_time_of_the_genesis(void **state)
{
    (void)state;
    sit_out(e.one.config.genesis_time_ms);
    assert_false(nullifies());
}

static void a_key_sits_out_epochs_that_began_too_early(void **state)
{
    (void)state;
    sit_out(e.block[2].time_ms);
    engine_epoch_finish(&e);
    assert_int_equal(cs_summary(e.one.cs).epoch, 2);
    assert_true(cs_summary(e.one.cs).sits_out);
    assert_false(nullifies());
}

static void a_key_signs_in_the_first_epoch_that_began_later(void **state)
{
    (void)state;
    sit_out(e.block[2].time_ms - 1);
    engine_epoch_finish(&e);
    assert_int_equal(cs_summary(e.one.cs).epoch, 2);
    assert_false(cs_summary(e.one.cs).sits_out);
    assert_true(cs_summary(e.one.cs).listening); /* for another signer */
    assert_true(nullifies());
    assert_false(cs_summary(e.one.cs).listening);
}

static void a_key_that_sits_out_for_ever_never_signs(void **state)
{
    (void)state;
    sit_out(UINT64_MAX);
    engine_epoch_finish(&e);
    assert_int_equal(cs_summary(e.one.cs).epoch, 2);
    assert_true(cs_summary(e.one.cs).sits_out);
    assert_false(nullifies());
}

/* vote_of_own_key gives a certificate of view 1 by the own key and two others. */
static void vote_of_own_key(uint64_t epoch, struct nv_hash opened)
{
    struct cs_bitmap signers = {{0}};
    struct cs_message message = {.type = CS_MSG_CERTIFICATE};
    struct cs_ballot ballot = cs_build_ballot(CS_NULLIFY, 1, 0, opened);
    uint32_t const me = cs_summary(e.one.cs).me;
    ballot.epoch = epoch;
    for (uint32_t i = 0; i < 3; i++) {
        cs_bitmap_add(&signers, (me + i) % EPOCH_VALIDATORS);
    }
    message.certificate = cs_build_certificate(&e.one.net, e.sigs[0], &ballot, &signers);
    engine_epoch_give(&e, (me + 1) % EPOCH_VALIDATORS, &message);
}

/* What the key signed before its journal was lost is no second signer; what it
 * signs in the epoch in which it may sign again is. */
static void a_second_signer_is_noticed_when_the_sitting_out_ends(void **state)
{
    (void)state;
    sit_out(e.block[2].time_ms - 1);
    vote_of_own_key(1, e.hash[0]);
    assert_false(cs_summary(e.one.cs).halted);
    engine_epoch_finish(&e);
    assert_int_equal(cs_summary(e.one.cs).epoch, 2);
    vote_of_own_key(2, e.hash[2]);
    assert_true(cs_summary(e.one.cs).halted);
}

/* ended writes the end of an epoch with a set of `count` of the net's. */
static struct nv_view ended(uint64_t epoch, uint32_t count, uint8_t *out)
{
    uint8_t set_bytes[CS_VALSET_SIZE_MAX];
    struct cs_valset next;
    struct cs_ballot ballot = cs_build_ballot(CS_FINALIZE, 5, 4, e.hash[0]);
    assert_int_equal(cs_valset_init(&next, e.one.net.set.member, count), NV_OK);
    struct cs_record record = {
        .type = CS_RECORD_EPOCH,
        .handover = {.header = engine_one_header(&e.one, 5),
                     .set = nv_view_of(set_bytes, cs_valset_encode(&next, set_bytes))},
    };
    struct cs_header *const header = &record.handover.header;
    header->epoch = epoch;
    header->height = 100 * epoch;
    header->time_ms += 1000 * epoch;
    header->next_valset_hash = next.hash;
    ballot.epoch = epoch;
    cs_header_hash(&ballot.block_hash, header);
    record.handover.final = engine_one_quorum(&e.one, e.sigs[0], &ballot);
    struct nv_writer w;
    nv_writer_init(&w, out, CS_HANDOVER_SIZE_MAX + 5u);
    cs_record_put(&w, &record);
    assert_false(w.overflow);
    return nv_writer_view(&w);
}

/* A journal whose oldest part is gone begins with the end of an epoch. */
static void a_later_epoch_may_be_the_first_record(void **state)
{
    (void)state;
    static uint8_t bytes[2][CS_HANDOVER_SIZE_MAX + 5u];
    struct cs_schedule schedule;
    struct nv_view const sixth = ended(6, 3, bytes[0]);
    struct nv_view const seventh = ended(7, EPOCH_VALIDATORS, bytes[1]);
    struct cs_record record;
    struct nv_reader r;
    nv_reader_init(&r, seventh);
    assert_int_equal(cs_record_get(&r, &record), NV_OK);
    engine_one_again(&e.one);
    assert_int_equal(cs_recover(e.one.cs, sixth), NV_OK);
    assert_int_equal(cs_summary(e.one.cs).epoch, 7);
    assert_int_equal(cs_validators(e.one.cs)->count, 3);
    assert_null(cs__set_of(e.one.cs, 6));
    assert_int_equal(cs_recover(e.one.cs, seventh), NV_OK);
    engine_one_step(&e.one, (struct cs_event){.kind = CS_EV_START});
    struct cs_summary const summary = cs_summary(e.one.cs);
    assert_int_equal(summary.epoch, 8);
    assert_int_equal(summary.view, 1);
    assert_int_equal(summary.final_height, 700);
    assert_int_equal(summary.final_time_ms, record.handover.header.time_ms);
    assert_int_not_equal(summary.me, CS_NOBODY);
    assert_int_equal(cs_validators(e.one.cs)->count, EPOCH_VALIDATORS);
    assert_null(cs__set_of(e.one.cs, 6));
    assert_int_equal(cs__set_of(e.one.cs, 7)->count, 3);
    cs_schedule_init(&schedule, &e.one.net.set, &e.one.net.chain_id, 8, &summary.final_hash);
    for (uint64_t view = 1; view < 20; view++) {
        assert_int_equal(cs_leader(e.one.cs, view), cs_schedule_leader(&schedule, view));
    }
}

/* Only the first record: anything else is a journal with a gap. */
static void an_epoch_is_not_skipped_later(void **state)
{
    (void)state;
    static uint8_t bytes[3][CS_HANDOVER_SIZE_MAX + 5u];
    struct nv_view const sixth = ended(6, EPOCH_VALIDATORS, bytes[0]);
    struct nv_view const eighth = ended(8, EPOCH_VALIDATORS, bytes[1]);
    engine_one_again(&e.one);
    assert_int_equal(cs_recover(e.one.cs, sixth), NV_OK);
    assert_int_equal(cs_recover(e.one.cs, eighth), NV_ERR_MISMATCH);
    assert_int_equal(cs_recover(e.one.cs, sixth), NV_OK); /* once more */
    assert_int_equal(cs_summary(e.one.cs).epoch, 7);
    e.one.net.chain_id.bytes[3] ^= 1; /* that of another chain */
    struct nv_view const other = ended(6, EPOCH_VALIDATORS, bytes[2]);
    e.one.net.chain_id.bytes[3] ^= 1;
    engine_one_again(&e.one);
    assert_int_equal(cs_recover(e.one.cs, other), NV_ERR_MISMATCH);
}

/* The block on which the epoch stands is believed, so another finalization of it
 * is too, when nobody is known who could have signed it. */
static void the_first_block_is_voted_for_without_the_set_before(void **state)
{
    (void)state;
    static uint8_t bytes[CS_HANDOVER_SIZE_MAX + 5u];
    struct cs_record record;
    struct nv_reader r;
    struct nv_view const sixth = ended(6, EPOCH_VALIDATORS, bytes);
    nv_reader_init(&r, sixth);
    assert_int_equal(cs_record_get(&r, &record), NV_OK);
    engine_one_again(&e.one);
    assert_int_equal(cs_recover(e.one.cs, sixth), NV_OK);
    engine_one_step(&e.one, (struct cs_event){.kind = CS_EV_START});
    struct cs_summary const summary = cs_summary(e.one.cs);
    struct cs_header header = engine_one_header(&e.one, 1);
    struct cs_ballot ballot = cs_build_ballot(CS_FINALIZE, 9, 4, summary.final_hash);
    ballot.epoch = 6;
    struct cs_certificate const justify = engine_one_quorum(&e.one, e.sigs[1], &ballot);
    header.epoch = 7;
    header.height = 601;
    header.parent_hash = summary.final_hash;
    header.proposer = (uint16_t)cs_leader(e.one.cs, 1);
    header.time_ms = summary.final_time_ms;
    cs_certificate_hash(&header.justify_hash, &justify);
    struct cs_message message = engine_one_proposal(&e.one, &header);
    message.proposal.has_justify = true;
    message.proposal.justify = justify;
    assert_int_not_equal(header.proposer, summary.me);
    engine_epoch_give(&e, header.proposer, &message);
    assert_int_equal(engine_one_invalid(&e.one), 0);
    assert_int_equal(cs_summary(e.one.cs).blocks_held, 1);
}

int main(void)
{
#define CASE(test) EPOCH_CASE(test, &e)
    const struct CMUnitTest tests[] = {
        CASE(a_key_sits_out_the_first_epoch_by_the_time_of_the_genesis),
        CASE(a_key_sits_out_epochs_that_began_too_early),
        CASE(a_key_signs_in_the_first_epoch_that_began_later),
        CASE(a_key_that_sits_out_for_ever_never_signs),
        CASE(a_second_signer_is_noticed_when_the_sitting_out_ends),
        CASE(a_later_epoch_may_be_the_first_record),
        CASE(an_epoch_is_not_skipped_later),
        CASE(the_first_block_is_voted_for_without_the_set_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
