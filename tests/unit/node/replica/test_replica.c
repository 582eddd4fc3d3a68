/* test_replica.c - real replicas agree on transactions, without any I/O.
 *
 * Method: a few replicas on a virtual clock (tests/lib/replica_world). Each test
 * submits transactions, disturbs something, and looks at what every node
 * executed. */

#include <string.h>

#include "node/replica/internal.h"
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

/* A validator that is a quorum by itself makes a block final in the step that
 * builds it, before its body was checked. */
static void a_lone_validator_executes_its_own_blocks(void **state)
{
    (void)state;
    rw_open(&w, 1);
    assert_true(rw_run(&w, 1, 5000));
    for (uint64_t i = 0; i < 20; i++) {
        submit(0, 1000 + i);
        rw_pass(&w, 30);
    }
    rw_pass(&w, 3000);
    assert_int_equal(w.node[0].txs_executed, 20);
    rw_close(&w);
}

/* A chunk of a body of no known block, from a peer. */
static bool chunk_is_kept(struct replica *r, uint32_t from, uint8_t name)
{
    uint8_t message[1024];
    struct nv_writer w_chunk;
    struct cs_message chunk = {.type = CS_MSG_BODY_CHUNK};
    memset(chunk.body_chunk.block_hash.bytes, name, 32);
    chunk.body_chunk.chunk.bytes = nv_view_of((const uint8_t *)"body", 4);
    nv_writer_init(&w_chunk, message, sizeof message);
    cs_message_encode(&w_chunk, &chunk);
    struct replica_time const t = {.now_ns = w.now_ns, .wall_ms = w.now_ns / 1000000u};
    replica_message(r, t, RW_LINK + from, CS_MSG_BODY_CHUNK, nv_writer_view(&w_chunk));
    return replica__body(r, &chunk.body_chunk.block_hash) != NULL;
}

/* Who is a few views behind must not lose what is streamed meanwhile: it would wait
 * for it twice the bound on delay. */
static void bodies_of_views_ahead_are_kept(void **state)
{
    (void)state;
    rw_open(&w, 7);
    assert_true(rw_run(&w, 1, 5000));
    struct replica *const r = w.node[0].replica;
    uint64_t const view = replica_summary(r).view;
    for (uint64_t ahead = 0; ahead <= 4; ahead++) {
        uint32_t const leader = replica_leader(r, view + ahead);
        assert_int_equal(chunk_is_kept(r, leader, (uint8_t)(0x10 + ahead)), leader != 0);
    }
    for (uint32_t peer = 1; peer < 7; peer++) {
        bool leads = false;
        for (uint64_t v = view - 1; v <= view + 4; v++) {
            leads = leads || replica_leader(r, v) == peer;
        }
        assert_int_equal(chunk_is_kept(r, peer, (uint8_t)(0x20 + peer)), leads);
    }
    rw_close(&w);
}

/* answers returns how many of `count` block requests of a peer are answered now. */
static uint32_t answers(uint32_t link, uint32_t count)
{
    uint8_t message[128];
    struct nv_writer writer;
    struct cs_message request = {.type = CS_MSG_BLOCK_REQUEST};
    request.block_request.from = 1;
    request.block_request.count = 1;
    nv_writer_init(&writer, message, sizeof message);
    cs_message_encode(&writer, &request);
    struct replica *const r = w.node[0].replica;
    struct replica_time const t = {.now_ns = w.now_ns, .wall_ms = w.now_ns / 1000000u};
    uint32_t answered = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct replica_op op;
        replica_message(r, t, link, CS_MSG_BLOCK_REQUEST, nv_writer_view(&writer));
        while (replica_next(r, &op)) {
            assert_int_equal(op.kind, REPLICA_SEND);
            assert_int_equal(op.send.type, CS_MSG_BLOCK_RESPONSE);
            assert_int_equal(op.send.link_count, 1);
            assert_int_equal(op.send.links[0], link);
            answered++;
        }
    }
    return answered;
}

/* SPEC consensus 16: "128 requests for blocks and epochs a second are answered" */
static void a_peer_asks_for_blocks_128_times_a_second(void **state)
{
    (void)state;
    rw_open(&w, 4);
    assert_true(rw_run(&w, 1, 5000));
    for (uint32_t second = 0; second < 2; second++) {
        assert_int_equal(answers(RW_LINK + 1, 100), 100);
        assert_int_equal(answers(RW_LINK + 1, 100), 28);
        assert_int_equal(answers(RW_LINK + 2, 200), 128); /* each validator has its own */
        assert_int_equal(answers(9000, 100), 100);
        assert_int_equal(answers(9007, 100), 28); /* the others have one in all */
        rw_pass(&w, 1000);
    }
    assert_int_equal(w.node[0].bans, 0);
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

static void submit_of(uint32_t node, uint64_t salt, uint64_t other)
{
    uint32_t const size = rw_tx_of(&w, bytes, salt, other);
    rw_submit(&w, node, bytes, size);
}

static void all_paid(uint64_t txs)
{
    for (uint32_t i = 0; i < w.count; i++) {
        assert_int_equal(w.node[i].unpaid, 0);
        assert_int_equal(w.node[i].txs_executed, txs);
    }
    rw_same(&w);
}

/* A block may be final before the workers of its leader, or of a node that has
 * just come back, have looked at its body. */
static void a_final_block_waits_for_its_body(void **state)
{
    (void)state;
    rw_open(&w, 4);
    assert_true(rw_run(&w, 1, 5000));
    w.slow = 0;
    w.slow_ns = UINT64_C(150000000);
    for (uint64_t i = 0; i < 20; i++) {
        submit((uint32_t)(i % 4), 2000 + i);
        rw_pass(&w, 20);
    }
    rw_pass(&w, 3000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(w.node[i].txs_executed, 20);
    }
    rw_same(&w);
    rw_close(&w);
}

/* No memory to look at a body is no verdict about it. */
static void a_body_that_finds_no_memory_is_looked_at_again(void **state)
{
    (void)state;
    rw_open(&w, 4);
    assert_true(rw_run(&w, 1, 5000));
    w.slow = 0;
    w.starved = 5;
    for (uint64_t i = 0; i < 20; i++) {
        submit((uint32_t)(i % 4), 3000 + i);
        rw_pass(&w, 20);
    }
    rw_pass(&w, 3000);
    assert_int_equal(w.starved, 0);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(w.node[i].txs_executed, 20);
    }
    rw_same(&w);
    rw_close(&w);
}

static void who_cannot_pay_is_refused_with_the_reason(void **state)
{
    (void)state;
    rw_open_fees(&w, 4, CS_NOBODY);
    rw_account(&w, 1, RW_FEE);
    rw_account(&w, 2, RW_FEE - 1);
    rw_account(&w, 3, -5);
    for (uint64_t salt = 1; salt <= 4; salt++) {
        submit(0, salt);
    }
    rw_pass(&w, 3000);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_TAKEN], 1);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_UNPAID], 2);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_NO_ACCOUNT], 1);
    all_paid(1);
    submit_of(0, 1, 77); /* the cash is spent now */
    rw_pass(&w, 10);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_UNPAID], 3);
    rw_close(&w);
}

static void an_honest_leader_leaves_out_what_cannot_be_paid(void **state)
{
    (void)state;
    rw_open_fees(&w, 4, CS_NOBODY);
    rw_account(&w, 1, 3 * RW_FEE + 1);
    rw_account(&w, 2, 1000 * RW_FEE);
    for (uint64_t i = 0; i < 20; i++) {
        submit_of(0, 1, 100 + i); /* each alone could be paid for */
        submit_of((uint32_t)(i % 4), 2, 200 + i);
    }
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_TAKEN], 25);
    rw_pass(&w, 5000);
    all_paid(23);
    rw_close(&w);
}

/* The last cash is spent while the block that spends it is not executed yet. */
static void cash_is_not_spent_twice_in_blocks_under_way(void **state)
{
    (void)state;
    rw_open_fees(&w, 4, CS_NOBODY);
    for (uint64_t salt = 1; salt <= 8; salt++) {
        rw_account(&w, salt, RW_FEE);
    }
    assert_true(rw_run(&w, 1, 5000));
    for (uint64_t salt = 1; salt <= 8; salt++) {
        for (uint64_t i = 0; i < 20; i++) {
            submit_of((uint32_t)(i % 4), salt, salt * 100 + i);
            rw_pass(&w, 1 + salt);
        }
    }
    rw_pass(&w, 3000);
    all_paid(8);
    rw_close(&w);
}

static void a_leader_that_asks_no_fee_gets_no_votes(void **state)
{
    (void)state;
    rw_open_fees(&w, 4, 2);
    rw_account(&w, 1, 1000 * RW_FEE);
    rw_account(&w, 2, RW_FEE);
    assert_true(rw_run(&w, 1, 10000));
    submit_of(2, 99, 1); /* no such account: the blind node takes it */
    submit_of(2, 2, 2);  /* paid ... */
    submit_of(2, 2, 3);  /* ... and not */
    for (uint64_t i = 0; i < 20; i++) {
        submit_of((uint32_t)(i % 2), 1, 100 + i);
        rw_pass(&w, 50);
    }
    assert_int_equal(w.node[2].verdicts[REPLICA_TX_TAKEN], 3);
    uint64_t const height = w.node[0].executed_height;
    rw_pass(&w, 40000); /* until they expire */
    submit_of(0, 1, 777);
    rw_pass(&w, 5000);
    assert_true(w.node[0].executed_height > height);
    all_paid(22);
    rw_close(&w);
}

static void submit_by(uint32_t node, uint64_t salt, uint64_t other, uint64_t by)
{
    uint32_t const size = rw_tx_by(&w, bytes, salt, other, by);
    rw_submit(&w, node, bytes, size);
}

static void who_signs_in_anothers_name_is_refused_at_once(void **state)
{
    (void)state;
    rw_open_fees(&w, 4, CS_NOBODY);
    rw_account(&w, 1, RW_FEE);
    rw_account(&w, 2, 100 * RW_FEE);
    assert_true(rw_run(&w, 1, 5000));
    for (uint64_t i = 0; i < 50; i++) {
        submit_by((uint32_t)(i % 4), 1, 100 + i, 2 + i % 2); /* of an account, and of none */
    }
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(node_mempool_count(replica_mempool(w.node[i].replica)), 0);
        assert_true(w.node[i].verdicts[REPLICA_TX_KEY_UNKNOWN] >= 12);
    }
    submit_of(0, 1, 777); /* there is cash for this one alone */
    rw_pass(&w, 2000);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_TAKEN], 1);
    all_paid(1);
    rw_close(&w);
}

/* block_with_txs returns the lowest height above `above` whose block is not empty. */
static uint64_t block_with_txs(uint64_t above)
{
    uint64_t height = above + 1;
    while (height <= w.node[0].executed_height && w.node[0].executed[height].tx_count == 0) {
        height++;
    }
    return height;
}

static void a_session_key_counts_from_the_height_that_registers_it(void **state)
{
    (void)state;
    rw_open_fees(&w, 4, CS_NOBODY);
    rw_account(&w, 1, 100 * RW_FEE);
    assert_true(rw_run(&w, 1, 5000));
    uint64_t const at = w.node[0].executed_height + 4;
    rw_session(&w, at, 1, 9, VM_SCOPE_TRADE, 60000);
    submit_by(0, 1, 100, 9);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_KEY_UNKNOWN], 1);
    for (uint64_t i = 0; w.node[0].executed_height < at; i++) {
        submit_of(0, 1, 200 + i); /* so that blocks come */
        rw_pass(&w, 20);
    }
    rw_pass(&w, 500);
    uint64_t const before = w.node[0].executed_height;
    uint64_t const paid = w.node[0].txs_executed;
    submit_by(0, 1, 100, 9);
    rw_pass(&w, 2000);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_KEY_UNKNOWN], 1);
    uint64_t const height = block_with_txs(before);
    assert_true(height <= w.node[0].executed_height);
    assert_true(w.node[0].executed[height].header.executed_height >= at);
    all_paid(paid + 1);
    rw_close(&w);
}

static void a_session_key_does_what_it_may_while_it_may(void **state)
{
    (void)state;
    rw_open_fees(&w, 4, CS_NOBODY);
    rw_account(&w, 1, 100 * RW_FEE);
    rw_session(&w, 1, 1, 7, VM_SCOPE_TRANSFER | VM_SCOPE_REPORT, 60000);
    rw_session(&w, 1, 1, 8, VM_SCOPE_TRADE, 8000);
    rw_session(&w, 1, 1, 9, VM_SCOPE_TRADE, 60000);
    rw_session(&w, 3, 1, 9, 0, 0);
    assert_true(rw_run(&w, 3, 5000));
    rw_pass(&w, 100); /* until it is told */
    submit_by(0, 1, 100, 7);
    submit_by(0, 1, 101, 8);
    submit_by(0, 1, 102, 9);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_KEY_SCOPE], 1);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_TAKEN], 1);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_KEY_UNKNOWN], 1);
    rw_pass(&w, 8000);
    submit_by(0, 1, 103, 8);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_KEY_EXPIRED], 1);
    all_paid(1);
    rw_close(&w);
}

static void a_session_key_leaves_places_to_its_account(void **state)
{
    (void)state;
    rw_open_fees(&w, 4, CS_NOBODY);
    rw_account(&w, 1, 10000 * RW_FEE);
    rw_session(&w, 1, 1, 9, VM_SCOPE_TRADE, 60000);
    rw_session(&w, 1, 1, 10, VM_SCOPE_TRADE, 60000);
    assert_true(rw_run(&w, 2, 5000));
    rw_pass(&w, 100); /* until it is told */
    for (uint64_t i = 0; i <= RW_PLACES / 4; i++) {
        submit_by(0, 1, 100 + i, 9);
    }
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_TAKEN], RW_PLACES / 4);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_SESSION_FULL], 1);
    submit_by(0, 1, 100, 10);
    submit_of(0, 1, 100);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_TAKEN], RW_PLACES / 4 + 2);
    rw_pass(&w, 5000); /* until they are final */
    submit_by(0, 1, 100 + RW_PLACES / 4, 9);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_SESSION_FULL], 1);
    assert_int_equal(w.node[0].verdicts[REPLICA_TX_TAKEN], RW_PLACES / 4 + 3);
    rw_close(&w);
}

/* Keys come and go, and transactions by them, at every node: no view is lost, as one
 * would be whose leader's body somebody refuses. */
static void an_honest_leaders_body_is_never_refused(void **state)
{
    (void)state;
    rw_open_fees(&w, 4, CS_NOBODY);
    rw_account(&w, 1, 10000 * RW_FEE);
    assert_true(rw_run(&w, 2, 5000));
    uint64_t const first = w.node[0].executed_height;
    uint64_t const view = replica_summary(w.node[0].replica).view;
    for (uint32_t i = 0; i < RW_SESSIONS; i++) {
        rw_session(&w, first + 2 + i / 2, 1, 20 + i % 5, i % 3 == 0 ? 0 : VM_SCOPE_TRADE, 900);
    }
    for (uint64_t i = 0; i < 300; i++) {
        submit_by((uint32_t)(i % 4), 1, 100 + i, 20 + i % 5);
        submit_of((uint32_t)(i % 3), 1, 1000 + i);
        rw_pass(&w, 1 + i % 7);
    }
    rw_pass(&w, 3000);
    uint64_t const blocks = w.node[0].executed_height - first;
    assert_true(blocks > RW_SESSIONS / 2);
    assert_in_range(replica_summary(w.node[0].replica).view - view, blocks - 3, blocks + 3);
    uint64_t taken = 0;
    for (uint32_t i = 0; i < 4; i++) {
        taken += w.node[i].verdicts[REPLICA_TX_TAKEN];
    }
    assert_in_range(taken, 320, 580);
    assert_in_range(w.node[0].txs_executed, 310, taken);
    all_paid(w.node[0].txs_executed);
    rw_close(&w);
}

static void a_leader_that_takes_any_key_gets_no_votes(void **state)
{
    (void)state;
    rw_open_fees(&w, 4, 2);
    rw_account(&w, 1, 1000 * RW_FEE);
    assert_true(rw_run(&w, 1, 10000));
    submit_by(2, 1, 50, 9); /* the blind node takes it */
    for (uint64_t i = 0; i < 20; i++) {
        submit_of((uint32_t)(i % 2), 1, 100 + i);
        rw_pass(&w, 50);
    }
    assert_int_equal(w.node[2].verdicts[REPLICA_TX_TAKEN], 1);
    uint64_t const height = w.node[0].executed_height;
    rw_pass(&w, 40000); /* until it expires */
    submit_of(0, 1, 777);
    rw_pass(&w, 5000);
    assert_true(w.node[0].executed_height > height);
    all_paid(21);
    rw_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_transaction_is_executed_once_everywhere),
        cmocka_unit_test(a_lone_validator_executes_its_own_blocks),
        cmocka_unit_test(bodies_of_views_ahead_are_kept),
        cmocka_unit_test(a_peer_asks_for_blocks_128_times_a_second),
        cmocka_unit_test(the_same_transaction_is_no_news),
        cmocka_unit_test(bad_transactions_are_refused_with_the_reason),
        cmocka_unit_test(bodies_of_many_chunks_travel),
        cmocka_unit_test(three_of_four_go_on_and_the_fourth_catches_up),
        cmocka_unit_test(two_dead_halt_and_do_no_harm),
        cmocka_unit_test(all_crash_and_come_back),
        cmocka_unit_test(a_final_block_waits_for_its_body),
        cmocka_unit_test(a_body_that_finds_no_memory_is_looked_at_again),
        cmocka_unit_test(who_cannot_pay_is_refused_with_the_reason),
        cmocka_unit_test(an_honest_leader_leaves_out_what_cannot_be_paid),
        cmocka_unit_test(cash_is_not_spent_twice_in_blocks_under_way),
        cmocka_unit_test(a_leader_that_asks_no_fee_gets_no_votes),
        cmocka_unit_test(who_signs_in_anothers_name_is_refused_at_once),
        cmocka_unit_test(a_session_key_counts_from_the_height_that_registers_it),
        cmocka_unit_test(a_session_key_does_what_it_may_while_it_may),
        cmocka_unit_test(a_session_key_leaves_places_to_its_account),
        cmocka_unit_test(an_honest_leaders_body_is_never_refused),
        cmocka_unit_test(a_leader_that_takes_any_key_gets_no_votes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
