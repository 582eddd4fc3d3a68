#ifndef NV_RPC_RPC_H
#define NV_RPC_RPC_H

/* rpc.h - the JSON-RPC server: HTTP and WebSocket on one port, metrics on
 * another, all of it on the caller's libuv loop.
 *
 * The node opens one server, gives it the port of port.h and then tells it
 * what happens: each executed block (rpc_publish), answers to what the server
 * asked (rpc_submitted, rpc_job_done, rpc_rows_done). The server does the
 * rest: limits, parsing, dispatch, waiting, subscriptions, metrics.
 *
 * Threads: every function here is called on the loop thread. Nothing blocks.
 * Memory: bounded by struct rpc_limits; a slow or hostile client costs at most
 * its connection's share.
 *
 * Reading order inside: limits.h, json_write.h, call.h, exchange.h, methods.def,
 * http.h, ws.h, subscribe.h. Rules: docs/spec/rpc.md. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"

#include "rpc/port.h"

struct uv_loop_s;
struct rpc;

/* What a client may take. Zero in a field means its default. */
struct rpc_limits {
    uint32_t connections;             /* 256 */
    uint32_t connections_per_address; /* 64 */
    uint32_t body_bytes;              /* 1 MiB: one request or batch */
    uint32_t answer_bytes;            /* 10 MB: one answer, a batch's included */
    uint32_t output_bytes;            /* 16 MiB: waiting to be read, per connection */
    uint32_t batch_items;             /* 100 */
    uint32_t in_flight;               /* 128 items per connection under way */
    uint32_t subscriptions;           /* 200 per connection */
    uint32_t calls_per_second;        /* 2000 per address */
    uint32_t calls_burst;             /* 4000 per address */
    uint32_t idle_ms;                 /* 60000: a connection without traffic is closed */
    uint32_t request_ms;              /* 10000: a request must be complete by then */
    uint32_t resume_blocks;           /* 256 blocks of events are kept for resume */
};

#define RPC_HOSTS_MAX 16u

struct rpc_config {
    struct uv_loop_s *loop; /* borrowed until rpc_close's callback */
    const char *listen;     /* "127.0.0.1:27657"; NULL means that; port 0 picks one */
    const char *metrics;    /* "127.0.0.1:27660"; NULL opens none */
    /* Host names answered on a loopback listener besides localhost, 127.0.0.1 and [::1];
     * copied. A listener that is not on loopback answers any Host unless this is set. */
    const char *hosts[RPC_HOSTS_MAX];
    uint32_t host_count;
    /* Origins other than the server's own that a browser may call from; copied. */
    const char *origins[RPC_HOSTS_MAX];
    uint32_t origin_count;
    struct rpc_limits limits;
    bool devnet; /* dev_* methods exist */
};

/* rpc_open starts to listen. `*out` lives until rpc_close's callback has been
 * called; config is copied, `port` is copied and its ctx borrowed as long.
 * NV_ERR_CONFIG: an address that cannot be read; NV_ERR_BUSY: address in use;
 * NV_ERR_IO; NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err
rpc_open(struct rpc **out, const struct rpc_config *config, const struct rpc_port *port);

/* rpc_listen_port and rpc_metrics_port return the TCP ports in use (0: none). */
uint16_t rpc_listen_port(const struct rpc *rpc);
uint16_t rpc_metrics_port(const struct rpc *rpc);

/* rpc_close stops listening, closes every connection and calls `closed` from
 * the loop once all handles are closed and every job and page that the node
 * borrowed has been given back. The server is freed just before; until then
 * the other functions may still be called. */
void rpc_close(struct rpc *rpc, void (*closed)(void *ctx), void *ctx);

/* rpc_job_done gives back a job taken by run_on_state. */
void rpc_job_done(struct rpc *rpc, struct rpc_job *job);

/* rpc_rows_done gives back a page. */
void rpc_rows_done(struct rpc *rpc, struct rpc_rows *page);

enum rpc_submit_outcome {
    RPC_SUBMIT_ACCEPTED = 1,
    RPC_SUBMIT_DUPLICATE, /* pending or executed already: the hash is the same */
    RPC_SUBMIT_REFUSED,
};

struct rpc_verdict {
    enum rpc_submit_outcome outcome;
    struct nv_hash tx_hash;  /* zero when the bytes could not be read that far */
    uint32_t reason;         /* refused: a code of vm/rejects.def or rpc/errors.def */
    uint32_t retry_after_ms; /* refused: 0 when trying again is of no use */
};

/* rpc_submitted answers port->submit or port->dev_faucet. */
void rpc_submitted(struct rpc *rpc, uint64_t ticket, const struct rpc_verdict *verdict);

/* rpc_dropped tells that a pending transaction has left the mempool without
 * being executed, for the reason given (a code as in rpc_verdict). */
void rpc_dropped(struct rpc *rpc, const struct nv_hash *tx_hash, uint32_t reason);

/* One transaction of an executed block, in block order. */
struct rpc_executed_tx {
    struct nv_hash hash;
    struct nv_view receipt; /* vm/receipt.h */
};

/* A block that was executed just now. All views are borrowed for the call. */
struct rpc_executed {
    struct rpc_head head;
    const struct nv_view *events; /* encoded (vm/event.h), in their order */
    uint32_t event_count;
    const struct nv_row *writes; /* what changed, keys ascending; NULL value: removed */
    uint32_t write_count;
    const struct rpc_executed_tx *txs;
    uint32_t tx_count;
};

/* rpc_publish hands on an executed block, in height order without gaps: its
 * events go to subscribers, transactions and heights waited for are answered.
 * The first may have any height: it is the head that the node starts from, with
 * or without contents, and before it reads are answered with node_syncing. */
void rpc_publish(struct rpc *rpc, const struct rpc_executed *block);

enum rpc_round_step {
    RPC_ROUND_ENTERED = 1,
    RPC_ROUND_PROPOSED,
    RPC_ROUND_NOTARISED,
    RPC_ROUND_NULLIFIED,
    RPC_ROUND_FINALISED,
};

/* A step of consensus as this node saw it, for the `consensus` channel. */
struct rpc_round {
    enum rpc_round_step step;
    uint64_t view;
    uint64_t height; /* 0 when the step has none */
    uint32_t leader; /* index in the validator set */
    uint64_t time_ms;
};

void rpc_publish_round(struct rpc *rpc, const struct rpc_round *round);

#endif /* NV_RPC_RPC_H */
