#ifndef NV_RPC_SOCKET_H
#define NV_RPC_SOCKET_H

/* socket.h - a blocking TCP connection with deadlines, for the client. */

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define RPC_HOST_CAP 256u

struct rpc_socket {
    char host[RPC_HOST_CAP];
    char port[8];
    int fd; /* -1: not connected */
};

/* rpc__socket_init reads a URL ("http://host:port", "ws://...", "host:port",
 * IPv6 in brackets, a trailing slash). NV_ERR_CONFIG when it is none. */
NV_MUST_USE enum nv_err rpc__socket_init(struct rpc_socket *socket, const char *url);

/* rpc__socket_now returns a clock in milliseconds that does not go back. */
uint64_t rpc__socket_now(void);

/* The following fail with NV_ERR_TIMEOUT at the deadline, and with NV_ERR_CLOSED
 * when the other side is not there (any more). */
NV_MUST_USE enum nv_err rpc__socket_connect(struct rpc_socket *socket, uint64_t deadline_ms);
NV_MUST_USE enum nv_err
rpc__socket_send(struct rpc_socket *socket, struct nv_view bytes, uint64_t deadline_ms);
/* rpc__socket_recv reads at least one byte. */
NV_MUST_USE enum nv_err rpc__socket_recv(
    struct rpc_socket *socket, uint8_t *bytes, uint32_t cap, uint32_t *size, uint64_t deadline_ms);
void rpc__socket_close(struct rpc_socket *socket);

#endif /* NV_RPC_SOCKET_H */
