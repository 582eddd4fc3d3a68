/* test_epochs.c - replicas whose validators change from epoch to epoch.
 *
 * Method: the virtual world of tests/lib/replica_world.  Nodes stand in the order of
 * their keys, so that each who comes or goes renumbers the others, and links have ids
 * that are nobody's number. */

#include <string.h>

#include "node/replica/internal.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/replica_world.h"

#define EPOCH_MS 2000u

static struct rw w;
static uint8_t bytes[VM_TX_SIZE_MAX];

static void work(uint32_t node, uint32_t count, uint64_t salt)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t const size = rw_tx(&w, bytes, salt + i, 0);
        rw_submit(&w, node, bytes, size);
        rw_pass(&w, 20);
    }
}

/* A node's own view of who validates. */
static void in_set(uint32_t node, uint32_t nodes)
{
    const struct replica_set *const present = replica_present(w.node[node].replica);
    uint32_t count = 0;
    for (uint32_t i = 0; i < w.count; i++) {
        bool const member = (nodes >> i & 1u) != 0;
        uint32_t const index = rw_index(&w, present, i);
        assert_int_equal(index < present->set.count, member);
        if (member) {
            struct nv_pubkey const key = rw_node_key(i);
            assert_memory_equal(&present->node_key[index], &key, sizeof key);
            count++;
        }
        if (i == node) {
            assert_int_equal(replica_summary(w.node[node].replica).me, member ? index : CS_NOBODY);
            assert_int_equal(w.node[node].me, member ? index : CS_NOBODY);
        }
    }
    assert_int_equal(present->set.count, count);
    assert_int_equal(w.node[node].epoch, replica_summary(w.node[node].replica).epoch);
}

static void all_in_set(uint32_t nodes)
{
    for (uint32_t i = 0; i < w.count; i++) {
        if (w.node[i].replica != NULL) {
            in_set(i, nodes);
        }
    }
}

/* All nodes that are up execute what is submitted to any of them. */
static void all_execute(uint64_t salt)
{
    uint64_t before[RW_NODES_MAX];
    uint32_t some = 0;
    for (uint32_t i = 0; i < w.count; i++) {
        before[i] = w.node[i].txs_executed;
        some = w.node[i].replica != NULL ? i : some;
    }
    work(some, 5, salt);
    rw_pass(&w, 2500);
    for (uint32_t i = 0; i < w.count; i++) {
        if (w.node[i].replica != NULL) {
            assert_true(w.node[i].txs_executed >= before[i] + 5);
        }
    }
    rw_same(&w);
}

static void the_same_set_goes_on(void **state)
{
    (void)state;
    rw_open_epochs(&w, 4, 0xf, EPOCH_MS);
    assert_true(rw_epoch(&w, 4, 60000));
    all_in_set(0xf);
    all_execute(100);
    rw_close(&w);
}

static void a_member_leaves_and_a_newcomer_enters(void **state)
{
    (void)state;
    rw_open_epochs(&w, 6, 0x1e, EPOCH_MS); /* 1 to 4 */
    rw_choose(&w, 2, 0x1f);                /* 0 enters: all are renumbered */
    work(1, 15, 10);
    all_in_set(0x1e);
    assert_true(rw_epoch(&w, 2, 60000));
    all_in_set(0x1f);
    assert_int_equal(w.node[2].last.set.count, 4);
    all_execute(100);
    rw_choose(&w, w.node[1].executed_height + 20, 0x39); /* 1 and 2 leave, 5 enters */
    work(3, 60, 200);
    uint64_t const epoch = replica_summary(w.node[3].replica).epoch;
    assert_true(rw_epoch(&w, epoch + 2, 60000));
    all_in_set(0x39);
    all_execute(900);
    rw_close(&w);
}

/* Two that are in no set ask validators how far the chain is, and not each other. */
static void followers_do_not_talk_for_ever(void **state)
{
    (void)state;
    rw_open_epochs(&w, 6, 0xf, 0); /* 4 and 5 follow */
    rw_pass(&w, 5000);
    assert_true(w.node[4].executed_height >= 3);
    assert_true(w.node[5].executed_height >= 3);
    assert_true(w.node[4].sent + w.node[5].sent < 500);
    rw_close(&w);
}

/* Links that come and go while nobody renumbers, and while somebody does. */
static void links_come_and_go(void **state)
{
    (void)state;
    rw_open_epochs(&w, 5, 0x1e, EPOCH_MS);
    rw_choose(&w, 3, 0x1f);
    rw_run(&w, 1, 5000);
    rw_crash(&w, 2);
    work(1, 20, 50);
    rw_revive(&w, 2);
    assert_true(rw_epoch(&w, 2, 60000));
    rw_crash(&w, 0);
    work(1, 20, 80);
    rw_revive(&w, 0);
    assert_true(rw_epoch(&w, 4, 60000));
    all_in_set(0x1f);
    all_execute(300);
    rw_close(&w);
}

/* One that was away learns of the ends of epochs and who validates now. */
static void a_laggard_comes_back(uint64_t epochs)
{
    rw_open_epochs(&w, 6, 0x1f, EPOCH_MS); /* 0 to 4 */
    work(1, 4, 10);
    rw_crash(&w, 3);
    /* 5 enters, which 3 has never heard of */
    rw_choose(&w, w.node[1].executed_height + 3, 0x3f);
    work(1, 20, 50);
    assert_true(rw_epoch(&w, 1 + epochs, 120000));
    work(1, 20, 150);
    rw_revive(&w, 3);
    assert_true(rw_epoch(&w, replica_summary(w.node[1].replica).epoch, 60000));
    rw_pass(&w, 3000);
    all_in_set(0x3f);
    all_execute(700);
    rw_close(&w);
}

static void a_laggard_of_one_epoch(void **state)
{
    (void)state;
    a_laggard_comes_back(1);
}

static void a_laggard_of_three_epochs(void **state)
{
    (void)state;
    a_laggard_comes_back(3);
}

/* The chain stops where the last height of `node` is `height`, all crash, and go on. */
static void all_crash_at(uint64_t height)
{
    assert_true(rw_run(&w, height, 60000));
    for (uint32_t i = 0; i < w.count; i++) {
        rw_crash(&w, i);
    }
    for (uint32_t i = 0; i < w.count; i++) {
        rw_revive(&w, i);
    }
}

static uint64_t boundary_above(uint64_t height)
{
    for (uint64_t h = height + 1; h <= w.node[1].executed_height; h++) {
        if (w.node[1].executed[h].facts.boundary) {
            return h;
        }
    }
    return 0;
}

/* Before, at and after a boundary: which heights these are, a first run tells. */
static void restarts_around_a_boundary(void **state)
{
    (void)state;
    rw_open_epochs(&w, 5, 0x1e, EPOCH_MS);
    rw_choose(&w, 2, 0x1f);
    work(1, 15, 10);
    assert_true(rw_epoch(&w, 2, 60000));
    rw_pass(&w, 1000);
    uint64_t const boundary = boundary_above(0);
    rw_close(&w);
    for (uint64_t off = 0; off <= 4; off++) {
        rw_open_epochs(&w, 5, 0x1e, EPOCH_MS);
        rw_choose(&w, 2, 0x1f);
        work(1, 15, 10);
        all_crash_at(boundary + off - 2);
        assert_true(rw_epoch(&w, 2, 60000));
        rw_pass(&w, 3000);
        all_in_set(0x1f);
        all_execute(100);
        assert_true(boundary_above(0) > 0);
        rw_close(&w);
    }
}

/* Facts of a block are those that follow from it and its parent. */
static void facts_follow_from_the_headers(void **state)
{
    (void)state;
    rw_open_epochs(&w, 4, 0xf, EPOCH_MS);
    assert_true(rw_epoch(&w, 3, 60000));
    rw_pass(&w, 1000);
    uint64_t boundaries = 0;
    for (uint64_t h = 1; h <= w.node[2].executed_height; h++) {
        const struct rw_executed *const e = &w.node[2].executed[h];
        const struct rw_executed *const parent = &w.node[2].executed[h - 1];
        assert_int_equal(e->facts.epoch, e->header.epoch);
        assert_int_equal(e->facts.boundary, cs_header_closes(&e->header));
        assert_int_equal(e->facts.signers_known, h > 1);
        assert_int_equal(e->facts.next_height,
                         e->facts.boundary ? parent->header.executed_height : 0);
        boundaries += e->facts.boundary ? 1 : 0;
    }
    assert_true(boundaries >= 2);
    rw_close(&w);
}

/* ---- what peers ask ---- */

static struct cs_message answer; /* the newest message to the link that asks */
static uint8_t answer_bytes[CS_MESSAGE_SIZE_MAX];

static uint32_t answers_to(struct replica *r, uint32_t link)
{
    struct replica_op op;
    uint32_t count = 0;
    while (replica_next(r, &op)) {
        if (op.kind == REPLICA_SEND && op.send.links[0] == link) {
            memcpy(answer_bytes, op.send.bytes.bytes, op.send.bytes.size);
            assert_int_equal(cs_message_decode(&answer,
                                               op.send.type,
                                               nv_view_of(answer_bytes, op.send.bytes.size)),
                             NV_OK);
            count++;
        }
    }
    return count;
}

static void ask(struct replica *r, uint32_t link, const struct cs_message *message)
{
    uint8_t request[1024];
    struct nv_writer writer;
    nv_writer_init(&writer, request, sizeof request);
    cs_message_encode(&writer, message);
    struct replica_time const t = {.now_ns = w.now_ns, .wall_ms = w.now_ns / 1000000u};
    replica_message(r, t, link, (uint8_t)message->type, nv_writer_view(&writer));
}

static void the_end_of_an_epoch_is_told_who_asks(void **state)
{
    (void)state;
    struct nv_pubkey const stranger = {{0x77}};
    struct cs_message request = {.type = CS_MSG_EPOCH_REQUEST, .epoch_request = {.epoch = 1}};
    rw_open_epochs(&w, 4, 0xf, EPOCH_MS);
    assert_true(rw_epoch(&w, 3, 60000));
    rw_pass(&w, 100);
    struct replica *const r = w.node[1].replica;
    struct replica_time const t = {.now_ns = w.now_ns, .wall_ms = w.now_ns / 1000000u};
    replica_link(r, t, 9999, &stranger, true);
    (void)answers_to(r, 9999);
    ask(r, 9999, &request);
    assert_int_equal(answers_to(r, 9999), 1);
    assert_int_equal(answer.type, CS_MSG_EPOCH_RESPONSE);
    assert_int_equal(answer.handover.header.epoch, 1);
    request.epoch_request.epoch = 99;
    ask(r, 9999, &request);
    assert_int_equal(answers_to(r, 9999), 0);
    request.epoch_request.epoch = 2;
    uint32_t count = 0;
    for (uint32_t i = 0; i < 200; i++) {
        ask(r, 9999, &request);
        count += answers_to(r, 9999);
    }
    assert_int_equal(count, 126); /* of 128 a second, which two have had a share of */
    rw_close(&w);
}

static void blocks_are_told_up_to_the_end_of_an_epoch(void **state)
{
    (void)state;
    struct cs_message request = {.type = CS_MSG_BLOCK_REQUEST, .block_request = {.count = 100}};
    struct nv_pubkey const stranger = {{0x77}};
    rw_open_epochs(&w, 4, 0xf, EPOCH_MS);
    work(1, 20, 300);
    assert_true(rw_epoch(&w, 3, 60000));
    rw_pass(&w, 100);
    struct replica *const r = w.node[1].replica;
    struct replica_time const t = {.now_ns = w.now_ns, .wall_ms = w.now_ns / 1000000u};
    replica_link(r, t, 9999, &stranger, true);
    uint64_t const boundary = boundary_above(0);
    assert_true(boundary > 2 && boundary < 90);
    (void)answers_to(r, 9999);
    for (uint64_t from = 1; from <= boundary; from += boundary - 1) {
        struct nv_hash const *const last = &w.node[1].executed[boundary].hash;
        request.block_request.from = from;
        ask(r, 9999, &request);
        assert_int_equal(answers_to(r, 9999), 1);
        assert_int_equal(answer.block_response.blocks.count, boundary - from + 1);
        assert_true(answer.block_response.has_final);
        assert_memory_equal(&answer.block_response.final.ballot.block_hash, last, sizeof *last);
    }
    rw_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_set_goes_on),
        cmocka_unit_test(a_member_leaves_and_a_newcomer_enters),
        cmocka_unit_test(followers_do_not_talk_for_ever),
        cmocka_unit_test(links_come_and_go),
        cmocka_unit_test(a_laggard_of_one_epoch),
        cmocka_unit_test(a_laggard_of_three_epochs),
        cmocka_unit_test(restarts_around_a_boundary),
        cmocka_unit_test(facts_follow_from_the_headers),
        cmocka_unit_test(the_end_of_an_epoch_is_told_who_asks),
        cmocka_unit_test(blocks_are_told_up_to_the_end_of_an_epoch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
