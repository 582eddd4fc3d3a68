/* clock.c - the loop's clock. */

#include "rpc/net.h"
#include "rpc/server.h"

uint64_t rpc__now(const struct rpc *rpc)
{
    return uv_now(rpc->net->loop);
}
