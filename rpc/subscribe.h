#ifndef NV_RPC_SUBSCRIBE_H
#define NV_RPC_SUBSCRIBE_H

/* subscribe.h - the hub: channels, who listens to them, and what they are told
 * (docs/spec/rpc.md section 6). Loop thread. */

#include <stdint.h>

#include "rpc/rpc.h"

struct rpc_conn;
struct rpc_hub;

/* rpc__hub_new returns an empty hub, or NULL: no memory. */
struct rpc_hub *rpc__hub_new(struct rpc *rpc);
void rpc__hub_free(struct rpc_hub *hub); /* NULL does nothing */

/* rpc__hub_publish tells an executed block. */
void rpc__hub_publish(struct rpc_hub *hub, const struct rpc_executed *block);

/* rpc__hub_round tells a step of consensus, rpc__hub_dropped a transaction that
 * will not be executed. */
void rpc__hub_round(struct rpc_hub *hub, const struct rpc_round *round);
void rpc__hub_dropped(struct rpc_hub *hub, const struct nv_hash *tx_hash, int32_t reason);

/* rpc__hub_answered is told that requests of the connection have been answered:
 * what they subscribed to begins. */
void rpc__hub_answered(struct rpc_conn *conn);

/* rpc__hub_drained is told that a connection's output has gone out: what was
 * left out for its slowness is told now. */
void rpc__hub_drained(struct rpc_conn *conn);

/* rpc__hub_leave ends all subscriptions of a connection. */
void rpc__hub_leave(struct rpc_conn *conn);

#endif /* NV_RPC_SUBSCRIBE_H */
