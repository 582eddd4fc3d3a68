#ifndef NV_VM_BLOCK_BLOCK_H
#define NV_VM_BLOCK_BLOCK_H

/* block.h - one block through the eight phases.  Private to vm/ (and tests).
 *
 *   vm_block_open    which transactions may act; fees; their actions as acts
 *   vm_block_run     open · cancel · move · place · match, clear · protect
 *   vm_block_close   the laws, receipts, the block's rows, the write set
 *
 * The acts may be put in another order between open and run, as long as each
 * account's own keep theirs: no row of state depends on it (save the handles
 * of orders and the event order). */

#include "vm/block/exec.h"

/* What `open` found out about a transaction. */
struct vm_tx_run {
    uint64_t denied; /* bit i: the key lacks the scope of action i */
    struct vm_money fee;
    uint64_t account; /* id, 0 unknown */
    uint16_t code;    /* of the transaction as a whole */
    uint32_t outcome_first;
};

struct vm_block_run {
    struct vm_exec x;
    struct vm_tx_run *txs; /* by index in the block */
};

/* vm_block_open starts a block on a state, with memory for all of it. */
void vm_block_open(struct vm_block_run *run,
                   struct vm_state *state,
                   struct nv_arena *arena,
                   const struct vm_block *block,
                   const struct vm_limits *limits);
void vm_block_run(struct vm_block_run *run);
void vm_block_close(struct vm_block_run *run, struct vm_result *result);

/* vm_block_laws checks both conservation laws on the running sums, and adds the
 * slice of accounts of this height anew (vm/block/laws.c). */
void vm_block_laws(struct vm_exec *x);

/* vm_block_receipts fills the receipts of a result and their root. */
void vm_block_receipts(struct vm_block_run *run, struct vm_result *result);

#endif /* NV_VM_BLOCK_BLOCK_H */
