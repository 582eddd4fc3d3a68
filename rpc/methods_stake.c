/* methods_stake.c - stake_*: who validates, and what accounts have with them.  What
 * the rows say is vm/read_stake.h's; here it is written down. */

#include <string.h>

#include "rpc/methods.h"
#include "rpc/read.h"

#define COMMISSION_PLACES 9u

/* ---- validators ---- */

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
static void write_duty(struct rpc_json *out, const struct vm_read_validator *validator)
{
    if (!validator->serves) {
        rpc__json_null(out, "index");
        rpc__json_null(out, "power");
        rpc__json_null(out, "signed");
        return;
    }
    rpc__json_number(out, "index", validator->index);
    rpc__json_i64(out, "power", vm_money_raw(validator->power));
    rpc__json_number(out, "signed", validator->present);
}

static enum nv_err write_validator(void *ctx, const struct vm_read_validator *validator)
{
    struct rpc_json *const out = ctx;
    rpc__json_object(out, NULL);
    rpc__json_address(out, "validator", &validator->address);
    write_row(out, &validator->row);
    write_duty(out, validator);
    rpc__json_end(out, '}');
    return NV_OK;
}

static void write_epoch(struct rpc_json *out, const struct vm_in_force *epoch)
{
    rpc__json_u64(out, "epoch", epoch->staking.epoch);
    rpc__json_u64(out, "epoch_height", epoch->staking.epoch_height);
    rpc__json_number(out, "blocks", epoch->uptime.blocks);
    rpc__json_micro(out, "staked", vm_money_raw(epoch->staking.staked));
    rpc__json_micro(out, "reward_pot", vm_money_raw(epoch->staking.pot));
}

void rpc__stake_validators(struct rpc_call *call)
{
    struct rpc_json *const out = &call->out;
    struct vm_row_source const from = rpc__row_source(call);
    struct vm_read_page page = {.limit = rpc__param_count(call->params, "limit", VM_READ_PAGE)};
    struct vm_in_force epoch;
    (void)rpc__param_u64(call->params, "cursor", &page.first);
    enum nv_err err = vm_read_in_force(&from, &epoch);
    if (err != NV_OK) {
        rpc__done(call, err);
        return;
    }
    write_epoch(out, &epoch);
    rpc__json_array(out, "validators");
    err = vm_read_validators(&from, &page, &epoch, write_validator, out);
    rpc__json_end(out, ']');
    if (page.next != 0) {
        rpc__json_u64(out, "cursor", page.next);
    } else {
        rpc__json_null(out, "cursor");
    }
    rpc__done(call, err);
}

/* ---- of one account ---- */

static enum nv_err write_stake(void *ctx, const struct vm_read_stake *stake)
{
    struct rpc_json *const out = ctx;
    rpc__json_object(out, NULL);
    rpc__json_address(out, "validator", &stake->validator);
    rpc__json_text(out, "status", vm_validator_status_name(stake->status));
    rpc__json_i64(out, "shares", vm_shares_raw(stake->shares));
    rpc__json_micro(out, "worth", vm_money_raw(stake->worth));
    rpc__json_end(out, '}');
    return NV_OK;
}

static enum nv_err write_waiting(void *ctx, const struct vm_read_waiting *waiting)
{
    struct rpc_json *const out = ctx;
    rpc__json_object(out, NULL);
    rpc__json_address(out, "validator", &waiting->validator);
    rpc__json_u64(out, "epoch", waiting->epoch);
    rpc__json_micro(out, "worth", vm_money_raw(waiting->worth));
    rpc__json_number(out, "release_ms", (int64_t)waiting->release_ms);
    rpc__json_end(out, '}');
    return NV_OK;
}

/* read_own reads which page of an account's list is asked for.  False: the call has failed. */
static bool read_own(struct rpc_call *call, struct vm_read_own *own, uint64_t account)
{
    struct nv_hash cursor;
    struct nv_row_key first;
    uint32_t const limit = rpc__param_count(call->params, "limit", VM_READ_PAGE);
    bool const given = rpc__param_hash(call->params, "cursor", &cursor);
    if (given) {
        memcpy(first.bytes, cursor.bytes, sizeof first.bytes);
    }
    if (vm_read_own_begin(own, account, given ? &first : NULL, limit) == NV_OK) {
        return true;
    }
    rpc__fault_field(
        &call->fault, RPC_ERROR_INVALID_PARAMS, "cursor", "the cursor of a page of this account");
    return false;
}

void rpc__stake_get(struct rpc_call *call)
{
    struct rpc_account account;
    struct vm_staking_row staking;
    struct vm_read_own own;
    struct rpc_json *const out = &call->out;
    struct vm_row_source const from = rpc__row_source(call);
    if (!rpc__find_account(call, &account) || !read_own(call, &own, account.id)) {
        return;
    }
    enum nv_err const err = vm_read_staking(&from, &staking);
    if (err != NV_OK) {
        rpc__done(call, err);
        return;
    }
    rpc__json_address(out, "address", &account.address);
    rpc__json_u64(out, "account", account.id);
    rpc__json_u64(out, "epoch", staking.epoch);
    rpc__json_array(out, "stakes");
    rpc__done(call, vm_read_stakes(&from, &own, write_stake, out));
    rpc__json_end(out, ']');
    rpc__json_array(out, "waiting");
    rpc__done(call, vm_read_waiting(&from, &own, write_waiting, out));
    rpc__json_end(out, ']');
    if (own.more) {
        rpc__json_hex(out, "cursor", nv_view_of(own.next.bytes, sizeof own.next.bytes));
    } else {
        rpc__json_null(out, "cursor");
    }
}
