/* Goal: a WebSocket carries JSON-RPC whatever way its frames are cut, answers
 * pings, and refuses with the right close code what it does not take; nothing
 * harms the server.
 *
 * Method: frames written by hand over loopback. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/codec.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_world.h"

#define CALL "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"node_version\"}"

#define TEXT    0x1u
#define BINARY  0x2u
#define CLOSING 0x8u
#define PING    0x9u
#define PONG    0xau
#define FIN     0x80u
#define UPGRADE                                                                                    \
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"           \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

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

/* closed_with expects a closing frame with this code, then the end. */
static void closed_with(int fd, uint16_t code)
{
    uint8_t opcode = 0;
    const char *payload = world_ws_hear(&world, fd, &opcode);
    assert_int_equal(opcode, CLOSING);
    assert_int_equal(nv_be16_load((const uint8_t *)payload), code);
    close(fd);
    world_unharmed(&world);
}

static void hears_version(int fd)
{
    uint8_t opcode = 0;
    const char *text = world_ws_hear(&world, fd, &opcode);
    assert_int_equal(opcode, TEXT);
    world_has(text, "\"version\":\"test\"");
}

static void a_call_is_answered(void **state)
{
    (void)state;
    int const fd = world_ws(&world);
    world_ws_say(&world, fd, CALL);
    hears_version(fd);
    world_ws_say(&world, fd, "[" CALL "," CALL "]");
    hears_version(fd);
    close(fd);
}

/* RFC 6455 section 1.3 gives this key and this answer. */
static void the_handshake_is_the_standards(void **state)
{
    (void)state;
    int const fd = world_connect(&world);
    size_t size = 0;
    static const char expected[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                   "Connection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    world_say(&world, fd, UPGRADE);
    const char *answer = (const char *)world_read(&world, fd, sizeof expected - 1, &size);
    assert_string_equal(answer, expected);
    close(fd);
}

static void a_frame_may_be_glued_to_the_handshake(void **state)
{
    (void)state;
    uint8_t bytes[512];
    uint32_t status = 0;
    size_t const head = sizeof UPGRADE - 1;
    size_t const size = sizeof CALL - 1;
    memcpy(bytes, UPGRADE, head);
    bytes[head] = FIN | TEXT;
    bytes[head + 1] = (uint8_t)(0x80u | size);
    memset(bytes + head + 2, 0, 4); /* a mask of zeros */
    memcpy(bytes + head + 6, CALL, size);
    int const fd = world_connect(&world);
    assert_true(world_send(&world, fd, bytes, head + 6 + size));
    world_answer(&world, fd, &status);
    assert_int_equal(status, 101);
    hears_version(fd);
    close(fd);
}

static void a_message_may_come_in_fragments_with_a_ping_between(void **state)
{
    (void)state;
    uint8_t opcode = 0;
    int const fd = world_ws(&world);
    world_ws_frame(&world, fd, TEXT, CALL, 10);
    world_ws_frame(&world, fd, FIN | PING, "hi", 2);
    world_ws_frame(&world, fd, 0, &CALL[10], 0);
    world_ws_frame(&world, fd, FIN, &CALL[10], sizeof CALL - 1 - 10);
    const char *pong = world_ws_hear(&world, fd, &opcode);
    assert_int_equal(opcode, PONG);
    assert_memory_equal(pong, "hi", 2);
    hears_version(fd);
    close(fd);
}

static void many_tiny_fragments_make_one_message(void **state)
{
    (void)state;
    enum { COUNT = 20000 };
    int const fd = world_ws(&world);
    static uint8_t frames[COUNT * 7];
    size_t size = 0;
    for (size_t i = 0; i < COUNT; i++) {
        frames[size++] = i == 0 ? TEXT : i + 1 == COUNT ? FIN : 0;
        frames[size++] = 0x81;
        size += 4; /* a mask of zeros */
        frames[size++] = i < sizeof CALL - 1 ? (uint8_t)CALL[i] : ' ';
    }
    assert_true(world_send(&world, fd, frames, size));
    hears_version(fd);
    close(fd);
}

static void binary_is_refused(void **state)
{
    (void)state;
    int const fd = world_ws(&world);
    world_ws_frame(&world, fd, FIN | BINARY, CALL, sizeof CALL - 1);
    closed_with(fd, 1003);
}

static void bad_utf8_is_refused(void **state)
{
    (void)state;
    int const fd = world_ws(&world);
    world_ws_frame(&world, fd, FIN | TEXT, "\"\xc3\x28\"", 4);
    closed_with(fd, 1007);
}

static void a_message_too_long_is_refused(void **state)
{
    (void)state;
    enum { SIZE = (1 << 20) + 1 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    memset(text, ' ', SIZE);
    int const fd = world_ws(&world);
    world_ws_frame(&world, fd, FIN | TEXT, text, SIZE);
    closed_with(fd, 1009);
    int const other = world_ws(&world);
    world_ws_frame(&world, other, TEXT, text, SIZE / 2);
    world_ws_frame(&world, other, FIN, text, SIZE / 2 + 2);
    closed_with(other, 1009);
    free(text);
}

static void a_message_of_the_largest_size_is_taken(void **state)
{
    (void)state;
    enum { SIZE = 1 << 20 };
    char *text = malloc(SIZE);
    assert_non_null(text);
    memset(text, ' ', SIZE);
    memcpy(text, CALL, sizeof CALL - 1);
    int const fd = world_ws(&world);
    world_ws_frame(&world, fd, FIN | TEXT, text, SIZE);
    hears_version(fd);
    close(fd);
    free(text);
}

static void broken_frames_end_the_connection(void **state)
{
    (void)state;
    static const uint8_t unmasked[] = {FIN | TEXT, 2, '{', '}'};
    static const uint8_t reserved[] = {FIN | 0x40 | TEXT, 0x80, 0, 0, 0, 0};
    static const uint8_t unknown[] = {FIN | 0x3, 0x80, 0, 0, 0, 0};
    static const uint8_t endless[] = {
        FIN | TEXT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};
    static const struct nv_view broken[] = {
        {unmasked, sizeof unmasked},
        {reserved, sizeof reserved},
        {unknown, sizeof unknown},
        {endless, sizeof endless},
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        int const fd = world_ws(&world);
        world_send(&world, fd, broken[i].bytes, broken[i].size);
        assert_true(world_eof(&world, fd));
        close(fd);
        world_unharmed(&world);
    }
}

static void closing_is_answered(void **state)
{
    (void)state;
    int const fd = world_ws(&world);
    world_ws_frame(&world, fd, FIN | CLOSING, "\x03\xe8", 2);
    closed_with(fd, 1000);
}

static void bad_json_is_answered_and_the_connection_stays(void **state)
{
    (void)state;
    uint8_t opcode = 0;
    int const fd = world_ws(&world);
    world_ws_say(&world, fd, "{");
    world_has(world_ws_hear(&world, fd, &opcode), "\"message\":\"parse_error\"");
    world_ws_say(&world, fd, CALL);
    hears_version(fd);
    close(fd);
}

static void an_upgrade_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        uint32_t status = 0;
        int const fd = world_connect(&world);
        world_say(&world, fd, wrong[i]);
        world_has(world_answer(&world, fd, &status), "\"message\":\"bad_http\"");
        assert_int_equal(status, 400);
        close(fd);
    }
    uint32_t status = 0;
    int const fd = world_connect(&world);
    world_say(&world,
              fd,
              "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\n"
              "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA\r\n\r\n");
    world_has(world_answer(&world, fd, &status), "A Novate node.");
    assert_int_equal(status, 200); /* HTTP/1.1 goes on; nobody speaks HTTP/2 */
    close(fd);
}

static void requests_under_way_are_bounded(void **state)
{
    (void)state;
    static struct rpc_world busy;
    uint8_t opcode = 0;
    memset(&busy, 0, sizeof busy);
    busy.config.limits.in_flight = 2;
    world_open(&busy);
    int const fd = world_ws(&busy);
    for (int i = 0; i < 3; i++) {
        world_ws_say(&busy,
                     fd,
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chain_waitHeight\","
                     "\"params\":{\"height\":\"2\"}}");
    }
    world_has(world_ws_hear(&busy, fd, &opcode), "\"message\":\"busy\"");
    world_publish(&busy);
    world_has(world_ws_hear(&busy, fd, &opcode), "\"height\":\"2\"");
    world_has(world_ws_hear(&busy, fd, &opcode), "\"height\":\"2\"");
    close(fd);
    world_close(&busy);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_call_is_answered),
        CASE(the_handshake_is_the_standards),
        CASE(a_frame_may_be_glued_to_the_handshake),
        CASE(a_message_may_come_in_fragments_with_a_ping_between),
        CASE(many_tiny_fragments_make_one_message),
        CASE(binary_is_refused),
        CASE(bad_utf8_is_refused),
        CASE(a_message_too_long_is_refused),
        CASE(a_message_of_the_largest_size_is_taken),
        CASE(broken_frames_end_the_connection),
        CASE(closing_is_answered),
        CASE(bad_json_is_answered_and_the_connection_stays),
        CASE(an_upgrade_that_is_none_is_refused),
        CASE(requests_under_way_are_bounded),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
