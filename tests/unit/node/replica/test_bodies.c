/* test_bodies.c - bodies that the engine counts as held stay, whatever else comes.
 *
 * Method: a chain of four nodes stands still while a block with a body is proposed and
 * two are down; then the first one's replica is asked for, or sent, more bodies than it
 * has room for. */

#include <string.h>

#include "node/replica/internal.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/replica_world.h"

static struct rw w;
static struct nv_hash held; /* the block whose body the first node's engine holds */

static bool find_held(struct replica *r)
{
    for (uint32_t i = 0; i < r->body_count; i++) {
        if (cs_body_held(r->cs, &r->body[i]->hash)) {
            held = r->body[i]->hash;
            return true;
        }
    }
    return false;
}

/* stand_still stops the chain where the first node leads, with a body of its own. */
static int stand_still(void **state)
{
    (void)state;
    rw_open(&w, 4);
    assert_true(rw_run(&w, 1, 5000));
    for (uint64_t salt = 1; salt <= 100; salt++) {
        uint8_t bytes[VM_TX_SIZE_MAX];
        uint32_t const size = rw_tx(&w, bytes, salt, 0);
        rw_crash(&w, 2);
        rw_crash(&w, 3);
        rw_submit(&w, 0, bytes, size);
        rw_pass(&w, 1000);
        struct replica *const r = w.node[0].replica;
        struct cs_summary const summary = replica_summary(r);
        if (summary.leader == summary.me && find_held(r)) {
            return 0;
        }
        rw_revive(&w, 2);
        rw_revive(&w, 3);
        assert_true(rw_run(&w, w.node[0].executed_height + 1, 60000));
        rw_pass(&w, 7 * salt);
    }
    fail();
    return 1;
}

static int end(void **state)
{
    (void)state;
    rw_close(&w);
    return 0;
}

/* goes_on has all come back, and more blocks become final. */
static void goes_on(void)
{
    rw_revive(&w, 2);
    rw_revive(&w, 3);
    assert_true(rw_run(&w, w.node[0].executed_height + 3, 120000));
    rw_same(&w);
}

static struct nv_hash name(uint32_t number)
{
    struct nv_hash hash = {{0xee}};
    memcpy(hash.bytes + 1, &number, sizeof number);
    return hash;
}

static void need(struct replica *r, uint32_t number, uint64_t view)
{
    struct cs_header const header = {.height = 1000000, .view = view, .body_size = 100};
    struct cs_effect const effect = {
        .kind = CS_FX_NEED_BODY,
        .body = {.header = &header, .block_hash = name(number), .view = view, .peer = 1},
    };
    replica__body_needed(r, &effect);
}

static void still_held(struct replica *r)
{
    const struct node_body *const body = replica__body(r, &held);
    assert_true(cs_body_held(r->cs, &held));
    assert_true(body != NULL && node_body_complete(body));
    assert_true(replica__body_there(r, &held));
}

static void what_is_asked_for_pushes_out_nothing_held(void **state)
{
    (void)state;
    struct replica *const r = w.node[0].replica;
    uint64_t const view = replica_summary(r).view;
    for (uint32_t i = 0; i < 3 * REPLICA_BODIES_MAX; i++) {
        need(r, i, view + i);
        still_held(r);
        assert_true(r->body_count < REPLICA_BODIES_MAX); /* the last place is for an own one */
    }
    for (uint32_t i = 0; i < REPLICA_ASKED_MAX; i++) { /* none of the newest has gone */
        struct nv_hash const hash = name(3 * REPLICA_BODIES_MAX - 1 - i);
        assert_non_null(replica__body(r, &hash));
    }
    goes_on();
}

static void send_chunk(struct replica *r, uint32_t number)
{
    uint8_t message[1024];
    struct nv_writer writer;
    struct replica_time const t = {.now_ns = w.now_ns, .wall_ms = w.now_ns / 1000000u};
    struct cs_message chunk = {.type = CS_MSG_BODY_CHUNK};
    chunk.body_chunk.block_hash = name(number);
    chunk.body_chunk.chunk.bytes = nv_view_of((const uint8_t *)"body", 4);
    nv_writer_init(&writer, message, sizeof message);
    cs_message_encode(&writer, &chunk);
    for (uint32_t from = 1; from < w.count; from++) {
        replica_message(r, t, RW_LINK + from, CS_MSG_BODY_CHUNK, nv_writer_view(&writer));
    }
}

/* Chunks of blocks that nobody has heard of cost their senders nothing. */
static void loose_chunks_push_out_each_other_only(void **state)
{
    (void)state;
    struct replica *const r = w.node[0].replica;
    uint64_t const view = replica_summary(r).view;
    for (uint32_t i = 0; i < REPLICA_ASKED_MAX; i++) {
        need(r, i, view + i);
    }
    for (uint32_t i = 0; i < 2 * REPLICA_BODIES_MAX; i++) {
        send_chunk(r, 1000 + i);
    }
    assert_int_equal(r->body_count, REPLICA_BODIES_MAX - 1);
    for (uint32_t i = 0; i < REPLICA_BODIES_MAX - 2; i++) { /* one is held: all places */
        need(r, i, view + i);
    }
    for (uint32_t i = 0; i < REPLICA_BODIES_MAX; i++) {
        send_chunk(r, 2000 + i);
    }
    for (uint32_t i = 0; i < REPLICA_BODIES_MAX - 2; i++) {
        struct nv_hash const hash = name(i);
        assert_non_null(replica__body(r, &hash));
    }
    still_held(r);
    goes_on();
}

/* After a restart nothing is held; what is needed comes from the journal, also when
 * nobody else is there. */
static void what_is_needed_again_is_in_the_journal(void **state)
{
    (void)state;
    rw_crash(&w, 1);
    rw_crash(&w, 0);
    rw_revive(&w, 0);
    rw_pass(&w, 100);
    still_held(w.node[0].replica);
    rw_revive(&w, 1);
    goes_on();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_asked_for_pushes_out_nothing_held, stand_still, end),
        cmocka_unit_test_setup_teardown(loose_chunks_push_out_each_other_only, stand_still, end),
        cmocka_unit_test_setup_teardown(what_is_needed_again_is_in_the_journal, stand_still, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
