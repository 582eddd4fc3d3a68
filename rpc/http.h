#ifndef NV_RPC_HTTP_H
#define NV_RPC_HTTP_H

/* http.h - HTTP/1.1 as far as the server speaks it (docs/spec/rpc.md section
 * 1): a head is collected whole, held against the rules that the parser does
 * not enforce, and then parsed.
 *
 * rpc__http_head is a plain function of bytes; the rest works on a connection.
 * Loop thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct rpc_conn;
struct rpc_exchange;

#define RPC_HTTP_HEAD_MAX   16384u
#define RPC_HTTP_FIELDS_MAX 64u
#define RPC_HTTP_PIPELINE   16u

enum rpc_http_method { RPC_HTTP_GET = 1, RPC_HTTP_POST, RPC_HTTP_OPTIONS, RPC_HTTP_OTHER };

/* What a head says. Texts that are too long for their place are refused. */
struct rpc_http_head {
    enum rpc_http_method method;
    char path[128]; /* without the query */
    char host[256];
    char origin[256];
    char websocket_key[64];
    uint32_t content_length;
    bool has_host;
    bool has_origin;
    bool has_length;
    bool keep_alive;
    bool expects_continue;
    bool upgrade; /* asks for a WebSocket */
    bool websocket_version_right;
};

/* A head that is refused: the error, and a reason for the client. */
struct rpc_http_fault {
    int32_t code; /* of errors.def; 0: none */
    const char *reason;
};

/* rpc__http_head_size returns how many of the bytes are a head with its empty
 * line, 0 when the end is not there. `from` bytes have been searched before. */
uint32_t rpc__http_head_size(struct nv_view bytes, uint32_t from);

/* rpc__http_head reads a whole head. Hostile input. */
struct rpc_http_fault rpc__http_head(struct rpc_http_head *head, struct nv_view bytes);

/* rpc__http_advance takes the requests that are complete in the connection's
 * input. */
void rpc__http_advance(struct rpc_conn *conn);

/* rpc__http_refuse answers with an error and closes. */
void rpc__http_refuse(struct rpc_conn *conn, int32_t code, const char *reason);

/* rpc__http_route serves one request (routes.c). False: it asks for a WebSocket,
 * and may have one. */
NV_MUST_USE bool
rpc__http_route(struct rpc_conn *conn, struct rpc_exchange *exchange, struct nv_view body);

#endif /* NV_RPC_HTTP_H */
