#ifndef NV_RPC_METHODS_H
#define NV_RPC_METHODS_H

/* methods.h - the functions of methods.def, one file a namespace, and the table
 * of them, which rpc.c gives to a server. */

#include <stdint.h>

struct rpc_call;
struct rpc_method;

#define XX(name, function, where, weight, dev, params) void function(struct rpc_call *call);
#include "rpc/methods.def"
#undef XX

/* rpc__methods returns the table of all methods. */
const struct rpc_method *rpc__methods(uint32_t *count);

#endif /* NV_RPC_METHODS_H */
