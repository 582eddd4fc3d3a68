#ifndef NV_RPC_SERVER_H
#define NV_RPC_SERVER_H

/* server.h - what the parts of the server share. Private to rpc/. */

#include <stdbool.h>
#include <stdint.h>

#include "rpc/catalogue.h"
#include "rpc/limits.h"
#include "rpc/metrics.h"
#include "rpc/rpc.h"
#include "rpc/wait.h"

struct rpc_conn;
struct rpc_hub;
struct rpc_method;
struct rpc_net;
struct rpc_recent;

struct rpc {
    struct rpc_port port;
    struct rpc_limits limits;
    const struct rpc_method *methods; /* the table: methods.c */
    uint32_t method_count;
    struct rpc_net *net; /* sockets and timers: net.h */
    struct rpc_conn *conns;
    uint32_t conn_count;
    struct rpc_hub *hub;
    struct rpc_recent *recent;
    struct rpc_catalogue catalogue;
    struct rpc_waits waits;
    struct rpc_buckets buckets;
    struct rpc_counters counters;
    struct rpc_head head; /* of the newest published block */
    bool has_head;
    bool devnet;
    bool loopback; /* the listener is: Host is checked */
    bool closing;
    uint32_t borrowed; /* jobs and pages that the node has */
    uint64_t tickets;  /* given out so far */
    char *hosts[RPC_HOSTS_MAX];
    uint32_t host_count;
    char *origins[RPC_HOSTS_MAX];
    uint32_t origin_count;
};

/* A job with a way back. */
struct rpc_work {
    struct rpc_job job; /* first */
    void (*done)(struct rpc_work *work);
};

/* rpc__work_start hands `work` to the node; `run` is called on the thread that
 * owns the state, `done` on the loop, with job.err telling whether it ran. */
NV_MUST_USE enum nv_err rpc__work_start(struct rpc *rpc, struct rpc_work *work);

/* rpc__now returns the loop's clock in milliseconds. */
uint64_t rpc__now(const struct rpc *rpc);

/* rpc__close_step frees the server once nothing holds it any more; called
 * whenever something was given back. */
void rpc__close_step(struct rpc *rpc);

/* rpc__server_free frees a server, opened in part or in full, that has nothing
 * on the loop. */
void rpc__server_free(struct rpc *rpc);

#endif /* NV_RPC_SERVER_H */
