#ifndef NV_VM_EXECUTION_CHECK_H
#define NV_VM_EXECUTION_CHECK_H

/* check.h - who may take part in an auction.  Private to vm/execution.
 * docs/spec/auction.md section 4. */

#include "vm/execution/reach.h"

/* What is known of participants in this block, and room to work in. */
struct checked {
    uint64_t *bits;   /* by account: its margin is known */
    uint32_t *number; /* room for one of each order of both sides */
};

/* vm__checked_new knows of the accounts that passed in place. */
struct checked vm__checked_new(struct vm_exec *x);

/* vm__participants_check removes what may not take part; true when something
 * was removed.  `reach` is stale then.  *elsewhere is set when orders of other
 * markets may have gone as well. */
bool vm__participants_check(struct vm_exec *x,
                            struct checked *checked,
                            const struct reach *reach,
                            bool *elsewhere);

#endif /* NV_VM_EXECUTION_CHECK_H */
