#ifndef NV_RPC_BLOCK_H
#define NV_RPC_BLOCK_H

/* block.h - blocks of the journal as JSON. Loop thread. */

#include "rpc/json_write.h"
#include "rpc/port.h"

struct rpc;

/* rpc__block_write writes the members of a block's header. */
void rpc__block_write(struct rpc_json *json, const struct rpc_block *block);

/* rpc__block_write_transactions writes the member `transactions`, null when the
 * body is not held. */
void rpc__block_write_transactions(struct rpc_json *json,
                                   struct rpc *rpc,
                                   const struct rpc_block *block);

#endif /* NV_RPC_BLOCK_H */
