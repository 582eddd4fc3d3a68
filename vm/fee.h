#ifndef NV_VM_FEE_H
#define NV_VM_FEE_H

/* fee.h - what a transaction costs at most: one flat fee, or nothing
 * (docs/spec/transactions.md section 6).  Pure. */

#include <stdbool.h>

#include "vm/tx.h"

/* Transactions without a fee that an account may have in the blocks that its
 * fees are judged over. */
#define VM_FEE_FREE_MAX 64u

/* vm_fee_free returns whether a transaction serves everybody alone and so pays
 * no fee; any other pays TX_FEE. */
bool vm_fee_free(const struct vm_tx *tx);

#endif /* NV_VM_FEE_H */
