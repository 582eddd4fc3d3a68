#ifndef NV_VM_IDENTITY_PENDING_H
#define NV_VM_IDENTITY_PENDING_H

/* pending.h - what phase move has taken out and not yet put in.
 *
 * Withdrawals share the vault and new accounts share the room for accounts.
 * Where these do not suffice for all of a block, they go by the lowest
 * H(last state root || account), and who goes without has the amount back and
 * a code in the receipt.  Private to vm/identity and vm/stake. */

#include "vm/block/exec.h"

struct vm_pending_item {
    struct vm_act *act;
    struct nv_hash rank; /* of the account (withdrawal) or address (send) */
};

struct vm_pending {
    struct vm_pending_item *sends;
    struct vm_pending_item *withdrawals;
    uint32_t send_count;
    uint32_t withdrawal_count;
};

/* vm_pending_init makes empty lists with room for every act of the block. */
void vm_pending_init(struct vm_pending *pending, struct vm_exec *x);

/* Their amounts have left the account (or were minted). */
void vm_pending_send(struct vm_pending *pending, struct vm_act *act);
void vm_pending_withdrawal(struct vm_pending *pending, struct vm_act *act);

/* vm_pending_land puts everything where it goes. */
void vm_pending_land(struct vm_pending *pending, struct vm_exec *x);

/* Who goes first: by rank, which vm_pending_rank sets from an address, then by
 * (transaction, action); items of one action are equal.  vm_pending_cmp compares
 * whatever begins with an item. */
void vm_pending_rank(struct vm_pending_item *item,
                     const struct vm_exec *x,
                     const struct nv_address *address);
int vm_pending_cmp(const void *a, const void *b);

/* vm_pending_told emits a cash event. */
void vm_pending_told(struct vm_exec *x,
                     uint32_t account,
                     enum vm_cash_reason reason,
                     struct vm_money amount,
                     uint64_t counterparty);

#endif /* NV_VM_IDENTITY_PENDING_H */
