/* Goal: whatever a stranger, or an authenticated peer, does to a connection, the node ends it for
 * the reason that fits, holds a bounded number of strangers, and goes on with everybody else.
 * Method: a client (tests/lib/p2p_raw.h) that misbehaves at one step; beside it two honest nodes
 * that must stay linked. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "p2p/session.h"
#include "p2p/state.h"
#include "p2p/types.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/p2p_net.h"
#include "tests/lib/p2p_raw.h"

static struct p2p_net net;

static void link_honest(void)
{
    p2p_net_open(&net, 0);
    p2p_raw_link(&net);
}

static uint64_t ended_for(enum p2p_reason reason)
{
    return p2p_net_totals(&net, 0).ended[reason];
}

/* ---- strangers ---------------------------------------------------------- */

static void test_garbage_instead_of_tls(void **state)
{
    (void)state;
    struct nv_test_rng rng = {5};
    p2p_raw_begin(&net);
    link_honest();
    for (uint32_t i = 0; i < 20; i++) {
        struct p2p_raw raw;
        uint8_t garbage[3000];
        nv_test_fill(&rng, garbage, sizeof(garbage));
        p2p_raw_open(&raw, &net, P2P_RAW_SILENT, 1, 2);
        while (p2p_net_totals(&net, 0).half_open == 0) {
            p2p_net_turns(&net, 1);
        }
        struct nv_view const http = nv_view_of_text("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        p2p_raw_write(&raw, i == 0 ? http : nv_view_of(garbage, sizeof(garbage)));
        p2p_net_until(&net, p2p_raw_is_closed, &raw);
    }
    assert_int_equal(ended_for(P2P_REASON_TLS), 20);
    p2p_raw_end_linked(&net);
}

static void test_killed_at_every_step_of_the_handshake(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    link_honest();
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t until = P2P_RAW_SILENT; until <= P2P_RAW_AUTH; until++) {
            struct p2p_raw raw;
            p2p_raw_open(&raw, &net, (enum p2p_raw_step)until, 1, 2);
            if (until != P2P_RAW_SILENT) {
                p2p_net_until(&net, p2p_raw_is_there, &raw);
            }
            p2p_raw_hang_up(&raw);
        }
    }
    p2p_raw_end_linked(&net);
}

static void test_who_stops_on_the_way_is_cut(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    net.nodes[0].config.limits.handshake_ms = 150;
    link_honest();
    struct p2p_raw raw[3];
    p2p_raw_open(&raw[0], &net, P2P_RAW_SILENT, 1, 2);
    p2p_raw_open(&raw[1], &net, P2P_RAW_HELLO, 1, 2);
    p2p_raw_open(&raw[2], &net, P2P_RAW_SECURED, 1, 2);
    for (uint32_t i = 0; i < 3; i++) {
        p2p_net_until(&net, p2p_raw_is_closed, &raw[i]);
    }
    assert_int_equal(ended_for(P2P_REASON_TIMEOUT), 3);
    p2p_raw_end_linked(&net);
}

static void test_a_flood_of_strangers_is_bounded(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    net.nodes[0].config.limits.half_open_max = 8;
    net.nodes[0].config.limits.half_open_address_max = 1000;
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    static struct p2p_raw raw[200];
    for (uint32_t i = 0; i < 200; i++) {
        p2p_raw_open(&raw[i], &net, i % 2 == 0 ? P2P_RAW_SILENT : P2P_RAW_SECURED, 1, 2);
        p2p_net_turns(&net, 2);
        assert_true(p2p_net_totals(&net, 0).half_open <= 16);
    }
    p2p_net_dial(&net, 1, 0); /* an honest node gets in all the same */
    p2p_net_until(&net, p2p_net_settled, NULL);
    assert_true(p2p_net_totals(&net, 0).half_open <= 16);
    assert_true(p2p_net_totals(&net, 0).refused_full >= 180);
    for (uint32_t i = 0; i < 200; i++) {
        p2p_raw_hang_up(&raw[i]);
    }
    p2p_raw_end_linked(&net);
}

static void test_one_address_has_few_places(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    net.nodes[0].config.limits.half_open_address_max = 4;
    link_honest();
    static struct p2p_raw raw[20];
    for (uint32_t i = 0; i < 20; i++) {
        p2p_raw_open(&raw[i], &net, P2P_RAW_SILENT, 1, 2);
        p2p_net_turns(&net, 3);
        assert_true(p2p_net_totals(&net, 0).half_open <= 4);
    }
    assert_int_equal(p2p_net_totals(&net, 0).refused_full, 16);
    for (uint32_t i = 0; i < 20; i++) {
        p2p_raw_hang_up(&raw[i]);
    }
    p2p_raw_end_linked(&net);
}

/* refused_frame sends a first frame that is no AUTH frame. */
static void refused_frame(const void *bytes, uint32_t size, uint8_t refused)
{
    struct p2p_raw raw;
    p2p_raw_open(&raw, &net, P2P_RAW_SECURED, 1, 2);
    p2p_net_until(&net, p2p_raw_is_there, &raw);
    p2p_raw_send(&raw, bytes, size);
    p2p_net_until(&net, p2p_raw_is_closed, &raw);
    assert_int_equal(raw.refused, refused);
    assert_false(raw.open);
}

static void test_a_stranger_may_send_nothing_but_auth(void **state)
{
    (void)state;
    uint8_t frame[512];
    uint8_t const zeros[P2P__AUTH_SIZE] = {0};
    p2p_raw_begin(&net);
    link_honest();
    refused_frame(frame, p2p_raw_frame(frame, P2P__TYPE_PING, zeros, 8), P2P_REASON_PROTOCOL);
    refused_frame(frame, p2p_raw_frame(frame, P2P_TYPE_CERT, zeros, 8), P2P_REASON_PROTOCOL);
    refused_frame("\xff\xff\xff\xff\x08\x01", 6, P2P_REASON_PROTOCOL);
    refused_frame("\x00\x00\x00\x00\x08\x01", 6, P2P_REASON_PROTOCOL);
    refused_frame(frame, p2p_raw_frame(frame, P2P__TYPE_AUTH, zeros, 40), P2P_REASON_VERSION);
    uint8_t short_auth[40] = {0, 1};
    refused_frame(frame, p2p_raw_frame(frame, P2P__TYPE_AUTH, short_auth, 40), P2P_REASON_PROTOCOL);
    assert_int_equal(net.nodes[0].told, 2);
    p2p_raw_end_linked(&net);
}

static void test_bytes_that_trickle_in_are_as_good(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    link_honest();
    struct p2p_raw raw;
    p2p_raw_open(&raw, &net, P2P_RAW_AUTH, 1, 2);
    raw.piecemeal = true;
    p2p_net_until(&net, p2p_raw_is_there, &raw);
    assert_int_equal(net.nodes[0].lanes[2], 2);
    p2p_raw_hang_up(&raw);
    p2p_raw_end_linked(&net);
}

/* ---- authenticated peers ------------------------------------------------ */

/* broken sends bytes as node 2 on `lane` after authenticating, and expects the end. */
static void broken(uint8_t lane, const void *bytes, uint32_t size)
{
    struct p2p_raw raw;
    uint64_t const before = ended_for(P2P_REASON_PROTOCOL);
    p2p_raw_open(&raw, &net, P2P_RAW_AUTH, lane, 2);
    p2p_net_until(&net, p2p_raw_is_there, &raw);
    p2p_raw_send(&raw, bytes, size);
    p2p_net_until(&net, p2p_raw_is_closed, &raw);
    assert_int_equal(raw.refused, P2P_REASON_PROTOCOL);
    assert_int_equal(ended_for(P2P_REASON_PROTOCOL), before + 1);
}

static void test_frames_that_break_the_protocol(void **state)
{
    (void)state;
    static uint8_t frame[P2P__TLS_RECORD];
    static const uint8_t zeros[9000] = {0};
    p2p_raw_begin(&net);
    link_honest();
    broken(0, "\x00\x00\x00\xa7\x08\x11", 6); /* a vote of one byte too many */
    broken(1, "\x7f\xff\xff\xff\x08\x17", 6);
    broken(0, frame, p2p_raw_frame(frame, P2P_TYPE_TRANSACTIONS, zeros, 9)); /* on the wrong lane */
    broken(1, frame, p2p_raw_frame(frame, P2P_TYPE_VOTE, zeros, 9));
    broken(1, frame, p2p_raw_frame(frame, 99, zeros, 9)); /* no such type */
    broken(
        1, frame, p2p_raw_frame(frame, P2P__TYPE_AUTH, zeros, P2P__AUTH_SIZE)); /* a second time */
    broken(1, frame, p2p_raw_frame(frame, P2P__TYPE_PING, zeros, 7));
    broken(1, frame, p2p_raw_frame(frame, P2P__TYPE_REFUSE, zeros, 0));
    broken(1, "\x00\x00\x00\x06\x08\x12\x12\x03xx", 10);        /* an envelope that runs out */
    broken(1, "\x00\x00\x00\x07\x08\x12\x12\x81\x00x\x00", 11); /* and one that is not canonical */
    broken(1, frame, p2p_raw_frame(frame, P2P_TYPE_TRANSACTIONS, zeros, 0));
    broken(1, frame, p2p_raw_frame(frame, P2P_TYPE_TRANSACTIONS, zeros, 4));
    broken(1, frame, p2p_raw_frame(frame, P2P_TYPE_TRANSACTIONS, "\x00\x00\x00\x05xxxx", 8));
    assert_int_equal(net.nodes[0].messages[0] + net.nodes[0].messages[1], 0);
    p2p_raw_end_linked(&net);
}

static void test_a_frame_cut_short_waits_and_costs_nothing(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    link_honest();
    struct p2p_raw raw;
    p2p_raw_open(&raw, &net, P2P_RAW_AUTH, 1, 2);
    p2p_net_until(&net, p2p_raw_is_there, &raw);
    p2p_raw_send(&raw, "\x00\x00\x01\x00\x08", 5);
    p2p_net_turns(&net, 20);
    assert_non_null(raw.socket);
    p2p_raw_hang_up(&raw);
    assert_int_equal(net.nodes[0].messages[1], 0);
    p2p_raw_end_linked(&net);
}

static void test_a_flood_of_pings_gets_few_answers(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    link_honest();
    struct p2p_raw raw;
    p2p_raw_open(&raw, &net, P2P_RAW_AUTH, 1, 2);
    p2p_net_until(&net, p2p_raw_is_there, &raw);
    static uint8_t pings[16000];
    uint32_t size = 0;
    while (size + 16 <= sizeof(pings)) {
        size += p2p_raw_frame(pings + size, P2P__TYPE_PING, "12345678", 8);
    }
    p2p_raw_send(&raw, pings, size);
    while (raw.pongs == 0) {
        p2p_net_turns(&net, 1);
    }
    p2p_net_turns(&net, 100);
    assert_true(raw.pongs <= 3); /* of a thousand */
    p2p_raw_hang_up(&raw);
    p2p_raw_end_linked(&net);
}

static void test_silence_ends_a_link(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    net.nodes[0].config.limits.idle_ms = 300;
    link_honest();
    struct p2p_raw raw;
    p2p_raw_open(&raw, &net, P2P_RAW_AUTH, 1, 2);
    p2p_net_until(&net, p2p_raw_is_there, &raw); /* it answers no ping */
    p2p_net_until(&net, p2p_raw_is_closed, &raw);
    assert_int_equal(ended_for(P2P_REASON_IDLE), 1);
    p2p_raw_end_linked(&net); /* the honest node, that pings, is still there */
}

static void test_a_refusal_tells_what_is_wrong(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    link_honest();
    struct p2p_raw raw;
    p2p_raw_open(&raw, &net, P2P_RAW_AUTH, 1, 2);
    raw.self.chain_id.bytes[5] ^= 1;
    p2p_net_until(&net, p2p_raw_is_closed, &raw);
    assert_int_equal(raw.refused, P2P_REASON_CHAIN);

    p2p_raw_open(&raw, &net, P2P_RAW_AUTH, 1, 2);
    raw.self.key = net.keys[1]; /* somebody else's, signed with its own */
    p2p_net_until(&net, p2p_raw_is_closed, &raw);
    assert_int_equal(raw.refused, P2P_REASON_SIGNATURE);

    p2p_raw_open(&raw, &net, P2P_RAW_AUTH, 0, 2);
    raw.self.validator = false;
    p2p_net_until(&net, p2p_raw_is_closed, &raw);
    assert_int_equal(raw.refused, P2P_REASON_LANE);
    p2p_raw_end_linked(&net);
}

/* SPEC p2p 9.4: "A handshake is judged by the list at its end." */
static void test_a_handshake_is_judged_by_the_set_at_its_end(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    link_honest();
    struct p2p_raw raw;
    p2p_raw_open(&raw, &net, P2P_RAW_SECURED, 0, 2);
    p2p_net_until(&net, p2p_raw_is_there, &raw);
    p2p_net_turn(&net, 0, 3); /* not node 2 any more */
    raw.until = P2P_RAW_AUTH;
    p2p_raw_auth(&raw);
    p2p_net_until(&net, p2p_raw_is_closed, &raw);
    assert_int_equal(raw.refused, P2P_REASON_LANE);

    p2p_raw_open(&raw, &net, P2P_RAW_SECURED, 0, 2);
    p2p_net_until(&net, p2p_raw_is_there, &raw);
    p2p_net_turn(&net, 0, 7);
    raw.until = P2P_RAW_AUTH;
    p2p_raw_auth(&raw);
    p2p_net_until(&net, p2p_raw_is_there, &raw);
    assert_int_equal(net.nodes[0].lanes[2], 1);
    p2p_raw_hang_up(&raw);
    p2p_raw_end_linked(&net);
}

static bool came_in(struct p2p_net *n, void *ctx)
{
    const uint64_t *count = ctx;
    return n->nodes[0].messages[1] >= *count;
}

/* tick_all lets all sessions of node 0 see a tick, which its clock does not bring here. */
static void tick_all(void)
{
    const struct p2p *p2p = net.nodes[0].p2p;
    for (struct p2p__session *s = p2p->sessions; s != NULL; s = p2p__session_next(s)) {
        p2p__session_tick(s, p2p__now(p2p));
    }
}

/* SPEC p2p 8.6: "Of a connection at most 2,000 frames are read in 100 ms" */
static void test_a_connection_is_read_so_fast_and_no_faster(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    link_honest();
    p2p_net_close(&net, 0);
    net.nodes[0].config.limits.tick_ms = 1u << 30; /* only the test's ticks */
    p2p_net_open(&net, 0);
    struct p2p_raw raw;
    p2p_raw_open(&raw, &net, P2P_RAW_AUTH, 1, 2);
    p2p_net_until(&net, p2p_raw_is_there, &raw);
    static uint8_t statuses[16000];
    uint32_t size = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        size += p2p_raw_frame(statuses + size, P2P_TYPE_STATUS, "12345678", 8);
    }
    for (uint32_t i = 0; i < 5; i++) {
        p2p_raw_send(&raw, statuses, size);
    }
    static const uint64_t counts[] = {1999, 3999, 5000}; /* AUTH was the first frame */
    for (uint32_t i = 0; i < 3; i++) {
        uint64_t count = counts[i];
        p2p_net_until(&net, came_in, &count);
        p2p_net_turns(&net, 200);
        p2p_resume(net.nodes[0].p2p); /* is no way round it */
        p2p_net_turns(&net, 200);
        assert_int_equal(net.nodes[0].messages[1], count);
        tick_all();
    }
    p2p_raw_hang_up(&raw);
    p2p_raw_end(&net);
}

/* A validator that was killed and started again is a new instance: it need not wait until its old
 * connection is noticed to be dead. */
static void test_a_restarted_peer_replaces_its_old_connection(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    link_honest();
    struct p2p_raw old;
    p2p_raw_open(&old, &net, P2P_RAW_AUTH, 1, 2);
    p2p_net_until(&net, p2p_raw_is_there, &old);
    struct p2p_raw young;
    p2p_raw_open(&young, &net, P2P_RAW_AUTH, 1, 2);
    young.self.instance = 78;
    p2p_net_until(&net, p2p_raw_is_there, &young);
    p2p_net_until(&net, p2p_raw_is_closed, &old);
    assert_int_equal(old.refused, P2P_REASON_DUPLICATE);
    assert_non_null(young.socket);
    assert_int_equal(net.nodes[0].lanes[2], 2);
    p2p_raw_hang_up(&young);
    p2p_raw_end_linked(&net);
}

/* ---- a node that dials -------------------------------------------------- */

struct trap {
    uv_tcp_t tcp;
    uint32_t accepted;
};

static void trap_closed(uv_handle_t *handle)
{
    free(handle);
}

static void trap_sprung(uv_stream_t *server, int status)
{
    struct trap *trap = server->data;
    assert_int_equal(status, 0);
    uv_tcp_t *connection = malloc(sizeof(*connection));
    assert_non_null(connection);
    assert_int_equal(uv_tcp_init(net.loop, connection), 0);
    assert_int_equal(uv_accept(server, (uv_stream_t *)connection), 0);
    if (trap->accepted % 2 == 0) {
        char text[] = "SSH-2.0-OpenSSH_9.2\r\n";
        uv_buf_t buffer = uv_buf_init(text, sizeof(text) - 1);
        (void)uv_try_write((uv_stream_t *)connection, &buffer, 1);
    }
    trap->accepted++;
    uv_close((uv_handle_t *)connection, trap_closed);
}

static bool trap_is_old(struct p2p_net *n, void *ctx)
{
    (void)n;
    const struct trap *trap = ctx;
    return trap->accepted >= 10;
}

static void test_a_dialled_stranger_is_tried_again_and_again(void **state)
{
    (void)state;
    p2p_raw_begin(&net);
    link_honest();
    struct trap *trap = calloc(1, sizeof(*trap));
    struct sockaddr_in address;
    assert_non_null(trap);
    assert_int_equal(uv_tcp_init(net.loop, &trap->tcp), 0);
    trap->tcp.data = trap;
    assert_int_equal(uv_ip4_addr("127.0.0.1", 0, &address), 0);
    assert_int_equal(uv_tcp_bind(&trap->tcp, (const struct sockaddr *)&address, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&trap->tcp, 16, trap_sprung), 0);
    int size = sizeof(address);
    assert_int_equal(uv_tcp_getsockname(&trap->tcp, (struct sockaddr *)&address, &size), 0);

    char text[128];
    for (uint32_t i = 0; i < 32; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", net.keys[2].bytes[i]);
    }
    (void)snprintf(text + 64, 64, "@localhost:%u", (unsigned)ntohs(address.sin_port));
    assert_int_equal(p2p_add_peer(net.nodes[0].p2p, text), NV_OK);
    p2p_net_until(&net, trap_is_old, trap);
    static struct p2p_peer_info peers[P2P_NET_PEERS_MAX];
    assert_int_equal(p2p_peer_list(net.nodes[0].p2p, peers, P2P_NET_PEERS_MAX), 2);
    assert_int_equal(peers[1].peer, 2);
    assert_int_equal(peers[1].lanes, 0);
    assert_true(peers[1].attempts >= 2);
    assert_true(strstr(peers[1].address, "localhost:") == peers[1].address);
    assert_true(ended_for(P2P_REASON_TLS) + ended_for(P2P_REASON_CLOSED) >= 8);
    uv_close((uv_handle_t *)&trap->tcp, trap_closed);
    p2p_raw_end_linked(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_garbage_instead_of_tls),
        cmocka_unit_test(test_killed_at_every_step_of_the_handshake),
        cmocka_unit_test(test_who_stops_on_the_way_is_cut),
        cmocka_unit_test(test_a_flood_of_strangers_is_bounded),
        cmocka_unit_test(test_one_address_has_few_places),
        cmocka_unit_test(test_a_stranger_may_send_nothing_but_auth),
        cmocka_unit_test(test_bytes_that_trickle_in_are_as_good),
        cmocka_unit_test(test_frames_that_break_the_protocol),
        cmocka_unit_test(test_a_frame_cut_short_waits_and_costs_nothing),
        cmocka_unit_test(test_a_flood_of_pings_gets_few_answers),
        cmocka_unit_test(test_silence_ends_a_link),
        cmocka_unit_test(test_a_refusal_tells_what_is_wrong),
        cmocka_unit_test(test_a_handshake_is_judged_by_the_set_at_its_end),
        cmocka_unit_test(test_a_connection_is_read_so_fast_and_no_faster),
        cmocka_unit_test(test_a_restarted_peer_replaces_its_old_connection),
        cmocka_unit_test(test_a_dialled_stranger_is_tried_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
