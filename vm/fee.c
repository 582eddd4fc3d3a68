#include "vm/fee.h"

#include "base/pure.h"

bool vm_fee_free(const struct vm_tx *tx)
{
    for (uint32_t i = 0; i < tx->action_count; i++) {
        uint8_t const kind = tx->actions[i].kind;
        if (kind != VM_ACTION_REPORT && kind != VM_ACTION_KEEPER_CLOSE &&
            kind != VM_ACTION_FAUCET) {
            return false;
        }
    }
    return true;
}
