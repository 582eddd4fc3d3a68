#ifndef NV_VM_STAKE_STAKE_H
#define NV_VM_STAKE_STAKE_H

/* stake.h - who validates, and what that earns and costs (docs/spec/stake.md).
 * Private to vm/.
 *
 *   vm_stake_open     offences slash, before anything moves
 *   vm_stake_begin, _act, _land    the actions, in phase move
 *   vm_stake_close    uptime; at a boundary rewards and the next set; choices
 *
 * Everything is a pool in shares (vm/number/pool.h), so what happens to a
 * validator costs the same however many trust it. */

#include "vm/block/exec.h"
#include "vm/genesis.h"
#include "vm/state/stake.h"

struct vm_stake_item;

/* What the actions of a phase will have done at its end. */
struct vm_stake_phase {
    struct vm_stake_item *first; /* in the order of the acts */
    struct vm_stake_item **last;
    uint32_t count;
};

void vm_stake_open(struct vm_exec *x);

/* vm_stake_act judges one action, and debits its account; those of other kinds
 * are left alone.  vm_stake_land lets everything land; pools change only there,
 * so all actions of the phase saw the same. */
void vm_stake_begin(struct vm_stake_phase *phase);
void vm_stake_act(struct vm_stake_phase *phase, struct vm_exec *x, struct vm_act *act);
void vm_stake_land(struct vm_stake_phase *phase, struct vm_exec *x);

void vm_stake_close(struct vm_exec *x);

/* vm_stake_choose chooses the set of the newest height (choose.c). */
void vm_stake_choose(struct vm_state *s, struct nv_arena *arena, uint64_t height);

/* vm_stake_choice is where the choice as of a height is kept, VM_NONE if it is not. */
uint32_t vm_stake_choice(const struct vm_state *s, uint64_t height);

/* vm_stake_enforce makes a choice the set in force, with no block counted;
 * VM_NONE: an empty set. */
void vm_stake_enforce(struct vm_state *s, uint32_t choice, uint64_t height);

/* vm_stake_found bonds a validator of genesis, for an account by slab index.
 * False when one of its keys is another's, or something does not fit. */
NV_MUST_USE bool
vm_stake_found(struct vm_state *s, uint32_t account, const struct vm_genesis_validator *validator);

/* vm_stake_self is what a validator's self-stake is worth. */
struct vm_money vm_stake_self(const struct vm_state *s, uint32_t validator);

/* vm_stake_settle gives dust that nobody owns to the pot, and forgets a validator
 * of whom nothing is left. */
void vm_stake_settle(struct vm_exec *x, uint64_t validator);

/* vm_stake_told emits what happened to a validator. */
void vm_stake_told(struct vm_exec *x,
                   uint64_t validator,
                   enum vm_validator_change change,
                   struct vm_money amount,
                   uint64_t epoch);

#endif /* NV_VM_STAKE_STAKE_H */
