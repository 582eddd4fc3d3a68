#ifndef NV_VM_IDENTITY_IDENTITY_H
#define NV_VM_IDENTITY_IDENTITY_H

/* identity.h - accounts, session keys, money in and out: phase move.
 * docs/spec/transactions.md sections 4 and 5. */

#include "vm/block/exec.h"

/* The scope that only an account's own key has: registering session keys.  No
 * session key can be given it. */
#define VM_SCOPE_OWN (1u << 31)

/* More than this is never minted, so that sums of money stay in 64 bits. */
#define VM_SUPPLY_MAX (INT64_C(1) << 61)

/* vm_identity_authorize decides whether the key that signed a transaction may
 * act for its account, now; VM_OK or a 2xxx code.  Scopes come back for the
 * per-action check vm_identity_scope. */
uint16_t vm_identity_authorize(const struct vm_state *s,
                               const struct vm_tx *tx,
                               uint64_t now_ms,
                               uint32_t *account_out,
                               uint32_t *scopes_out);
uint32_t vm_identity_scope(uint8_t action_kind);

/* Phase move: deposits, withdrawals, transfers, faucet, session keys. */
void vm_identity_move(struct vm_exec *x);

#endif /* NV_VM_IDENTITY_IDENTITY_H */
