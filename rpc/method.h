#ifndef NV_RPC_METHOD_H
#define NV_RPC_METHOD_H

/* method.h - a method: where it runs, what it takes, and the function that
 * serves it. The table of all is methods.c; a server has it as `methods`, so
 * that calls need not know it. */

#include <stdbool.h>
#include <stdint.h>

struct rpc;
struct rpc_call;

enum rpc_where {
    RPC_ON_LOOP = 1,
    RPC_ON_STATE,
    RPC_ON_PROVED_STATE, /* as if the client had asked for a proof */
};

struct rpc_method {
    const char *name;
    void (*run)(struct rpc_call *call);
    enum rpc_where where;
    bool dev;
    uint32_t weight;
    const char *params; /* params.h */
};

/* rpc__method_find returns the method of a name, or NULL. */
const struct rpc_method *rpc__method_find(const struct rpc *rpc, const char *name);

/* rpc__method_nearest returns the name of the method that is spelt most alike. */
const char *rpc__method_nearest(const struct rpc *rpc, const char *name);

#endif /* NV_RPC_METHOD_H */
