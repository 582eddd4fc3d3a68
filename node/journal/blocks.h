#ifndef NV_NODE_JOURNAL_BLOCKS_H
#define NV_NODE_JOURNAL_BLOCKS_H

/* blocks.h - finds blocks, bodies, finalizations, receipts and the ends of epochs
 * in the journal.
 *
 * The journal is the block store; this is its index.
 *
 *     by hash     recent blocks, final or not       in memory
 *                 those below the last checkpoint   database: the block's hash stands
 *                                                   behind the hashes of its transactions
 *     by height   recent final blocks               in memory
 *                 those below the last checkpoint   database: height -> place of the
 *                                                   EXECUTED record, which names the rest
 *     by tx hash  since the last checkpoint         in memory; below it the database
 *     by epoch    recent ends of epochs             in memory
 *                 all of them                       database, bytes and all
 *
 * Every record is noted once it is in the journal: at start by the replay,
 * later when its batch has come back.  What a read returns is borrowed until
 * the next read; bytes from the disk are compared with their hashes.
 *
 * The loop's thread; the database is read beside the checkpointer. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"

#include "consensus/header.h"
#include "node/execution/result.h"
#include "node/replica/replica.h"
#include "rpc/port.h"
#include "storage/journal.h"
#include "storage/storage.h"

struct node_blocks;

struct node_blocks_options {
    struct st_journal_options journal;
    struct st_db *db; /* borrowed */
    uint32_t validator_count;
    uint32_t txs_max; /* transactions executed between two checkpoints */
};

/* node_blocks_open makes an index without entries.  NV_ERR_NO_MEMORY, or what
 * reading the journal and the database's head gives. */
NV_MUST_USE enum nv_err
node_blocks_open(struct node_blocks **out, const struct node_blocks_options *options);
void node_blocks_close(struct node_blocks *blocks);

/* node_blocks_note takes a record that is in the journal.  NV_ERR_CORRUPT when
 * its bytes make no sense, NV_ERR_NO_MEMORY when the index is full. */
NV_MUST_USE enum nv_err
node_blocks_note(struct node_blocks *blocks, const struct st_record *record);

/* node_blocks_checkpointed says that the database now leads to everything up to
 * a height. */
void node_blocks_checkpointed(struct node_blocks *blocks, uint64_t height);

/* node_blocks_pruned says that the segments below `segment` are gone. */
void node_blocks_pruned(struct node_blocks *blocks, uint32_t segment);

/* node_blocks_final returns the height of the newest final block that was
 * noted, 0 if none. */
uint64_t node_blocks_final(const struct node_blocks *blocks);

/* node_blocks_epochs tells the lowest and the highest epoch whose end was noted;
 * false when there is none. */
bool node_blocks_epochs(const struct node_blocks *blocks, uint64_t *first, uint64_t *last);

/* node_blocks_places finds the records of a final block that was just executed
 * and of the finalization that made it final.  False while one of them is not
 * in the journal yet. */
bool node_blocks_places(const struct node_blocks *blocks,
                        const struct node_result *result,
                        struct node_places *out);

/* node_blocks_body returns the place of the body of a block that is in memory,
 * {0, 0} when there is none. */
struct st_place node_blocks_body(const struct node_blocks *blocks, const struct nv_hash *hash);

/* node_blocks_executed returns the place of a recent height's EXECUTED record,
 * {0, 0} when it has none yet. */
struct st_place node_blocks_executed(const struct node_blocks *blocks, uint64_t height);

/* node_blocks_read_executed reads the EXECUTED record of a final block. */
NV_MUST_USE enum nv_err
node_blocks_read_executed(struct node_blocks *blocks, uint64_t height, struct node_executed *out);

/* node_blocks_store returns the port by which the replica reads. */
struct replica_store node_blocks_store(struct node_blocks *blocks);

/* node_blocks_header reads the header of a final block. */
NV_MUST_USE enum nv_err
node_blocks_header(struct node_blocks *blocks, uint64_t height, struct cs_header *out);

/* The reads of rpc/port.h, for final blocks, executed transactions and ends of epochs. */
NV_MUST_USE enum nv_err
node_blocks_rpc_block(struct node_blocks *blocks, uint64_t height, struct rpc_block *out);
NV_MUST_USE enum nv_err
node_blocks_rpc_tx(struct node_blocks *blocks, const struct nv_hash *hash, struct rpc_tx *out);

NV_MUST_USE enum nv_err
node_blocks_rpc_epoch(struct node_blocks *blocks, uint64_t epoch, struct rpc_epoch *out);

/* node_blocks_tx_bytes reads one transaction out of a block's body. */
NV_MUST_USE enum nv_err node_blocks_tx_bytes(struct node_blocks *blocks,
                                             const struct nv_hash *block_hash,
                                             uint32_t index,
                                             struct nv_view *out);

#endif /* NV_NODE_JOURNAL_BLOCKS_H */
