#ifndef NV_RPC_MARGIN_H
#define NV_RPC_MARGIN_H

/* margin.h - margin as the VM computes it, in JSON. Executor thread. */

#include <stdint.h>

struct rpc_call;
struct rpc_json;
struct vm_explained;

/* rpc__margin_write writes the members initial_margin, maintenance_margin and
 * health (equity over maintenance, as a decimal) of an account; null where the
 * VM is not at the height that is read, as for a proved answer. */
void rpc__margin_write(struct rpc_call *call, uint64_t account);

/* rpc__health_write writes the member health of what the VM has explained. */
void rpc__health_write(struct rpc_json *out, const struct vm_explained *terms);

#endif /* NV_RPC_MARGIN_H */
