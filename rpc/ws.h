#ifndef NV_RPC_WS_H
#define NV_RPC_WS_H

/* ws.h - a connection that has become a WebSocket: frames in, messages to
 * JSON-RPC, answers and notifications out (docs/spec/rpc.md section 6). The
 * framing is wslay's. Loop thread. */

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct rpc_conn;

/* rpc__ws_open turns the connection into a WebSocket: the answer to the
 * handshake is in its output afterwards. NV_ERR_MALFORMED: the key is no
 * key. */
NV_MUST_USE enum nv_err rpc__ws_open(struct rpc_conn *conn);

/* rpc__ws_free frees the WebSocket of a connection that has closed. */
void rpc__ws_free(struct rpc_conn *conn);

/* rpc__ws_advance takes the frames in the connection's input. */
void rpc__ws_advance(struct rpc_conn *conn);

/* rpc__ws_send queues one text message; rpc__conn_flush sends it on its way. */
void rpc__ws_send(struct rpc_conn *conn, struct nv_view text);

void rpc__ws_ping(struct rpc_conn *conn);

#endif /* NV_RPC_WS_H */
