#ifndef NV_NODE_STORE_STORE_H
#define NV_NODE_STORE_STORE_H

/* store.h - what a node keeps and in which order: the replica's batches, a
 * record of what each block has yielded, checkpoints of the state.
 *
 *     the replica's records --> a batch --append--> durable --> the replica goes on
 *     a block's result ----> EXECUTED, with the next batch or in one of its own
 *     now and then ---freeze--> overlay --(EXECUTED of its height is durable)-->
 *                                                   write --> thaw
 *     the journal's oldest segments --> dropped, when all in them is old enough
 *
 * It decides and does nothing itself: orders go out through a port, which the
 * daemon performs on threads and the simulator on a disk that fails.  The way
 * back at a start is node/store/start.h.
 *
 * The loop's thread.  Reads of the fields are everybody's, writes are this
 * file's. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#include "node/execution/result.h"
#include "node/journal/blocks.h"
#include "node/journal/segments.h"
#include "node/journal/thread.h"
#include "node/mail/mail.h"
#include "node/replica/replica.h"
#include "storage/storage.h"

struct node_chain;

struct node_store_port {
    void *ctx;
    /* Make a batch durable; node_store_back follows. */
    void (*append)(void *ctx, struct node_batch *batch);
    /* Ask the owner of the machine for its overlay; node_store_frozen follows. */
    void (*freeze)(void *ctx);
    /* Write a checkpoint; node_store_written follows. */
    void (*write)(void *ctx, struct node_checkpoint *checkpoint);
    /* Give the overlay back to the machine. */
    void (*thaw)(void *ctx);
};

struct node_store {
    struct node_store_port port;
    struct node_blocks *blocks; /* borrowed */
    struct replica *replica;    /* borrowed */
    uint32_t batch_max;

    struct node_batch batch;   /* the replica's records */
    struct nv_view batch_rest; /* of the replica's batch: not appended yet */
    bool batch_busy;
    uint64_t batch_at_ns; /* of the last one */

    struct node_batch own; /* EXECUTED records that no batch of the replica took along */
    bool own_busy;
    struct node_result *first_result; /* without a record yet, oldest first */
    struct node_result *last_result;
    uint64_t results_since_ns; /* since when the first one waits */

    struct node_checkpoint *checkpoint; /* frozen, waits for its places or is written */
    bool checkpoint_writing;
    bool freeze_asked;
    uint64_t checkpoint_height; /* of the database */
    uint64_t checkpoint_at_ns;  /* of the last one's begin */

    uint64_t ends;         /* epochs up to this one have their ends in the database, ... */
    uint64_t ends_writing; /* ... and up to this one in the checkpoint under way */

    uint64_t base_height; /* of the newest snapshot taken over; 0: none */
    struct nv_hash base_root;

    struct node_segments segments; /* of the journal */
    uint64_t prune_at_ns;          /* of the last look */
    uint64_t pruned_height;        /* what is up to here is gone; ... */
    uint64_t forgot_height;        /* ... the database has forgotten it up to here */
};

/* node_store_open reserves memory for batches of up to `batch_max` bytes; the
 * port, blocks and replica are set before the first use.  NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err node_store_open(struct node_store *store, uint32_t batch_max);
/* node_store_close frees what waits, and the memory. */
void node_store_close(struct node_store *store);

/* node_store_batch takes the records of REPLICA_JOURNAL.  Contract: the last
 * ones are durable. */
void node_store_batch(struct node_store *store, uint64_t now_ns, struct nv_view records);

/* node_store_ready returns whether the replica may be asked for its next
 * operation: while a part of its batch waits, the bytes are its own. */
bool node_store_ready(const struct node_store *store);

/* node_store_back takes a batch that is back; what failed is the end: the
 * node stops.  NV_ERR_NO_MEMORY: the index of blocks is full. */
NV_MUST_USE enum nv_err
node_store_back(struct node_store *store, uint64_t now_ns, struct node_batch *batch);

/* node_store_result takes over what a block has yielded. */
void node_store_result(struct node_store *store, uint64_t now_ns, struct node_result *result);

/* node_store_frozen takes the overlay asked for, or one that came unasked. */
void node_store_frozen(struct node_store *store,
                       uint64_t now_ns,
                       struct node_checkpoint *checkpoint);

/* node_store_written takes a checkpoint that is back; what failed is the end. */
NV_MUST_USE enum nv_err
node_store_written(struct node_store *store, const struct node_checkpoint *checkpoint);

/* What the journal may lose, and how; prune.c. */
struct node_store_keep {
    uint64_t blocks; /* below the checkpoint; 0: all, unless ... */
    uint64_t bytes;  /* ... the journal is larger than this; 0: any size */
    uint32_t segment_size;
    const struct node_chain *chain;
};

/* Now and then. */
struct node_store_beat {
    uint64_t now_ns;
    uint64_t checkpoint_every_ns;
    uint64_t head_height; /* executed */
    bool stopping;        /* write what can be written at once */
    struct node_store_keep keep;
};
void node_store_beat(struct node_store *store, const struct node_store_beat *beat);

/* node_store_quiet returns whether nothing is under way. */
bool node_store_quiet(const struct node_store *store);

/* For start.c and prune.c. */
/* node_store__note takes a record that is in the journal into what is known of it. */
NV_MUST_USE enum nv_err node_store__note(struct node_store *store, const struct st_record *record);
/* node_store__index adds to an overlay where its blocks are, and the ends of epochs
 * that the database has not; node_store__indexed says that it is written. */
void node_store__index(struct node_store *store, struct st_overlay *overlay);
void node_store__indexed(struct node_store *store, uint64_t height);
NV_MUST_USE bool
node_store__add(struct node_store *store, struct node_batch *batch, struct node_result *result);
void node_store__prune(struct node_store *store, const struct node_store_beat *beat);
void node_store__pruned(struct node_store *store, struct node_batch *batch);

#endif /* NV_NODE_STORE_STORE_H */
