#include "vm/scope.h"

#include "base/pure.h"

uint32_t vm_scope_of(uint8_t action_kind)
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

uint32_t vm_scopes_of(const struct vm_tx *tx)
{
    uint32_t scopes = 0;
    for (uint32_t i = 0; i < tx->action_count; i++) {
        scopes |= vm_scope_of(tx->actions[i].kind);
    }
    return scopes;
}
