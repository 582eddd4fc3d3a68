/* Goal: a node answers what it holds, says what it does not, and no more often than
 * it should.
 * Method: a server over a folder with one snapshot; a clock of the test's. */

#include "node/sync/serve.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/sync_world.h"

static struct sync_world w;
static uint64_t now_ms = 5000;

static int begin(void **state)
{
    (void)state;
    sync_world_open(&w, NULL, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sync_world_close(&w);
    return 0;
}

static enum sync_served
ask(const struct sync_message **answer, uint32_t peer, const struct sync_message *question)
{
    uint8_t bytes[64];
    struct nv_writer out;
    nv_writer_init(&out, bytes, sizeof bytes);
    sync_encode(&out, question);
    return sync_serve(&w.server, answer, peer, now_ms, 99, question->type, nv_writer_view(&out));
}

static void it_says_what_it_has(void **state)
{
    (void)state;
    const struct sync_message *answer = NULL;
    struct sync_message question = {.type = SYNC_SNAPSHOTS_REQ};
    assert_int_equal(ask(&answer, 1, &question), SYNC_SERVED_ANSWER);
    assert_int_equal(answer->type, SYNC_SNAPSHOTS);
    assert_int_equal(answer->offers.executed_height, 99);
    assert_int_equal(answer->offers.count, 1);
    assert_int_equal(answer->offers.offer[0].height, SYNC_HEIGHT);
    assert_memory_equal(&answer->offers.offer[0].root, &w.root, 32);
    struct nv_hash const hash = answer->offers.offer[0].manifest_hash;

    struct nv_hash found;
    question = (struct sync_message){.type = SYNC_PART_REQ,
                                     .part = {.height = SYNC_HEIGHT, .part = ST_PART_MANIFEST}};
    assert_int_equal(ask(&answer, 1, &question), SYNC_SERVED_ANSWER);
    assert_int_equal(answer->type, SYNC_PART);
    nv_sha256(&found, answer->part.bytes);
    assert_memory_equal(&found, &hash, 32);
    question.part.part = 6000;
    assert_int_equal(ask(&answer, 1, &question), SYNC_SERVED_ANSWER);
    assert_int_equal(answer->part.bytes.size, 0);
    question.part = (struct sync_part){.height = SYNC_HEIGHT + 1, .part = 0};
    assert_int_equal(ask(&answer, 1, &question), SYNC_SERVED_ANSWER);
    assert_int_equal(answer->part.bytes.size, 0);
    assert_int_equal(answer->part.height, SYNC_HEIGHT + 1);
}

static void each_peer_has_its_share(void **state)
{
    (void)state;
    const struct sync_message *answer = NULL;
    struct sync_message const question = {.type = SYNC_SNAPSHOTS_REQ};
    for (uint32_t second = 0; second < 3; second++) {
        now_ms += 1000;
        for (uint32_t peer = 0; peer < 3; peer++) {
            for (uint32_t i = 0; i < SYNC_ANSWERS_MAX; i++) {
                assert_int_equal(ask(&answer, peer, &question), SYNC_SERVED_ANSWER);
            }
            assert_int_equal(ask(&answer, peer, &question), SYNC_SERVED_NOTHING);
        }
    }
}

static void other_bytes_are_a_breach(void **state)
{
    (void)state;
    const struct sync_message *answer = NULL;
    now_ms += 1000;
    assert_int_equal(
        sync_serve(&w.server, &answer, 1, now_ms, 1, SYNC_PART_REQ, nv_view_of("short", 5)),
        SYNC_SERVED_BAN);
    /* A late answer is none of a server's business. */
    struct sync_message const late = {.type = SYNC_PART, .part = {.height = 3, .part = 1}};
    assert_int_equal(ask(&answer, 1, &late), SYNC_SERVED_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_says_what_it_has, begin, end),
        cmocka_unit_test_setup_teardown(each_peer_has_its_share, begin, end),
        cmocka_unit_test_setup_teardown(other_bytes_are_a_breach, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
