/* Goal: two certificates that cannot both be stop the engine, which names those
 * who signed both and nobody else (docs/spec/consensus.md section 17).
 * Method: one engine of four, certificates written by the test as if two of the
 * others were faulty. */

#include <string.h>

#include "consensus/rules.h"
#include "tests/lib/engine_one.h"
#include "tests/lib/nv_test.h"

#define VALIDATORS 4u

static struct engine_one one;
static struct nv_sig sigs[2][VALIDATORS];
static uint32_t other[3]; /* the first two are faulty */

static int start(void **state)
{
    (void)state;
    engine_one_init(&one, VALIDATORS, 0);
    for (uint32_t i = 0; i < 3; i++) {
        other[i] = i + 1;
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    engine_one_drop(&one);
    return 0;
}

/* by_others makes a certificate by those who are not the engine. */
static struct cs_certificate by_others(uint32_t at, const struct cs_ballot *ballot)
{
    return engine_one_quorum(&one, sigs[at], ballot);
}

static struct cs_ballot ballot_of(enum cs_vote_kind kind, uint64_t n)
{
    return cs_build_ballot(kind, 3, 2, cs_build_hash(n));
}

static void give(const struct cs_ballot *ballot, uint32_t at)
{
    bool right = false;
    struct cs_message const message = {.type = CS_MSG_CERTIFICATE,
                                       .certificate = by_others(at, ballot)};
    (void)engine_one_mail(&one, &right, other[2], &message);
    assert_true(right);
}

static void contradictions_are_these(void **state)
{
    (void)state;
    for (uint32_t a = 1; a <= 3; a++) {
        for (uint32_t b = 1; b <= 3; b++) {
            struct cs_ballot const x = ballot_of((enum cs_vote_kind)a, 1);
            struct cs_ballot const same = ballot_of((enum cs_vote_kind)b, 1);
            struct cs_ballot const y = ballot_of((enum cs_vote_kind)b, 2);
            struct cs_ballot later = y;
            bool const null = a == CS_NULLIFY || b == CS_NULLIFY;
            bool const final = a == CS_FINALIZE || b == CS_FINALIZE;
            later.view++;
            assert_int_equal(cs__contradict(&x, &y), null ? final : true);
            assert_int_equal(cs__contradict(&x, &same), null && final);
            assert_false(cs__contradict(&x, &later));
        }
    }
}

/* stopped checks the halt of the last step: both certificates, in one message to
 * all, and the culprits. */
static void stopped(void)
{
    const struct cs_effect *const halt = engine_one_effect(&one, CS_FX_HALT, 0);
    const struct cs_effect *tell = NULL;
    struct cs_message message;
    assert_non_null(halt);
    assert_int_equal(halt->halt.code, CS_HALT_FORK);
    for (uint32_t i = 0; i < VALIDATORS; i++) {
        assert_int_equal(cs_bitmap_has(&halt->halt.culprits, i), i != 0);
    }
    tell = engine_one_sent(&one, CS_FX_BROADCAST, CS_MSG_CERT_RESPONSE);
    assert_non_null(tell);
    assert_true(tell < halt);
    struct nv_view const bytes = tell != NULL ? tell->send.bytes : nv_view_of(NULL, 0);
    assert_int_equal(cs_message_decode(&message, CS_MSG_CERT_RESPONSE, bytes), NV_OK);
    assert_int_equal(message.cert_response.certificates.count, 2);
    assert_true(nv_view_eq(message.cert_response.certificates.bytes, halt->halt.bytes));
    assert_true(cs_summary(one.cs).halted);
}

static void nullified_and_finalized_is_a_fork(void **state)
{
    (void)state;
    struct cs_ballot const null = ballot_of(CS_NULLIFY, 0);
    struct cs_ballot const final = ballot_of(CS_FINALIZE, 1);
    give(&null, 0);
    assert_null(engine_one_effect(&one, CS_FX_HALT, 0));
    give(&final, 1);
    stopped();
}

static void two_notarizations_are_a_fork(void **state)
{
    (void)state;
    struct cs_ballot const a = ballot_of(CS_NOTARIZE, 1);
    struct cs_ballot const b = ballot_of(CS_NOTARIZE, 2);
    give(&a, 0);
    give(&b, 1);
    stopped();
}

static void notarized_and_nullified_is_no_fork(void **state)
{
    (void)state;
    struct cs_ballot const null = ballot_of(CS_NULLIFY, 0);
    struct cs_ballot const block = ballot_of(CS_NOTARIZE, 1);
    give(&null, 0);
    give(&block, 1);
    assert_false(cs_summary(one.cs).halted);
}

/* pair gives two certificates in one message. */
static struct cs_plan pair(bool *right, bool forged)
{
    uint8_t bytes[2 * CS_CERTIFICATE_SIZE_MAX];
    struct cs_message message = {.type = CS_MSG_CERT_RESPONSE};
    struct cs_ballot const null = ballot_of(CS_NULLIFY, 0);
    struct cs_ballot const final = ballot_of(CS_FINALIZE, 1);
    struct cs_certificate const a = by_others(0, &final);
    struct cs_certificate const b = by_others(1, &null);
    struct nv_writer w;
    sigs[1][1].bytes[20] ^= forged ? 1 : 0;
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_certificate_put(&w, &a);
    cs_certificate_put(&w, &b);
    message.cert_response.certificates = (struct cs_list){nv_writer_view(&w), 2};
    return engine_one_mail(&one, right, other[2], &message);
}

static void a_proof_from_others_stops_the_engine_too(void **state)
{
    (void)state;
    bool right = false;
    struct cs_plan const plan = pair(&right, false);
    assert_true(right);
    assert_int_equal(plan.certificates, 3);
    stopped();
}

static void a_forged_proof_does_not(void **state)
{
    (void)state;
    bool right = true;
    (void)pair(&right, true);
    assert_false(right);
    assert_false(cs_summary(one.cs).halted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(contradictions_are_these, start, stop),
        cmocka_unit_test_setup_teardown(nullified_and_finalized_is_a_fork, start, stop),
        cmocka_unit_test_setup_teardown(two_notarizations_are_a_fork, start, stop),
        cmocka_unit_test_setup_teardown(notarized_and_nullified_is_no_fork, start, stop),
        cmocka_unit_test_setup_teardown(a_proof_from_others_stops_the_engine_too, start, stop),
        cmocka_unit_test_setup_teardown(a_forged_proof_does_not, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
