/* Phase move: the actions of stake.
 *
 * Each is judged at once, on pools as they were at the phase's start, and takes
 * from its own account what it takes; pools change when all have been judged.  So
 * the order of the actions of different accounts means nothing. */

#include "base/assert.h"

#include "vm/identity/identity.h"
#include "vm/identity/pending.h"
#include "vm/params.h"
#include "vm/stake/item.h"

#include "base/pure.h"

void vm_stake_begin(struct vm_stake_phase *phase)
{
    phase->first = NULL;
    phase->last = &phase->first;
    phase->count = 0;
}

static struct vm_stake_item *
item_add(struct vm_stake_phase *phase, struct vm_exec *x, struct vm_act *act, uint64_t validator)
{
    struct vm_stake_item *const item = NV_ARENA_NEW(x->arena, struct vm_stake_item, 1);
    item->place.act = act;
    item->validator = validator;
    *phase->last = item;
    phase->last = &item->next;
    phase->count++;
    return item;
}

static uint64_t account_id(const struct vm_exec *x, uint32_t account)
{
    return vm_account(x->state, account)->id;
}

/* The validator whose operator has an address, or VM_NONE. */
static uint32_t validator_at(const struct vm_exec *x, const struct nv_address *address)
{
    uint32_t const account = vm_account_find(x->state, address);
    return account == VM_NONE ? VM_NONE : vm_validator_find(x->state, account_id(x, account));
}

static bool below(struct vm_money amount, int64_t least)
{
    return vm_money_raw(amount) < least;
}

/* SPEC stake 2.1: "not if it is one (validator_exists); not below STAKE_SELF_MIN
 * (stake_minimum); the cash as in" */
static uint16_t bond(struct vm_stake_phase *phase, struct vm_exec *x, struct vm_act *act)
{
    uint64_t const id = account_id(x, act->account);
    struct vm_money const amount = act->action->bond->amount;
    if (vm_validator_find(x->state, id) != VM_NONE) {
        return VM_REJECT_VALIDATOR_EXISTS;
    }
    if (below(amount, vm_param(x->state, VM_PARAM_STAKE_SELF_MIN))) {
        return VM_REJECT_STAKE_MINIMUM;
    }
    uint16_t const code = vm_identity_cash_take(x, act->account, amount);
    if (code == VM_OK) {
        struct vm_stake_item *const item = item_add(phase, x, act, id);
        item->amount = amount;
        item->shares = vm_shares(vm_money_raw(amount));
    }
    return code;
}

static uint16_t delegate(struct vm_stake_phase *phase, struct vm_exec *x, struct vm_act *act)
{
    const struct vm_delegate *const d = &act->action->delegate;
    uint32_t const index = validator_at(x, &d->validator);
    struct vm_shares shares;
    struct vm_money cost;
    if (index == VM_NONE) {
        return VM_REJECT_VALIDATOR_UNKNOWN;
    }
    const struct vm_stake *const validator = vm_stake(x->state, index);
    if (validator->validator.status == VM_VALIDATOR_TOMBSTONED) {
        return VM_REJECT_VALIDATOR_TOMBSTONED;
    }
    if (below(d->amount, vm_param(x->state, VM_PARAM_STAKE_MIN)) ||
        !vm_pool_mint(&validator->validator.pool, d->amount, &shares, &cost)) {
        return VM_REJECT_STAKE_MINIMUM;
    }
    uint16_t const code = vm_identity_cash_take(x, act->account, cost);
    if (code == VM_OK) {
        struct vm_stake_item *const item = item_add(phase, x, act, vm_stake_field(validator, 0));
        item->amount = cost;
        item->shares = shares;
    }
    return code;
}

/* The shares of a pool that must go for an amount, of those held: all of them when
 * little would remain. */
static uint16_t burn(const struct vm_exec *x,
                     const struct vm_pool *pool,
                     struct vm_shares held,
                     struct vm_money amount,
                     struct vm_shares *out)
{
    int64_t const least = vm_param(x->state, VM_PARAM_STAKE_MIN);
    int64_t const all = vm_shares_raw(held);
    if (vm_money_raw(amount) > vm_money_raw(vm_pool_worth(pool, held)) ||
        !vm_pool_burn(pool, amount, out)) {
        return VM_REJECT_BALANCE;
    }
    int64_t const left = all - vm_shares_raw(*out);
    if (left <= 0 || below(vm_pool_worth(pool, vm_shares(left)), least)) {
        *out = held;
    }
    return below(amount, least) && vm_shares_raw(*out) != all ? VM_REJECT_STAKE_MINIMUM : VM_OK;
}

_Static_assert(offsetof(struct vm_delegation_row, shares) ==
                   offsetof(struct vm_unbonding_row, shares),
               "the shares of either are at one place");

/* Takes shares from a delegation or an unbonding; it goes with the last of them. */
static void shares_take(struct vm_state *s, uint32_t index, struct vm_shares shares)
{
    struct vm_stake *const stake = vm_stake_mut(s, index);
    int64_t const left = vm_shares_raw(stake->delegation.shares) - vm_shares_raw(shares);
    NV_ASSERT(left >= 0);
    stake->delegation.shares = vm_shares(left);
    if (left == 0) {
        vm_stake_drop(s, index);
    }
}

static uint16_t undelegate(struct vm_stake_phase *phase, struct vm_exec *x, struct vm_act *act)
{
    struct vm_state *const s = x->state;
    const struct vm_delegate *const d = &act->action->delegate;
    uint64_t const epoch = vm_staking(s)->epoch;
    uint32_t const index = validator_at(x, &d->validator);
    struct vm_pool none = {.tokens = vm_money(0), .shares = vm_shares(0)};
    struct vm_shares shares, waiting;
    struct vm_money cost;
    struct nv_row_key key;
    if (index == VM_NONE) {
        return VM_REJECT_VALIDATOR_UNKNOWN;
    }
    uint64_t const validator = vm_stake_field(vm_stake(s, index), 0);
    const struct vm_pool *const pool = vm_stake_pool(vm_stake(s, index));
    vm_key_delegation(&key, account_id(x, act->account), validator);
    uint32_t const own = vm_stake_find(s, &key);
    if (own == VM_NONE) {
        return VM_REJECT_STAKE_UNKNOWN;
    }
    uint16_t const code = burn(x, pool, vm_stake(s, own)->delegation.shares, d->amount, &shares);
    if (code != VM_OK) {
        return code;
    }
    vm_key_batch(&key, validator, epoch);
    uint32_t const batch = vm_stake_find(s, &key);
    struct vm_money const worth = vm_pool_worth(pool, shares);
    if (!vm_pool_mint(
            batch != VM_NONE ? vm_stake_pool(vm_stake(s, batch)) : &none, worth, &waiting, &cost)) {
        return VM_REJECT_VALIDATOR_TOMBSTONED;
    }
    shares_take(s, own, shares);
    struct vm_stake_item *const item = item_add(phase, x, act, validator);
    item->epoch = epoch;
    item->amount = worth;
    item->shares = shares;
    item->waiting = waiting;
    return VM_OK;
}

static bool released(const struct vm_exec *x, const struct vm_stake *unbonding)
{
    uint64_t const epochs = (uint64_t)vm_param(x->state, VM_PARAM_UNBOND_EPOCHS);
    uint64_t const since = vm_stake_field(unbonding, 2);
    uint64_t const now = vm_staking(x->state)->epoch;
    return now >= since && now - since >= epochs &&
           unbonding->unbonding.release_ms <= x->block->time_ms;
}

/* One unbonding to cash. */
static bool
withdraw_one(struct vm_stake_phase *phase, struct vm_exec *x, struct vm_act *act, uint32_t index)
{
    struct vm_state *const s = x->state;
    const struct vm_stake *const unbonding = vm_stake(s, index);
    uint64_t const validator = vm_stake_field(unbonding, 1);
    uint64_t const epoch = vm_stake_field(unbonding, 2);
    struct nv_row_key key;
    vm_key_batch(&key, validator, epoch);
    uint32_t const batch = vm_stake_find(s, &key);
    if (batch == VM_NONE || !released(x, unbonding)) {
        return false;
    }
    struct vm_stake_item *const item = item_add(phase, x, act, validator);
    item->epoch = epoch;
    item->waiting = unbonding->unbonding.shares;
    item->amount = vm_pool_worth(vm_stake_pool(vm_stake(s, batch)), item->waiting);
    act->outcome.result += (uint64_t)vm_money_raw(item->amount);
    shares_take(s, index, item->waiting);
    return true;
}

static uint16_t withdraw_stake(struct vm_stake_phase *phase, struct vm_exec *x, struct vm_act *act)
{
    struct vm_state *const s = x->state;
    uint32_t const validator = validator_at(x, &act->action->validator);
    if (validator == VM_NONE) {
        return VM_REJECT_VALIDATOR_UNKNOWN;
    }
    uint64_t const account = account_id(x, act->account);
    uint64_t const id = vm_stake_field(vm_stake(s, validator), 0);
    struct nv_row_key key;
    bool found = false, some = false;
    vm_key_unbonding(&key, account, id, 0);
    for (uint32_t i = vm_stake_after(s, &key); i != VM_NONE; i = vm_stake_after(s, &key)) {
        const struct vm_stake *const stake = vm_stake(s, i);
        if (vm_stake_table(stake) != VM_TABLE_UNBONDING || vm_stake_field(stake, 0) != account ||
            vm_stake_field(stake, 1) != id) {
            break;
        }
        key = stake->key;
        found = true;
        some = withdraw_one(phase, x, act, i) || some;
    }
    return some ? VM_OK : found ? VM_REJECT_STAKE_LOCKED : VM_REJECT_STAKE_UNKNOWN;
}

static uint16_t claim(struct vm_stake_phase *phase, struct vm_exec *x, struct vm_act *act)
{
    uint64_t const id = account_id(x, act->account);
    uint32_t const index = vm_validator_find(x->state, id);
    if (index == VM_NONE) {
        return VM_REJECT_VALIDATOR_UNKNOWN;
    }
    struct vm_money const due = vm_stake(x->state, index)->validator.due;
    if (vm_money_raw(due) == 0 || !vm_due_add(x->state, index, vm_money(-vm_money_raw(due)))) {
        return VM_REJECT_STAKE_UNKNOWN;
    }
    vm_exec_credit(x, act->account, due);
    vm_pending_told(x, act->account, VM_CASH_COMMISSION, due, id);
    act->outcome.result = (uint64_t)vm_money_raw(due);
    (void)item_add(phase, x, act, id);
    return VM_OK;
}

static uint16_t set_commission(struct vm_exec *x, const struct vm_act *act)
{
    uint64_t const id = account_id(x, act->account);
    uint64_t const epoch = vm_staking(x->state)->epoch;
    uint32_t const index = vm_validator_find(x->state, id);
    if (index == VM_NONE) {
        return VM_REJECT_VALIDATOR_UNKNOWN;
    }
    const struct vm_validator_row *const row = &vm_stake(x->state, index)->validator;
    int64_t const ppb = vm_ratio_raw(act->action->commission);
    int64_t const step = vm_param(x->state, VM_PARAM_COMMISSION_STEP);
    if (ppb < 0 || ppb > VM_RATIO_ONE_PPB) {
        return VM_REJECT_FIELD_RANGE;
    }
    if (row->commission_epoch == epoch || ppb - vm_ratio_raw(row->commission) > step) {
        return VM_REJECT_COMMISSION_RATE;
    }
    struct vm_validator_row *const changed = &vm_stake_mut(x->state, index)->validator;
    changed->commission = act->action->commission;
    changed->commission_epoch = epoch;
    vm_stake_told(x, id, VM_VALIDATOR_COMMISSION, vm_money(ppb), epoch);
    return VM_OK;
}

static uint16_t unjail(struct vm_exec *x, const struct vm_act *act)
{
    uint64_t const id = account_id(x, act->account);
    uint64_t const epoch = vm_staking(x->state)->epoch;
    uint32_t const index = vm_validator_find(x->state, id);
    if (index == VM_NONE) {
        return VM_REJECT_VALIDATOR_UNKNOWN;
    }
    const struct vm_validator_row *const row = &vm_stake(x->state, index)->validator;
    if (row->status != VM_VALIDATOR_JAILED) {
        return VM_REJECT_NOT_JAILED;
    }
    if (below(vm_stake_self(x->state, index), vm_money_raw(row->least))) {
        return VM_REJECT_STAKE_MINIMUM;
    }
    if (epoch < row->jailed_epoch + 2) {
        return VM_REJECT_JAIL_TIME;
    }
    vm_stake_mut(x->state, index)->validator.status = VM_VALIDATOR_ACTIVE;
    vm_stake_told(x, id, VM_VALIDATOR_UNJAILED, vm_money(0), epoch);
    return VM_OK;
}

void vm_stake_act(struct vm_stake_phase *phase, struct vm_exec *x, struct vm_act *act)
{
    uint16_t code = VM_OK;
    switch (act->kind) {
    case VM_ACTION_BOND: code = bond(phase, x, act); break;
    case VM_ACTION_DELEGATE: code = delegate(phase, x, act); break;
    case VM_ACTION_UNDELEGATE: code = undelegate(phase, x, act); break;
    case VM_ACTION_WITHDRAW_STAKE: code = withdraw_stake(phase, x, act); break;
    case VM_ACTION_CLAIM: code = claim(phase, x, act); break;
    case VM_ACTION_SET_COMMISSION: code = set_commission(x, act); break;
    case VM_ACTION_UNJAIL: code = unjail(x, act); break;
    default: return;
    }
    act->outcome.code = code;
}
