/* Goal: every wait ends once, by what it waits for, its deadline or being given
 * up, also when those that are woken add and end others.
 *
 * Method: the lists with a clock of our own; random steps against a plain count. */

#include <string.h>

#include "rpc/wait.h"
#include "tests/lib/nv_test.h"

#define COUNT 64u

static struct rpc_waits waits;
static struct rpc_wait wait_of[COUNT];
static uint32_t woken[COUNT];
static enum rpc_wake how[COUNT];
static const void *told;

static void on_woken(struct rpc_wait *wait, enum rpc_wake wake, const void *detail)
{
    size_t const i = (size_t)(wait - wait_of);
    woken[i]++;
    how[i] = wake;
    told = detail;
}

static int setup(void **state)
{
    (void)state;
    memset(wait_of, 0, sizeof wait_of);
    memset(woken, 0, sizeof woken);
    rpc__waits_init(&waits);
    return 0;
}

static void add(uint32_t i, enum rpc_wait_kind kind, uint64_t key, uint64_t deadline_ms)
{
    wait_of[i].kind = kind;
    wait_of[i].key = key;
    wait_of[i].deadline_ms = deadline_ms;
    wait_of[i].woken = on_woken;
    rpc__wait_add(&waits, &wait_of[i]);
}

static void a_key_wakes_its_own(void **state)
{
    (void)state;
    int detail = 0;
    add(0, RPC_WAIT_TX, 5, 100);
    add(1, RPC_WAIT_TX, 5 + RPC_WAIT_BUCKETS, 100); /* the same bucket */
    add(2, RPC_WAIT_TICKET, 5, 100);
    add(3, RPC_WAIT_TX, 5, 100);
    rpc__waits_happen(&waits, RPC_WAIT_TX, 5, &detail);
    assert_int_equal(woken[0] + woken[3], 2);
    assert_int_equal(woken[1] + woken[2], 0);
    assert_ptr_equal(told, &detail);
    rpc__waits_happen(&waits, RPC_WAIT_TX, 5, &detail);
    assert_int_equal(woken[0], 1);
    rpc__waits_happen(&waits, RPC_WAIT_TICKET, 5, &detail);
    assert_int_equal(woken[2], 1);
    assert_int_equal(waits.count, 1);
}

static void heights_are_reached_from_below(void **state)
{
    (void)state;
    add(0, RPC_WAIT_HEIGHT, 5, 100);
    add(1, RPC_WAIT_HEIGHT, 7, 100);
    rpc__waits_height(&waits, 4);
    assert_int_equal(woken[0], 0);
    rpc__waits_height(&waits, 6);
    assert_int_equal(woken[0], 1);
    assert_int_equal(woken[1], 0);
    rpc__waits_height(&waits, 7);
    assert_int_equal(woken[1], 1);
}

static void deadlines_end_waits(void **state)
{
    (void)state;
    add(0, RPC_WAIT_HEIGHT, 5, 100);
    add(1, RPC_WAIT_TX, 5, 101);
    rpc__waits_expire(&waits, 99);
    assert_int_equal(woken[0], 0);
    rpc__waits_expire(&waits, 100);
    assert_int_equal(how[0], RPC_WAKE_TIMEOUT);
    assert_int_equal(woken[1], 0);
    rpc__wait_wake(&waits, &wait_of[1], RPC_WAKE_CANCELLED, NULL);
    assert_int_equal(how[1], RPC_WAKE_CANCELLED);
    rpc__waits_expire(&waits, 1000);
    rpc__waits_happen(&waits, RPC_WAIT_TX, 5, NULL);
    assert_int_equal(woken[0] + woken[1], 2);
    assert_int_equal(waits.count, 0);
}

/* The one woken adds itself again and ends its neighbour. */
static void on_woken_meddling(struct rpc_wait *wait, enum rpc_wake wake, const void *detail)
{
    on_woken(wait, wake, detail);
    if (wake == RPC_WAKE_HAPPENED) {
        if (wait_of[1].waiting) {
            rpc__wait_wake(&waits, &wait_of[1], RPC_WAKE_CANCELLED, NULL);
        }
        rpc__wait_add(&waits, wait);
    }
}

static void the_woken_may_meddle(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 3; i++) {
        add(i, RPC_WAIT_TX, 9, 100);
        wait_of[i].woken = on_woken_meddling;
    }
    rpc__waits_happen(&waits, RPC_WAIT_TX, 9, NULL);
    assert_int_equal(woken[0], 1);
    assert_int_equal(woken[1], 1);
    assert_int_equal(woken[2], 1);
    assert_int_equal(how[1], RPC_WAKE_CANCELLED);
    assert_int_equal(waits.count, 2); /* both wait again, and were woken once */
    rpc__waits_expire(&waits, 100);
    assert_int_equal(waits.count, 0);
}

static void every_wait_ends_once(void **state)
{
    (void)state;
    struct nv_test_rng rng = {.state = 11};
    uint32_t started[COUNT] = {0};
    for (uint64_t now = 0; now < 20000; now++) {
        uint32_t const i = nv_test_below(&rng, COUNT);
        uint64_t const key = nv_test_below(&rng, 8);
        switch (nv_test_below(&rng, 6)) {
        case 0:
        case 1:
        case 2:
            if (!wait_of[i].waiting) {
                add(i,
                    (enum rpc_wait_kind)(1 + nv_test_below(&rng, 3)),
                    key,
                    now + nv_test_below(&rng, 50));
                started[i]++;
            }
            break;
        case 3: rpc__waits_happen(&waits, RPC_WAIT_TX, key, NULL); break;
        case 4: rpc__waits_height(&waits, key); break;
        default: rpc__waits_expire(&waits, now); break;
        }
        uint32_t open = 0;
        for (uint32_t j = 0; j < COUNT; j++) {
            assert_int_equal(started[j], woken[j] + (wait_of[j].waiting ? 1 : 0));
            open += wait_of[j].waiting ? 1 : 0;
        }
        assert_int_equal(open, waits.count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_key_wakes_its_own, setup),
        cmocka_unit_test_setup(heights_are_reached_from_below, setup),
        cmocka_unit_test_setup(deadlines_end_waits, setup),
        cmocka_unit_test_setup(the_woken_may_meddle, setup),
        cmocka_unit_test_setup(every_wait_ends_once, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
