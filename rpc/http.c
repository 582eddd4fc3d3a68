#include "rpc/http.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"

#include "rpc/conn.h"
#include "rpc/exchange.h"
#include "rpc/server.h"
#include "rpc/ws.h"

static const char *status_text(uint32_t status)
{
    switch (status) {
    case 200: return "OK";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 411: return "Length Required";
    case 413: return "Content Too Large";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Error";
    }
}

/* write_answer puts one answer with its head into the output. */
static void write_answer(struct rpc_conn *conn, struct rpc_exchange *exchange)
{
    char head[512];
    uint32_t const status = exchange->silent ? 204 : exchange->http_status;
    uint32_t const size = exchange->silent ? 0 : exchange->answer.size;
    const char *type = exchange->content_type != NULL ? exchange->content_type : "application/json";
    int const head_size =
        snprintf(head,
                 sizeof head,
                 "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %u\r\n"
                 "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n%s%s",
                 status,
                 status_text(status),
                 type,
                 size,
                 status == 429 || status == 503 ? "Retry-After: 1\r\n" : "",
                 exchange->keep_alive ? "" : "Connection: close\r\n");
    NV_ASSERT(head_size > 0 && (size_t)head_size < sizeof head);
    rpc__conn_send(conn, head, (uint32_t)head_size);
    if (exchange->allow_origin[0] != '\0') {
        char cors[512];
        int const cors_size = snprintf(cors,
                                       sizeof cors,
                                       "Access-Control-Allow-Origin: %s\r\nVary: Origin\r\n"
                                       "Access-Control-Allow-Methods: POST, GET\r\n"
                                       "Access-Control-Allow-Headers: Content-Type\r\n",
                                       exchange->allow_origin);
        rpc__conn_send(conn, cors, (uint32_t)cors_size);
    }
    rpc__conn_send(conn, "\r\n", 2);
    rpc__conn_send(conn, exchange->answer.bytes, size);
}

/* answer writes the answers that are ready, in order. */
static void answer(struct rpc_conn *conn)
{
    while (conn->first != NULL && conn->first->ready && conn->mode != RPC_CONN_WEBSOCKET) {
        struct rpc_exchange *exchange = conn->first;
        if (!conn->closing) {
            write_answer(conn, exchange);
        }
        bool const last = !exchange->keep_alive;
        rpc__conn_unqueue(conn, exchange);
        rpc__exchange_free(exchange);
        if (last) {
            rpc__conn_end(conn);
        }
    }
    rpc__conn_flush(conn);
    rpc__conn_pace(conn);
}

static void on_finished(struct rpc_exchange *exchange)
{
    answer(exchange->conn);
}

/* exchange_begin queues an exchange for the request at hand. */
static struct rpc_exchange *exchange_begin(struct rpc_conn *conn, bool keep_alive)
{
    struct rpc_exchange *exchange = rpc__exchange_new(conn->rpc, conn);
    if (exchange == NULL) {
        rpc__conn_close(conn);
        return NULL;
    }
    exchange->address = conn->address;
    exchange->finished = on_finished;
    exchange->keep_alive = keep_alive;
    rpc__conn_queue(conn, exchange);
    return exchange;
}

void rpc__http_refuse(struct rpc_conn *conn, int32_t code, const char *reason)
{
    struct rpc_exchange *exchange = exchange_begin(conn, false);
    if (exchange == NULL) {
        return;
    }
    conn->mode = RPC_CONN_ENDING;
    conn->request_ms = 0;
    conn->rpc->counters.requests_refused++;
    rpc__exchange_refuse_with(exchange, code, reason);
}

/* take_head reads the head at the front of the input; false: it is not there. */
static bool take_head(struct rpc_conn *conn)
{
    struct nv_view const in = rpc__json_view(&conn->in);
    uint32_t const size = rpc__http_head_size(in, conn->searched);
    conn->searched = in.size;
    if (size > RPC_HTTP_HEAD_MAX || (size == 0 && in.size > RPC_HTTP_HEAD_MAX)) {
        rpc__http_refuse(conn, RPC_ERROR_HEAD_TOO_LARGE, NULL);
        return false;
    }
    if (size == 0) {
        return false;
    }
    struct rpc_http_fault const fault = rpc__http_head(&conn->head, nv_view_of(in.bytes, size));
    if (fault.code != 0) {
        rpc__http_refuse(conn, fault.code, fault.reason);
        return false;
    }
    if (conn->head.content_length > conn->rpc->limits.body_bytes) {
        rpc__http_refuse(conn, RPC_ERROR_BODY_TOO_LARGE, NULL);
        return false;
    }
    rpc__conn_consume(conn, size);
    conn->searched = 0;
    conn->mode = RPC_CONN_BODY;
    if (conn->head.expects_continue && conn->in.size < conn->head.content_length &&
        conn->first == NULL) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
        rpc__conn_send(conn, go_on, sizeof go_on - 1);
        rpc__conn_flush(conn);
    }
    return true;
}

static void upgrade(struct rpc_conn *conn, struct rpc_exchange *exchange)
{
    if (!conn->head.websocket_version_right) {
        rpc__exchange_refuse_with(exchange, RPC_ERROR_BAD_HTTP, "the WebSocket version must be 13");
        return;
    }
    if (conn->first != exchange || conn->head.content_length > 0) {
        rpc__exchange_refuse_with(
            exchange, RPC_ERROR_BAD_HTTP, "an upgrade may not be pipelined and has no body");
        return;
    }
    enum nv_err const err = rpc__ws_open(conn);
    if (err != NV_OK) {
        rpc__exchange_refuse_with(
            exchange, RPC_ERROR_BAD_HTTP, "the field Sec-WebSocket-Key is not a key");
        return;
    }
    rpc__conn_unqueue(conn, exchange);
    rpc__exchange_free(exchange);
}

/* take_body serves the request when its body is there. */
static bool take_body(struct rpc_conn *conn)
{
    uint32_t const size = conn->head.content_length;
    if (conn->in.size < size) {
        return false;
    }
    struct rpc_exchange *exchange = exchange_begin(conn, conn->head.keep_alive);
    if (exchange == NULL) {
        return false;
    }
    conn->rpc->counters.requests++;
    conn->mode = conn->head.keep_alive ? RPC_CONN_HEAD : RPC_CONN_ENDING;
    if (!rpc__http_route(conn, exchange, nv_view_of(conn->in.bytes, size))) {
        upgrade(conn, exchange);
    }
    if (conn->mode != RPC_CONN_ENDING) {
        rpc__conn_consume(conn, size);
    }
    return true;
}

static bool more_welcome(const struct rpc_conn *conn)
{
    return !conn->closing && !rpc__conn_full(conn) &&
           (conn->mode == RPC_CONN_HEAD || conn->mode == RPC_CONN_BODY);
}

void rpc__http_advance(struct rpc_conn *conn)
{
    if (conn->advancing) {
        return;
    }
    conn->advancing = true;
    bool moved = true;
    while (moved && more_welcome(conn)) {
        moved = conn->mode == RPC_CONN_HEAD ? take_head(conn) : take_body(conn);
        if (moved) {
            conn->request_ms = 0;
        }
    }
    conn->advancing = false;
    if (conn->mode == RPC_CONN_WEBSOCKET && conn->in.size > 0) {
        rpc__ws_advance(conn); /* frames that came with the handshake */
    }
    bool const partial = more_welcome(conn) && (conn->in.size > 0 || conn->mode == RPC_CONN_BODY);
    if (partial && conn->request_ms == 0) {
        conn->request_ms = rpc__now(conn->rpc);
    }
}
