/* methods_stake.c - stake_*: who validates, and what accounts have with them. */

#include "base/codec.h"

#include "rpc/methods.h"
#include "rpc/read.h"
#include "vm/number/pool.h"

#define COMMISSION_PLACES 9u

/* The set in force and how often each of it signed. */
struct epoch {
    struct vm_staking_row staking;
    struct vm_uptime_row uptime;
    uint32_t count;
    struct vm_member member[VM_VALIDATORS_MAX];
};

static enum nv_err
read_row(struct rpc_call *call, const struct nv_row_key *key, struct nv_view *value)
{
    *value = nv_view_of(NULL, 0);
    return rpc__row_get(call, value, key);
}

static enum nv_err read_staking(struct rpc_call *call, struct vm_staking_row *out)
{
    struct nv_row_key key;
    struct nv_view value;
    vm_key_staking(&key);
    NV_TRY(read_row(call, &key, &value));
    return vm_staking_row_decode(out, value);
}

static enum nv_err read_members(struct rpc_call *call, struct epoch *epoch)
{
    static const uint8_t prefix[2] = {VM_TABLE_SET, 0};
    struct nv_row_range range;
    struct rpc_walk walk;
    struct nv_row row;
    rpc__row_prefix(&range, prefix, sizeof prefix);
    NV_TRY(rpc__walk_init(&walk, call, &range));
    enum nv_err err = NV_OK;
    while ((err = rpc__walk_next(&walk, &row)) == NV_OK) {
        struct vm_set_row page;
        NV_TRY(vm_set_row_decode(&page, row.value));
        for (uint32_t i = 0; i < page.size && epoch->count < VM_VALIDATORS_MAX; i++) {
            epoch->member[epoch->count++] = page.member[i];
        }
    }
    return rpc__end(err);
}

static enum nv_err read_epoch(struct rpc_call *call, struct epoch *epoch)
{
    struct nv_row_key key;
    struct nv_view value;
    epoch->count = 0;
    NV_TRY(read_staking(call, &epoch->staking));
    NV_TRY(read_members(call, epoch));
    vm_key_uptime(&key);
    enum nv_err const err = read_row(call, &key, &value);
    if (err == NV_ERR_NOT_FOUND) { /* the set is empty */
        epoch->uptime = (struct vm_uptime_row){.blocks = 0};
        return NV_OK;
    }
    NV_TRY(err);
    return vm_uptime_row_decode(&epoch->uptime, value);
}

/* The address of a validator's operator. */
static enum nv_err write_operator(struct rpc_call *call, const char *key, uint64_t account)
{
    struct vm_account_row row;
    NV_TRY(rpc__read_account(call, account, &row));
    rpc__json_address(&call->out, key, &row.address);
    return NV_OK;
}

static void write_row(struct rpc_json *out, const struct vm_validator_row *row)
{
    rpc__json_pubkey(out, "key", &row->key);
    rpc__json_pubkey(out, "node_key", &row->node_key);
    rpc__json_text(out, "status", vm_validator_status_name(row->status));
    rpc__json_micro(out, "stake", vm_money_raw(row->pool.tokens));
    rpc__json_i64(out, "shares", vm_shares_raw(row->pool.shares));
    rpc__json_micro(out, "least", vm_money_raw(row->least));
    rpc__json_micro(out, "due", vm_money_raw(row->due));
    rpc__json_decimal(out, "commission", vm_ratio_raw(row->commission), COMMISSION_PLACES);
    rpc__json_u64(out, "jailed_epoch", row->jailed_epoch);
    rpc__json_number(out, "slashes", row->slash_count);
}

/* What a validator does in the epoch, nulls if it is not in its set. */
static void write_duty(struct rpc_json *out, const struct epoch *epoch, uint64_t account)
{
    uint32_t i = 0;
    while (i < epoch->count && epoch->member[i].validator != account) {
        i++;
    }
    if (i == epoch->count || i >= epoch->uptime.count) {
        rpc__json_null(out, "index");
        rpc__json_null(out, "power");
        rpc__json_null(out, "signed");
        return;
    }
    rpc__json_number(out, "index", i);
    rpc__json_i64(out, "power", vm_money_raw(epoch->member[i].stake));
    rpc__json_number(out, "signed", epoch->uptime.present[i]);
}

static enum nv_err write_validators(struct rpc_call *call, const struct epoch *epoch)
{
    static const uint8_t table = VM_TABLE_VALIDATOR;
    struct nv_row_range range;
    struct rpc_walk walk;
    struct nv_row row;
    rpc__row_prefix(&range, &table, 1);
    NV_TRY(rpc__walk_init(&walk, call, &range));
    enum nv_err err = NV_OK;
    while ((err = rpc__walk_next(&walk, &row)) == NV_OK) {
        struct vm_validator_row validator;
        uint64_t const account = nv_be64_load(row.key.bytes + 1);
        NV_TRY(vm_validator_row_decode(&validator, row.value));
        rpc__json_object(&call->out, NULL);
        NV_TRY(write_operator(call, "validator", account));
        write_row(&call->out, &validator);
        write_duty(&call->out, epoch, account);
        rpc__json_end(&call->out, '}');
    }
    return rpc__end(err);
}

void rpc__stake_validators(struct rpc_call *call)
{
    struct epoch epoch;
    struct rpc_json *const out = &call->out;
    enum nv_err err = read_epoch(call, &epoch);
    if (err != NV_OK) {
        rpc__done(call, err);
        return;
    }
    rpc__json_u64(out, "epoch", epoch.staking.epoch);
    rpc__json_u64(out, "epoch_height", epoch.staking.epoch_height);
    rpc__json_number(out, "blocks", epoch.uptime.blocks);
    rpc__json_micro(out, "staked", vm_money_raw(epoch.staking.staked));
    rpc__json_micro(out, "reward_pot", vm_money_raw(epoch.staking.pot));
    rpc__json_array(out, "validators");
    rpc__done(call, write_validators(call, &epoch));
    rpc__json_end(out, ']');
}

/* ---- of one account ---- */

static enum nv_err write_delegation(struct rpc_call *call, const struct nv_row *row)
{
    uint64_t const validator = nv_be64_load(row->key.bytes + 9);
    struct vm_delegation_row delegation;
    struct vm_validator_row of;
    struct nv_row_key key;
    struct nv_view value;
    NV_TRY(vm_delegation_row_decode(&delegation, row->value));
    vm_key_validator(&key, validator);
    NV_TRY(read_row(call, &key, &value));
    NV_TRY(vm_validator_row_decode(&of, value));
    rpc__json_object(&call->out, NULL);
    NV_TRY(write_operator(call, "validator", validator));
    rpc__json_text(&call->out, "status", vm_validator_status_name(of.status));
    rpc__json_i64(&call->out, "shares", vm_shares_raw(delegation.shares));
    rpc__json_micro(&call->out, "worth", vm_money_raw(vm_pool_worth(&of.pool, delegation.shares)));
    rpc__json_end(&call->out, '}');
    return NV_OK;
}

static enum nv_err write_unbonding(struct rpc_call *call, const struct nv_row *row)
{
    uint64_t const validator = nv_be64_load(row->key.bytes + 9);
    uint64_t const epoch = nv_be64_load(row->key.bytes + 17);
    struct vm_unbonding_row unbonding;
    struct vm_batch_row batch;
    struct nv_row_key key;
    struct nv_view value;
    NV_TRY(vm_unbonding_row_decode(&unbonding, row->value));
    vm_key_batch(&key, validator, epoch);
    NV_TRY(read_row(call, &key, &value));
    NV_TRY(vm_batch_row_decode(&batch, value));
    rpc__json_object(&call->out, NULL);
    NV_TRY(write_operator(call, "validator", validator));
    rpc__json_u64(&call->out, "epoch", epoch);
    rpc__json_micro(
        &call->out, "worth", vm_money_raw(vm_pool_worth(&batch.pool, unbonding.shares)));
    rpc__json_number(&call->out, "release_ms", (int64_t)unbonding.release_ms);
    rpc__json_end(&call->out, '}');
    return NV_OK;
}

typedef enum nv_err (*row_fn)(struct rpc_call *call, const struct nv_row *row);

/* Writes each row of a table that belongs to an account. */
static enum nv_err write_own(struct rpc_call *call, uint8_t table, uint64_t account, row_fn write)
{
    uint8_t prefix[9] = {table};
    struct nv_row_range range;
    struct rpc_walk walk;
    struct nv_row row;
    nv_be64_store(prefix + 1, account);
    rpc__row_prefix(&range, prefix, sizeof prefix);
    NV_TRY(rpc__walk_init(&walk, call, &range));
    enum nv_err err = NV_OK;
    while ((err = rpc__walk_next(&walk, &row)) == NV_OK) {
        NV_TRY(write(call, &row));
    }
    return rpc__end(err);
}

void rpc__stake_get(struct rpc_call *call)
{
    struct rpc_account account;
    struct vm_staking_row staking;
    struct rpc_json *const out = &call->out;
    if (!rpc__find_account(call, &account)) {
        return;
    }
    enum nv_err const err = read_staking(call, &staking);
    if (err != NV_OK) {
        rpc__done(call, err);
        return;
    }
    rpc__json_address(out, "address", &account.address);
    rpc__json_u64(out, "account", account.id);
    rpc__json_u64(out, "epoch", staking.epoch);
    rpc__json_array(out, "stakes");
    rpc__done(call, write_own(call, VM_TABLE_DELEGATION, account.id, write_delegation));
    rpc__json_end(out, ']');
    rpc__json_array(out, "waiting");
    rpc__done(call, write_own(call, VM_TABLE_UNBONDING, account.id, write_unbonding));
    rpc__json_end(out, ']');
}
