#ifndef NV_VM_BLOCK_EXEC_H
#define NV_VM_BLOCK_EXEC_H

/* exec.h - the block at hand: what its phases share.  Private to vm/.
 *
 * block.c builds one vm_exec per block, sorts the actions by phase, and calls
 * the phases in order.  A phase sees the state and this struct, nothing else.
 *
 * Account-local rule: within a phase, what happens to an account depends on
 * the state at the phase's start, on its own actions in their order, and in
 * match on aggregates.  So credits land at the phase's end (vm_exec_credit)
 * and debits are checked against the balance at the phase's start less the
 * account's own earlier debits. */

#include "base/arena.h"
#include "base/int.h"

#include "vm/event.h"
#include "vm/receipt.h"
#include "vm/state/state.h"

/* An action with its place in the block and what became of it.  Its phase sets
 * the outcome; it starts as VM_OK.  What failed in `open` (key, scope, expiry,
 * fee) is not among the acts. */
struct vm_act {
    const struct vm_tx *tx;
    const struct vm_action *action;
    uint32_t tx_index;
    uint32_t account; /* slab index */
    uint32_t action_index;
    uint8_t kind; /* of the action */
    struct vm_outcome outcome;
};

struct vm_plan;

/* An account that the open phase found unsafe (vm/protect). */
struct vm_unsafe {
    uint32_t account;
    struct vm_money equity;      /* when it was found */
    struct vm_money maintenance; /* likewise */
    uint32_t keeper;             /* slab index of the keeper whose plan runs, or VM_NONE */
    struct vm_plan *plan;        /* what closes in this block (vm/protect/plan.h); NULL: nothing */
};

struct vm_exec {
    struct vm_state *state;
    const struct vm_block *block;
    uint64_t elapsed_ms;    /* since the block before; 0 for the first */
    uint32_t due_max;       /* units of work a phase does that fell due by itself */
    struct nv_arena *arena; /* everything of this block; reset at its end */
    struct vm_act *acts;    /* of all transactions that passed `open`, in (tx hash, index) order */
    uint32_t act_count;
    struct vm_unsafe *unsafe; /* ascending account */
    uint32_t unsafe_count;
    /* below: for exec.c and block.c only */
    struct nv_view *events;
    uint32_t event_count;
    uint32_t event_cap;
    struct nv_view *groups; /* leaves of the events' root; the last one grows */
    uint8_t *group_bytes;   /* of the last one */
    uint32_t group_count;
    uint32_t group_cap;
    uint64_t event_max;
    nv_i128 fees; /* of the phase: land with its credits */
    struct vm_credit *credits;
    uint32_t credit_count;
    uint32_t credit_cap;
};

/* Cash on its way to an account. */
struct vm_credit {
    uint32_t account;
    struct vm_money amount;
};

/* What an event may take of the memory for a block's output. */
#define VM_EXEC_EVENT_MEMORY 192u

/* vm_exec_emit appends one event.  A block has room for so many as
 * vm_limits.block_output_bytes_max holds; what is beyond that is not told. */
void vm_exec_emit(struct vm_exec *x, const struct vm_event *event);

/* vm_exec_events_root writes the root over the block's events so far. */
void vm_exec_events_root(const struct vm_exec *x, struct nv_hash *out);

/* vm_exec_credit notes cash for an account that lands at the phase's end.
 * The sum is part of the conservation check of the block. */
void vm_exec_credit(struct vm_exec *x, uint32_t account, struct vm_money amount);
void vm_exec_credits_land(struct vm_exec *x);

/* vm_exec_fee notes a fee that was taken: at the phase's end a share of all fees
 * goes to the reward pot, the rest to the fee account (docs/spec/stake.md 5.1). */
void vm_exec_fee(struct vm_exec *x, struct vm_money fee);

/* vm_exec_quarantine puts one market out of trade (reason is an event code);
 * the chain goes on. */
enum vm_quarantine_reason {
    VM_QUARANTINE_SUMS = 1,
    VM_QUARANTINE_PRICE = 2,
    VM_QUARANTINE_PROGRAM = 3,
    VM_QUARANTINE_OVERFLOW = 4,
    VM_QUARANTINE_UNCOVERED = 5,
};
void vm_exec_quarantine(struct vm_exec *x, uint32_t market, uint8_t reason);

/* vm_exec_safe_mode puts the chain in safe mode: no withdrawals, no new risk. */
void vm_exec_safe_mode(struct vm_exec *x);

#endif /* NV_VM_BLOCK_EXEC_H */
