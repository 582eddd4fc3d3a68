#ifndef NV_VM_IDENTITY_IDENTITY_H
#define NV_VM_IDENTITY_IDENTITY_H

/* identity.h - accounts, session keys, money in and out: phase move.
 * docs/spec/transactions.md sections 4 and 5. */

#include "vm/block/exec.h"
#include "vm/scope.h"

/* More than this is never minted, so that sums of money stay in 64 bits. */
#define VM_SUPPLY_MAX (INT64_C(1) << 61)

/* vm_identity_authorize decides whether the key that signed a transaction may
 * act for its account, now; VM_OK or a 2xxx code.  Scopes come back, to be
 * compared with those of the actions (vm/scope.h). */
uint16_t vm_identity_authorize(const struct vm_state *s,
                               const struct vm_tx *tx,
                               uint64_t now_ms,
                               uint32_t *account_out,
                               uint32_t *scopes_out);

struct vm_pending;

/* vm_identity_act is one action of phase move: deposits, withdrawals, transfers,
 * faucet, session keys; those of other kinds are left alone.  What it owes others
 * goes to `pending` (vm/identity/pending.h), to land at the phase's end. */
void vm_identity_act(struct vm_exec *x, struct vm_pending *pending, struct vm_act *act);

/* vm_identity_cash_take takes cash out of an account if it has that much and
 * keeps its initial margin, open orders counted; else it changes nothing and
 * returns why. */
uint16_t vm_identity_cash_take(struct vm_exec *x, uint32_t account, struct vm_money amount);

#endif /* NV_VM_IDENTITY_IDENTITY_H */
