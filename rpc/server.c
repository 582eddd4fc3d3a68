/* server.c - the end of a server: when nothing holds it, and what it holds. */

#include "rpc/server.h"

#include "base/heap.h"

#include "rpc/net.h"
#include "rpc/recent.h"
#include "rpc/subscribe.h"

void rpc__server_free(struct rpc *rpc)
{
    for (uint32_t i = 0; i < rpc->host_count; i++) {
        nv_heap_free(rpc->hosts[i]);
    }
    for (uint32_t i = 0; i < rpc->origin_count; i++) {
        nv_heap_free(rpc->origins[i]);
    }
    rpc__hub_free(rpc->hub);
    rpc__recent_free(rpc->recent);
    rpc__catalogue_deinit(&rpc->catalogue);
    nv_heap_free(rpc->net);
    nv_heap_free(rpc);
}

void rpc__close_step(struct rpc *rpc)
{
    struct rpc_net *net = rpc->net;
    if (!rpc->closing || net->handles > 0 || rpc->conn_count > 0 || rpc->borrowed > 0) {
        return;
    }
    void (*closed)(void *ctx) = net->closed;
    void *ctx = net->closed_ctx;
    rpc__server_free(rpc);
    if (closed != NULL) {
        closed(ctx);
    }
}
