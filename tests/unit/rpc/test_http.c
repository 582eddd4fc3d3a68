/* Goal: whatever bytes come over HTTP, the answer is a clear error or the right
 * one, in order, and the server goes on serving.
 *
 * Method: raw sockets on loopback against a server whose node is a model; after
 * every insult a well-behaved client is served. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/conn.h"
#include "rpc/server.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_world.h"

#define VERSION_CALL "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"node_version\"}"

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

/* refused sends `text` and expects the error `name` with `status`, a closed
 * connection, and a server that still serves. */
static void refused(const char *text, uint32_t status, const char *name)
{
    int const fd = world_connect(&world);
    uint32_t got = 0;
    char expected[64];
    world_say(&world, fd, text);
    const char *body = world_answer(&world, fd, &got);
    snprintf(expected, sizeof expected, "\"message\":\"%s\"", name);
    world_has(body, expected);
    assert_int_equal(got, status);
    assert_true(world_eof(&world, fd));
    close(fd);
    world_unharmed(&world);
}

static void a_call_is_answered(void **state)
{
    (void)state;
    const char *answer =
        world_post(&world, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"node_version\"}");
    world_has(answer, "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":{\"version\":\"test\"");
}

static void a_connection_serves_many(void **state)
{
    (void)state;
    int const fd = world_connect(&world);
    for (int i = 0; i < 20; i++) {
        char body[128];
        char expected[32];
        snprintf(body, sizeof body, VERSION_CALL, i);
        snprintf(expected, sizeof expected, "\"id\":%d,", i);
        world_has(world_post_on(&world, fd, body), expected);
    }
    close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    enum { COUNT = 100 };
    static char text[COUNT * 256];
    size_t size = 0;
    for (int i = 0; i < COUNT; i++) {
        char body[128];
        int const body_size = snprintf(body, sizeof body, VERSION_CALL, i);
        size += (size_t)snprintf(text + size,
                                 sizeof text - size,
                                 "POST / HTTP/1.1\r\nHost: localhost\r\n"
                                 "Content-Length: %d\r\n\r\n%s",
                                 body_size,
                                 body);
    }
    int const fd = world_connect(&world);
    assert_true(world_send(&world, fd, text, size));
    for (int i = 0; i < COUNT; i++) {
        char expected[32];
        uint32_t status = 0;
        snprintf(expected, sizeof expected, "\"id\":%d,", i);
        world_has(world_answer(&world, fd, &status), expected);
        assert_int_equal(status, 200);
    }
    close(fd);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    (void)state;
    char body[128];
    char text[256];
    int const body_size = snprintf(body, sizeof body, VERSION_CALL, 7);
    int const size = snprintf(text,
                              sizeof text,
                              "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s",
                              body_size,
                              body);
    int const fd = world_connect(&world);
    for (int i = 0; i < size; i++) {
        assert_true(world_send(&world, fd, text + i, 1));
    }
    uint32_t status = 0;
    world_has(world_answer(&world, fd, &status), "\"id\":7,");
    close(fd);
}

static void malformed_heads_are_refused(void **state)
{
    (void)state;
    refused("GARBAGE\r\n\r\n", 400, "bad_http");
    refused("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 400, "bad_http");
    refused("POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "bad_http");
    refused("POST / HTTP/1.1\r\nHost: localhost\r\nX: a\rY: b\r\n\r\n", 400, "bad_http");
    refused("POST / HTTP/1.1\nHost: localhost\r\n\r\n", 400, "bad_http");
    refused("POST / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n folded\r\n\r\n", 400, "bad_http");
    refused("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
            "Transfer-Encoding: chunked\r\n\r\n{}",
            400,
            "bad_http");
    refused("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
            "Content-Length: 2\r\n\r\n{}",
            400,
            "bad_http");
    refused("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
            "Content-Length: 2\r\n\r\n{}",
            400,
            "bad_http");
    refused("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -2\r\n\r\n{}", 400, "bad_http");
    refused("POST / HTTP/9.9\r\nHost: localhost\r\n\r\n", 400, "bad_http");
}

static void a_coded_body_is_refused(void **state)
{
    (void)state;
    refused("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            "2\r\n{}\r\n0\r\n\r\n",
            411,
            "length_required");
}

static void a_body_too_large_is_refused_unread(void **state)
{
    (void)state;
    refused("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n",
            413,
            "body_too_large");
    refused("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999\r\n\r\n",
            413,
            "body_too_large");
}

static void a_head_too_large_is_refused(void **state)
{
    (void)state;
    static char text[20000];
    size_t size = (size_t)snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: localhost\r\nX: ");
    memset(text + size, 'a', 17000);
    refused(text, 431, "head_too_large");

    size = (size_t)snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: localhost\r\n");
    for (int i = 0; i < 70; i++) {
        size += (size_t)snprintf(text + size, sizeof text - size, "X-%d: a\r\n", i);
    }
    snprintf(text + size, sizeof text - size, "\r\n");
    refused(text, 431, "head_too_large");
}

static void a_body_of_the_largest_size_is_read(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    static char body[SIZE + 1];
    int const size = snprintf(body, sizeof body, VERSION_CALL, 1);
    memset(body + size, ' ', SIZE - (size_t)size);
    body[SIZE] = '\0';
    world_has(world_post(&world, body), "\"version\":\"test\"");
}

static void a_truncated_request_is_dropped_when_the_client_goes(void **state)
{
    (void)state;
    int const fd = world_connect(&world);
    world_say(
        &world, fd, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{\"json");
    shutdown(fd, SHUT_WR);
    assert_true(world_eof(&world, fd));
    close(fd);
    world_unharmed(&world);
}

static void a_half_closed_client_is_still_answered(void **state)
{
    (void)state;
    int const fd = world_connect(&world);
    char body[128];
    char head[128];
    int const size = snprintf(body, sizeof body, VERSION_CALL, 3);
    snprintf(head,
             sizeof head,
             "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n",
             size);
    world_say(&world, fd, head);
    world_say(&world, fd, body);
    shutdown(fd, SHUT_WR);
    uint32_t status = 0;
    world_has(world_answer(&world, fd, &status), "\"id\":3,");
    assert_true(world_eof(&world, fd));
    close(fd);
}

static void expect_continue_is_honoured(void **state)
{
    (void)state;
    char body[128];
    char head[160];
    uint32_t status = 0;
    int const size = snprintf(body, sizeof body, VERSION_CALL, 4);
    snprintf(head,
             sizeof head,
             "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
             "Content-Length: %d\r\n\r\n",
             size);
    int const fd = world_connect(&world);
    world_say(&world, fd, head);
    world_answer(&world, fd, &status);
    assert_int_equal(status, 100);
    world_say(&world, fd, body);
    world_has(world_answer(&world, fd, &status), "\"id\":4,");
    close(fd);
}

static void http_1_0_is_closed_after_the_answer(void **state)
{
    (void)state;
    int const fd = world_connect(&world);
    uint32_t status = 0;
    world_say(&world, fd, "GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n");
    world_has(world_answer(&world, fd, &status), "alive");
    assert_int_equal(status, 200);
    assert_true(world_eof(&world, fd));
    close(fd);
}

/* A client that asks for much and reads nothing: the server stops taking its
 * requests instead of collecting answers without end, and goes on once the
 * client reads. */
static void a_slow_reader_is_bounded(void **state)
{
    (void)state;
    enum { ANSWER = 100000, COUNT = 300, OUTPUT = 1 << 20 };
    static struct rpc_world slow;
    static char genesis[ANSWER];
    static const char request[] = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 49\r\n\r\n"
                                  "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"chain_genesis\"}";
    memset(&slow, 0, sizeof slow);
    memset(genesis, ' ', sizeof genesis);
    slow.genesis = nv_view_of(genesis, sizeof genesis);
    slow.config.limits.output_bytes = OUTPUT;
    world_open(&slow);
    int const fd = world_connect(&slow);
    for (int i = 0; i < COUNT; i++) {
        assert_true(world_send(&slow, fd, request, sizeof request - 1));
        assert_true(rpc__conn_pending(slow.rpc->conns) <= OUTPUT / 2 + 2 * ANSWER);
    }
    assert_false(slow.rpc->conns->reading);
    world_unharmed(&slow);
    for (int i = 0; i < COUNT; i++) {
        uint32_t status = 0;
        world_has(world_answer(&slow, fd, &status), "\"id\":5,");
    }
    close(fd);
    world_close(&slow);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_call_is_answered),
        CASE(a_connection_serves_many),
        CASE(pipelined_requests_are_answered_in_order),
        CASE(a_request_may_come_byte_by_byte),
        CASE(malformed_heads_are_refused),
        CASE(a_coded_body_is_refused),
        CASE(a_body_too_large_is_refused_unread),
        CASE(a_head_too_large_is_refused),
        CASE(a_body_of_the_largest_size_is_read),
        CASE(a_truncated_request_is_dropped_when_the_client_goes),
        CASE(a_half_closed_client_is_still_answered),
        CASE(expect_continue_is_honoured),
        CASE(http_1_0_is_closed_after_the_answer),
        CASE(a_slow_reader_is_bounded),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
