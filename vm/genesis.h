#ifndef NV_VM_GENESIS_H
#define NV_VM_GENESIS_H

/* genesis.h - what a chain starts from.  node/home/genesis.c reads it from JSON;
 * chain_id is the SHA-256 of that file's canonical bytes. */

#include <stdint.h>

#include "vm/rows.h"

struct vm_genesis_account {
    struct nv_address address;
    struct vm_money cash; /* minted into the vault */
};

struct vm_genesis_validator {
    struct nv_pubkey key;       /* signs votes */
    struct nv_pubkey node_key;  /* signs p2p handshakes */
    struct nv_address operator; /* account created if absent */
    struct vm_money stake;      /* minted into its pool, > 0 */
    struct vm_ratio commission;
};

struct vm_genesis_reporter {
    struct nv_address address; /* account of a reporter key; created if absent */
    uint64_t stake;
};

struct vm_genesis_feed {
    char symbol[VM_SYMBOL_SIZE];
    struct vm_ratio range_initial;
    struct vm_ratio range_maintenance;
};

struct vm_genesis_param {
    uint16_t number;
    int64_t value;
};

struct vm_genesis {
    uint64_t time_ms;
    uint32_t account_count;
    const struct vm_genesis_account *accounts;
    uint32_t validator_count; /* at most VM_VALIDATORS_MAX */
    const struct vm_genesis_validator *validators;
    uint32_t reporter_count;
    const struct vm_genesis_reporter *reporters;
    uint32_t feed_count;
    const struct vm_genesis_feed *feeds;
    uint32_t market_count;
    const struct vm_market_row *markets; /* programs are checked */
    uint32_t param_count;                /* those that differ from the defaults of params.def */
    const struct vm_genesis_param *params;
    struct nv_address fee_account;
    struct nv_address insurance_account;
    bool has_faucet;
    struct nv_address faucet_account;
};

#endif /* NV_VM_GENESIS_H */
