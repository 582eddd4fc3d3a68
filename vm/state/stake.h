#ifndef NV_VM_STATE_STAKE_H
#define NV_VM_STATE_STAKE_H

/* stake.h - the part of the state that is stake: entries by row key, the sets of
 * validators, their uptime, the totals.  Private to vm/; the discipline is that
 * of vm/state/state.h.
 *
 * An entry is a validator, a delegation, a batch or an unbonding.  Its key says
 * which, and whose; entries are found and walked by it. */

#include "vm/rows.h"
#include "vm/state/state.h"

struct vm_stake {
    struct nv_row_key key;
    bool live;
    union { /* by the key's table */
        struct vm_validator_row validator;
        struct vm_delegation_row delegation;
        struct vm_batch_row batch;
        struct vm_unbonding_row unbonding;
    };
};

/* Totals. */
const struct vm_staking_row *vm_staking(const struct vm_state *s);
struct vm_staking_row *vm_staking_mut(struct vm_state *s);

/* Entries.  find and after return VM_NONE when there is none; after gives the
 * first whose key is above, of any table.  put finds or makes one, all zeros;
 * VM_NONE: no room.  Of validators only through the functions below. */
uint32_t vm_stake_find(const struct vm_state *s, const struct nv_row_key *key);
uint32_t vm_stake_after(const struct vm_state *s, const struct nv_row_key *key);
const struct vm_stake *vm_stake(const struct vm_state *s, uint32_t index);
struct vm_stake *vm_stake_mut(struct vm_state *s, uint32_t index);
uint32_t vm_stake_put(struct vm_state *s, const struct nv_row_key *key);
void vm_stake_drop(struct vm_state *s, uint32_t index);

/* vm_stake_table is an entry's table, vm_stake_field the i-th u64 of its key. */
enum vm_table vm_stake_table(const struct vm_stake *stake);
uint64_t vm_stake_field(const struct vm_stake *stake, uint32_t i);

/* Validators, by operator's account id or by consensus key.  taken returns whether
 * one of two keys is some validator's already.  put makes a new one, for an account
 * that is none and keys that are not taken; VM_NONE: the chain has no room. */
uint32_t vm_validator_find(const struct vm_state *s, uint64_t account);
uint32_t vm_validator_of_key(const struct vm_state *s, const struct nv_pubkey *key);
bool vm_validator_taken(const struct vm_state *s,
                        const struct nv_pubkey *key,
                        const struct nv_pubkey *node_key);
uint32_t vm_validator_put(struct vm_state *s,
                          uint64_t account,
                          const struct nv_pubkey *key,
                          const struct nv_pubkey *node_key);
void vm_validator_drop(struct vm_state *s, uint32_t index);

/* vm_stake_pool is the pool of a validator or a batch. */
const struct vm_pool *vm_stake_pool(const struct vm_stake *stake);

/* The only functions that change pools, dues and the pot; they keep the sums.
 * False, and nothing changed, where a number would leave its range. */
NV_MUST_USE bool
vm_pool_add(struct vm_state *s, uint32_t index, struct vm_money tokens, struct vm_shares shares);
NV_MUST_USE bool vm_due_add(struct vm_state *s, uint32_t validator, struct vm_money delta);
NV_MUST_USE bool vm_pot_add(struct vm_state *s, struct vm_money delta);

/* vm_staked_of is the tokens and due of one validator, batches included. */
NV_MUST_USE bool vm_staked_of(const struct vm_state *s, uint32_t validator, struct vm_money *out);

/* Sets: 0 is in force, the others are choices. */
uint32_t vm_set_count(const struct vm_state *s, uint32_t set);
uint64_t vm_set_height(const struct vm_state *s, uint32_t set);
const struct vm_member *vm_set_member(const struct vm_state *s, uint32_t set, uint32_t i);
void vm_set_put(struct vm_state *s,
                uint32_t set,
                uint64_t height,
                const struct vm_member *members,
                uint32_t count);

/* Uptime of the set in force. */
const struct vm_uptime_row *vm_uptime(const struct vm_state *s);
struct vm_uptime_row *vm_uptime_mut(struct vm_state *s);

#endif /* NV_VM_STATE_STAKE_H */
