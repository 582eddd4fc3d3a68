#include "tools/audit/stakes.h"

#include "base/codec.h"

#include "vm/rows.h"

static uint64_t field(const struct nv_row *row, uint32_t i)
{
    return nv_be64_load(row->key.bytes + 1 + (size_t)8 * i);
}

/* The validator of an account, NULL if there is none: they came by account. */
static struct stakes_validator *validator_of(struct stakes *stakes, uint64_t account)
{
    uint32_t first = 0, end = stakes->count;
    while (first < end) {
        uint32_t const middle = first + (end - first) / 2;
        if (stakes->validator[middle].account < account) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    bool const there = first < stakes->count && stakes->validator[first].account == account;
    stakes->stray = stakes->stray || !there;
    return there ? &stakes->validator[first] : NULL;
}

static bool add_staking(struct stakes *stakes, const struct nv_row *row)
{
    struct vm_staking_row staking;
    if (vm_staking_row_decode(&staking, row->value) != NV_OK) {
        return false;
    }
    stakes->pot = vm_money_raw(staking.pot);
    stakes->running_staked = vm_money_raw(staking.staked);
    stakes->running_validators = staking.validators;
    stakes->chain_found = true;
    return true;
}

static bool add_validator(struct stakes *stakes, const struct nv_row *row)
{
    struct vm_validator_row v;
    if (stakes->count >= VM_VALIDATORS_KNOWN || vm_validator_row_decode(&v, row->value) != NV_OK) {
        return false;
    }
    stakes->validator[stakes->count] = (struct stakes_validator){
        .account = field(row, 0), .shares = vm_shares_raw(v.pool.shares), .waiting = 0};
    stakes->count++;
    stakes->staked += vm_money_raw(v.pool.tokens);
    stakes->staked += vm_money_raw(v.due);
    return true;
}

static bool add_delegation(struct stakes *stakes, const struct nv_row *row)
{
    struct vm_delegation_row d;
    struct stakes_validator *const v = validator_of(stakes, field(row, 1));
    if (vm_delegation_row_decode(&d, row->value) != NV_OK) {
        return false;
    }
    if (v != NULL) {
        v->shares -= vm_shares_raw(d.shares);
    }
    return true;
}

static bool add_batch(struct stakes *stakes, const struct nv_row *row)
{
    struct vm_batch_row batch;
    struct stakes_validator *const v = validator_of(stakes, field(row, 0));
    if (vm_batch_row_decode(&batch, row->value) != NV_OK) {
        return false;
    }
    stakes->staked += vm_money_raw(batch.pool.tokens);
    if (v != NULL) {
        v->waiting += vm_shares_raw(batch.pool.shares);
    }
    return true;
}

static bool add_unbonding(struct stakes *stakes, const struct nv_row *row)
{
    struct vm_unbonding_row u;
    struct stakes_validator *const v = validator_of(stakes, field(row, 1));
    if (vm_unbonding_row_decode(&u, row->value) != NV_OK) {
        return false;
    }
    if (v != NULL) {
        v->waiting -= vm_shares_raw(u.shares);
    }
    return true;
}

bool stakes_add(struct stakes *stakes, const struct nv_row *row)
{
    switch (row->key.bytes[0]) {
    case VM_TABLE_STAKING: return add_staking(stakes, row);
    case VM_TABLE_VALIDATOR: return add_validator(stakes, row);
    case VM_TABLE_DELEGATION: return add_delegation(stakes, row);
    case VM_TABLE_BATCH: return add_batch(stakes, row);
    case VM_TABLE_UNBONDING: return add_unbonding(stakes, row);
    default: return true; /* sets and uptime hold no money */
    }
}

bool stakes_running_hold(const struct stakes *stakes)
{
    return stakes->chain_found && stakes->staked == stakes->running_staked &&
           stakes->count == stakes->running_validators;
}

bool stakes_shares_hold(const struct stakes *stakes)
{
    bool held = !stakes->stray;
    for (uint32_t i = 0; i < stakes->count; i++) {
        held = held && stakes->validator[i].shares == 0 && stakes->validator[i].waiting == 0;
    }
    return held;
}
