#ifndef NV_VM_SCOPE_H
#define NV_VM_SCOPE_H

/* scope.h - what a key must be allowed to do to sign an action
 * (docs/spec/transactions.md section 4).  Pure. */

#include "vm/tx.h"

/* The scope that only an account's own key has: registering session keys.  No
 * session key can be given it. */
#define VM_SCOPE_OWN (1u << 31)

/* vm_scope_of returns the scope that an action needs. */
uint32_t vm_scope_of(uint8_t action_kind);

/* vm_scopes_of returns the scopes of all actions of a transaction. */
uint32_t vm_scopes_of(const struct vm_tx *tx);

#endif /* NV_VM_SCOPE_H */
