#include "rpc/conn.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "rpc/exchange.h"
#include "rpc/server.h"
#include "rpc/subscribe.h"
#include "rpc/ws.h"

#define READ_BYTES   65536u
#define LINGER_MS    1000u
#define STALL_MS     30000u
#define OUT_SLACK    65536u
#define IN_BYTES_MAX (RPC_HTTP_HEAD_MAX + READ_BYTES)

/* One buffer serves every read: the loop hands it out and takes it back before
 * the next read begins. */
static char read_buffer[READ_BYTES];

size_t rpc__conn_pending(const struct rpc_conn *conn)
{
    return conn->out.size + (conn->writing ? conn->tcp.write_queue_size : 0);
}

/* ---- the end ---- */

static void unlink_conn(struct rpc_conn *conn)
{
    struct rpc *rpc = conn->rpc;
    if (conn->prev != NULL) {
        conn->prev->next = conn->next;
    } else {
        rpc->conns = conn->next;
    }
    if (conn->next != NULL) {
        conn->next->prev = conn->prev;
    }
    rpc->conn_count--;
}

static void on_closed(uv_handle_t *handle)
{
    struct rpc_conn *conn = (struct rpc_conn *)(void *)handle;
    struct rpc *rpc = conn->rpc;
    while (conn->first != NULL) {
        struct rpc_exchange *exchange = conn->first;
        conn->first = exchange->next;
        rpc__exchange_abandon(exchange);
    }
    rpc__hub_leave(conn);
    rpc__ws_free(conn);
    rpc__json_deinit(&conn->in);
    rpc__json_deinit(&conn->out);
    rpc__json_deinit(&conn->flying);
    unlink_conn(conn);
    nv_heap_free(conn);
    rpc__close_step(rpc);
}

void rpc__conn_close(struct rpc_conn *conn)
{
    if (!conn->closing) {
        conn->closing = true;
        uv_close((uv_handle_t *)&conn->tcp, on_closed);
    }
}

static void on_shutdown(uv_shutdown_t *request, int status)
{
    struct rpc_conn *conn = request->data;
    if (status < 0) {
        rpc__conn_close(conn);
    }
}

/* end_step sends the last of an ending connection on its way: after its
 * answers are out the write side is shut, and what the client still sends is
 * read and thrown away for a moment, so that the kernel does not reset the
 * connection before the answer is read. */
static void end_step(struct rpc_conn *conn)
{
    bool const out = conn->first == NULL && !conn->writing && conn->out.size == 0;
    if (conn->mode != RPC_CONN_ENDING || !out || conn->shut || conn->closing) {
        return;
    }
    conn->shut = true;
    conn->moved_ms = rpc__now(conn->rpc);
    conn->shutdown.data = conn;
    if (conn->eof || uv_shutdown(&conn->shutdown, (uv_stream_t *)&conn->tcp, on_shutdown) != 0) {
        rpc__conn_close(conn);
    }
}

void rpc__conn_end(struct rpc_conn *conn)
{
    conn->mode = RPC_CONN_ENDING;
    conn->request_ms = 0;
    rpc__json_reset(&conn->in);
    end_step(conn);
}

/* ---- output ---- */

void rpc__conn_send(struct rpc_conn *conn, const void *bytes, uint32_t size)
{
    rpc__json_bytes(&conn->out, bytes, size);
    if (conn->out.failed) {
        rpc__conn_close(conn);
    }
}

static void on_written(uv_write_t *write, int status)
{
    struct rpc_conn *conn = write->data;
    struct rpc *rpc = conn->rpc;
    rpc->counters.bytes_out += conn->flying.size;
    rpc__json_reset(&conn->flying);
    conn->writing = false;
    conn->active_ms = rpc__now(rpc);
    conn->moved_ms = conn->active_ms;
    if (status < 0) {
        conn->shut = true;
        rpc__conn_close(conn);
        return;
    }
    rpc__hub_drained(conn);
    rpc__conn_flush(conn);
    rpc__conn_pace(conn);
    end_step(conn);
}

void rpc__conn_flush(struct rpc_conn *conn)
{
    if (conn->writing || conn->out.size == 0 || conn->closing || conn->shut) {
        return;
    }
    struct rpc_json const empty = conn->flying;
    conn->flying = conn->out;
    conn->out = empty;
    uv_buf_t const buf = uv_buf_init((char *)conn->flying.bytes, conn->flying.size);
    conn->write.data = conn;
    conn->writing = true;
    conn->moved_ms = rpc__now(conn->rpc);
    if (uv_write(&conn->write, (uv_stream_t *)&conn->tcp, &buf, 1, on_written) != 0) {
        conn->writing = false;
        rpc__conn_close(conn);
        return;
    }
    conn->queue_seen = conn->tcp.write_queue_size;
}

/* ---- input ---- */

static void advance(struct rpc_conn *conn)
{
    if (conn->mode == RPC_CONN_WEBSOCKET) {
        rpc__ws_advance(conn);
    } else if (conn->mode != RPC_CONN_ENDING) {
        rpc__http_advance(conn);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(read_buffer, sizeof read_buffer);
}

static void on_end_of_input(struct rpc_conn *conn)
{
    conn->eof = true;
    if (conn->mode == RPC_CONN_WEBSOCKET || conn->shut) {
        rpc__conn_close(conn);
    } else {
        rpc__conn_end(conn);
    }
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct rpc_conn *conn = (struct rpc_conn *)(void *)stream;
    if (size == UV_EOF) {
        on_end_of_input(conn);
        return;
    }
    if (size < 0) {
        rpc__conn_close(conn);
        return;
    }
    conn->active_ms = rpc__now(conn->rpc);
    conn->pinged = false;
    conn->rpc->counters.bytes_in += (uint64_t)size;
    if (conn->mode == RPC_CONN_ENDING) {
        return;
    }
    rpc__json_bytes(&conn->in, buf->base, (uint32_t)size);
    if (conn->in.failed) {
        rpc__conn_close(conn);
        return;
    }
    advance(conn);
    rpc__conn_pace(conn);
}

void rpc__conn_consume(struct rpc_conn *conn, uint32_t size)
{
    NV_ASSERT(size <= conn->in.size);
    if (size > 0) {
        memmove(conn->in.bytes, conn->in.bytes + size, conn->in.size - size);
        conn->in.size -= size;
    }
}

bool rpc__conn_full(const struct rpc_conn *conn)
{
    bool const http = conn->mode == RPC_CONN_HEAD || conn->mode == RPC_CONN_BODY;
    return rpc__conn_pending(conn) > conn->rpc->limits.output_bytes / 2 ||
           (http && conn->exchange_count >= RPC_HTTP_PIPELINE);
}

void rpc__conn_pace(struct rpc_conn *conn)
{
    bool const full = rpc__conn_full(conn);
    if (conn->closing || conn->reading == !full) {
        return;
    }
    if (full) {
        uv_read_stop((uv_stream_t *)&conn->tcp);
        conn->reading = false;
        return;
    }
    conn->reading = true;
    if (uv_read_start((uv_stream_t *)&conn->tcp, on_alloc, on_read) != 0) {
        rpc__conn_close(conn);
        return;
    }
    advance(conn);
}

void rpc__conn_queue(struct rpc_conn *conn, struct rpc_exchange *exchange)
{
    exchange->next = NULL;
    if (conn->last != NULL) {
        conn->last->next = exchange;
    } else {
        conn->first = exchange;
    }
    conn->last = exchange;
    conn->exchange_count++;
}

void rpc__conn_unqueue(struct rpc_conn *conn, struct rpc_exchange *exchange)
{
    struct rpc_exchange *before = NULL;
    for (struct rpc_exchange *at = conn->first; at != exchange; at = at->next) {
        NV_ASSERT(at != NULL);
        before = at;
    }
    if (before != NULL) {
        before->next = exchange->next;
    } else {
        conn->first = exchange->next;
    }
    if (conn->last == exchange) {
        conn->last = before;
    }
    conn->exchange_count--;
    end_step(conn);
}

/* ---- deadlines ---- */

/* sweep_output closes a client that does not read. */
static bool sweep_output(struct rpc_conn *conn, uint64_t now_ms)
{
    if (conn->writing && conn->tcp.write_queue_size != conn->queue_seen) {
        conn->queue_seen = conn->tcp.write_queue_size;
        conn->moved_ms = now_ms;
        conn->active_ms = now_ms;
    }
    if (conn->shut && !conn->writing) {
        return now_ms - conn->moved_ms > LINGER_MS;
    }
    if (conn->writing && now_ms - conn->moved_ms > STALL_MS) {
        conn->rpc->counters.slow_closed++;
        return true;
    }
    return false;
}

static bool sweep_input(struct rpc_conn *conn, uint64_t now_ms)
{
    const struct rpc_limits *limits = &conn->rpc->limits;
    uint64_t const idle_ms = now_ms - conn->active_ms;
    if (conn->request_ms != 0 && now_ms - conn->request_ms > limits->request_ms) {
        rpc__http_refuse(conn, RPC_ERROR_REQUEST_TIMEOUT, NULL);
        return false;
    }
    if (conn->mode == RPC_CONN_WEBSOCKET && idle_ms > limits->idle_ms / 2 && !conn->pinged) {
        conn->pinged = true;
        rpc__ws_ping(conn);
    }
    return conn->first == NULL && idle_ms > limits->idle_ms;
}

void rpc__conn_sweep(struct rpc_conn *conn, uint64_t now_ms)
{
    if (!conn->closing && (sweep_output(conn, now_ms) || sweep_input(conn, now_ms))) {
        rpc__conn_close(conn);
    }
}

/* ---- the beginning ---- */

static uint32_t count_from(const struct rpc *rpc, const struct rpc_address *address)
{
    uint32_t count = 0;
    for (const struct rpc_conn *conn = rpc->conns; conn != NULL; conn = conn->next) {
        count += rpc__address_eq(&conn->address, address) ? 1 : 0;
    }
    return count;
}

/* welcome decides whether the connection may stay. It is not in the list yet. */
static bool welcome(struct rpc_conn *conn)
{
    struct rpc *rpc = conn->rpc;
    struct sockaddr_storage from;
    int size = sizeof from;
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&from, &size) != 0) {
        return false;
    }
    rpc__address_of(&conn->address, (const struct sockaddr *)&from);
    return !rpc->closing && rpc->conn_count < rpc->limits.connections &&
           count_from(rpc, &conn->address) < rpc->limits.connections_per_address;
}

static void link_conn(struct rpc_conn *conn)
{
    struct rpc *rpc = conn->rpc;
    conn->next = rpc->conns;
    if (rpc->conns != NULL) {
        rpc->conns->prev = conn;
    }
    rpc->conns = conn;
    rpc->conn_count++;
}

bool rpc__conn_accept(struct rpc *rpc, uv_stream_t *listener, bool metrics_only)
{
    struct rpc_conn *conn = nv_heap_alloc(sizeof *conn);
    if (conn == NULL || uv_tcp_init(listener->loop, &conn->tcp) != 0) {
        nv_heap_free(conn);
        return false;
    }
    const struct rpc_limits *limits = &rpc->limits;
    conn->rpc = rpc;
    conn->metrics_only = metrics_only;
    conn->mode = RPC_CONN_HEAD;
    conn->active_ms = rpc__now(rpc);
    rpc__json_init(&conn->in, IN_BYTES_MAX + limits->body_bytes);
    rpc__json_init(&conn->out, limits->output_bytes + limits->answer_bytes + OUT_SLACK);
    rpc__json_init(&conn->flying, conn->out.limit);
    bool const accepted = uv_accept(listener, (uv_stream_t *)&conn->tcp) == 0;
    bool const stays = accepted && welcome(conn);
    link_conn(conn);
    rpc->counters.connections++;
    if (!stays) {
        rpc->counters.connections_refused++;
        rpc__conn_close(conn);
        return true;
    }
    uv_tcp_nodelay(&conn->tcp, 1);
    rpc__conn_pace(conn);
    return true;
}
