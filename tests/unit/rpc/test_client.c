/* Goal: the client gets results and errors, opens its connection again when the
 * node has closed it, tells apart what can go wrong, and hears notifications.
 *
 * Method: the client in a thread of its own against the server on loopback, or
 * against a socket that answers nonsense. */

#include <arpa/inet.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rpc/client.h"
#include "rpc/client_stream.h"
#include "rpc/conn.h"
#include "rpc/server.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_world.h"

static struct rpc_world world;
static char url[64];

/* What the thread is to do, and whether it has. A step that the server has to
 * take part in is asked for with `wanted`. */
static atomic_int wanted;
static atomic_bool finished;
static enum nv_err outcome[4];
static char text[4][256];

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    memset(outcome, 0, sizeof outcome);
    memset(text, 0, sizeof text);
    atomic_store(&wanted, 0);
    atomic_store(&finished, false);
    world_open(&world);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/", rpc_listen_port(world.rpc));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

/* run turns the server until the thread has finished; `serve` does what it asks. */
static void run(void *(*client)(void *ctx), void (*serve)(int what))
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, client, NULL), 0);
    while (!atomic_load(&finished)) {
        world_turn(&world);
        int const what = atomic_exchange(&wanted, 0);
        if (what != 0) {
            serve(what);
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void nothing(int what)
{
    (void)what;
}

static void keep_text(int at, struct json_t *value)
{
    char *dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    snprintf(text[at], sizeof text[at], "%s", dumped != NULL ? dumped : "");
    free(dumped);
    json_decref(value);
}

static void *calls(void *ctx)
{
    struct rpc_client *client = NULL;
    struct json_t *result = NULL;
    (void)ctx;
    outcome[0] = rpc_client_open(&client, url, 60000);
    outcome[1] = rpc_client_call(client, &result, "chain_head", NULL);
    keep_text(1, result);
    outcome[2] = rpc_client_call(client, &result, "chain_block", json_pack("{s:s}", "height", "9"));
    keep_text(2, json_deep_copy(rpc_client_error(client)));
    outcome[3] = rpc_client_call(client, &result, "chain_genesis", json_object());
    keep_text(3, result);
    rpc_client_close(client);
    atomic_store(&finished, true);
    return NULL;
}

static void results_and_errors_come_back(void **state)
{
    (void)state;
    run(calls, nothing);
    assert_int_equal(outcome[0], NV_OK);
    assert_int_equal(outcome[1], NV_OK);
    world_has(text[1], "\"height\":\"1\"");
    assert_int_equal(outcome[2], NV_ERR_REFUSED);
    world_has(text[2], "\"message\":\"height_in_future\"");
    assert_int_equal(outcome[3], NV_OK);
    assert_int_equal(world.rpc->counters.connections, 1);
}

static void *two_calls(void *ctx)
{
    struct rpc_client *client = NULL;
    struct json_t *result = NULL;
    (void)ctx;
    outcome[0] = rpc_client_open(&client, url, 60000);
    outcome[1] = rpc_client_call(client, &result, "chain_head", NULL);
    json_decref(result);
    atomic_store(&wanted, 1);
    while (atomic_load(&wanted) != 0) {
    }
    outcome[2] = rpc_client_call(client, &result, "chain_head", NULL);
    keep_text(2, result);
    rpc_client_close(client);
    atomic_store(&finished, true);
    return NULL;
}

static void hang_up(int what)
{
    (void)what;
    rpc__conn_close(world.rpc->conns);
}

static void a_closed_connection_is_opened_again(void **state)
{
    (void)state;
    run(two_calls, hang_up);
    assert_int_equal(outcome[1], NV_OK);
    assert_int_equal(outcome[2], NV_OK);
    world_has(text[2], "\"height\":\"1\"");
    assert_int_equal(world.rpc->counters.connections, 2);
}

static void urls_are_read(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "host",
                                        "host:",
                                        ":1",
                                        "ftp://a:1",
                                        "http://a:1/path",
                                        "[::1]",
                                        "[::1",
                                        "a:123456789",
                                        "a:1x"};
    static const char *const right[] = {
        "a:1", "http://a:1", "http://a:1/", "[::1]:1", "ws://[::1]:65535/"};
    struct rpc_client *client = NULL;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(rpc_client_open(&client, wrong[i], 1), NV_ERR_CONFIG);
    }
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        assert_int_equal(rpc_client_open(&client, right[i], 1), NV_OK);
        rpc_client_close(client);
    }
}

/* A socket that listens, takes what comes, answers with `said` and hangs up. */
static enum nv_err answered(const char *said, uint32_t timeout_ms)
{
    char where[64];
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    snprintf(where, sizeof where, "127.0.0.1:%u", ntohs(address.sin_port));
    struct rpc_client *client = NULL;
    struct json_t *result = NULL;
    assert_int_equal(rpc_client_open(&client, where, timeout_ms), NV_OK);
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char request[4096];
        int const fd = accept(listener, NULL, NULL);
        ssize_t const got = recv(fd, request, sizeof request, 0);
        if (said != NULL && got > 0) {
            ssize_t const sent = send(fd, said, strlen(said), 0);
            _exit(sent > 0 ? 0 : 1);
        }
        pause();
        _exit(0);
    }
    close(listener);
    enum nv_err const err = rpc_client_call(client, &result, "chain_head", NULL);
    assert_null(result);
    rpc_client_close(client);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return err;
}

static void what_is_no_answer_is_told_apart(void **state)
{
    (void)state;
    assert_int_equal(answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 60000),
                     NV_ERR_MALFORMED);
    assert_int_equal(answered("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope", 60000),
                     NV_ERR_MALFORMED);
    assert_int_equal(answered("SSH-2.0-x\r\n", 60000), NV_ERR_MALFORMED);
    assert_int_equal(answered("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", 60000),
                     NV_ERR_CLOSED);
    assert_int_equal(answered(NULL, 30), NV_ERR_TIMEOUT);
    struct rpc_client *client = NULL;
    struct json_t *result = NULL;
    assert_int_equal(rpc_client_open(&client, "127.0.0.1:1", 60000), NV_OK);
    assert_int_equal(rpc_client_call(client, &result, "chain_head", NULL), NV_ERR_CLOSED);
    rpc_client_close(client);
}

/* ---- streams ---- */

static void *listens(void *ctx)
{
    struct rpc_stream *stream = NULL;
    struct json_t *params = NULL;
    (void)ctx;
    outcome[0] = rpc_stream_new(&stream, url);
    outcome[1] = rpc_stream_subscribe(stream, json_pack("{s:[s]}", "channels", "blocks"), 60000);
    outcome[2] = rpc_stream_next(stream, &params, 1);
    atomic_store(&wanted, 2);
    for (int i = 0; i < 2; i++) {
        outcome[3] = rpc_stream_next(stream, &params, 60000);
        keep_text(i, params);
    }
    rpc_stream_close(stream);
    atomic_store(&finished, true);
    return NULL;
}

static void publish_some(int count)
{
    for (int i = 0; i < count; i++) {
        world_publish(&world);
    }
}

static void notifications_are_heard(void **state)
{
    (void)state;
    run(listens, publish_some);
    assert_int_equal(outcome[0], NV_OK);
    assert_int_equal(outcome[1], NV_OK);
    assert_int_equal(outcome[2], NV_ERR_TIMEOUT);
    assert_int_equal(outcome[3], NV_OK);
    world_has(text[0], "\"channel\":\"blocks\"");
    world_has(text[0], "\"seq\":\"2:0\"");
    world_has(text[1], "\"seq\":\"3:0\"");
}

static void *listens_to_nothing(void *ctx)
{
    struct rpc_stream *stream = NULL;
    (void)ctx;
    outcome[0] = rpc_stream_new(&stream, url);
    outcome[1] = rpc_stream_subscribe(stream, json_pack("{s:[s]}", "channels", "none"), 60000);
    keep_text(1, json_deep_copy(rpc_stream_error(stream)));
    rpc_stream_close(stream);
    atomic_store(&finished, true);
    return NULL;
}

static void a_refused_subscription_says_why(void **state)
{
    (void)state;
    run(listens_to_nothing, nothing);
    assert_int_equal(outcome[1], NV_ERR_REFUSED);
    world_has(text[1], "\"message\":\"unknown_channel\"");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(results_and_errors_come_back),
        CASE(a_closed_connection_is_opened_again),
        CASE(urls_are_read),
        CASE(what_is_no_answer_is_told_apart),
        CASE(notifications_are_heard),
        CASE(a_refused_subscription_says_why),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
