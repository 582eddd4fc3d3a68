#include "rpc/ws.h"

#include <stdio.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/heap.h"
#include "base/websocket.h"

#include "rpc/conn.h"
#include "rpc/exchange.h"
#include "rpc/server.h"
#include "rpc/subscribe.h"

struct rpc_ws {
    wslay_event_context_ptr wslay;
    struct rpc_json message; /* a buffer: the message whose frames are coming in */
    bool text;               /* ... and it is text */
    bool control;            /* the frame coming in is a ping or the like */
};

/* ---- wslay's side ---- */

static ssize_t
recv_bytes(wslay_event_context_ptr wslay, uint8_t *to, size_t cap, int flags, void *user)
{
    (void)flags;
    struct rpc_conn *conn = user;
    if (conn->in.size == 0 || rpc__conn_full(conn)) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    uint32_t const size = conn->in.size < cap ? conn->in.size : (uint32_t)cap;
    memcpy(to, conn->in.bytes, size);
    rpc__conn_consume(conn, size);
    return (ssize_t)size;
}

static ssize_t
send_bytes(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t size, int flags, void *user)
{
    (void)flags;
    struct rpc_conn *conn = user;
    rpc__conn_send(conn, bytes, (uint32_t)size);
    if (conn->out.failed) {
        wslay_event_set_error(wslay, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)size;
}

static void on_frame(wslay_event_context_ptr wslay,
                     const struct wslay_event_on_frame_recv_start_arg *frame,
                     void *user)
{
    (void)wslay;
    struct rpc_ws *ws = ((struct rpc_conn *)user)->ws;
    if (frame->opcode == WSLAY_TEXT_FRAME || frame->opcode == WSLAY_BINARY_FRAME) {
        rpc__json_reset(&ws->message);
        ws->text = frame->opcode == WSLAY_TEXT_FRAME;
    }
    ws->control = wslay_is_ctrl_frame(frame->opcode);
}

/* on_chunk collects the message here: the library would take an allocation for
 * each of its frames, however short. */
static void on_chunk(wslay_event_context_ptr wslay,
                     const struct wslay_event_on_frame_recv_chunk_arg *chunk,
                     void *user)
{
    (void)wslay;
    struct rpc_ws *ws = ((struct rpc_conn *)user)->ws;
    if (!ws->control) {
        rpc__json_bytes(&ws->message, chunk->data, (uint32_t)chunk->data_length);
    }
}

static void answer(struct rpc_conn *conn, struct rpc_exchange *exchange)
{
    if (!conn->closing && !exchange->silent) {
        rpc__ws_send(conn, rpc__json_view(&exchange->answer));
    }
    rpc__conn_unqueue(conn, exchange);
    rpc__exchange_free(exchange);
    rpc__hub_answered(conn);
    rpc__conn_flush(conn);
    rpc__conn_pace(conn);
}

static void on_finished(struct rpc_exchange *exchange)
{
    answer(exchange->conn, exchange);
}

static void serve(struct rpc_conn *conn, struct nv_view text)
{
    struct rpc_exchange *exchange = rpc__exchange_new(conn->rpc, conn);
    if (exchange == NULL) {
        rpc__conn_close(conn);
        return;
    }
    exchange->address = conn->address;
    exchange->stream = true;
    exchange->finished = on_finished;
    conn->rpc->counters.requests++;
    bool const full = conn->exchange_count >= conn->rpc->limits.in_flight;
    rpc__conn_queue(conn, exchange);
    if (full) {
        struct rpc_fault fault;
        rpc__fault_set(&fault, RPC_ERROR_BUSY, "too many requests are under way here");
        fault.retry_after_ms = 100;
        rpc__exchange_refuse(exchange, &fault);
        return;
    }
    rpc__exchange_run(exchange, text);
}

/* close_with begins the closing handshake; it is sent when the input is taken. */
static void close_with(wslay_event_context_ptr wslay, uint16_t code, const char *reason)
{
    wslay_event_queue_close(wslay, code, (const uint8_t *)reason, strlen(reason));
}

static void on_message(wslay_event_context_ptr wslay,
                       const struct wslay_event_on_msg_recv_arg *message,
                       void *user)
{
    struct rpc_conn *conn = user;
    struct rpc_ws *ws = conn->ws;
    if (wslay_is_ctrl_frame(message->opcode)) {
        return; /* pings and closing are answered by the library */
    }
    if (!ws->text) {
        close_with(wslay, WSLAY_CODE_UNSUPPORTED_DATA, "messages are text");
    } else if (ws->message.failed) {
        close_with(wslay, WSLAY_CODE_MESSAGE_TOO_BIG, "the message is too long");
    } else if (wslay_event_get_close_sent(wslay) == 0) {
        serve(conn, rpc__json_view(&ws->message));
    }
    rpc__json_deinit(&ws->message);
    rpc__json_init(&ws->message, conn->rpc->limits.body_bytes);
}

/* ---- our side ---- */

/* settle writes what the library wants to say, and ends the connection when it
 * has nothing more to hear or say. */
static void settle(struct rpc_conn *conn)
{
    struct rpc_ws *ws = conn->ws;
    if (conn->closing) {
        return;
    }
    if (wslay_event_send(ws->wslay) != 0) {
        rpc__conn_close(conn);
        return;
    }
    if (!wslay_event_want_read(ws->wslay) && !wslay_event_want_write(ws->wslay)) {
        rpc__conn_end(conn);
    }
    rpc__conn_flush(conn);
}

static enum nv_err context_new(struct rpc_conn *conn, struct rpc_ws *ws)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = recv_bytes,
        .send_callback = send_bytes,
        .on_frame_recv_start_callback = on_frame,
        .on_frame_recv_chunk_callback = on_chunk,
        .on_msg_recv_callback = on_message,
    };
    if (wslay_event_context_server_init(&ws->wslay, &callbacks, conn) != 0) {
        return NV_ERR_NO_MEMORY;
    }
    wslay_event_config_set_no_buffering(ws->wslay, 1);
    wslay_event_config_set_max_recv_msg_length(ws->wslay, conn->rpc->limits.body_bytes);
    rpc__json_init(&ws->message, conn->rpc->limits.body_bytes);
    return NV_OK;
}

enum nv_err rpc__ws_open(struct rpc_conn *conn)
{
    char accept[NV_WEBSOCKET_ACCEPT_TEXT];
    NV_TRY(nv_websocket_accept(accept, nv_view_of_text(conn->head.websocket_key)));
    struct rpc_ws *ws = nv_heap_alloc(sizeof *ws);
    if (ws == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    enum nv_err const err = context_new(conn, ws);
    if (err != NV_OK) {
        nv_heap_free(ws);
        return err;
    }
    char head[256];
    int const size = snprintf(head,
                              sizeof head,
                              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                              accept);
    conn->ws = ws;
    conn->mode = RPC_CONN_WEBSOCKET;
    conn->request_ms = 0;
    conn->rpc->counters.websockets++;
    rpc__conn_send(conn, head, (uint32_t)size);
    rpc__conn_flush(conn);
    return NV_OK;
}

void rpc__ws_free(struct rpc_conn *conn)
{
    if (conn->ws != NULL) {
        wslay_event_context_free(conn->ws->wslay);
        rpc__json_deinit(&conn->ws->message);
        nv_heap_free(conn->ws);
        conn->ws = NULL;
    }
}

void rpc__ws_advance(struct rpc_conn *conn)
{
    if (conn->advancing) {
        return;
    }
    conn->advancing = true;
    int const result = wslay_event_recv(conn->ws->wslay);
    conn->advancing = false;
    if (result != 0) {
        rpc__conn_close(conn);
        return;
    }
    settle(conn);
}

static void queue_message(struct rpc_conn *conn, uint8_t opcode, struct nv_view text)
{
    struct wslay_event_msg const message = {
        .opcode = opcode, .msg = text.bytes, .msg_length = text.size};
    int const result = wslay_event_queue_msg(conn->ws->wslay, &message);
    if (result == WSLAY_ERR_NOMEM) {
        rpc__conn_close(conn);
    }
}

void rpc__ws_send(struct rpc_conn *conn, struct nv_view text)
{
    queue_message(conn, WSLAY_TEXT_FRAME, text);
    if (!conn->closing && wslay_event_send(conn->ws->wslay) != 0) {
        rpc__conn_close(conn);
    }
    conn->rpc->counters.messages_sent++;
}

void rpc__ws_ping(struct rpc_conn *conn)
{
    queue_message(conn, WSLAY_PING, nv_view_of(NULL, 0));
    settle(conn);
}
