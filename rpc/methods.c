#include "rpc/methods.h"

#include "rpc/method.h"
#include "rpc/metrics.h"

static const struct rpc_method METHODS[] = {
#define XX(name, function, where, weight, dev, params) {name, function, where, dev, weight, params},
#include "rpc/methods.def"
#undef XX
};

#define METHOD_COUNT (sizeof METHODS / sizeof METHODS[0])

_Static_assert(METHOD_COUNT <= RPC_METHODS_MAX, "each method has a counter");

const struct rpc_method *rpc__methods(uint32_t *count)
{
    *count = METHOD_COUNT;
    return METHODS;
}
