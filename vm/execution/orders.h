#ifndef NV_VM_EXECUTION_ORDERS_H
#define NV_VM_EXECUTION_ORDERS_H

/* orders.h - orders joining, leaving and being told of.  Private to
 * vm/execution; vm_execution_cancel_* of execution.h are here as well. */

#include "vm/execution/execution.h"

/* An own order with its age. */
struct own_order {
    uint64_t height;
    uint64_t tie;
    uint32_t slot;
};

/* vm__orders_own lists the open orders of a position, oldest first; returns how
 * many. */
uint32_t vm__orders_own(const struct vm_exec *x,
                        uint32_t position,
                        struct own_order out[VM_ORDERS_ACCOUNT_MARKET_MAX]);

/* vm__order_join opens an order; its slot, or VM_NONE when there is no room. */
uint32_t vm__order_join(struct vm_exec *x, uint32_t position, const struct vm_order_row *row);

/* vm__order_filled takes `lots` off an order that was filled, and tells it. */
void vm__order_filled(struct vm_exec *x, uint32_t slot, struct vm_lots lots);

/* vm__order_shrink takes `lots` off an order, or removes it when none is left. */
void vm__order_shrink(struct vm_exec *x, uint32_t slot, struct vm_lots lots, uint8_t change);

/* vm__order_tell emits an order event; `lots` as in the event. */
void vm__order_tell(struct vm_exec *x, uint32_t slot, uint8_t change, struct vm_lots lots);

uint64_t vm__order_handle_of(const struct vm_order *order);

/* vm__order_account returns the slab index of an order's owner. */
uint32_t vm__order_account(const struct vm_state *s, const struct vm_order *order);

/* vm__index_per_lot is floor(index / lots per unit): micro per lot of the
 * underlying, by which bands are measured. */
int64_t vm__index_per_lot(const struct vm_state *s, const struct vm_market *market);

/* vm__act_cmp orders actions by (transaction hash, action index). */
int vm__act_cmp(const struct vm_act *a, const struct vm_act *b);

/* vm__order_tie is the tie of docs/spec/auction.md section 1. */
uint64_t vm__order_tie(const uint8_t hash8[8], uint32_t action_index);

#endif /* NV_VM_EXECUTION_ORDERS_H */
