#ifndef NV_NODE_EXECUTION_MACHINE_H
#define NV_NODE_EXECUTION_MACHINE_H

/* machine.h - the settlement machine and its rows, joined: executes final
 * blocks and answers reads.
 *
 *     final block --> vm_execute --> writes --> st_apply --> root
 *
 * One owner: the start-up, then the executor thread (node/execution/executor.h).  No
 * I/O except in node_machine_load. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

#include "node/execution/result.h"
#include "node/home/genesis.h"
#include "node/replica/replica.h"
#include "rpc/port.h"
#include "storage/storage.h"
#include "vm/vm.h"

struct node_machine;

/* Blocks that one overlay takes; it is frozen long before. */
#define NODE_BLOCKS_PER_CHECKPOINT 8192u
/* Transactions indexed between two checkpoints. */
#define NODE_TXS_PER_CHECKPOINT (1u << 20)

/* Changed rows that one overlay takes; or those of one block, where they are more. */
#define NODE_ROWS_PER_CHECKPOINT (1u << 20)

struct node_machine_limits {
    struct vm_limits vm; /* the same on every node of a chain, but for `wide` */
    uint32_t rows_max;   /* of the state */
    uint32_t dirty_max;  /* changed rows between two checkpoints */
};

/* node_machine_open makes an empty machine.  NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err
node_machine_open(struct node_machine **out, const struct node_machine_limits *limits);
void node_machine_close(struct node_machine *machine);

/* node_machine_genesis fills an empty machine with the state of height 0.
 * NV_ERR_CONFIG and the like when the genesis contradicts itself. */
NV_MUST_USE enum nv_err
node_machine_genesis(struct node_machine *machine, const struct node_genesis *genesis);

/* node_machine_load fills an empty machine from the last checkpoint, whose root
 * is compared.  NV_ERR_NOT_FOUND before the first; NV_ERR_MISMATCH,
 * NV_ERR_CORRUPT, NV_ERR_NO_MEMORY.  The time of the checkpoint's block is then
 * to be told by node_machine_set_time. */
NV_MUST_USE enum nv_err node_machine_load(struct node_machine *machine, struct st_db *db);
void node_machine_set_time(struct node_machine *machine, uint64_t time_ms);

/* node_machine_head returns the newest height and its root; the parameters'
 * hash is that in force there. */
struct rpc_head node_machine_head(const struct node_machine *machine);
void node_machine_params_hash(const struct node_machine *machine, struct nv_hash *out);

/* node_machine_next writes the set that the state after `height`, which is not
 * above the newest, gives the next epoch.  False when that is not known any more.
 * node_machine_current writes the set of the epoch that the state is in; false
 * when that is empty. */
NV_MUST_USE bool
node_machine_next(const struct node_machine *machine, uint64_t height, struct replica_set *out);
NV_MUST_USE bool node_machine_current(const struct node_machine *machine, struct replica_set *out);

/* node_machine_execute runs the block above the newest height.  NV_ERR_BUSY:
 * the overlay has no room for it; freeze it, or wait for the checkpoint under
 * way, and call again with the same block.  NV_ERR_NO_MEMORY is for good. */
NV_MUST_USE enum nv_err node_machine_execute(struct node_machine *machine,
                                             const struct replica_block *block,
                                             struct node_result **out);

/* node_machine_job runs a read, or sets its error. */
void node_machine_job(struct node_machine *machine, struct rpc_job *job);

/* node_machine_rows gives all rows of the newest height to `visit`, some at a
 * time; they are borrowed for the call. */
NV_MUST_USE enum nv_err
node_machine_rows(const struct node_machine *machine,
                  void (*visit)(void *ctx, const struct nv_row *rows, uint32_t row_count),
                  void *ctx);

/* The overlay: see storage.h.  node_machine_dirty returns its rows, and whether
 * it is full enough to be frozen whatever the time. */
uint32_t node_machine_dirty(const struct node_machine *machine, bool *full);
NV_MUST_USE struct st_overlay *node_machine_freeze(struct node_machine *machine);
void node_machine_thaw(struct node_machine *machine, struct st_overlay *overlay);

#endif /* NV_NODE_EXECUTION_MACHINE_H */
