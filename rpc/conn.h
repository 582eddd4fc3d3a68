#ifndef NV_RPC_CONN_H
#define NV_RPC_CONN_H

/* conn.h - one TCP connection: bytes in, bytes out, deadlines.
 *
 * Input is collected in `in` and taken from its front by HTTP or WebSocket.
 * Output is collected in `out` while one write is under way; so many small
 * messages become few writes, and what a reader leaves waiting is known to
 * the byte.
 *
 * Bytes that have come are for http.c and ws.c, and room in the output is for
 * who was left out of something (hear.c); both write here again. So these files,
 * and those of the hub that deliver, call one another in a circle; nothing else
 * of rpc/ is in it. Loop thread. */

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "base/err.h"

#include "rpc/http.h"
#include "rpc/json_write.h"
#include "rpc/limits.h"

struct rpc;
struct rpc_exchange;
struct rpc_sub;
struct rpc_ws;

enum rpc_conn_mode {
    RPC_CONN_HEAD = 1, /* HTTP: a head is due */
    RPC_CONN_BODY,     /* HTTP: the body of `head` is due */
    RPC_CONN_WEBSOCKET,
    RPC_CONN_ENDING, /* input is thrown away; closes once the output is out */
};

struct rpc_conn {
    uv_tcp_t tcp; /* first */
    uv_write_t write;
    uv_shutdown_t shutdown;
    struct rpc *rpc;
    struct rpc_conn *prev, *next;
    struct rpc_address address;
    bool metrics_only; /* came in on the metrics listener */
    bool closing;
    bool reading;
    bool advancing;
    bool eof;  /* the client sends nothing more */
    bool shut; /* the write side is, or the last write has failed */
    enum rpc_conn_mode mode;

    struct rpc_json in; /* a buffer, not JSON */
    uint32_t searched;  /* bytes of `in` without the end of a head */
    struct rpc_http_head head;
    uint64_t request_ms; /* when the first byte of an incomplete request came; 0: none */
    uint64_t active_ms;  /* when a byte last moved */
    bool pinged;

    struct rpc_exchange *first, *last; /* under way, in the order of their requests */
    uint32_t exchange_count;

    struct rpc_json out;
    struct rpc_json flying; /* with the kernel */
    bool writing;
    size_t queue_seen; /* bytes of `flying` not taken when last looked at */
    uint64_t moved_ms; /* when that last changed */

    struct rpc_ws *ws;
    struct rpc_sub *subs; /* of the hub */
    uint32_t sub_count;
    bool lagging; /* some of them have left something out */
};

/* rpc__conn_accept takes a connection off the listener. False: there is no
 * memory for it, and it stays there; the listener gives no other before. */
NV_MUST_USE bool rpc__conn_accept(struct rpc *rpc, uv_stream_t *listener, bool metrics_only);

/* rpc__conn_send appends output; rpc__conn_flush starts to write it. */
void rpc__conn_send(struct rpc_conn *conn, const void *bytes, uint32_t size);
void rpc__conn_flush(struct rpc_conn *conn);

/* rpc__conn_pending returns the bytes that wait to be read by the client. */
size_t rpc__conn_pending(const struct rpc_conn *conn);

/* rpc__conn_full returns whether so much is under way that no further request
 * is taken. */
bool rpc__conn_full(const struct rpc_conn *conn);

/* rpc__conn_consume drops the first `size` bytes of the input. */
void rpc__conn_consume(struct rpc_conn *conn, uint32_t size);

/* rpc__conn_queue and rpc__conn_unqueue keep the list of exchanges. */
void rpc__conn_queue(struct rpc_conn *conn, struct rpc_exchange *exchange);
void rpc__conn_unqueue(struct rpc_conn *conn, struct rpc_exchange *exchange);

/* rpc__conn_pace stops reading while too much is under way, and goes on
 * afterwards. */
void rpc__conn_pace(struct rpc_conn *conn);

/* rpc__conn_end takes no further input and closes once everything is answered
 * and written. */
void rpc__conn_end(struct rpc_conn *conn);

/* rpc__conn_close closes now. The connection lives until the loop has run. */
void rpc__conn_close(struct rpc_conn *conn);

/* rpc__conn_sweep looks at the deadlines. */
void rpc__conn_sweep(struct rpc_conn *conn, uint64_t now_ms);

#endif /* NV_RPC_CONN_H */
