#ifndef NV_RPC_MARGIN_H
#define NV_RPC_MARGIN_H

/* margin.h - margin as the VM computes it, in JSON. Executor thread. */

#include <stdint.h>

struct rpc_call;

/* rpc__margin_write writes the members initial_margin, maintenance_margin and
 * health (equity over maintenance, as a decimal) of an account; null where the
 * VM is not at the height that is read, as for a proved answer. */
void rpc__margin_write(struct rpc_call *call, uint64_t account);

/* rpc__stage_name names a stage of protection. */
const char *rpc__stage_name(uint8_t stage);

#endif /* NV_RPC_MARGIN_H */
