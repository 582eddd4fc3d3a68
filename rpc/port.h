#ifndef NV_RPC_PORT_H
#define NV_RPC_PORT_H

/* port.h - what the RPC server asks of the node that it speaks for.
 *
 * The server owns this port and the node implements it: the server knows
 * HTTP, WebSocket and JSON, and nothing of threads, mempools or journals.
 *
 * Every function is called on the loop thread and must not block. What may
 * take longer is asynchronous: the node answers through one of the rpc_*
 * functions of rpc.h, on the loop thread, before or after the port function
 * has returned, exactly once.
 *
 *     loop thread            executor thread
 *     run_on_state(job) ---> job->run(job, state)     reads rows, makes proofs
 *     rpc_job_done(job) <--- (posted back by the node)
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"
#include "base/row.h"

struct vm;
struct rpc_job;

#define RPC_NAME_CAP       64u /* a short text with its terminating zero */
#define RPC_VALIDATORS_MAX 256u
#define RPC_PEERS_MAX      320u

/* A block that has been executed, as every read answer may name it. */
struct rpc_head {
    uint64_t height;
    uint64_t time_ms; /* the header's time, UTC */
    struct nv_hash block_hash;
    struct nv_hash state_root; /* the root after this block */
};

/* The rows of one height, as storage's st_get, st_rows and st_prove of that
 * height. Values are borrowed until the job's run returns. */
struct rpc_state_ops {
    /* get reads one row, or NV_ERR_NOT_FOUND. */
    enum nv_err (*get)(void *ctx, struct nv_view *value, const struct nv_row_key *key);
    /* rows reads up to `rows_max` rows of a range in order of keys. */
    enum nv_err (*rows)(void *ctx,
                        struct nv_row *rows,
                        uint32_t *count,
                        const struct nv_row_range *range,
                        uint32_t rows_max);
    /* prove writes a proof that covers the ranges, which ascend and do not
     * overlap. NV_ERR_TOO_LARGE when it does not fit. */
    enum nv_err (*prove)(void *ctx,
                         struct nv_writer *proof,
                         const struct nv_row_range *ranges,
                         uint32_t range_count);
};

/* What a job sees on the executor thread. */
struct rpc_state {
    const struct rpc_state_ops *ops;
    void *ctx;
    struct rpc_head head;       /* the height that the rows are of */
    const struct vm *vm;        /* the VM at the newest height; NULL for a proved job */
    struct nv_view header;      /* proved job: the final header that names head.state_root */
    struct nv_view certificate; /* proved job: that header's finality certificate */
};

/* One read of the state. The server owns the memory; the node borrows it from
 * run_on_state until rpc_job_done. `next` is the node's, to queue it with. */
struct rpc_job {
    /* run is called once, on the thread that owns the state, unless the node
     * sets `err` (it is closing, or has no state yet). */
    void (*run)(struct rpc_job *job, const struct rpc_state *state);
    bool proved; /* wants the newest height that a final header names, not the newest */
    enum nv_err err;
    struct rpc_job *next;
};

/* How far the node is. */
enum rpc_stage {
    RPC_STAGE_STARTING = 1, /* loading rows, replaying the journal */
    RPC_STAGE_SYNCING,      /* fetching blocks that others have finalised */
    RPC_STAGE_READY,        /* follows the head */
    RPC_STAGE_HALTED,       /* no quorum: the head does not move */
    RPC_STAGE_STOPPING,
};

struct rpc_status {
    enum rpc_stage stage;
    char note[RPC_NAME_CAP];    /* why the stage is what it is; "" when there is nothing to say */
    char version[RPC_NAME_CAP]; /* of the program */
    char name[RPC_NAME_CAP];    /* the node's own, from its configuration */
    struct nv_hash chain_id;    /* the genesis hash */
    struct nv_pubkey node_key;
    bool devnet;
    int32_t validator; /* own index in the validator set, -1 for a follower */
    uint64_t epoch;
    uint64_t view;
    uint64_t finalized_height;
    uint64_t target_height; /* the highest finalised height heard of */
    struct rpc_head executed;
    uint32_t progress_permille; /* of the stage */
    uint32_t blocks_per_second; /* recent rate of the stage */
    uint64_t rows, rows_of;     /* of a snapshot being fetched; of 0: none is */
    uint32_t rows_per_second;
    int64_t eta_ms; /* -1 when unknown; note says why */
    uint32_t peers;
    uint32_t mempool_count;
    uint64_t mempool_bytes;
    uint64_t disk_used_bytes;
    uint64_t disk_free_bytes;
    uint64_t server_time_ms; /* the node's own clock, UTC */
};

struct rpc_peer {
    struct nv_pubkey key;
    char address[RPC_NAME_CAP];
    bool outbound;
    int32_t validator; /* -1 when it is none */
    uint64_t finalized_height;
    uint64_t connected_ms;
    uint64_t bytes_in;
    uint64_t bytes_out;
};

struct rpc_validator {
    struct nv_pubkey key;
    char name[RPC_NAME_CAP];
    uint64_t power;
    uint64_t last_seen_view;
};

/* A finalised block of the journal. Views are borrowed until the next call of
 * the port; a follower that pruned the body leaves it empty. */
struct rpc_block {
    struct nv_hash hash;
    struct nv_view header; /* canonical bytes, docs/spec/consensus.md */
    struct nv_view body;
    struct nv_view receipts;    /* a transaction each: size u32, receipt; empty when pruned */
    struct nv_view certificate; /* finality certificate of this block or of its nearest
                                   descendant that has one; empty when none is held */
    uint32_t tx_count;
};

/* The end of an epoch. Views are borrowed until the next call of the port. */
struct rpc_epoch {
    struct nv_hash hash;            /* of the block that closed it */
    struct nv_view header;          /* of that block */
    struct nv_view certificate;     /* a finalization of that very block */
    struct nv_view next_validators; /* bytes of the set that the header names */
};

enum rpc_tx_state {
    RPC_TX_NONE = 0,
    RPC_TX_PENDING, /* in the mempool or in a block that is not yet executed */
    RPC_TX_FINAL,
};

/* A transaction the node knows. Views are borrowed until the next call of the port. */
struct rpc_tx {
    enum rpc_tx_state state;
    uint64_t height; /* final only */
    uint32_t index;  /* final only: its place in the block */
    struct nv_view bytes;
    struct nv_view receipt; /* final only, docs/spec/receipts.md; empty when pruned */
    /* Final only: the receipts of the whole block, each size u32 | bytes, for the
     * path of this one; empty when they are not at hand (yet). */
    struct nv_view receipts;
    uint32_t receipt_count;
};

/* One sample of a metric for Prometheus. Texts live for ever. */
struct rpc_metric {
    const char *name; /* "novate_mempool_transactions" */
    const char *help;
    const char *labels; /* "lane=\"0\"" or "" */
    bool counter;       /* else a gauge */
    double value;
};

/* One page of all rows of one checkpoint. The server owns the memory; the node
 * borrows it from port->rows until rpc_rows_done. */
struct rpc_rows {
    uint64_t pin;   /* in: 0 pins the newest checkpoint; out: its name for the next page */
    bool has_after; /* in: go on after the key `after` */
    struct nv_row_key after;
    uint32_t max_rows;    /* in */
    uint8_t *bytes;       /* in: where rows go, each key 32 | size u16 | value */
    uint32_t cap;         /* in */
    uint32_t size;        /* out */
    uint32_t count;       /* out */
    bool end;             /* out: no row follows; the node may drop the pin */
    struct rpc_head head; /* out: the checkpoint's */
    struct nv_view
        header; /* out: final header naming that root, borrowed until done; may be empty */
    struct nv_view certificate;          /* out */
    enum nv_err err;                     /* out: NV_ERR_NOT_FOUND when the pin is no longer held */
    void (*done)(struct rpc_rows *page); /* the server's, as is the next */
    void *server;
    struct rpc_rows *next; /* the node's */
};

/* The port. `ctx` is handed back to each function. Pointers marked "may be
 * NULL" make the methods that need them answer `unsupported`. */
struct rpc_port {
    void *ctx;

    /* run_on_state queues `job` for the thread that owns the state. After
     * NV_OK the node calls rpc_job_done once; NV_ERR_BUSY: the queue is full
     * and nothing follows. */
    enum nv_err (*run_on_state)(void *ctx, struct rpc_job *job);

    /* submit hands in the bytes of a transaction, borrowed for the call. The
     * node calls rpc_submitted(ticket) once it is checked. */
    void (*submit)(void *ctx, struct nv_view tx, uint64_t ticket);

    void (*status)(void *ctx, struct rpc_status *out);
    uint32_t (*peers)(void *ctx, struct rpc_peer *out, uint32_t cap);
    uint32_t (*validators)(void *ctx, struct rpc_validator *out, uint32_t cap);

    /* block finds the finalised block at `height`: NV_ERR_NOT_FOUND when it is
     * pruned or not final yet. */
    enum nv_err (*block)(void *ctx, uint64_t height, struct rpc_block *out);
    enum nv_err (*tx)(void *ctx, const struct nv_hash *hash, struct rpc_tx *out);
    /* epoch finds how an epoch ended: NV_ERR_NOT_FOUND when it has not, or when
     * that is not held. May be NULL. */
    enum nv_err (*epoch)(void *ctx, uint64_t epoch, struct rpc_epoch *out);

    /* genesis is the text of the genesis file, as hashed; it lives as long as the node. */
    struct nv_view (*genesis)(void *ctx);

    /* rows starts filling one page; the node calls rpc_rows_done once. May be NULL. */
    void (*rows)(void *ctx, struct rpc_rows *page);

    /* metrics writes the node's samples and returns how many. May be NULL. */
    uint32_t (*metrics)(void *ctx, struct rpc_metric *out, uint32_t cap);

    /* dev_faucet makes and submits a transaction that credits `micro` to an
     * account; answered as submit is. May be NULL; called on a devnet only. */
    void (*dev_faucet)(void *ctx, const struct nv_address *to, int64_t micro, uint64_t ticket);
    /* dev_set_price sets the price that this node's reporter reports for a
     * feed, in micro. May be NULL; called on a devnet only. */
    enum nv_err (*dev_set_price)(void *ctx, const char *feed, int64_t micro);
};

#endif /* NV_RPC_PORT_H */
