#ifndef NV_NODE_REPLICA_CHARGES_H
#define NV_NODE_REPLICA_CHARGES_H

/* charges.h - what the transactions of one block may cost each account: a
 * list in ascending order of addresses.  Pure; any thread. */

#include <stdint.h>

#include "base/key.h"

#include "vm/tx.h"

struct node_charge {
    struct nv_address account;
    uint32_t paid; /* transactions with a fee */
    uint32_t free; /* transactions without */
};

struct node_charges {
    const struct node_charge *list;
    uint32_t count;
};

/* node_charges_of fills `list` with the accounts of some transactions and
 * returns how many there are.  `list` and `scratch` hold tx_count each. */
uint32_t node_charges_of(struct node_charge *list,
                         struct node_charge *scratch,
                         const struct vm_tx *txs,
                         uint32_t tx_count);

/* node_charges_add adds what `charges` has for the account to `*sum`. */
void node_charges_add(const struct node_charges *charges, struct node_charge *sum);

#endif /* NV_NODE_REPLICA_CHARGES_H */
