/* Goal: a server opens, closes and keeps its deadlines, survives every want of
 * memory, and shares nothing with the thread that owns the state.
 *
 * Method: short deadlines, waited for with a generous bound; the n-th request
 * for memory fails, for every n; a real thread behind the port, for TSan. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/heap.h"

#include "rpc/conn.h"
#include "rpc/server.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_world.h"
#include "vm/params.h"
#include "vm/rows.h"

#define PARAMS                                                                                     \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chain_params\",\"params\":{\"proof\":true}}"
#define VERSION "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"node_version\"}"

static struct rpc_world world;

static void put_param(void)
{
    uint8_t bytes[16];
    struct nv_writer writer;
    struct nv_row row;
    struct vm_param_row const param = {.value = 7};
    nv_writer_init(&writer, bytes, sizeof bytes);
    vm_param_row_encode(&writer, &param);
    vm_key_param(&row.key, VM_PARAM_TX_FEE);
    row.value = nv_writer_view(&writer);
    assert_true(model_put(&world.rows, &row));
}

static void an_idle_connection_is_closed(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.config.limits.idle_ms = 50;
    world_open(&world);
    int const fd = world_connect(&world);
    assert_true(world_eof(&world, fd));
    close(fd);
    world_close(&world);
}

static void a_request_that_does_not_end_is_refused(void **state)
{
    (void)state;
    uint32_t status = 0;
    memset(&world, 0, sizeof world);
    world.config.limits.request_ms = 50;
    world_open(&world);
    int const fd = world_connect(&world);
    world_say(&world, fd, "POST / HTTP/1.1\r\nHost: loc");
    world_has(world_answer(&world, fd, &status), "\"message\":\"request_timeout\"");
    assert_int_equal(status, 408);
    int const other = world_connect(&world);
    world_say(&world, other, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{");
    world_has(world_answer(&world, other, &status), "\"message\":\"request_timeout\"");
    close(fd);
    close(other);
    world_close(&world);
}

static void a_silent_websocket_is_pinged_and_then_closed(void **state)
{
    (void)state;
    uint8_t opcode = 0;
    memset(&world, 0, sizeof world);
    world.config.limits.idle_ms = 600;
    world_open(&world);
    int const fd = world_ws(&world);
    world_ws_hear(&world, fd, &opcode);
    assert_int_equal(opcode, 9);
    world_ws_frame(&world, fd, 0x8a, "", 0); /* a pong keeps it */
    world_ws_hear(&world, fd, &opcode);
    assert_int_equal(opcode, 9);
    assert_true(world_eof(&world, fd)); /* no pong this time */
    close(fd);
    world_close(&world);
}

static void opening_survives_every_want_of_memory(void **state)
{
    (void)state;
    struct rpc_port const port = {0};
    bool opened = false;
    for (uint64_t n = 1; !opened; n++) {
        uv_loop_t loop;
        struct rpc *rpc = NULL;
        struct rpc_config config = {.loop = &loop, .listen = "127.0.0.1:0", .host_count = 1};
        config.hosts[0] = "a";
        assert_true(n < 100);
        assert_int_equal(uv_loop_init(&loop), 0);
        nv_heap_fail_at(n);
        enum nv_err const err = rpc_open(&rpc, &config, &port);
        nv_heap_fail_at(0);
        opened = err == NV_OK;
        if (opened) {
            rpc_close(rpc, NULL, NULL);
        } else {
            assert_int_equal(err, NV_ERR_NO_MEMORY);
        }
        uv_run(&loop, UV_RUN_DEFAULT);
        assert_int_equal(uv_loop_close(&loop), 0);
    }
}

/* In turn each request for memory that a proved read makes is refused: the
 * client gets an error or is hung up on, and the next one is served. */
static void serving_survives_every_want_of_memory(void **state)
{
    (void)state;
    bool served = false;
    memset(&world, 0, sizeof world);
    world_open(&world);
    put_param();
    world_publish(&world);
    for (uint64_t n = 1; !served; n++) {
        uint32_t status = 0;
        assert_true(n < 200);
        nv_heap_fail_at(n);
        int const fd = world_ask(&world, PARAMS);
        const char *answer = world_answer(&world, fd, &status);
        nv_heap_fail_at(0);
        served = strstr(answer, "\"proof\":{\"height\"") != NULL;
        close(fd);
        world_unharmed(&world);
    }
    world_close(&world);
}

static void streaming_survives_every_want_of_memory(void **state)
{
    (void)state;
    bool served = false;
    memset(&world, 0, sizeof world);
    world_open(&world);
    for (uint64_t n = 1; !served; n++) {
        uint8_t opcode = 0;
        assert_true(n < 200);
        int const fd = world_ws(&world);
        nv_heap_fail_at(n);
        world_ws_say(&world,
                     fd,
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sub_subscribe\",\"params\":"
                     "{\"channels\":[\"blocks\",\"consensus\"]}}");
        world_publish(&world);
        const char *text = world_ws_hear(&world, fd, &opcode);
        nv_heap_fail_at(0);
        if (opcode == 1 && strstr(text, "\"result\"") != NULL) {
            world_publish(&world);
            text = world_ws_hear(&world, fd, &opcode);
            served = opcode == 1 && strstr(text, "\"channel\":\"blocks\"") != NULL;
        }
        close(fd);
        world_unharmed(&world);
    }
    world_close(&world);
}

static void the_state_has_a_thread_of_its_own(void **state)
{
    (void)state;
    enum { CLIENTS = 8, ROUNDS = 20 };
    int fds[CLIENTS];
    memset(&world, 0, sizeof world);
    world.threaded = true;
    put_param();
    world_open(&world);
    for (int i = 0; i < CLIENTS; i++) {
        fds[i] = world_connect(&world);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < CLIENTS; i++) {
            char text[512];
            snprintf(text,
                     sizeof text,
                     "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n%s",
                     2 * sizeof PARAMS + 1,
                     "[" PARAMS "," PARAMS "]");
            assert_true(world_say(&world, fds[i], text));
        }
        for (int i = 0; i < CLIENTS; i++) {
            uint32_t status = 0;
            world_has(world_answer(&world, fds[i], &status), "\"name\":\"TX_FEE\"");
        }
    }
    for (int i = 0; i < CLIENTS; i++) { /* gone while the thread works */
        world_say(
            &world, fds[i], "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 83\r\n\r\n");
        world_say(&world, fds[i], PARAMS);
        close(fds[i]);
    }
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_request_that_does_not_end_is_refused),
        cmocka_unit_test(a_silent_websocket_is_pinged_and_then_closed),
        cmocka_unit_test(opening_survives_every_want_of_memory),
        cmocka_unit_test(serving_survives_every_want_of_memory),
        cmocka_unit_test(streaming_survives_every_want_of_memory),
        cmocka_unit_test(the_state_has_a_thread_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
