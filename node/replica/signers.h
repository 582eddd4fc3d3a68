#ifndef NV_NODE_REPLICA_SIGNERS_H
#define NV_NODE_REPLICA_SIGNERS_H

/* signers.h - by which keys transactions are signed, and what these must be
 * allowed to do.  Pure; any thread. */

#include <stdint.h>

#include "base/key.h"

#include "vm/tx.h"

struct node_signer {
    struct nv_address account;
    struct nv_pubkey key;
    uint32_t scopes; /* of all actions; 0: the key is the account's own */
};

/* Those of the transactions of a block whose key is not the account's own. */
struct node_signers {
    const struct node_signer *list;
    uint32_t count;
};

/* node_signer_of tells by which key a transaction is signed. */
void node_signer_of(struct node_signer *out, const struct vm_tx *tx);

/* node_signers_of fills `list`, which holds tx_count, and returns how many there
 * are. */
uint32_t node_signers_of(struct node_signer *list, const struct vm_tx *txs, uint32_t tx_count);

#endif /* NV_NODE_REPLICA_SIGNERS_H */
