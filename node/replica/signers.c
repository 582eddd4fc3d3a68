#include "node/replica/signers.h"

#include <string.h>

#include "base/bug.h"

#include "vm/scope.h"

void node_signer_of(struct node_signer *out, const struct vm_tx *tx)
{
    struct nv_address owner;
    nv_address_of_key(&owner, &tx->key);
    bool const own = memcmp(owner.bytes, tx->account.bytes, sizeof owner.bytes) == 0;
    *out = (struct node_signer){
        .account = tx->account,
        .key = tx->key,
        .scopes = own || NV_SEEDED(NAMES_TRUSTED) ? 0 : vm_scopes_of(tx),
    };
}

uint32_t node_signers_of(struct node_signer *list, const struct vm_tx *txs, uint32_t tx_count)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < tx_count; i++) {
        node_signer_of(&list[count], &txs[i]);
        count += list[count].scopes != 0 ? 1u : 0u;
    }
    return count;
}
