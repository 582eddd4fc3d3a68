/* The end of phase move: shares are made, tokens change pools, cash comes back. */

#include "base/assert.h"
#include "base/sort.h"

#include "vm/params.h"
#include "vm/stake/item.h"

#include "base/pure.h"

static uint64_t account_id(const struct vm_exec *x, uint32_t account)
{
    return vm_account(x->state, account)->id;
}

/* Adds shares of a validator to an account's delegation, for an amount. */
static bool stake_join(struct vm_state *s, uint64_t account, const struct vm_stake_item *item)
{
    struct nv_row_key key;
    vm_key_delegation(&key, account, item->validator);
    uint32_t const own = vm_stake_put(s, &key);
    if (own == VM_NONE ||
        !vm_pool_add(s, vm_validator_find(s, item->validator), item->amount, item->shares)) {
        return false;
    }
    struct vm_delegation_row *const row = &vm_stake_mut(s, own)->delegation;
    return vm_shares_add(row->shares, item->shares, &row->shares);
}

static uint16_t bond_land(struct vm_exec *x, const struct vm_stake_item *item)
{
    struct vm_state *const s = x->state;
    const struct vm_bond *const b = item->place.act->action->bond;
    if (vm_validator_find(s, item->validator) != VM_NONE ||
        vm_validator_taken(s, &b->key, &b->node_key)) {
        return VM_REJECT_VALIDATOR_EXISTS;
    }
    uint32_t const index = vm_validator_put(s, item->validator, &b->key, &b->node_key);
    if (index == VM_NONE) {
        return VM_REJECT_STAKES_FULL;
    }
    struct vm_validator_row *const row = &vm_stake_mut(s, index)->validator;
    row->commission = b->commission;
    row->commission_epoch = vm_staking(s)->epoch;
    row->least = vm_money(vm_param(s, VM_PARAM_STAKE_SELF_MIN));
    return stake_join(s, item->validator, item) ? VM_OK : VM_REJECT_STAKES_FULL;
}

/* Moves tokens from the validator's pool to the batch, shares to the unbonding. */
static bool undelegate_land(struct vm_exec *x, uint64_t account, const struct vm_stake_item *item)
{
    struct vm_state *const s = x->state;
    uint64_t const release = x->block->time_ms + (uint64_t)vm_param(s, VM_PARAM_UNBOND_TIME);
    struct nv_row_key key;
    vm_key_batch(&key, item->validator, item->epoch);
    uint32_t const batch = vm_stake_put(s, &key);
    vm_key_unbonding(&key, account, item->validator, item->epoch);
    uint32_t const own = batch == VM_NONE ? VM_NONE : vm_stake_put(s, &key);
    if (own == VM_NONE ||
        !vm_pool_add(s,
                     vm_validator_find(s, item->validator),
                     vm_money(-vm_money_raw(item->amount)),
                     vm_shares(-vm_shares_raw(item->shares))) ||
        !vm_pool_add(s, batch, item->amount, item->waiting)) {
        return false;
    }
    struct vm_unbonding_row *const row = &vm_stake_mut(s, own)->unbonding;
    row->release_ms = release;
    return vm_shares_add(row->shares, item->waiting, &row->shares);
}

/* What could not land goes back where it came from. */
static void undelegate_undo(struct vm_state *s, uint64_t account, const struct vm_stake_item *item)
{
    struct nv_row_key key;
    vm_key_delegation(&key, account, item->validator);
    uint32_t const own = vm_stake_put(s, &key); /* its entry was kept, or is there */
    NV_ASSERT(own != VM_NONE);
    struct vm_delegation_row *const row = &vm_stake_mut(s, own)->delegation;
    NV_ASSERT(vm_shares_add(row->shares, item->shares, &row->shares));
}

/* A batch that nobody has shares of is no more. */
static void withdraw_land(struct vm_exec *x, const struct vm_stake_item *item)
{
    struct vm_state *const s = x->state;
    struct nv_row_key key;
    vm_key_batch(&key, item->validator, item->epoch);
    uint32_t const batch = vm_stake_find(s, &key);
    bool ok = batch != VM_NONE && vm_pool_add(s,
                                              batch,
                                              vm_money(-vm_money_raw(item->amount)),
                                              vm_shares(-vm_shares_raw(item->waiting)));
    if (ok && vm_shares_raw(vm_stake_pool(vm_stake(s, batch))->shares) == 0) {
        struct vm_money const dust = vm_stake_pool(vm_stake(s, batch))->tokens;
        ok = vm_pool_add(s, batch, vm_money(-vm_money_raw(dust)), vm_shares(0)) &&
             vm_pot_add(s, dust);
        vm_stake_drop(s, batch);
    }
    if (!ok) {
        vm_exec_safe_mode(x);
    }
    vm_exec_credit(x, item->place.act->account, item->amount);
}

/* Bonds, delegations and what is taken back: all of it or nothing. */
static uint16_t joint_land(struct vm_exec *x, const struct vm_stake_item *item, uint64_t account)
{
    struct vm_state *const s = x->state;
    uint8_t const kind = item->place.act->kind;
    uint16_t code = VM_OK;
    vm_undo_begin(s);
    if (kind == VM_ACTION_BOND) {
        code = bond_land(x, item);
    } else if (kind == VM_ACTION_DELEGATE) {
        code = stake_join(s, account, item) ? VM_OK : VM_REJECT_STAKES_FULL;
    } else {
        code = undelegate_land(x, account, item) ? VM_OK : VM_REJECT_STAKES_FULL;
    }
    if (code == VM_OK) {
        vm_undo_commit(s);
        return code;
    }
    vm_undo_rollback(s);
    if (kind == VM_ACTION_UNDELEGATE) {
        undelegate_undo(s, account, item);
    } else {
        vm_exec_credit(x, item->place.act->account, item->amount);
    }
    return code;
}

static void item_land(struct vm_exec *x, const struct vm_stake_item *item)
{
    struct vm_act *const act = item->place.act;
    uint64_t const account = account_id(x, act->account);
    uint64_t const epoch = vm_staking(x->state)->epoch;
    uint8_t const kind = act->kind;
    struct vm_money const out = vm_money(-vm_money_raw(item->amount));
    if (kind == VM_ACTION_CLAIM) {
        return;
    }
    if (kind == VM_ACTION_WITHDRAW_STAKE) {
        withdraw_land(x, item);
        vm_pending_told(x, act->account, VM_CASH_UNSTAKED, item->amount, item->validator);
        return;
    }
    act->outcome.code = joint_land(x, item, account);
    if (act->outcome.code != VM_OK) {
        return;
    }
    if (kind == VM_ACTION_UNDELEGATE) {
        act->outcome.result = (uint64_t)vm_money_raw(item->amount);
        vm_stake_told(x, item->validator, VM_VALIDATOR_UNDELEGATED, item->amount, epoch);
        return;
    }
    act->outcome.result = (uint64_t)vm_shares_raw(item->shares);
    vm_pending_told(x, act->account, VM_CASH_STAKED, out, item->validator);
    vm_stake_told(x,
                  item->validator,
                  kind == VM_ACTION_BOND ? VM_VALIDATOR_BONDED : VM_VALIDATOR_DELEGATED,
                  item->amount,
                  epoch);
}

void vm_stake_land(struct vm_stake_phase *phase, struct vm_exec *x)
{
    struct vm_stake_item *const items = NV_ARENA_NEW(x->arena, struct vm_stake_item, phase->count);
    struct vm_stake_item *const scratch =
        NV_ARENA_NEW(x->arena, struct vm_stake_item, phase->count);
    uint32_t count = 0;
    for (const struct vm_stake_item *item = phase->first; item != NULL; item = item->next) {
        items[count] = *item;
        uint32_t const account = item->place.act->account;
        vm_pending_rank(&items[count].place, x, &vm_account(x->state, account)->row.address);
        count++;
    }
    nv_sort(items, count, sizeof *items, vm_pending_cmp, scratch);
    for (uint32_t i = 0; i < count; i++) {
        item_land(x, &items[i]);
    }
    for (uint32_t i = 0; i < count; i++) {
        vm_stake_settle(x, items[i].validator);
    }
}
