/* Goal: only who may ask is answered (Host, Origin), and the paths for
 * operators tell how the node is.
 *
 * Method: heads over loopback. */

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/server.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_world.h"

static struct rpc_world world;

static int setup(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.config.hosts[0] = "node.example";
    world.config.host_count = 1;
    world.config.origins[0] = "https://app.example";
    world.config.origin_count = 1;
    world.config.metrics = "127.0.0.1:0";
    world_open(&world);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    world_close(&world);
    return 0;
}

static const char *ask(const char *path, const char *fields, uint32_t *status)
{
    char text[1024];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n%s\r\n", path, fields);
    int const fd = world_connect(&world);
    assert_true(world_say(&world, fd, text));
    const char *body = world_answer(&world, fd, status);
    close(fd);
    return body;
}

static uint32_t status_of(const char *path, const char *fields)
{
    uint32_t status = 0;
    ask(path, fields, &status);
    return status;
}

static void hosts_are_checked(void **state)
{
    (void)state;
    assert_int_equal(status_of("/livez", "Host: localhost\r\n"), 200);
    assert_int_equal(status_of("/livez", "Host: localhost:1234\r\n"), 200);
    assert_int_equal(status_of("/livez", "Host: 127.0.0.1\r\n"), 200);
    assert_int_equal(status_of("/livez", "Host: [::1]:80\r\n"), 200);
    assert_int_equal(status_of("/livez", "Host: NODE.example:80\r\n"), 200);
    assert_int_equal(status_of("/livez", "Host: evil.example\r\n"), 403);
    assert_int_equal(status_of("/livez", "Host: localhost.evil.example\r\n"), 403);
    assert_int_equal(status_of("/livez", "Host: 127.0.0.1.evil.example\r\n"), 403);
    assert_int_equal(status_of("/livez", "Host: \r\n"), 403);
}

static void origins_are_checked(void **state)
{
    (void)state;
#define HOST "Host: localhost:80\r\n"
    assert_int_equal(status_of("/livez", HOST "Origin: http://localhost:80\r\n"), 200);
    assert_int_equal(status_of("/livez", HOST "Origin: https://app.example\r\n"), 200);
    assert_int_equal(status_of("/livez", HOST "Origin: http://localhost:81\r\n"), 403);
    assert_int_equal(status_of("/livez", HOST "Origin: https://evil.example\r\n"), 403);
    assert_int_equal(status_of("/livez", HOST "Origin: null\r\n"), 403);
    assert_int_equal(status_of("/livez", HOST "Origin: ftp://localhost:80\r\n"), 403);
    assert_int_equal(status_of("/",
                               HOST "Origin: https://evil.example\r\nUpgrade: websocket\r\n"
                                    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
                     403);
#undef HOST
}

static void a_browser_may_ask_first(void **state)
{
    (void)state;
    char head[1024];
    size_t size = 0;
    int const fd = world_connect(&world);
    world_say(&world,
              fd,
              "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.example\r\n"
              "Connection: close\r\n\r\n");
    const uint8_t *bytes = world_read(&world, fd, sizeof head - 1, &size);
    memcpy(head, bytes, size);
    head[size] = '\0';
    world_has(head, "HTTP/1.1 204 ");
    world_has(head, "Access-Control-Allow-Origin: https://app.example\r\n");
    close(fd);
}

static void paths_and_methods_are_few(void **state)
{
    (void)state;
    uint32_t status = 0;
    assert_int_equal(status_of("/nothing", "Host: localhost\r\n"), 404);
    assert_int_equal(status_of("/livez?a=b", "Host: localhost\r\n"), 200);
    world_has(ask("/", "Host: localhost\r\n", &status), "POST JSON-RPC");
    int const fd = world_connect(&world);
    world_say(&world, fd, "DELETE / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    world_has(world_answer(&world, fd, &status), "\"message\":\"bad_http_method\"");
    assert_int_equal(status, 405);
    close(fd);
}

static void readiness_follows_the_node(void **state)
{
    (void)state;
    uint32_t status = 0;
    world_has(ask("/readyz", "Host: localhost\r\n", &status), "ready\n");
    assert_int_equal(status, 200);
    world.status.stage = RPC_STAGE_HALTED;
    snprintf(world.status.note, sizeof world.status.note, "no quorum");
    world_has(ask("/readyz", "Host: localhost\r\n", &status), "not ready: no quorum");
    assert_int_equal(status, 503);
    assert_int_equal(status_of("/livez", "Host: localhost\r\n"), 200);
}

static void the_status_is_json(void **state)
{
    (void)state;
    uint32_t status = 0;
    const char *body = ask("/status", "Host: localhost\r\n", &status);
    world_has(body, "\"stage\":\"ready\"");
    world_has(body, "\"executed\":{\"height\":\"1\"");
    world_has(body, "\"validator\":null");
    world_has(body, "\"eta_ms\":null");
}

static void metrics_are_prometheus_text(void **state)
{
    (void)state;
    uint32_t status = 0;
    world_post(&world, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"node_version\"}");
    world_post(&world, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"nothing\"}");
    const char *body = ask("/metrics", "Host: localhost\r\n", &status);
    world_has(body, "# TYPE novate_rpc_calls_total counter\n");
    world_has(body, "novate_rpc_calls_total{method=\"node_version\"} 1\n");
    world_has(body, "novate_rpc_errors_total{error=\"method_not_found\"} 1\n");
    world_has(body, "# TYPE novate_test_gauge gauge\nnovate_test_gauge{lane=\"0\"} 1.5\n");
    world_has(body, "novate_executed_height 1\n");
}

static void the_metrics_listener_has_nothing_else(void **state)
{
    (void)state;
    static const char *const paths[][2] = {
        {"GET /metrics", "HTTP/1.1 200"},
        {"GET /livez", "HTTP/1.1 200"},
        {"GET /status", "HTTP/1.1 404"},
        {"GET /", "HTTP/1.1 404"},
        {"POST /", "HTTP/1.1 405"},
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char text[256];
        size_t size = 0;
        struct sockaddr_in to = {.sin_family = AF_INET};
        to.sin_port = htons(rpc_metrics_port(world.rpc));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        int const fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fd, (struct sockaddr *)&to, sizeof to);
        snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: localhost\r\n\r\n", paths[i][0]);
        assert_true(world_say(&world, fd, text));
        const uint8_t *bytes = world_read(&world, fd, 12, &size);
        assert_int_equal(size, 12);
        assert_memory_equal(bytes, paths[i][1], 12);
        close(fd);
    }
}

static void connections_are_bounded(void **state)
{
    (void)state;
    static struct rpc_world small;
    memset(&small, 0, sizeof small);
    small.config.limits.connections_per_address = 2;
    world_open(&small);
    int const first = world_connect(&small);
    int const second = world_connect(&small);
    int const third = world_connect(&small);
    assert_true(world_eof(&small, third));
    assert_int_equal(small.rpc->counters.connections_refused, 1);
    close(third);
    close(first);
    for (int i = 0; i < 100 && small.rpc->conn_count > 1; i++) {
        world_turn(&small);
    }
    world_unharmed(&small);
    close(second);
    world_close(&small);
}

static void addresses_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "localhost",
                                        "127.0.0.1",
                                        "127.0.0.1:",
                                        "1.2.3:80",
                                        "127.0.0.1:65536",
                                        "127.0.0.1:1x",
                                        "[::1:1"};
    struct rpc_port port = {0};
    struct rpc_config config = {.loop = &world.loop};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct rpc *rpc = NULL;
        config.listen = wrong[i];
        assert_int_equal(rpc_open(&rpc, &config, &port), NV_ERR_CONFIG);
        assert_null(rpc);
    }
    char taken[32];
    struct rpc *rpc = NULL;
    snprintf(taken, sizeof taken, "127.0.0.1:%u", rpc_listen_port(world.rpc));
    config.listen = taken;
    assert_int_equal(rpc_open(&rpc, &config, &port), NV_ERR_BUSY);
    world_turn(&world);
    world_unharmed(&world);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(hosts_are_checked),
        CASE(origins_are_checked),
        CASE(a_browser_may_ask_first),
        CASE(paths_and_methods_are_few),
        CASE(readiness_follows_the_node),
        CASE(the_status_is_json),
        CASE(metrics_are_prometheus_text),
        CASE(the_metrics_listener_has_nothing_else),
        CASE(connections_are_bounded),
        CASE(addresses_that_cannot_be_are_refused),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
