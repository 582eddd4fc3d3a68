#ifndef NV_VM_ROWS_STAKE_H
#define NV_VM_ROWS_STAKE_H

/* rows_stake.h - the rows of stake, a part of rows.h: validators, what accounts
 * have with them, sets, uptime.  A validator is named by its operator's account.
 * Layouts: docs/spec/rows.md section 14; meaning: docs/spec/stake.md.
 *
 * Pure; used by the VM, by RPC, by tools that audit. */

#include <stdint.h>

#include "base/key.h"
#include "base/row.h"

#include "vm/number/pool.h"
#include "vm/number/units.h"

struct vm_staking_row {
    uint64_t epoch;               /* in force, from 1 on */
    uint64_t epoch_height;        /* the boundary before it; 0: genesis */
    struct vm_money pot;          /* will be paid for validating */
    struct vm_money staked;       /* running sum: tokens of all pools, and dues */
    struct vm_money scrub_staked; /* re-addition of it, under way */
    uint32_t validators;
};

enum vm_validator_status {
    VM_VALIDATOR_ACTIVE = 1,
    VM_VALIDATOR_JAILED = 2,     /* was absent; may come back */
    VM_VALIDATOR_TOMBSTONED = 3, /* was slashed; never comes back */
};

/* vm_validator_status_name returns a static word for people, also of a byte that is no
 * status. */
const char *vm_validator_status_name(uint8_t status);

#define VM_SLASHES_MAX 8u

struct vm_validator_row {
    struct nv_pubkey key;      /* signs votes */
    struct nv_pubkey node_key; /* signs p2p handshakes */
    struct vm_pool pool;       /* its stake */
    struct vm_money due;       /* commission not claimed yet */
    struct vm_money least;     /* what the self-stake must keep */
    struct vm_ratio commission;
    uint64_t commission_epoch; /* when it was set last */
    uint8_t status;            /* enum vm_validator_status */
    uint64_t jailed_epoch;     /* for whose absences, 0: none */
    uint8_t slash_count;
    uint64_t slash_epoch[VM_SLASHES_MAX]; /* ascending */
};

struct vm_delegation_row {
    struct vm_shares shares; /* > 0, of the validator's pool */
};

/* Stake that was taken back from a validator in one epoch. */
struct vm_batch_row {
    struct vm_pool pool;
};

struct vm_unbonding_row {
    struct vm_shares shares; /* > 0, of the batch's pool */
    uint64_t release_ms;     /* not withdrawn before */
};

#define VM_VALIDATORS_MAX   128u  /* of a set */
#define VM_VALIDATORS_KNOWN 1024u /* of the chain */
#define VM_SET_PAGE         32u   /* members a page */
#define VM_SET_PAGES        (VM_VALIDATORS_MAX / VM_SET_PAGE)
#define VM_CHOICES          8u /* kept, after the set in force */
#define VM_SETS             (VM_CHOICES + 1u)
#define VM_CHOICE_HEIGHTS   64u /* between two choices */

struct vm_member {
    uint64_t validator;
    struct nv_pubkey key;
    struct vm_money stake; /* > 0 */
};

struct vm_set_row {
    uint64_t height; /* of the choice, or of the boundary */
    uint8_t count;   /* of the whole set */
    uint8_t size;    /* of this page: what count leaves for it */
    struct vm_member member[VM_SET_PAGE];
};

struct vm_uptime_row {
    uint32_t blocks;
    uint8_t count; /* of the set in force */
    uint32_t present[VM_VALIDATORS_MAX];
};

/* Keys.  Each writes all 32 bytes. */
void vm_key_staking(struct nv_row_key *key);
void vm_key_validator(struct nv_row_key *key, uint64_t validator);
void vm_key_delegation(struct nv_row_key *key, uint64_t account, uint64_t validator);
void vm_key_batch(struct nv_row_key *key, uint64_t validator, uint64_t epoch);
void vm_key_unbonding(struct nv_row_key *key, uint64_t account, uint64_t validator, uint64_t epoch);
void vm_key_set(struct nv_row_key *key, uint8_t set, uint8_t page);
void vm_key_uptime(struct nv_row_key *key);

#endif /* NV_VM_ROWS_STAKE_H */
