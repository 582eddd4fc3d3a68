#ifndef NV_VM_VM_H
#define NV_VM_VM_H

/* vm.h - the settlement VM: a pure function (state, block) -> (writes, events, receipts).
 *
 *      rows --vm_load_row--> struct vm --vm_execute(block)--> struct vm_result
 *
 * A block is a set of transactions; it runs in eight phases (open, cancel,
 * move, place, match, clear, protect, close: vm/block/).  Three layers do not
 * know each other's insides: execution (who trades, at which price), clearing
 * (what everyone then owns and owes), margin (who may, and who must not any
 * longer).
 *
 * Pure: no clock, no I/O, no float, no heap after vm_new, no unordered
 * iteration.  One thread owns a vm.  A broken invariant in execution
 * quarantines a market or puts the chain in safe mode; it never aborts.
 *
 * Reading order: vm/tx.h (what comes in), vm/rows.h (what is state),
 * vm/receipt.h and vm/event.h (what goes out), vm/state/state.h (how it lives
 * in memory), vm/block/block.c (the phases). */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"

#include "vm/tx.h"

struct vm;
struct vm_genesis;

/* Capacities, known at start; memory is reserved once for them.  They decide
 * what finds no room, so every node of a chain must have the same. */
struct vm_limits {
    uint32_t accounts_max;
    uint32_t positions_max;
    uint32_t orders_max;
    uint32_t level_pages_max;
    uint32_t markets_max;
    uint32_t feeds_max;
    uint32_t sessions_max;
    uint32_t tombstones_max;
    uint32_t stakes_max; /* validators, delegations, batches, unbondings */
    uint32_t block_txs_max;
    uint32_t block_actions_max;
    uint32_t
        block_due_max; /* units of work a phase does that fell due by itself (docs/spec/work.md) */
    uint64_t block_output_bytes_max; /* events, receipts and rows of one block */
    bool wide; /* no limit: the processor has AVX2 (base/cpu.h).  No result depends on it */
};

#define VM_SIGNERS_SIZE 16u /* bytes of a bitmap of validators */

/* Two contrary votes of a validator, proved to consensus. */
struct vm_offence {
    uint64_t epoch; /* of the votes */
    struct nv_pubkey key;
    uint8_t kind; /* which rule: 1 to 4 (docs/spec/consensus.md) */
};

/* What consensus knows of a block beside its transactions, the same on every
 * node (docs/spec/stake.md section 4).  All zeros: nothing is known. */
struct vm_consensus {
    uint64_t epoch;                   /* of the block */
    bool boundary;                    /* the epoch ends with this block */
    uint64_t next_height;             /* at a boundary: the executed height whose set comes next */
    bool signers_known;               /* the block carries its parent's certificate */
    uint8_t signers[VM_SIGNERS_SIZE]; /* of that: bit i % 8 of byte i / 8 is validator i */
    uint32_t offence_count;
    const struct vm_offence *offences;
};

/* A block as consensus finalized it. */
struct vm_block {
    uint64_t height;
    uint64_t time_ms;             /* header time, not below the parent's */
    struct nv_hash previous_root; /* state root after height - 1 */
    uint32_t tx_count;
    const struct vm_tx *txs; /* sorted by hash, unique, signatures checked */
    struct vm_consensus consensus;
};

struct vm_result {
    const struct nv_row *writes; /* changes, keys strictly ascending (base/row.h) */
    uint32_t write_count;
    const struct nv_view *receipts; /* one a transaction, in block order (vm/receipt.h) */
    uint32_t receipt_count;
    const struct nv_view *events; /* in emission order; index = sequence in the height */
    uint32_t event_count;
    struct nv_hash receipts_root;
    struct nv_hash events_root;
};

/* vm_limits_devnet returns capacities fit for a devnet (tens of MiB). */
struct vm_limits vm_limits_devnet(void);

/* vm_footprint returns the bytes that vm_new takes from its arena. */
size_t vm_footprint(const struct vm_limits *limits);

/* vm_new returns an empty VM in memory of `arena`, which must hold zeroed
 * memory of at least vm_footprint(limits) bytes and outlive it. */
struct vm *vm_new(struct nv_arena *arena, const struct vm_limits *limits);

/* vm_genesis_rows fills the VM from a genesis and returns all rows as the
 * writes of height 0 in *result (borrowed until the next call on this vm).
 * NV_ERR_CONFIG and friends when the genesis contradicts itself. */
NV_MUST_USE enum nv_err
vm_genesis_rows(struct vm *vm, const struct vm_genesis *genesis, struct vm_result *result);

/* vm_load_row takes one committed row; rows come in ascending key order.
 * vm_load_end rebuilds what is derived and checks the invariants. */
NV_MUST_USE enum nv_err vm_load_row(struct vm *vm, const struct nv_row *row);
NV_MUST_USE enum nv_err vm_load_end(struct vm *vm);

/* vm_execute runs one block and fills *result, borrowed until the next call
 * on this vm.  It cannot fail: what a transaction does wrong is in its
 * receipt.  Preconditions: block->height is one above the last executed,
 * txs sorted by hash and unique, counts within the limits. */
void vm_execute(struct vm *vm, const struct vm_block *block, struct vm_result *result);

/* A member of a set of validators. */
struct vm_validator {
    struct nv_pubkey key;      /* signs votes */
    struct nv_pubkey node_key; /* signs p2p handshakes; zeros if it is no validator any more */
    struct nv_address operator;
    uint64_t stake; /* at least 1; the sum of a set is below 2^62 */
};

#define VM_VALIDATORS_OUT 128u /* room that the functions below need */

/* vm_validators_at writes the set that the state after `height` chooses for the
 * next epoch, by stake (highest first), then key.  False when that choice is not
 * kept any more, or not made yet.  vm_validators_current is the set of the
 * epoch that the VM is in, which is empty when consensus chose one that was not kept. */
NV_MUST_USE bool
vm_validators_at(const struct vm *vm, uint64_t height, struct vm_validator *out, uint32_t *count);
void vm_validators_current(const struct vm *vm, struct vm_validator *out, uint32_t *count);

/* vm_height returns the height last executed or loaded. */
uint64_t vm_height(const struct vm *vm);

/* vm_params_hash returns the hash of the parameters in force (header field). */
void vm_params_hash(const struct vm *vm, struct nv_hash *out);

#endif /* NV_VM_VM_H */
