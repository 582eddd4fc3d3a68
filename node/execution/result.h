#ifndef NV_NODE_EXECUTION_RESULT_H
#define NV_NODE_EXECUTION_RESULT_H

/* result.h - what executing a block has yielded: on its way from the executor
 * to the loop, and as a record of the journal (docs/spec/node.md section 5).
 *
 * Plain memory, one owner at a time. */

#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/row.h"

#include "node/mail/mailbox.h"
#include "node/replica/replica.h"
#include "rpc/rpc.h"
#include "storage/journal.h"
#include "vm/vm.h"

/* A copy of everything, in one piece of memory. */
struct node_result {
    struct node_mail mail;
    struct node_result *next; /* the loop's, while it waits for a batch */
    struct rpc_head head;
    struct nv_hash final_hash; /* the block whose finalization made this one final */
    const struct rpc_executed_tx *txs;
    const struct nv_view *events;
    const struct nv_row *writes;
    uint32_t tx_count;
    uint32_t event_count;
    uint32_t write_count;
    struct replica_set *chosen;   /* the set that this state would give the next epoch; owned */
    struct replica_set *in_force; /* that of the epoch that has begun; owned; else both NULL */
};

/* node_result_new copies what a block has yielded; NULL: no memory.  The
 * caller ends it with node_result_free. */
struct node_result *node_result_new(const struct replica_block *block,
                                    const struct vm_result *yield,
                                    const struct nv_hash *root);
void node_result_free(struct node_result *result);

/* node_result_outcome returns what the replica is told of it, borrowed. */
struct replica_outcome node_result_outcome(const struct node_result *result);

/* Beside consensus/record.h and node/replica/replica.h the journal holds: */
#define NODE_RECORD_EXECUTED 17u
#define NODE_RECORD_CHAIN    18u /* chain id 32 | state root of height 0, 32 | parameters' hash 32 */
#define NODE_RECORD_CLOSED   19u /* nothing */
#define NODE_RECORD_BASE     20u /* height 8 | block hash 32 | state root 32: of a snapshot */

/* Where the records of a block are. */
struct node_places {
    struct st_place block;
    struct st_place body;  /* {0, 0}: the block is empty */
    struct st_place final; /* of the finalization of this block or a descendant */
    uint64_t final_height; /* of that one */
};

/* A record of kind NODE_RECORD_EXECUTED, decoded. */
struct node_executed {
    uint64_t height;
    struct nv_hash block_hash;
    struct nv_hash state_root;
    struct node_places places;
    uint32_t tx_count;
    uint32_t event_count;
    struct nv_view receipts; /* tx_count times: size u32, bytes */
    struct nv_view events;   /* the same */
};

/* node_executed_put writes a record; without events if it would be larger than
 * `size_max` with them.  node_executed_size returns how large it will be. */
uint32_t node_executed_size(const struct node_result *result, uint32_t size_max);
void node_executed_put(struct nv_writer *w,
                       const struct node_result *result,
                       const struct node_places *places,
                       uint32_t size_max);

/* node_executed_get reads a whole record in place. */
NV_MUST_USE enum nv_err node_executed_get(struct node_executed *out, struct nv_view payload);

/* node_executed_receipt returns receipt `index` of a record that was read;
 * index < tx_count. */
struct nv_view node_executed_receipt(const struct node_executed *executed, uint32_t index);

#endif /* NV_NODE_EXECUTION_RESULT_H */
