/* Who may act for an account: its own key, or a session key with scopes. */

#include "vm/identity/identity.h"

#include "base/pure.h"

uint32_t vm_identity_scope(uint8_t action_kind)
{
    switch ((enum vm_action_kind)action_kind) {
    case VM_ACTION_PLACE:
    case VM_ACTION_CANCEL:
    case VM_ACTION_CANCEL_CLIENT:
    case VM_ACTION_CANCEL_ALL:
    case VM_ACTION_KEEPER_CLOSE: return VM_SCOPE_TRADE;
    case VM_ACTION_DEPOSIT:
    case VM_ACTION_TRANSFER:
    case VM_ACTION_FAUCET: return VM_SCOPE_TRANSFER;
    case VM_ACTION_WITHDRAW: return VM_SCOPE_WITHDRAW;
    case VM_ACTION_REPORT: return VM_SCOPE_REPORT;
    case VM_ACTION_BOND:
    case VM_ACTION_DELEGATE:
    case VM_ACTION_UNDELEGATE:
    case VM_ACTION_WITHDRAW_STAKE:
    case VM_ACTION_CLAIM:
    case VM_ACTION_SET_COMMISSION:
    case VM_ACTION_UNJAIL: return VM_SCOPE_STAKE;
    case VM_ACTION_SESSION_SET:
    case VM_ACTION_SESSION_REVOKE: return VM_SCOPE_OWN;
    }
    return VM_SCOPE_OWN;
}

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
    const struct vm_session_row *const session = vm_session_find(s, account, &tx->key);
    if (session != NULL && session->expires_ms > now_ms) {
        *scopes_out = session->scopes;
        return VM_OK;
    }
    if (vm_account_owns(s, account, &tx->key)) {
        *scopes_out = VM_SCOPES_ALL | VM_SCOPE_OWN;
        return VM_OK;
    }
    return session != NULL ? VM_REJECT_KEY_EXPIRED : VM_REJECT_KEY_UNKNOWN;
}
