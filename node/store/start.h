#ifndef NV_NODE_STORE_START_H
#define NV_NODE_STORE_START_H

/* start.h - from what the disk holds to the present (docs/spec/node.md).
 *
 *     the journal is open --node_start_chain--> it is of this chain
 *     an empty machine ----node_start_state---> the last checkpoint, or height 0
 *     index and replica ---node_start_replay--> the ends of epochs before a journal
 *                                               that is not whole; every record read again, the
 *                                               final blocks above the checkpoint
 *                                               executed
 *
 * The same for the daemon and the simulator: files and database come in as
 * their ports.  What is wrong is told in `fault`. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

#include "node/execution/machine.h"
#include "node/home/fault.h"
#include "node/home/genesis.h"
#include "node/store/store.h"
#include "storage/journal.h"
#include "storage/storage.h"

/* The journal's first record. */
struct node_chain {
    struct nv_hash chain_id;
    struct nv_hash genesis_root; /* state root of height 0 */
    struct nv_hash params_hash;
};

/* node_start_chain reads it, or a later one when the oldest segments are gone.
 * NV_ERR_NOT_FOUND: the journal has no record; NV_ERR_CORRUPT. */
NV_MUST_USE enum nv_err node_start_chain(struct st_journal *journal, struct node_chain *out);
/* node_start_chain_record makes a batch of that record. */
NV_MUST_USE enum nv_err
node_start_chain_record(const struct node_chain *chain, struct node_batch *batch);

/* What the guard asks of a journal. */
struct node_found {
    bool votes; /* it holds own votes */
    bool base;  /* a snapshot was taken over */
};

/* All borrowed. */
struct node_start {
    struct node_fault *fault;
    const char *data; /* folders, to be named in a fault */
    const char *journal_dir;
    const char *state_dir;
    const struct node_genesis *genesis;
    struct st_journal *journal;
    bool journal_new; /* without a record: the chain is founded */
    struct st_db *db;
    struct node_chain *chain; /* as the first record says; written when that is made */
    struct node_machine *machine;
    struct node_store *store;
    /* Whether the vote key may sign with this journal. */
    bool (*guard)(void *ctx, const struct node_found *found);
    void *guard_ctx;
};

/* node_start_found makes the state of height 0 and, in a new journal, notes which
 * chain it is of.  The store's index and replica are not needed. */
NV_MUST_USE bool node_start_found(const struct node_start *start);

/* A snapshot whose rows are in the database, and the ends of the epochs before. */
struct node_base {
    bool first;     /* the journal has nothing before it */
    uint64_t epoch; /* in which the state is */
    uint64_t height;
    struct nv_hash hash;
    struct nv_hash root;
    struct nv_view block; /* of that height, as cs_block_put */
    struct nv_view final; /* its finalization */
};

/* node_start_base writes into the journal that a snapshot was taken over; base.c.  The
 * store's index and replica, and the machine, are not needed. */
NV_MUST_USE enum nv_err
node_start_base(const struct node_start *start, const struct node_base *base);

/* node_start_state fills the empty machine. */
NV_MUST_USE bool node_start_state(const struct node_start *start);

/* node_start__begin tells the replica where a journal begins that has lost its
 * oldest segments; begin.c. */
NV_MUST_USE enum nv_err node_start__begin(const struct node_start *start);

/* node_start_replay brings the store's index and replica, and the machine, to
 * the present; its steps are in replay.h. */
NV_MUST_USE bool node_start_replay(const struct node_start *start);

#endif /* NV_NODE_STORE_START_H */
