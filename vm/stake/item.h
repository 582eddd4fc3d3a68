#ifndef NV_VM_STAKE_ITEM_H
#define NV_VM_STAKE_ITEM_H

/* item.h - an action of stake between its judgement (move.c) and its landing
 * (land.c).  Private to vm/stake. */

#include "vm/identity/pending.h"
#include "vm/stake/stake.h"

struct vm_stake_item {
    struct vm_pending_item place; /* first: sorted by it */
    struct vm_stake_item *next;
    uint64_t validator;       /* account id */
    uint64_t epoch;           /* of the batch that shares leave or join */
    struct vm_money amount;   /* into or out of the validator's pool or the batch */
    struct vm_shares shares;  /* of the validator's pool */
    struct vm_shares waiting; /* of the batch */
};

#endif /* NV_VM_STAKE_ITEM_H */
