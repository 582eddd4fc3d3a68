/* test_replica.c - real replicas agree on transactions, without any I/O.
 *
 * Method: a few replicas on a virtual clock (tests/lib/replica_world). Each test
 * submits transactions, disturbs something, and looks at what every node
 * executed. */

#include <string.h>

#include "node/replica.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/replica_world.h"

static struct rw w;
static uint8_t bytes[VM_TX_SIZE_MAX];

static void submit(uint32_t node, uint64_t salt)
{
    uint32_t const size = rw_tx(&w, bytes, salt, 0);
    rw_submit(&w, node, bytes, size);
}

static void every_transaction_is_executed_once_everywhere(void **state)
{
    (void)state;
    rw_open(&w, 4);
    assert_true(rw_run(&w, 1, 5000));
    for (uint64_t i = 0; i < 200; i++) {
        submit((uint32_t)(i % 4), 1000 + i);
        rw_pass(&w, 3);
    }
    rw_pass(&w, 3000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(w.node[i].txs_executed, 200);
        assert_int_equal(node_mempool_count(replica_mempool(w.node[i].replica)), 0);
    }
    rw_same(&w);
    rw_close(&w);
}

static void the_same_transaction_is_no_news(void **state)
{
    (void)state;
    rw_open(&w, 4);
    assert_true(rw_run(&w, 1, 5000));
    uint32_t const size = rw_tx(&w, bytes, 7, 0);
    rw_submit(&w, 0, bytes, size);
    rw_submit(&w, 0, bytes, size); /* waits already */
    rw_pass(&w, 2000);
    rw_submit(&w, 0, bytes, size); /* executed already */
    rw_submit(&w, 1, bytes, size);
    rw_pass(&w, 2000);
    assert_int_equal(w.node[0].txs_executed, 1);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_TAKEN], 1);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_DUPLICATE], 2);
    assert_int_equal(w.node[1].verdicts[REPLICA_TX_DUPLICATE], 1);
    rw_close(&w);
}

static void bad_transactions_are_refused_with_the_reason(void **state)
{
    (void)state;
    rw_open(&w, 4);
    assert_true(rw_run(&w, 1, 5000));
    uint32_t const size = rw_tx(&w, bytes, 7, 0);
    bytes[size - 1] ^= 1; /* in the signature */
    rw_submit(&w, 0, bytes, size);
    rw_submit(&w, 0, bytes, size - 1);
    rw_submit(&w, 0, bytes, 0);
    bytes[size - 1] ^= 1;
    rw_pass(&w, 31000); /* now it has expired */
    rw_submit(&w, 0, bytes, size);
    rw_pass(&w, 2000);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_SIGNATURE], 1);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_MALFORMED], 2);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_EXPIRED], 1);
    assert_int_equal(w.node[0].txs_executed, 0);
    rw_close(&w);
}

static void bodies_of_many_chunks_travel(void **state)
{
    (void)state;
    rw_open(&w, 4);
    assert_true(rw_run(&w, 1, 5000));
    for (uint64_t i = 0; i < 400; i++) {
        uint32_t const size = rw_tx(&w, bytes, 5000 + i, 64);
        rw_submit(&w, 0, bytes, size);
    }
    rw_pass(&w, 4000);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_TAKEN], 400);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(w.node[i].txs_executed, 400);
    }
    rw_same(&w);
    rw_close(&w);
}

static void three_of_four_go_on_and_the_fourth_catches_up(void **state)
{
    (void)state;
    rw_open(&w, 4);
    assert_true(rw_run(&w, 2, 10000));
    submit(1, 1);
    rw_pass(&w, 500);
    rw_crash(&w, 2);
    for (uint64_t i = 0; i < 50; i++) {
        submit(0, 100 + i);
        rw_pass(&w, 100);
    }
    rw_pass(&w, 3000);
    assert_int_equal(w.node[0].txs_executed, 51);
    uint64_t const height = w.node[0].executed_height;
    assert_true(w.node[2].executed_height < height);
    rw_revive(&w, 2);
    assert_true(rw_run(&w, height + 2, 60000));
    rw_same(&w);
    rw_close(&w);
}

static void two_dead_halt_and_do_no_harm(void **state)
{
    (void)state;
    rw_open(&w, 4);
    assert_true(rw_run(&w, 2, 10000));
    rw_crash(&w, 1);
    rw_crash(&w, 3);
    uint64_t const height = w.node[0].executed_height;
    submit(0, 42);
    rw_pass(&w, 20000);
    assert_true(w.node[0].executed_height <= height + 2);
    uint64_t const stuck = w.node[0].executed_height;
    rw_revive(&w, 1);
    rw_revive(&w, 3);
    assert_true(rw_run(&w, stuck + 3, 120000));
    rw_same(&w);
    rw_close(&w);
}

static void all_crash_and_come_back(void **state)
{
    (void)state;
    rw_open(&w, 4);
    for (uint64_t round = 0; round < 5; round++) {
        assert_true(rw_run(&w, w.node[0].executed_height + 2, 60000));
        submit(0, 900 + round);
        rw_pass(&w, 37 * round + 11);
        for (uint32_t i = 0; i < 4; i++) {
            rw_crash(&w, i);
        }
        for (uint32_t i = 0; i < 4; i++) {
            rw_revive(&w, i);
        }
    }
    assert_true(rw_run(&w, w.node[0].executed_height + 2, 60000));
    rw_same(&w);
    rw_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transaction_is_executed_once_everywhere),
        cmocka_unit_test(the_same_transaction_is_no_news),
        cmocka_unit_test(bad_transactions_are_refused_with_the_reason),
        cmocka_unit_test(bodies_of_many_chunks_travel),
        cmocka_unit_test(three_of_four_go_on_and_the_fourth_catches_up),
        cmocka_unit_test(two_dead_halt_and_do_no_harm),
        cmocka_unit_test(all_crash_and_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
