/* The close of a block: uptime; at a boundary what validating earned, and the
 * next epoch (docs/spec/stake.md sections 4 and 5). */

#include "vm/params.h"
#include "vm/stake/stake.h"

#include "base/pure.h"

void vm_stake_told(struct vm_exec *x,
                   uint64_t validator,
                   enum vm_validator_change change,
                   struct vm_money amount,
                   uint64_t epoch)
{
    struct vm_event const event = {
        .kind = VM_EVENT_VALIDATOR,
        .validator = {
            .account = validator, .change = (uint8_t)change, .amount = amount, .epoch = epoch}};
    vm_exec_emit(x, &event);
}

/* The validator has a batch whose stake still waits. */
static bool has_batch(const struct vm_state *s, uint64_t validator)
{
    struct nv_row_key key;
    vm_key_batch(&key, validator, 0);
    uint32_t const next = vm_stake_after(s, &key);
    return next != VM_NONE && vm_stake_table(vm_stake(s, next)) == VM_TABLE_BATCH &&
           vm_stake_field(vm_stake(s, next), 0) == validator;
}

void vm_stake_settle(struct vm_exec *x, uint64_t validator)
{
    struct vm_state *const s = x->state;
    uint32_t const index = vm_validator_find(s, validator);
    if (index == VM_NONE || vm_shares_raw(vm_stake(s, index)->validator.pool.shares) != 0) {
        return;
    }
    const struct vm_validator_row *const row = &vm_stake(s, index)->validator;
    struct vm_money const dust = row->pool.tokens;
    if (!vm_pool_add(s, index, vm_money(-vm_money_raw(dust)), vm_shares(0)) ||
        !vm_pot_add(s, dust)) {
        vm_exec_safe_mode(x);
    }
    if (vm_money_raw(row->due) == 0 && row->status != VM_VALIDATOR_TOMBSTONED &&
        !has_batch(s, validator)) {
        vm_validator_drop(s, index);
        vm_stake_told(x, validator, VM_VALIDATOR_FORGOTTEN, dust, vm_staking(s)->epoch);
    }
}

static void uptime_count(struct vm_exec *x)
{
    const struct vm_consensus *const facts = &x->block->consensus;
    const struct vm_staking_row *const staking = vm_staking(x->state);
    uint32_t const count = vm_set_count(x->state, 0);
    if (!facts->signers_known || facts->epoch != staking->epoch || count == 0 ||
        x->block->height == staking->epoch_height + 1) {
        return;
    }
    struct vm_uptime_row *const uptime = vm_uptime_mut(x->state);
    uptime->blocks++;
    for (uint32_t i = 0; i < count; i++) {
        uptime->present[i] += ((uint32_t)facts->signers[i / 8] >> i % 8) & 1u;
    }
}

/* The validator of a member, if that is still the one it was. */
static uint32_t member_validator(const struct vm_state *s, const struct vm_member *member)
{
    uint32_t const index = vm_validator_find(s, member->validator);
    bool const same = index != VM_NONE && memcmp(vm_stake(s, index)->validator.key.bytes,
                                                 member->key.bytes,
                                                 sizeof member->key.bytes) == 0;
    return same ? index : VM_NONE;
}

static bool was_absent(const struct vm_state *s, uint32_t i)
{
    const struct vm_uptime_row *const uptime = vm_uptime(s);
    nv_i128 const least = (nv_i128)uptime->blocks * vm_param(s, VM_PARAM_UPTIME_MIN);
    return uptime->blocks >= (uint64_t)vm_param(s, VM_PARAM_UPTIME_BLOCKS) &&
           (nv_i128)uptime->present[i] * VM_RATIO_ONE_PPB < least;
}

static void jail(struct vm_exec *x, uint32_t index)
{
    uint64_t const epoch = vm_staking(x->state)->epoch;
    if (vm_stake(x->state, index)->validator.status != VM_VALIDATOR_ACTIVE) {
        return;
    }
    struct vm_validator_row *const row = &vm_stake_mut(x->state, index)->validator;
    row->status = VM_VALIDATOR_JAILED;
    row->jailed_epoch = epoch;
    vm_stake_told(
        x, vm_stake_field(vm_stake(x->state, index), 0), VM_VALIDATOR_ABSENT, vm_money(0), epoch);
}

/* Moves a reward from the pot to a validator: commission to its due, the rest to
 * its pool. */
static bool reward(struct vm_exec *x, uint32_t index, struct vm_money amount)
{
    struct vm_state *const s = x->state;
    struct vm_ratio const commission = vm_stake(s, index)->validator.commission;
    struct vm_money own, rest;
    vm_stake_told(x,
                  vm_stake_field(vm_stake(s, index), 0),
                  VM_VALIDATOR_REWARDED,
                  amount,
                  vm_staking(s)->epoch);
    return vm_money_share(amount, commission, NV_ROUND_FLOOR, &own) &&
           vm_money_sub(amount, own, &rest) && vm_pot_add(s, vm_money(-vm_money_raw(amount))) &&
           vm_due_add(s, index, own) && vm_pool_add(s, index, rest, vm_shares(0));
}

/* What all members of the set in force weigh. */
static int64_t set_stake(const struct vm_state *s)
{
    int64_t sum = 0; /* at most supply */
    for (uint32_t i = 0; i < vm_set_count(s, 0); i++) {
        sum += vm_money_raw(vm_set_member(s, 0, i)->stake);
    }
    return sum;
}

/* SPEC stake 5.2: "r = floor(floor(P × w / W) × u / B)" */
static int64_t earned(const struct vm_state *s, uint32_t i, int64_t pot, int64_t total)
{
    const struct vm_uptime_row *const uptime = vm_uptime(s);
    int64_t const stake = vm_money_raw(vm_set_member(s, 0, i)->stake);
    int64_t part = 0, result = 0;
    bool const fits =
        nv_muldiv_i64(pot, stake, total, NV_ROUND_FLOOR, &part) &&
        nv_muldiv_i64(part, uptime->present[i], uptime->blocks, NV_ROUND_FLOOR, &result);
    return fits ? result : 0;
}

/* Pays the set in force, and jails who was absent; returns what was paid. */
static struct vm_money rewards(struct vm_exec *x)
{
    struct vm_state *const s = x->state;
    int64_t const pot = vm_money_raw(vm_staking(s)->pot), total = set_stake(s);
    int64_t paid = 0;
    for (uint32_t i = 0; vm_uptime(s)->blocks > 0 && i < vm_set_count(s, 0); i++) {
        uint32_t const index = member_validator(s, vm_set_member(s, 0, i));
        if (index == VM_NONE) {
            continue;
        }
        const struct vm_validator_row *const row = &vm_stake(s, index)->validator;
        int64_t const amount = earned(s, i, pot, total);
        if (was_absent(s, i)) {
            jail(x, index);
        } else if (amount > 0 && row->status != VM_VALIDATOR_TOMBSTONED &&
                   vm_shares_raw(row->pool.shares) > 0) {
            paid += amount;
            if (!reward(x, index, vm_money(amount))) {
                vm_exec_safe_mode(x);
            }
        }
    }
    return vm_money(paid);
}

static void epoch_end(struct vm_exec *x)
{
    struct vm_state *const s = x->state;
    const struct vm_consensus *const facts = &x->block->consensus;
    struct vm_money const paid = rewards(x);
    vm_stake_enforce(s, vm_stake_choice(s, facts->next_height), x->block->height);
    struct vm_staking_row *const staking = vm_staking_mut(s);
    staking->epoch = facts->epoch + 1;
    staking->epoch_height = x->block->height;
    struct vm_event const event = {.kind = VM_EVENT_EPOCH,
                                   .epoch = {.epoch = staking->epoch,
                                             .members = vm_set_count(s, 0),
                                             .stake = vm_money(set_stake(s)),
                                             .paid = paid}};
    vm_exec_emit(x, &event);
}

void vm_stake_close(struct vm_exec *x)
{
    uptime_count(x);
    if (x->block->consensus.boundary) {
        epoch_end(x);
    }
    if (x->block->height % VM_CHOICE_HEIGHTS == 0) {
        vm_stake_choose(x->state, x->arena, x->block->height);
    }
}
