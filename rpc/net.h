#ifndef NV_RPC_NET_H
#define NV_RPC_NET_H

/* net.h - the server's sockets and timers on the loop. Private to the files that
 * open, read and close them: rpc.c, clock.c, server.c. Loop thread. */

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

struct rpc_listener {
    uv_tcp_t tcp; /* first */
    bool pending; /* a connection waits for memory */
};

/* A handle is closed by the loop, so it is freed only after the loop has said
 * so. */
struct rpc_net {
    uv_loop_t *loop;
    struct rpc_listener listener;
    struct rpc_listener metrics;
    uv_timer_t timer;
    uint32_t handles; /* open ones of the three */
    uint16_t port;
    uint16_t metrics_port;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

#endif /* NV_RPC_NET_H */
