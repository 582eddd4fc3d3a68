#ifndef NV_RPC_METRICS_H
#define NV_RPC_METRICS_H

/* metrics.h - what the server counts, and all metrics as Prometheus text
 * (exposition format 0.0.4). Loop thread. */

#include <stdint.h>

struct rpc;
struct rpc_json;

#define RPC_METHODS_MAX 96u
#define RPC_ERRORS_MAX  64u

struct rpc_counters {
    uint64_t calls[RPC_METHODS_MAX];
    uint64_t errors[RPC_ERRORS_MAX]; /* by line of errors.def; the last: vm/rejects.def */
    uint64_t connections;
    uint64_t connections_refused;
    uint64_t requests;
    uint64_t requests_refused; /* HTTP refusals: 4xx before any call */
    uint64_t websockets;
    uint64_t messages_sent;
    uint64_t messages_conflated;
    uint64_t gaps;
    uint64_t slow_closed;
    uint64_t bytes_in;
    uint64_t bytes_out;
};

/* rpc__metrics_write writes the server's and the node's metrics. The writer is
 * used for its buffer: the text is not JSON. */
void rpc__metrics_write(struct rpc *rpc, struct rpc_json *text);

#endif /* NV_RPC_METRICS_H */
