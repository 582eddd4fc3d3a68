#ifndef NV_RPC_STATUS_H
#define NV_RPC_STATUS_H

/* status.h - how the node is, for node_status, GET /status and GET /readyz.
 * Loop thread. */

#include <stdbool.h>

#include "rpc/port.h"

struct rpc;
struct rpc_json;

/* rpc__status_write writes the members of node_status. */
void rpc__status_write(struct rpc *rpc, struct rpc_json *json);

/* rpc__status_ready returns whether the node can serve; if not, `reason` says
 * why. */
bool rpc__status_ready(struct rpc *rpc, char reason[RPC_NAME_CAP]);

#endif /* NV_RPC_STATUS_H */
