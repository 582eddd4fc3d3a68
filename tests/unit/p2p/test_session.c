/* Goal: whatever a stranger, or an authenticated peer, does to a connection, the node ends it for
 * the reason that fits, holds a bounded number of strangers, and goes on with everybody else.
 * Method: a client made of the module's own socket, TLS and handshake that misbehaves at one step;
 * beside it two honest nodes that must stay linked. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/codec.h"

#include "p2p/envelope.h"
#include "p2p/handshake.h"
#include "p2p/session.h"
#include "p2p/socket.h"
#include "p2p/state.h"
#include "p2p/tls.h"
#include "p2p/types.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/p2p_net.h"

enum step {
    STEP_SILENT,  /* connects and says nothing */
    STEP_HELLO,   /* begins TLS and stops */
    STEP_SECURED, /* finishes TLS and stops */
    STEP_AUTH,    /* sends AUTH and waits for the answer */
};

/* A client that goes as far as `until`, and then sends what the test says. */
struct raw {
    struct p2p__socket *socket; /* NULL: closed */
    struct p2p__tls *tls;
    struct p2p__handshake handshake;
    struct p2p__self self;
    struct nv_seckey seckey;
    enum step until;
    enum step reached;
    bool piecemeal;  /* sends byte by byte */
    bool open;       /* the node has answered AUTH with AUTH */
    uint8_t refused; /* the code of a REFUSE, 0 if none came */
    uint64_t pongs;
    uint8_t frame[4096];
    uint32_t have;
};

static struct p2p_net net;
static uint8_t read_buffer[P2P__READ_SIZE];
static struct p2p__tls_context *context;

static void raw_write(struct raw *raw, struct nv_view bytes)
{
    uint32_t const piece = raw->piecemeal ? 1 : bytes.size;
    for (uint32_t at = 0; at < bytes.size; at += piece) {
        enum nv_err const err = p2p__socket_write(raw->socket, nv_view_of(bytes.bytes + at, piece));
        assert_true(err == NV_OK || err == NV_ERR_CLOSED); /* the node may have hung up */
    }
}

static void raw_flush(struct raw *raw)
{
    static uint8_t out[131072];
    uint32_t const size = p2p__tls_drain(raw->tls, out, sizeof(out));
    if (size != 0) {
        raw_write(raw, nv_view_of(out, size));
    }
}

static void raw_send(struct raw *raw, const void *bytes, uint32_t size)
{
    assert_int_equal(p2p__tls_write(raw->tls, nv_view_of(bytes, size)), NV_OK);
    raw_flush(raw);
}

static uint32_t frame_of(uint8_t *out, uint8_t type, const void *payload, uint32_t size)
{
    uint32_t const envelope = p2p__envelope_size(type, size);
    nv_be32_store(out, envelope);
    p2p__envelope_encode(out + 4, type, nv_view_of(payload, size));
    return 4 + envelope;
}

static void raw_send_frame(struct raw *raw, uint8_t type, const void *payload, uint32_t size)
{
    static uint8_t frame[P2P__TLS_RECORD];
    raw_send(raw, frame, frame_of(frame, type, payload, size));
}

static void raw_take_frame(struct raw *raw, uint8_t type, const uint8_t *payload)
{
    raw->open = raw->open || type == P2P__TYPE_AUTH;
    raw->pongs += type == P2P__TYPE_PONG ? 1 : 0;
    raw->refused = type == P2P__TYPE_REFUSE ? payload[0] : raw->refused;
}

static void raw_read(struct raw *raw)
{
    uint32_t count = 0;
    while (p2p__tls_read(raw->tls, raw->frame + raw->have, 1, &count) == NV_OK && count != 0) {
        raw->have++;
        if (raw->have >= 8 && raw->have == 4 + nv_be32_load(raw->frame)) {
            raw_take_frame(raw, raw->frame[5], raw->frame + 8);
            raw->have = 0;
        }
        assert_true(raw->have < sizeof(raw->frame));
    }
}

static void raw_auth(struct raw *raw)
{
    uint8_t auth[P2P__AUTH_SIZE];
    p2p__handshake_auth(auth, &raw->handshake, &raw->self);
    raw_send_frame(raw, P2P__TYPE_AUTH, auth, sizeof(auth));
    raw->reached = STEP_AUTH;
}

static void raw_secured(struct raw *raw)
{
    struct nv_hash exporter;
    assert_int_equal(p2p__tls_exporter(raw->tls, &exporter), NV_OK);
    raw->reached = STEP_SECURED;
    (void)p2p__handshake_secured(&raw->handshake, &exporter);
    if (raw->until == STEP_AUTH) {
        raw_auth(raw);
    }
}

static void raw_advance(struct raw *raw)
{
    if (raw->until == STEP_SILENT) {
        return;
    }
    if (raw->reached < STEP_SECURED) {
        enum nv_err const err = p2p__tls_handshake(raw->tls);
        raw->reached = STEP_HELLO;
        if (raw->until > STEP_HELLO || err == NV_ERR_BUSY) {
            raw_flush(raw);
        }
        if (err == NV_OK && raw->until > STEP_HELLO) {
            raw_secured(raw);
        }
    }
    if (raw->reached >= STEP_SECURED) {
        raw_read(raw);
    }
}

static void raw_connected(void *owner, bool good)
{
    struct raw *raw = owner;
    assert_true(good);
    assert_int_equal(p2p__socket_read(raw->socket), NV_OK);
    raw_advance(raw);
}

static void raw_bytes(void *owner, struct nv_view bytes)
{
    struct raw *raw = owner;
    assert_int_equal(p2p__tls_feed(raw->tls, bytes), NV_OK);
    raw_advance(raw);
}

static void raw_ended(void *owner)
{
    struct raw *raw = owner;
    p2p__socket_close(raw->socket);
}

static void raw_written(void *owner, bool good)
{
    (void)owner;
    (void)good;
}

static void raw_closed(void *owner)
{
    struct raw *raw = owner;
    raw->socket = NULL;
    p2p__tls_close(raw->tls);
    raw->tls = NULL;
}

static const struct p2p__socket_events raw_events = {
    raw_connected, raw_bytes, raw_ended, raw_written, raw_closed};

static void raw_open(struct raw *raw, enum step until, uint8_t lane, uint32_t as)
{
    *raw = (struct raw){.until = until, .seckey = net.nodes[as].seckey};
    raw->self = (struct p2p__self){.chain_id = net.nodes[0].config.chain_id,
                                   .key = net.keys[as],
                                   .seckey = &raw->seckey,
                                   .instance = 77,
                                   .validator = true};
    p2p__handshake_init_dialler(&raw->handshake, &net.keys[0], lane);
    raw->tls = p2p__tls_open(context, true);
    assert_non_null(raw->tls);
    raw->socket = p2p__socket_open(net.loop, read_buffer, &raw_events, raw);
    assert_non_null(raw->socket);
    struct sockaddr_in address;
    assert_int_equal(uv_ip4_addr("127.0.0.1", p2p_listen_port(net.nodes[0].p2p), &address), 0);
    assert_int_equal(p2p__socket_connect(raw->socket, (const struct sockaddr *)&address), NV_OK);
}

static bool raw_is_closed(struct p2p_net *n, void *ctx)
{
    (void)n;
    const struct raw *raw = ctx;
    return raw->socket == NULL;
}

static bool raw_is_there(struct p2p_net *n, void *ctx)
{
    (void)n;
    const struct raw *raw = ctx;
    return raw->until == STEP_AUTH ? raw->open : raw->reached == raw->until;
}

/* hang_up closes the client's end, if the node has not. */
static void hang_up(struct raw *raw)
{
    if (raw->socket != NULL) {
        p2p__socket_close(raw->socket);
    }
    p2p_net_until(&net, raw_is_closed, raw);
}

static bool no_strangers(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return p2p_net_totals(n, 0).half_open == 0;
}

/* begin links nodes 0 and 1 and leaves node 2's key to the client. */
static void begin(void)
{
    p2p_net_make(&net, 3, 3);
    assert_int_equal(p2p__tls_context_open(&context, net.dir), NV_OK);
}

static void link_honest(void)
{
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    p2p_net_dial(&net, 1, 0);
    p2p_net_until(&net, p2p_net_settled, NULL);
}

/* end checks that the honest link has lived through it all. */
static void end(void)
{
    p2p_net_until(&net, no_strangers, NULL);
    assert_int_equal(net.nodes[0].lanes[1], 3);
    assert_int_equal(net.nodes[1].told, 2); /* lane by lane, once */
    struct p2p_message const vote = {P2P_LANE_0, P2P_TYPE_VOTE, nv_view_of("x", 1)};
    assert_int_equal(p2p_send(net.nodes[0].p2p, 1, &vote), P2P_SENT_QUEUED);
    while (net.nodes[1].messages[0] == 0) {
        p2p_net_turns(&net, 1);
    }
    p2p_net_end(&net);
    p2p__tls_context_close(context);
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
    begin();
    link_honest();
    for (uint32_t i = 0; i < 20; i++) {
        struct raw raw;
        uint8_t garbage[3000];
        nv_test_fill(&rng, garbage, sizeof(garbage));
        raw_open(&raw, STEP_SILENT, 1, 2);
        while (p2p_net_totals(&net, 0).half_open == 0) {
            p2p_net_turns(&net, 1);
        }
        struct nv_view const http = nv_view_of_text("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        raw_write(&raw, i == 0 ? http : nv_view_of(garbage, sizeof(garbage)));
        p2p_net_until(&net, raw_is_closed, &raw);
    }
    assert_int_equal(ended_for(P2P_REASON_TLS), 20);
    end();
}

static void test_killed_at_every_step_of_the_handshake(void **state)
{
    (void)state;
    begin();
    link_honest();
    for (uint32_t round = 0; round < 5; round++) {
        for (uint32_t until = STEP_SILENT; until <= STEP_AUTH; until++) {
            struct raw raw;
            raw_open(&raw, (enum step)until, 1, 2);
            if (until != STEP_SILENT) {
                p2p_net_until(&net, raw_is_there, &raw);
            }
            hang_up(&raw);
        }
    }
    end();
}

static void test_who_stops_on_the_way_is_cut(void **state)
{
    (void)state;
    begin();
    net.nodes[0].config.limits.handshake_ms = 150;
    link_honest();
    struct raw raw[3];
    raw_open(&raw[0], STEP_SILENT, 1, 2);
    raw_open(&raw[1], STEP_HELLO, 1, 2);
    raw_open(&raw[2], STEP_SECURED, 1, 2);
    for (uint32_t i = 0; i < 3; i++) {
        p2p_net_until(&net, raw_is_closed, &raw[i]);
    }
    assert_int_equal(ended_for(P2P_REASON_TIMEOUT), 3);
    end();
}

static void test_a_flood_of_strangers_is_bounded(void **state)
{
    (void)state;
    begin();
    net.nodes[0].config.limits.half_open_max = 8;
    net.nodes[0].config.limits.half_open_address_max = 1000;
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    static struct raw raw[200];
    for (uint32_t i = 0; i < 200; i++) {
        raw_open(&raw[i], i % 2 == 0 ? STEP_SILENT : STEP_SECURED, 1, 2);
        p2p_net_turns(&net, 2);
        assert_true(p2p_net_totals(&net, 0).half_open <= 8);
    }
    p2p_net_dial(&net, 1, 0); /* an honest node gets in all the same */
    p2p_net_until(&net, p2p_net_settled, NULL);
    assert_true(p2p_net_totals(&net, 0).half_open <= 8);
    assert_true(p2p_net_totals(&net, 0).refused_full >= 190);
    for (uint32_t i = 0; i < 200; i++) {
        hang_up(&raw[i]);
    }
    end();
}

static void test_one_address_has_few_places(void **state)
{
    (void)state;
    begin();
    net.nodes[0].config.limits.half_open_address_max = 4;
    link_honest();
    static struct raw raw[20];
    for (uint32_t i = 0; i < 20; i++) {
        raw_open(&raw[i], STEP_SILENT, 1, 2);
        p2p_net_turns(&net, 3);
        assert_true(p2p_net_totals(&net, 0).half_open <= 4);
    }
    assert_int_equal(p2p_net_totals(&net, 0).refused_full, 16);
    for (uint32_t i = 0; i < 20; i++) {
        hang_up(&raw[i]);
    }
    end();
}

/* refused_frame sends a first frame that is no AUTH frame. */
static void refused_frame(const void *bytes, uint32_t size, uint8_t refused)
{
    struct raw raw;
    raw_open(&raw, STEP_SECURED, 1, 2);
    p2p_net_until(&net, raw_is_there, &raw);
    raw_send(&raw, bytes, size);
    p2p_net_until(&net, raw_is_closed, &raw);
    assert_int_equal(raw.refused, refused);
    assert_false(raw.open);
}

static void test_a_stranger_may_send_nothing_but_auth(void **state)
{
    (void)state;
    uint8_t frame[512];
    uint8_t const zeros[P2P__AUTH_SIZE] = {0};
    begin();
    link_honest();
    refused_frame(frame, frame_of(frame, P2P__TYPE_PING, zeros, 8), P2P_REASON_PROTOCOL);
    refused_frame(frame, frame_of(frame, P2P_TYPE_CERT, zeros, 8), P2P_REASON_PROTOCOL);
    refused_frame("\xff\xff\xff\xff\x08\x01", 6, P2P_REASON_PROTOCOL);
    refused_frame("\x00\x00\x00\x00\x08\x01", 6, P2P_REASON_PROTOCOL);
    refused_frame(frame, frame_of(frame, P2P__TYPE_AUTH, zeros, 40), P2P_REASON_VERSION);
    uint8_t short_auth[40] = {0, 1};
    refused_frame(frame, frame_of(frame, P2P__TYPE_AUTH, short_auth, 40), P2P_REASON_PROTOCOL);
    assert_int_equal(net.nodes[0].told, 2);
    end();
}

static void test_bytes_that_trickle_in_are_as_good(void **state)
{
    (void)state;
    begin();
    link_honest();
    struct raw raw;
    raw_open(&raw, STEP_AUTH, 1, 2);
    raw.piecemeal = true;
    p2p_net_until(&net, raw_is_there, &raw);
    assert_int_equal(net.nodes[0].lanes[2], 2);
    hang_up(&raw);
    end();
}

/* ---- authenticated peers ------------------------------------------------ */

/* broken sends bytes as node 2 on `lane` after authenticating, and expects the end. */
static void broken(uint8_t lane, const void *bytes, uint32_t size)
{
    struct raw raw;
    uint64_t const before = ended_for(P2P_REASON_PROTOCOL);
    raw_open(&raw, STEP_AUTH, lane, 2);
    p2p_net_until(&net, raw_is_there, &raw);
    raw_send(&raw, bytes, size);
    p2p_net_until(&net, raw_is_closed, &raw);
    assert_int_equal(raw.refused, P2P_REASON_PROTOCOL);
    assert_int_equal(ended_for(P2P_REASON_PROTOCOL), before + 1);
}

static void test_frames_that_break_the_protocol(void **state)
{
    (void)state;
    static uint8_t frame[P2P__TLS_RECORD];
    static const uint8_t zeros[9000] = {0};
    begin();
    link_honest();
    broken(0, "\x00\x00\x00\xa7\x08\x11", 6); /* a vote of one byte too many */
    broken(1, "\x7f\xff\xff\xff\x08\x17", 6);
    broken(0, frame, frame_of(frame, P2P_TYPE_TRANSACTIONS, zeros, 9)); /* on the wrong lane */
    broken(1, frame, frame_of(frame, P2P_TYPE_VOTE, zeros, 9));
    broken(1, frame, frame_of(frame, 99, zeros, 9));                          /* no such type */
    broken(1, frame, frame_of(frame, P2P__TYPE_AUTH, zeros, P2P__AUTH_SIZE)); /* a second time */
    broken(1, frame, frame_of(frame, P2P__TYPE_PING, zeros, 7));
    broken(1, frame, frame_of(frame, P2P__TYPE_REFUSE, zeros, 0));
    broken(1, "\x00\x00\x00\x06\x08\x12\x12\x03xx", 10);        /* an envelope that runs out */
    broken(1, "\x00\x00\x00\x07\x08\x12\x12\x81\x00x\x00", 11); /* and one that is not canonical */
    broken(1, frame, frame_of(frame, P2P_TYPE_TRANSACTIONS, zeros, 0));
    broken(1, frame, frame_of(frame, P2P_TYPE_TRANSACTIONS, zeros, 4));
    broken(1, frame, frame_of(frame, P2P_TYPE_TRANSACTIONS, "\x00\x00\x00\x05xxxx", 8));
    assert_int_equal(net.nodes[0].messages[0] + net.nodes[0].messages[1], 0);
    end();
}

static void test_a_frame_cut_short_waits_and_costs_nothing(void **state)
{
    (void)state;
    begin();
    link_honest();
    struct raw raw;
    raw_open(&raw, STEP_AUTH, 1, 2);
    p2p_net_until(&net, raw_is_there, &raw);
    raw_send(&raw, "\x00\x00\x01\x00\x08", 5);
    p2p_net_turns(&net, 20);
    assert_non_null(raw.socket);
    hang_up(&raw);
    assert_int_equal(net.nodes[0].messages[1], 0);
    end();
}

static void test_a_flood_of_pings_gets_few_answers(void **state)
{
    (void)state;
    begin();
    link_honest();
    struct raw raw;
    raw_open(&raw, STEP_AUTH, 1, 2);
    p2p_net_until(&net, raw_is_there, &raw);
    static uint8_t pings[16000];
    uint32_t size = 0;
    while (size + 16 <= sizeof(pings)) {
        size += frame_of(pings + size, P2P__TYPE_PING, "12345678", 8);
    }
    raw_send(&raw, pings, size);
    while (raw.pongs == 0) {
        p2p_net_turns(&net, 1);
    }
    p2p_net_turns(&net, 100);
    assert_true(raw.pongs <= 3); /* of a thousand */
    hang_up(&raw);
    end();
}

static void test_silence_ends_a_link(void **state)
{
    (void)state;
    begin();
    net.nodes[0].config.limits.idle_ms = 300;
    link_honest();
    struct raw raw;
    raw_open(&raw, STEP_AUTH, 1, 2);
    p2p_net_until(&net, raw_is_there, &raw); /* it answers no ping */
    p2p_net_until(&net, raw_is_closed, &raw);
    assert_int_equal(ended_for(P2P_REASON_IDLE), 1);
    end(); /* the honest node, that pings, is still there */
}

static void test_a_refusal_tells_what_is_wrong(void **state)
{
    (void)state;
    begin();
    link_honest();
    struct raw raw;
    raw_open(&raw, STEP_AUTH, 1, 2);
    raw.self.chain_id.bytes[5] ^= 1;
    p2p_net_until(&net, raw_is_closed, &raw);
    assert_int_equal(raw.refused, P2P_REASON_CHAIN);

    raw_open(&raw, STEP_AUTH, 1, 2);
    raw.self.key = net.keys[1]; /* somebody else's, signed with its own */
    p2p_net_until(&net, raw_is_closed, &raw);
    assert_int_equal(raw.refused, P2P_REASON_SIGNATURE);

    raw_open(&raw, STEP_AUTH, 0, 2);
    raw.self.validator = false;
    p2p_net_until(&net, raw_is_closed, &raw);
    assert_int_equal(raw.refused, P2P_REASON_LANE);
    end();
}

/* SPEC p2p 9.4: "A handshake is judged by the list at its end." */
static void test_a_handshake_is_judged_by_the_set_at_its_end(void **state)
{
    (void)state;
    begin();
    link_honest();
    struct raw raw;
    raw_open(&raw, STEP_SECURED, 0, 2);
    p2p_net_until(&net, raw_is_there, &raw);
    p2p_net_turn(&net, 0, 3); /* not node 2 any more */
    raw.until = STEP_AUTH;
    raw_auth(&raw);
    p2p_net_until(&net, raw_is_closed, &raw);
    assert_int_equal(raw.refused, P2P_REASON_LANE);

    raw_open(&raw, STEP_SECURED, 0, 2);
    p2p_net_until(&net, raw_is_there, &raw);
    p2p_net_turn(&net, 0, 7);
    raw.until = STEP_AUTH;
    raw_auth(&raw);
    p2p_net_until(&net, raw_is_there, &raw);
    assert_int_equal(net.nodes[0].lanes[2], 1);
    hang_up(&raw);
    end();
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
    begin();
    link_honest();
    p2p_net_close(&net, 0);
    net.nodes[0].config.limits.tick_ms = 1u << 30; /* only the test's ticks */
    p2p_net_open(&net, 0);
    struct raw raw;
    raw_open(&raw, STEP_AUTH, 1, 2);
    p2p_net_until(&net, raw_is_there, &raw);
    static uint8_t statuses[16000];
    uint32_t size = 0;
    for (uint32_t i = 0; i < 1000; i++) {
        size += frame_of(statuses + size, P2P_TYPE_STATUS, "12345678", 8);
    }
    for (uint32_t i = 0; i < 5; i++) {
        raw_send(&raw, statuses, size);
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
    hang_up(&raw);
    p2p_net_end(&net);
    p2p__tls_context_close(context);
}

/* A validator that was killed and started again is a new instance: it need not wait until its old
 * connection is noticed to be dead. */
static void test_a_restarted_peer_replaces_its_old_connection(void **state)
{
    (void)state;
    begin();
    link_honest();
    struct raw old;
    raw_open(&old, STEP_AUTH, 1, 2);
    p2p_net_until(&net, raw_is_there, &old);
    struct raw young;
    raw_open(&young, STEP_AUTH, 1, 2);
    young.self.instance = 78;
    p2p_net_until(&net, raw_is_there, &young);
    p2p_net_until(&net, raw_is_closed, &old);
    assert_int_equal(old.refused, P2P_REASON_DUPLICATE);
    assert_non_null(young.socket);
    assert_int_equal(net.nodes[0].lanes[2], 2);
    hang_up(&young);
    end();
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
    begin();
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
    end();
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
