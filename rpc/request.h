#ifndef NV_RPC_REQUEST_H
#define NV_RPC_REQUEST_H

/* request.h - a JSON-RPC request from the client's side. */

#include <stdint.h>

#include "rpc/json_write.h"

struct json_t;

/* rpc__request_write writes one request; `params` may be NULL. */
void rpc__request_write(struct rpc_json *out,
                        uint64_t id,
                        const char *method,
                        const struct json_t *params);

#endif /* NV_RPC_REQUEST_H */
