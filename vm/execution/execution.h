#ifndef NV_VM_EXECUTION_EXECUTION_H
#define NV_VM_EXECUTION_EXECUTION_H

/* execution.h - who trades, at which price: cancels, places, the call auction.
 * Docs: docs/spec/auction.md. */

#include "vm/block/exec.h"

/* Phase cancel: cancels of the block, expired orders. */
void vm_execution_cancel(struct vm_exec *x);

/* Phase place: each order of the block, after its checks, joins its book. */
void vm_execution_place(struct vm_exec *x);

/* vm_execution_place_protective joins an order of an unsafe account to this
 * block's auction: immediate-or-cancel, reduce-only, flagged protective, never
 * priced worse than `limit`.  `lots` is signed as a trade (sell < 0).  No margin
 * check; called after the block's own orders are judged and before match. */
void vm_execution_place_protective(struct vm_exec *x,
                                   uint32_t account,
                                   uint32_t market,
                                   struct vm_lots lots,
                                   struct vm_price limit);

/* vm_execution_cancel_order removes an open order for a stated reason and tells it. */
void vm_execution_cancel_order(struct vm_exec *x, uint32_t slot, uint8_t change);

/* vm_execution_cancel_increasing removes the risk-increasing open orders of an account;
 * returns how many. */
uint32_t vm_execution_cancel_increasing(struct vm_exec *x, uint32_t account, uint8_t change);

/* Phases match and clear: per market re-margin who may cross, one call auction, fills. */
void vm_execution_match(struct vm_exec *x);

#endif /* NV_VM_EXECUTION_EXECUTION_H */
