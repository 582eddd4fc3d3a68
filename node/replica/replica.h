#ifndef NV_NODE_REPLICA_REPLICA_H
#define NV_NODE_REPLICA_REPLICA_H

/* replica.h - everything in a node that decides, without I/O: the consensus
 * engine, the mempool, block bodies, the replay window, catch-up.
 *
 *      messages, transactions, timer, links          journal batches, messages,
 *      job results, durable, executed      -->  replica  -->  jobs, blocks to execute, ...
 *
 * The daemon (node/runtime) and the simulator drive the same code: hand an
 * input in, then take operations out with replica_next until there is none.
 * Operations come in the only order that is safe: what depends on a record
 * comes after replica_durable for it.
 *
 * JOBS are pure functions on memory of their own (signature checks, decoding).
 * The shell runs replica_job_run on any thread and hands the job back with
 * replica_job_done on the replica's thread; the simulator runs them at once.
 *
 * EXECUTION.  A block given by REPLICA_EXECUTE, and the transactions it points
 * to, are lent until replica_executed for its height; blocks are executed in
 * the order given.
 *
 * FEES AND KEYS.  replica_wrote tells the rows that execution writes, so that whether
 * an account can pay for what a body holds of it, and who may sign for it, is known
 * here, at every height.
 *
 * RESTART.  replica_open; replica_recover for every journal record, oldest
 * first; replica_wrote with all rows of the state that the shell starts from;
 * replica_wrote and replica_replayed for each final block that the shell executes from its
 * journal, oldest first; replica_start.
 *
 * PEERS.  The shell names a link by an id of its own, with the key that the node at
 * its other end has proved; the replica knows whose that is (roster.h).  All inputs
 * and operations name links so, whatever validators there are.  REPLICA_EPOCH tells
 * with whom links are to be kept as validators: the members of the present and of the
 * last set.  It comes first of all after replica_start, with every epoch, and when
 * more node keys are known.
 *
 * THE NEXT SET.  With a height that was executed goes, now and then, the set that
 * the state after it would give the next epoch: whenever it may be another one
 * than before, and with the first height told; NULL in between.
 *
 * One thread, but for replica_job_run. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/row.h"

#include "consensus/consensus.h"
#include "node/replica/facts.h"
#include "node/replica/mempool.h"
#include "node/replica/set.h"
#include "vm/tx.h"

struct replica;
struct replica_job;

/* Beside the records of consensus/record.h (types below 16) the journal holds: */
#define REPLICA_RECORD_BODY 16u /* block hash 32 | body */

/* Where the two clocks stand. */
struct replica_time {
    uint64_t now_ns;  /* monotonic */
    uint64_t wall_ms; /* UTC */
};

/* A block from the journal; the views live until the next call of the port. */
struct replica_stored {
    struct nv_view block; /* as cs_block_put */
    struct nv_view final; /* as cs_certificate_put; empty unless the block has its own */
};

/* The port to the journal's blocks, implemented by the shell.  Quick reads. */
struct replica_store {
    void *ctx;
    enum nv_err (*by_height)(void *ctx, uint64_t height, struct replica_stored *out); /* final */
    enum nv_err (*by_hash)(void *ctx, const struct nv_hash *hash, struct replica_stored *out);
    enum nv_err (*body)(void *ctx, const struct nv_hash *block_hash, struct nv_view *out);
    /* the payload of the CS_RECORD_EPOCH by which an epoch ended */
    enum nv_err (*epoch)(void *ctx, uint64_t epoch, struct nv_view *out);
};

struct replica_config {
    struct cs_config consensus;        /* valset copied */
    const struct nv_pubkey *node_keys; /* of the genesis's validators, by index; copied */
    struct replica_store store;
    struct node_mempool_limits mempool;
    uint32_t window_max;   /* transactions of final blocks not yet expired */
    uint32_t accounts_max; /* of the chain; 0: neither fees nor keys are looked at */
    uint32_t sessions_max; /* of the chain */
};

/* Why a transaction was not taken. */
enum replica_refusal {
    REPLICA_TX_TAKEN = 0,
    REPLICA_TX_DUPLICATE, /* waiting or executed: not a failure */
    REPLICA_TX_MALFORMED,
    REPLICA_TX_SIGNATURE,
    REPLICA_TX_EXPIRED,
    REPLICA_TX_EXPIRY_FAR,
    REPLICA_TX_FULL,
    REPLICA_TX_ACCOUNT_FULL,
    REPLICA_TX_SESSION_FULL, /* no room for more of this session key */
    REPLICA_TX_NO_ACCOUNT,
    REPLICA_TX_UNPAID,      /* the account cannot pay the fee */
    REPLICA_TX_KEY_UNKNOWN, /* the key is not the account's, as far as is executed */
    REPLICA_TX_KEY_EXPIRED,
    REPLICA_TX_KEY_SCOPE, /* the key may not do all of it */
};

/* A final block, lent for execution. */
struct replica_block {
    struct cs_header header;
    struct nv_hash hash;
    struct nv_view final;      /* certificate bytes, of this block or a descendant */
    struct nv_hash final_hash; /* the block that `final` is of */
    struct nv_view body;
    const struct vm_tx *txs;
    uint32_t tx_count;
    struct vm_consensus facts; /* facts.h */
};

enum replica_op_kind {
    REPLICA_JOURNAL = 1, /* append as one batch and sync; then replica_durable */
    REPLICA_SEND,
    REPLICA_TIMER,   /* call replica_timer at this time; replaces the last */
    REPLICA_JOB,     /* run it anywhere; then replica_job_done */
    REPLICA_EXECUTE, /* then replica_executed */
    REPLICA_GOSSIP,  /* a good new transaction: pass it on */
    REPLICA_VERDICT, /* the answer to replica_submit with a ticket */
    REPLICA_DROPPED, /* a waiting transaction expired */
    REPLICA_BAN,     /* the peer broke the protocol */
    REPLICA_EPOCH,   /* who is to be linked as a validator */
    REPLICA_EVIDENCE,
    REPLICA_TRACE,
    REPLICA_HALT, /* stop the process with this code */
};

struct replica_op {
    enum replica_op_kind kind;
    union {
        struct nv_view journal; /* records: type u8 | size u32 | payload */
        struct {
            const uint32_t *links; /* to each of them that is up */
            uint32_t link_count;
            uint8_t type; /* enum cs_message_type */
            struct nv_view bytes;
        } send;
        uint64_t timer_ns;
        struct replica_job *job;
        const struct replica_block *block;
        struct {
            uint32_t from; /* link, or CS_NOBODY for a local one */
            struct nv_view bytes;
        } gossip;
        struct {
            uint64_t ticket;
            enum replica_refusal refusal;
            struct nv_hash hash; /* zero when malformed */
        } verdict;
        struct nv_hash dropped;
        uint32_t ban_link;
        struct {
            uint64_t number;
            uint32_t me; /* own index in the present set, or CS_NOBODY */
            const struct replica_set *present;
            const struct replica_set *last; /* count 0 in the first epoch */
        } epoch;
        struct {
            enum cs_offence offence;
            struct nv_pubkey key; /* whose votes they are */
            struct cs_vote vote[2];
        } evidence;
        struct {
            enum cs_trace_code code;
            uint64_t view;
            uint64_t a;
        } trace;
        struct {
            enum cs_halt code;
            uint64_t height;
            struct nv_view bytes;
        } halt;
    };
};

/* replica_open makes a replica; NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err replica_open(struct replica **out, const struct replica_config *config);

/* replica_close frees it.  All jobs and blocks must have come back. */
void replica_close(struct replica *r);

/* Restart, in this order. */
NV_MUST_USE enum nv_err replica_recover(struct replica *r, uint8_t type, struct nv_view payload);
/* What executing a height has given. */
struct replica_outcome {
    uint64_t height;
    struct nv_hash root;
    const struct replica_set *next; /* NULL: as before */
};

/* replica_checkpoint tells a height at or below the state that the shell starts
 * from, oldest first. */
void replica_checkpoint(struct replica *r, const struct replica_outcome *outcome);
/* replica_replayed tells a final block from the journal; `outcome` is NULL when it
 * was not executed now. */
NV_MUST_USE enum nv_err replica_replayed(struct replica *r,
                                         const struct replica_block *block,
                                         const struct replica_outcome *outcome);
void replica_start(struct replica *r, struct replica_time t);

/* Inputs. */
void replica_message(
    struct replica *r, struct replica_time t, uint32_t link, uint8_t type, struct nv_view bytes);
/* replica_submit takes a transaction (copied).  `link` CS_NOBODY: a local one,
 * answered by a VERDICT with `ticket`; else nobody waits. */
void replica_submit(struct replica *r, uint32_t link, uint64_t ticket, struct nv_view bytes);
void replica_timer(struct replica *r, struct replica_time t);
void replica_link(struct replica *r,
                  struct replica_time t,
                  uint32_t link,
                  const struct nv_pubkey *node_key,
                  bool up);
void replica_job_done(struct replica *r, struct replica_time t, struct replica_job *job);
void replica_durable(struct replica *r);
/* replica_wrote takes rows of the state after `height` (copied): what executing
 * the block has written, told before replica_executed. */
void replica_wrote(struct replica *r,
                   uint64_t height,
                   const struct nv_row *rows,
                   uint32_t row_count);
void replica_executed(struct replica *r,
                      struct replica_time t,
                      const struct replica_outcome *outcome);

/* replica_validators tells the node keys of a set that the state holds: those of
 * the set in force, at the start and when it has changed. */
void replica_validators(struct replica *r, struct replica_time t, const struct replica_set *set);

/* replica_flush asks for the records that wait for the next batch.  Call it when
 * there was none for a while: a node that does not vote makes none. */
void replica_flush(struct replica *r);

/* replica_job_run does the work of a job.  Pure; any thread. */
void replica_job_run(struct replica_job *job);

/* replica_job_weight tells about how many checks of a signature the job takes,
 * at least 1: what is light is sooner done than handed to another thread. */
uint32_t replica_job_weight(const struct replica_job *job);

/* replica_next writes the next operation; its pointers live until the next
 * call.  False when nothing can be done now. */
bool replica_next(struct replica *r, struct replica_op *op);

/* replica_pressed: the disk is behind; hold messages and timers back. */
bool replica_pressed(const struct replica *r);

struct cs_summary replica_summary(const struct replica *r);
uint32_t replica_leader(const struct replica *r, uint64_t view);
/* replica_present returns the set of the engine's epoch; it lives until the next
 * input. */
const struct replica_set *replica_present(const struct replica *r);
const struct node_mempool *replica_mempool(const struct replica *r);

#endif /* NV_NODE_REPLICA_REPLICA_H */
