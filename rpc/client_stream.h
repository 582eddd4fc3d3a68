#ifndef NV_RPC_CLIENT_STREAM_H
#define NV_RPC_CLIENT_STREAM_H

/* client_stream.h - a stream of notifications over a WebSocket, for tools that
 * watch: the blocking companion of client.h.
 *
 *     rpc_stream_open(&stream, url, json_pack("{s:[s]}", "channels", "blocks"), 5000)
 *     while (rpc_stream_next(stream, &params, 1000) == NV_OK) ...
 *
 * Not for the daemon. One thread a stream. */

#include <stdint.h>

#include "base/err.h"

struct json_t; /* jansson's */
struct rpc_stream;

/* rpc_stream_new makes a stream of the node at `url` and does not connect yet.
 * NV_ERR_CONFIG: the url cannot be read; NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err rpc_stream_new(struct rpc_stream **out, const char *url);
void rpc_stream_close(struct rpc_stream *stream); /* NULL does nothing */

/* rpc_stream_subscribe connects and subscribes; `params`, which is taken over,
 * is what sub_subscribe takes. Once per stream. NV_ERR_REFUSED: the node
 * answered with an error, see rpc_stream_error. NV_ERR_CLOSED: it cannot be
 * reached or hung up. NV_ERR_TIMEOUT. NV_ERR_MALFORMED. */
NV_MUST_USE enum nv_err
rpc_stream_subscribe(struct rpc_stream *stream, struct json_t *params, uint32_t timeout_ms);

/* rpc_stream_error returns the error object of a refused subscription, borrowed
 * until the stream is closed. */
const struct json_t *rpc_stream_error(const struct rpc_stream *stream);

/* rpc_stream_next waits for the next notification and gives its `params`, which
 * the caller owns. NV_ERR_TIMEOUT: none came in `timeout_ms`; the stream goes
 * on. Any other error ends it. */
NV_MUST_USE enum nv_err
rpc_stream_next(struct rpc_stream *stream, struct json_t **params, uint32_t timeout_ms);

#endif /* NV_RPC_CLIENT_STREAM_H */
