#include "rpc/subscribe.h"

#include "base/heap.h"
struct rpc_hub {
    int x;
};
struct rpc_hub *rpc__hub_new(struct rpc *rpc)
{
    (void)rpc;
    return nv_heap_alloc(sizeof(struct rpc_hub));
}
void rpc__hub_free(struct rpc_hub *hub)
{
    nv_heap_free(hub);
}
void rpc__hub_leave(struct rpc_conn *conn)
{
    (void)conn;
}
void rpc__hub_drained(struct rpc_conn *conn)
{
    (void)conn;
}
