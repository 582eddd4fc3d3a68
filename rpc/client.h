#ifndef NV_RPC_CLIENT_H
#define NV_RPC_CLIENT_H

/* client.h - a small blocking JSON-RPC client over HTTP, for tools.
 *
 * One connection, kept alive between calls and opened anew when the node has
 * closed it.  A call either gives a result, or an error object that the node
 * sent, or says that the node could not be reached.
 *
 * Not for the daemon.  One thread a client. */

#include <stdint.h>

#include "base/err.h"

struct json_t; /* jansson's */
struct rpc_client;

/* rpc_client_open makes a client of the node at `url` ("http://host:port", or
 * "host:port"); it connects with the first call.  `timeout_ms` bounds each
 * call.  NV_ERR_CONFIG: the url cannot be read. */
NV_MUST_USE enum nv_err
rpc_client_open(struct rpc_client **out, const char *url, uint32_t timeout_ms);
void rpc_client_close(struct rpc_client *client);

/* rpc_client_call calls `method` with `params` (taken over; NULL for none).
 *
 * NV_OK: *result is the caller's.  NV_ERR_REFUSED: the node answered with an
 * error, see rpc_client_error.  NV_ERR_CLOSED: it cannot be reached or hung up.
 * NV_ERR_TIMEOUT.  NV_ERR_MALFORMED: what came is no JSON-RPC.  In the last
 * three cases it is unknown whether the call was carried out. */
NV_MUST_USE enum nv_err rpc_client_call(struct rpc_client *client,
                                        struct json_t **result,
                                        const char *method,
                                        struct json_t *params);

/* rpc_client_error returns the error object of the last refused call, borrowed
 * until the next call. */
const struct json_t *rpc_client_error(const struct rpc_client *client);

#endif /* NV_RPC_CLIENT_H */
