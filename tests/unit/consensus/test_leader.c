/* Goal: leaders come as often as their stake deserves, evenly spread, and
 * everybody comes.
 * Method: count over a cycle, for stakes from equal to extreme. */

#include "consensus/leader.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/nv_test.h"

static struct cs_net net;
static struct cs_schedule schedule;

static void lay_out(const uint64_t *stakes, uint32_t count)
{
    cs_net_init(&net, stakes, count);
    cs_schedule_init(&schedule, &net.set, &net.chain_id, 1, &net.chain_id);
}

static void equal_stakes_take_turns(void **state)
{
    (void)state;
    lay_out(NULL, 7);
    assert_int_equal(schedule.length, 16 * 7);
    for (uint64_t view = 0; view < 500; view++) {
        uint32_t seen = 0;
        for (uint64_t next = view; next < view + 7; next++) {
            seen |= 1u << cs_schedule_leader(&schedule, next);
        }
        assert_int_equal(seen, 0x7f);
    }
}

static void slots_follow_stake(void **state)
{
    (void)state;
    uint64_t const stakes[5] = {40, 30, 20, 9, 1};
    uint32_t const slots[5] = {32, 24, 16, 7, 1}; /* of 80: 32, 24, 16, 7.2, 0.8 */
    uint32_t count[5] = {0};
    uint64_t last[5] = {0};
    lay_out(stakes, 5);
    assert_int_equal(schedule.length, 80);
    for (uint64_t view = 1; view <= 80; view++) {
        uint32_t const leader = cs_schedule_leader(&schedule, view);
        count[leader]++;
        if (last[leader] != 0) { /* never further apart than twice the mean gap */
            assert_true((view - last[leader]) * slots[leader] <= 160);
        }
        last[leader] = view;
    }
    assert_memory_equal(count, slots, sizeof count);
}

static void dust_still_leads(void **state)
{
    (void)state;
    uint64_t stakes[40] = {CS_STAKE_TOTAL_MAX - 39};
    uint32_t count[40] = {0};
    for (uint32_t i = 1; i < 40; i++) {
        stakes[i] = 1;
    }
    lay_out(stakes, 40);
    assert_int_equal(schedule.length, 640 + 39);
    for (uint64_t view = 0; view < schedule.length; view++) {
        count[cs_schedule_leader(&schedule, view)]++;
    }
    assert_int_equal(count[0], 640);
    for (uint32_t i = 1; i < 40; i++) {
        assert_int_equal(count[i], 1);
    }
}

static void largest_set_fits(void **state)
{
    (void)state;
    lay_out(NULL, CS_VALIDATORS_MAX);
    assert_int_equal(schedule.length, 16 * CS_VALIDATORS_MAX);
    assert_true(cs_schedule_leader(&schedule, UINT64_MAX) < CS_VALIDATORS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_stakes_take_turns),
        cmocka_unit_test(slots_follow_stake),
        cmocka_unit_test(dust_still_leads),
        cmocka_unit_test(largest_set_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
