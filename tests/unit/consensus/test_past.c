/* Goal: of the epochs that have ended the last ones are remembered as they were.
 * Method: more ends than there is room for, of sets of the largest size. */

#include "base/arena.h"

#include "consensus/past.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/nv_test.h"

#define MEMBERS 7u

static uint8_t memory[1u << 17];
static struct cs__past past;
static struct cs_net net;
static struct nv_sig sigs[MEMBERS];

static int start(void **state)
{
    (void)state;
    struct nv_arena arena;
    memset(&past, 0, sizeof past);
    cs_net_init(&net, NULL, MEMBERS);
    assert_true(cs__past_footprint(MEMBERS) <= sizeof memory);
    nv_arena_init(&arena, memory, cs__past_footprint(MEMBERS));
    cs__past_init(&past, &arena, MEMBERS);
    return 0;
}

static void end(uint64_t epoch)
{
    struct cs_header const header = {.epoch = epoch, .time_ms = 1000 * epoch};
    struct cs_ballot ballot = cs_build_ballot(CS_FINALIZE, epoch + 5, 4, cs_build_hash(epoch));
    ballot.epoch = epoch;
    struct cs_certificate const final = cs_build_first(&net, sigs, &ballot, MEMBERS);
    cs__past_add(&past, &header, &final, &net.set);
}

static void the_last_ones_are_remembered(void **state)
{
    (void)state;
    assert_null(cs__past_find(&past, 0));
    assert_null(cs__past_find(&past, 1));
    for (uint64_t epoch = 1; epoch <= CS__ENDED + 3; epoch++) {
        end(epoch);
    }
    assert_null(cs__past_find(&past, 3));
    assert_null(cs__past_find(&past, CS__ENDED + 4));
    for (uint64_t epoch = 4; epoch <= CS__ENDED + 3; epoch++) {
        const struct cs__end *const found = cs__past_find(&past, epoch);
        struct nv_hash const block = cs_build_hash(epoch);
        struct cs_certificate final;
        struct cs_valset set;
        assert_non_null(found);
        assert_int_equal(found->time_ms, 1000 * epoch);
        assert_true(nv_hash_eq(&found->block, &block));
        assert_true(nv_hash_eq(&found->set, &net.set.hash));
        cs__past_final(&past, &final, found);
        cs__past_set(&past, &set, found);
        assert_int_equal(final.ballot.view, epoch + 5);
        assert_true(cs_certificate_verify(&final, &net.chain_id, &set, NULL));
        assert_memory_equal(set.member, net.set.member, MEMBERS * sizeof *set.member);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_last_ones_are_remembered, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
