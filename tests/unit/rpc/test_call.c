/* Goal: requests and batches are dispatched as JSON-RPC 2.0 says, within the
 * limits, whatever order the node answers in, and the envelope is strict.
 *
 * Method: bodies over loopback; jobs held back or run at once inside the port. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rpc/call.h"
#include "rpc/server.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_world.h"

#define VERSION(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"node_version\"}"
#define PARAMS(id)  "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"chain_params\"}"

static struct rpc_world world;

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world_open(&world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static void the_envelope_is_strict(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",
        "[1]",
        "{}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"node_version\"}",
        "{\"jsonrpc\":2.0,\"id\":1,\"method\":\"node_version\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"node_version\",\"params\":[]}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"node_version\",\"extra\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"node_version\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"node_version\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"node_version\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        world_has(world_post(&world, bad[i]), "\"code\":-32600,\"message\":\"invalid_request\"");
    }
    static const char *const unreadable[] = {
        "",
        "{",
        "nope",
        "\"a\"",
        "{\"a\":1,\"a\":2}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "{\"jsonrpc\":\"2.0\",\"id\":\"\xff\"}",
    };
    for (size_t i = 0; i < sizeof unreadable / sizeof unreadable[0]; i++) {
        world_has(world_post(&world, unreadable[i]), "\"code\":-32700,\"message\":\"parse_error\"");
    }
    world_unharmed(&world);
}

static void ids_come_back_as_they_were(void **state)
{
    (void)state;
    static const char *const ids[] = {
        "null", "0", "-7", "9223372036854775807", "\"\"", "\"a\\\"b\""};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char body[128];
        char expected[64];
        snprintf(body,
                 sizeof body,
                 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"node_version\"}",
                 ids[i]);
        snprintf(expected, sizeof expected, "\"id\":%s,\"result\"", ids[i]);
        world_has(world_post(&world, body), expected);
    }
}

static void a_misspelt_method_gets_the_nearest(void **state)
{
    (void)state;
    const char *answer =
        world_post(&world, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chain_waitheight\"}");
    world_has(answer, "\"message\":\"method_not_found\"");
    world_has(answer, "\"expected\":\"chain_waitHeight\"");
    world_has(answer, "\"got\":\"chain_waitheight\"");
}

static void a_batch_is_answered_in_order(void **state)
{
    (void)state;
    const char *answer =
        world_post(&world, "[" VERSION("1") "," PARAMS("2") ",7," VERSION("3") "]");
    const char *first = strstr(answer, "\"id\":1,\"result\"");
    const char *second = strstr(answer, "\"id\":2,\"result\"");
    const char *third = strstr(answer, "\"id\":null,\"error\"");
    const char *fourth = strstr(answer, "\"id\":3,\"result\"");
    assert_true(answer[0] == '[' && first != NULL && first < second && second < third &&
                third < fourth);
}

static void notifications_are_not_answered(void **state)
{
    (void)state;
    uint32_t status = 0;
    static const char silent[] = "{\"jsonrpc\":\"2.0\",\"method\":\"node_version\"}";
    int const fd = world_ask(&world, silent);
    assert_string_equal(world_answer(&world, fd, &status), "");
    assert_int_equal(status, 204);
    close(fd);
    const char *answer =
        world_post(&world, "[{\"jsonrpc\":\"2.0\",\"method\":\"no_such\"}," VERSION("5") "]");
    world_has(answer, "[{\"jsonrpc\":\"2.0\",\"id\":5,");
    world_lacks(answer, "error");
}

static void a_batch_has_its_limits(void **state)
{
    (void)state;
    static char body[101 * 64 + 8];
    size_t size = 0;
    body[size++] = '[';
    for (int i = 0; i < 101; i++) {
        size +=
            (size_t)snprintf(body + size, sizeof body - size, "%s" VERSION("1"), i == 0 ? "" : ",");
    }
    snprintf(body + size, sizeof body - size, "]");
    world_has(world_post(&world, body), "\"message\":\"batch_too_large\"");
}

/* An item that reads the state holds back those behind it; one that waits does
 * not; the answers keep their order. */
static void items_take_turns(void **state)
{
    (void)state;
    uint32_t status = 0;
    world.hold_jobs = true;
    int const fd =
        world_ask(&world,
                  "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chain_waitHeight\",\"params\":"
                  "{\"height\":\"2\"}}," PARAMS("2") "," PARAMS("3") "]");
    for (int i = 0; i < 1000 && world.job_count == 0; i++) {
        world_turn(&world);
    }
    assert_int_equal(world.job_count, 1);
    world.hold_jobs = false;
    world_turn(&world);
    world_publish(&world);
    const char *answer = world_answer(&world, fd, &status);
    world_has(answer, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"height\":\"2\"");
    world_has(answer, "\"id\":3,\"result\"");
    close(fd);
}

static void jobs_may_run_inside_the_port(void **state)
{
    (void)state;
    world.sync_jobs = true;
    const char *answer = world_post(&world, "[" PARAMS("1") "," PARAMS("2") "]");
    world_has(answer, "\"id\":1,\"result\":{\"params\":[]}");
    world_has(answer, "\"id\":2,\"result\":{\"params\":[]}");
    world_has(world_post(&world, PARAMS("3")), "\"id\":3,\"result\"");
}

static void a_busy_node_says_so(void **state)
{
    (void)state;
    uint32_t status = 0;
    world.hold_jobs = true;
    world.jobs_room = 1;
    int const first = world_ask(&world, PARAMS("1"));
    for (int i = 0; i < 1000 && world.job_count == 0; i++) {
        world_turn(&world);
    }
    int const second = world_ask(&world, PARAMS("2"));
    const char *answer = world_answer(&world, second, &status);
    world_has(answer, "\"message\":\"busy\"");
    world_has(answer, "\"retry_after_ms\":100");
    assert_int_equal(status, 503);
    world.hold_jobs = false;
    world_turn(&world);
    world_has(world_answer(&world, first, &status), "\"id\":1,\"result\"");
    close(first);
    close(second);
}

static void a_client_may_go_while_the_node_works(void **state)
{
    (void)state;
    world.hold_jobs = true;
    int const fd = world_ask(&world, "[" PARAMS("1") "," PARAMS("2") "," VERSION("3") "]");
    for (int i = 0; i < 1000 && world.job_count == 0; i++) {
        world_turn(&world);
    }
    close(fd);
    for (int i = 0; i < 20; i++) {
        world_turn(&world);
    }
    world.hold_jobs = false;
    world_turn(&world);
    world_unharmed(&world);
    assert_int_equal(world.rpc->borrowed, 0);
}

static void an_answer_too_large_is_replaced(void **state)
{
    (void)state;
    static struct rpc_world small;
    static char genesis[3000];
    memset(&small, 0, sizeof small);
    memset(genesis, 'x', sizeof genesis);
    small.genesis = nv_view_of(genesis, sizeof genesis);
    small.config.limits.answer_bytes = 4000;
    world_open(&small);
    static const char call[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chain_genesis\"}";
    char body[256];
    snprintf(body, sizeof body, "[%s,%s]", call, call);
    world_has(world_post(&small, call), "\"result\"");
    const char *answer = world_post(&small, body);
    world_has(answer, "\"result\"");
    world_has(answer, "\"message\":\"answer_too_large\"");
    world_close(&small);
}

static void calls_are_rated(void **state)
{
    (void)state;
    static struct rpc_world slow;
    uint32_t status = 0;
    memset(&slow, 0, sizeof slow);
    slow.config.limits.calls_per_second = 1;
    slow.config.limits.calls_burst = 3;
    world_open(&slow);
    const char *answer =
        world_post(&slow, "[" VERSION("1") "," VERSION("2") "," VERSION("3") "," VERSION("4") "]");
    world_has(answer, "\"id\":3,\"result\"");
    world_has(answer, "\"id\":4,\"error\":{\"code\":1001,\"message\":\"rate_limited\"");
    int const fd = world_ask(&slow, VERSION("5"));
    world_has(world_answer(&slow, fd, &status), "\"retry_after_ms\":");
    assert_int_equal(status, 429);
    close(fd);
    world_close(&slow);
}

static void reads_wait_for_a_state(void **state)
{
    (void)state;
    static struct rpc_world young;
    memset(&young, 0, sizeof young);
    world_open_bare(&young);
    world_has(world_post(&young, PARAMS("1")), "\"message\":\"node_syncing\"");
    world_has(world_post(&young, VERSION("1")), "\"result\"");
    world_close(&young);
}

/* A server may be closed with everything under way. */
static void closing_gives_everything_back(void **state)
{
    (void)state;
    static struct rpc_world doomed;
    memset(&doomed, 0, sizeof doomed);
    world_open(&doomed);
    doomed.hold_jobs = true;
    int const fd = world_ask(&doomed, PARAMS("1"));
    int const other = world_ask(&doomed,
                                "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                                "\"chain_waitHeight\",\"params\":{\"height\":\"9\"}}");
    for (int i = 0; i < 1000 && doomed.job_count == 0; i++) {
        world_turn(&doomed);
    }
    assert_int_equal(doomed.job_count, 1);
    world_close(&doomed);
    close(fd);
    close(other);
}

/* Each method of the list can be found and called without parameters: it
 * answers with a result or a named error. */
static void every_method_answers(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < world.rpc->method_count; i++) {
        char body[128];
        const char *name = world.rpc->methods[i].name;
        snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}", name);
        int const fd = world_ask(&world, body);
        for (int turn = 0; turn < 50; turn++) {
            world_turn(&world);
            if (world.page != NULL) {
                struct rpc_rows *page = world.page;
                world.page = NULL;
                page->end = true;
                rpc_rows_done(world.rpc, page);
            }
        }
        uint32_t status = 0;
        const char *answer = world_answer(&world, fd, &status);
        world_has(answer, "{\"jsonrpc\":\"2.0\",\"id\":1,");
        world_lacks(answer, "\"message\":\"unknown\"");
        world_lacks(answer, "internal_error");
        close(fd);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(the_envelope_is_strict),
        CASE(ids_come_back_as_they_were),
        CASE(a_misspelt_method_gets_the_nearest),
        CASE(a_batch_is_answered_in_order),
        CASE(notifications_are_not_answered),
        CASE(a_batch_has_its_limits),
        CASE(items_take_turns),
        CASE(jobs_may_run_inside_the_port),
        CASE(a_busy_node_says_so),
        CASE(a_client_may_go_while_the_node_works),
        CASE(an_answer_too_large_is_replaced),
        CASE(calls_are_rated),
        CASE(reads_wait_for_a_state),
        CASE(closing_gives_everything_back),
        CASE(every_method_answers),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
