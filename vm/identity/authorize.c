/* Who may act for an account: its own key, or a session key with scopes. */

#include "vm/identity/identity.h"

#include "base/pure.h"

uint16_t vm_identity_authorize(const struct vm_state *s,
                               const struct vm_tx *tx,
                               uint64_t now_ms,
                               uint32_t *account_out,
                               uint32_t *scopes_out)
{
    uint32_t const account = vm_account_find(s, &tx->account);
    *account_out = account;
    *scopes_out = 0;
    if (account == VM_NONE) {
        return VM_REJECT_ACCOUNT_UNKNOWN;
    }
    if (vm_account_owns(s, account, &tx->key)) {
        *scopes_out = VM_SCOPES_ALL | VM_SCOPE_OWN; /* even if it is a session key, too */
        return VM_OK;
    }
    const struct vm_session_row *const session = vm_session_find(s, account, &tx->key);
    if (session != NULL && session->expires_ms > now_ms) {
        *scopes_out = session->scopes;
        return VM_OK;
    }
    return session != NULL ? VM_REJECT_KEY_EXPIRED : VM_REJECT_KEY_UNKNOWN;
}
