#ifndef NV_RPC_METHODS_H
#define NV_RPC_METHODS_H

/* methods.h - the functions of methods.def, one file a namespace. */

struct rpc_call;

#define XX(name, function, where, weight, dev, params) void function(struct rpc_call *call);
#include "rpc/methods.def"
#undef XX

#endif /* NV_RPC_METHODS_H */
