#include "tests/lib/p2p_raw.h"

#include <arpa/inet.h>
#include <string.h>

#include <uv.h>

#include "base/codec.h"

#include "p2p/envelope.h"
#include "p2p/socket.h"
#include "p2p/tls.h"
#include "tests/lib/nv_test.h"

static uint8_t read_buffer[P2P__READ_SIZE];
static struct p2p__tls_context *context;

void p2p_raw_begin(struct p2p_net *net)
{
    p2p_net_make(net, 3, 3);
    assert_int_equal(p2p__tls_context_open(&context, net->dir), NV_OK);
}

void p2p_raw_end(struct p2p_net *net)
{
    p2p_net_end(net);
    p2p__tls_context_close(context);
}

void p2p_raw_link(struct p2p_net *net)
{
    p2p_net_open(net, 1);
    p2p_net_dial(net, 1, 0);
    p2p_net_until(net, p2p_net_settled, NULL);
}

static bool no_strangers(struct p2p_net *net, void *ctx)
{
    (void)ctx;
    return p2p_net_totals(net, 0).half_open == 0;
}

void p2p_raw_end_linked(struct p2p_net *net)
{
    p2p_net_until(net, no_strangers, NULL);
    assert_int_equal(net->nodes[0].lanes[1], 3);
    assert_int_equal(net->nodes[1].told, 2); /* lane by lane, once */
    struct p2p_message const vote = {P2P_LANE_0, P2P_TYPE_VOTE, nv_view_of("x", 1)};
    assert_int_equal(p2p_send(net->nodes[0].p2p, 1, &vote), P2P_SENT_QUEUED);
    while (net->nodes[1].messages[0] == 0) {
        p2p_net_turns(net, 1);
    }
    p2p_raw_end(net);
}

void p2p_raw_write(struct p2p_raw *raw, struct nv_view bytes)
{
    uint32_t const piece = raw->piecemeal ? 1 : bytes.size;
    for (uint32_t at = 0; at < bytes.size; at += piece) {
        enum nv_err const err = p2p__socket_write(raw->socket, nv_view_of(bytes.bytes + at, piece));
        assert_true(err == NV_OK || err == NV_ERR_CLOSED); /* the node may have hung up */
    }
}

static void raw_flush(struct p2p_raw *raw)
{
    static uint8_t out[131072];
    uint32_t const size = p2p__tls_drain(raw->tls, out, sizeof(out));
    if (size != 0) {
        p2p_raw_write(raw, nv_view_of(out, size));
    }
}

void p2p_raw_send(struct p2p_raw *raw, const void *bytes, uint32_t size)
{
    assert_int_equal(p2p__tls_write(raw->tls, nv_view_of(bytes, size)), NV_OK);
    raw_flush(raw);
}

uint32_t p2p_raw_frame(uint8_t *out, uint8_t type, const void *payload, uint32_t size)
{
    uint32_t const envelope = p2p__envelope_size(type, size);
    nv_be32_store(out, envelope);
    p2p__envelope_encode(out + 4, type, nv_view_of(payload, size));
    return 4 + envelope;
}

static void raw_send_frame(struct p2p_raw *raw, uint8_t type, const void *payload, uint32_t size)
{
    static uint8_t frame[P2P__TLS_RECORD];
    p2p_raw_send(raw, frame, p2p_raw_frame(frame, type, payload, size));
}

static void raw_take_frame(struct p2p_raw *raw, uint8_t type, const uint8_t *payload)
{
    raw->open = raw->open || type == P2P__TYPE_AUTH;
    raw->pongs += type == P2P__TYPE_PONG ? 1 : 0;
    raw->refused = type == P2P__TYPE_REFUSE ? payload[0] : raw->refused;
}

static void raw_read(struct p2p_raw *raw)
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

void p2p_raw_auth(struct p2p_raw *raw)
{
    uint8_t auth[P2P__AUTH_SIZE];
    p2p__handshake_auth(auth, &raw->handshake, &raw->self);
    raw_send_frame(raw, P2P__TYPE_AUTH, auth, sizeof(auth));
    raw->reached = P2P_RAW_AUTH;
}

static void raw_secured(struct p2p_raw *raw)
{
    struct nv_hash exporter;
    assert_int_equal(p2p__tls_exporter(raw->tls, &exporter), NV_OK);
    raw->reached = P2P_RAW_SECURED;
    (void)p2p__handshake_secured(&raw->handshake, &exporter);
    if (raw->until == P2P_RAW_AUTH) {
        p2p_raw_auth(raw);
    }
}

static void raw_advance(struct p2p_raw *raw)
{
    if (raw->until == P2P_RAW_SILENT) {
        return;
    }
    if (raw->reached < P2P_RAW_SECURED) {
        enum nv_err const err = p2p__tls_handshake(raw->tls);
        raw->reached = P2P_RAW_HELLO;
        if (raw->until > P2P_RAW_HELLO || err == NV_ERR_BUSY) {
            raw_flush(raw);
        }
        if (err == NV_OK && raw->until > P2P_RAW_HELLO) {
            raw_secured(raw);
        }
    }
    if (raw->reached >= P2P_RAW_SECURED) {
        raw_read(raw);
    }
}

static void raw_connected(void *owner, bool good)
{
    struct p2p_raw *raw = owner;
    assert_true(good);
    assert_int_equal(p2p__socket_read(raw->socket), NV_OK);
    raw_advance(raw);
}

static void raw_bytes(void *owner, struct nv_view bytes)
{
    struct p2p_raw *raw = owner;
    assert_int_equal(p2p__tls_feed(raw->tls, bytes), NV_OK);
    raw_advance(raw);
}

static void raw_ended(void *owner)
{
    struct p2p_raw *raw = owner;
    p2p__socket_close(raw->socket);
}

static void raw_written(void *owner, bool good)
{
    (void)owner;
    (void)good;
}

static void raw_closed(void *owner)
{
    struct p2p_raw *raw = owner;
    raw->socket = NULL;
    p2p__tls_close(raw->tls);
    raw->tls = NULL;
}

static const struct p2p__socket_events raw_events = {
    raw_connected, raw_bytes, raw_ended, raw_written, raw_closed};

void p2p_raw_open(
    struct p2p_raw *raw, struct p2p_net *net, enum p2p_raw_step until, uint8_t lane, uint32_t as)
{
    *raw = (struct p2p_raw){.net = net, .until = until, .seckey = net->nodes[as].seckey};
    raw->self = (struct p2p__self){.chain_id = net->nodes[0].config.chain_id,
                                   .key = net->keys[as],
                                   .seckey = &raw->seckey,
                                   .instance = 77,
                                   .validator = true};
    p2p__handshake_init_dialler(&raw->handshake, &net->keys[0], lane);
    raw->tls = p2p__tls_open(context, true);
    assert_non_null(raw->tls);
    raw->socket = p2p__socket_open(net->loop, read_buffer, &raw_events, raw);
    assert_non_null(raw->socket);
    struct sockaddr_in address;
    assert_int_equal(uv_ip4_addr("127.0.0.1", p2p_listen_port(net->nodes[0].p2p), &address), 0);
    assert_int_equal(p2p__socket_connect(raw->socket, (const struct sockaddr *)&address), NV_OK);
}

bool p2p_raw_is_closed(struct p2p_net *n, void *ctx)
{
    (void)n;
    const struct p2p_raw *raw = ctx;
    return raw->socket == NULL;
}

bool p2p_raw_is_there(struct p2p_net *n, void *ctx)
{
    (void)n;
    const struct p2p_raw *raw = ctx;
    return raw->until == P2P_RAW_AUTH ? raw->open : raw->reached == raw->until;
}

void p2p_raw_hang_up(struct p2p_raw *raw)
{
    if (raw->socket != NULL) {
        p2p__socket_close(raw->socket);
    }
    p2p_net_until(raw->net, p2p_raw_is_closed, raw);
}
