/* methods_account.c - account_*: what an account owns and owes. */

#include "base/int.h"

#include "rpc/margin.h"
#include "rpc/methods.h"
#include "rpc/read.h"
#include "rpc/recent.h"
#include "rpc/stage.h"
#include "vm/tx.h"

#define FILLS_DEFAULT 50u
#define FILLS_MAX     500u

static void write_account(struct rpc_call *call, const struct rpc_account *account)
{
    struct rpc_json *out = &call->out;
    rpc__json_address(out, "address", &account->address);
    rpc__json_u64(out, "account", account->id);
}

static void write_balances(struct rpc_call *call, const struct rpc_account *account)
{
    rpc__json_micro(&call->out, "cash", vm_money_raw(account->row.cash));
    rpc__json_micro(&call->out, "wallet", vm_money_raw(account->row.wallet));
}

/* ---- positions ---- */

/* entry_per_lot is the price at which the position would be worth nothing:
 * carry - cost / lots, rounded down. */
static bool
entry_per_lot(const struct rpc_market *market, const struct vm_position_row *row, int64_t *micro)
{
    int64_t per_lot = 0;
    return nv_div_i64(vm_money_raw(row->cost), vm_lots_raw(row->lots), NV_ROUND_CEIL, &per_lot) &&
           nv_sub_i64(vm_money_raw(market->state.carry), per_lot, micro);
}

static enum nv_err
write_position(struct rpc_call *call, const struct rpc_position *position, void *ctx)
{
    struct rpc_market market;
    struct rpc_json *out = &call->out;
    int64_t value = 0;
    int64_t entry = 0;
    (void)ctx;
    NV_TRY(rpc__read_market(call, position->market, &market));
    rpc__json_object(out, NULL);
    rpc__json_text(out, "market", market.listing.symbol);
    rpc__json_number(out, "market_id", market.listing.market);
    rpc__json_size(out, "size", &market.listing, vm_lots_raw(position->row.lots));
    rpc__json_i64(out, "lots", vm_lots_raw(position->row.lots));
    rpc__json_micro(out, "cost", vm_money_raw(position->row.cost));
    rpc__json_per_lot(out, "mark", &market.listing, vm_money_raw(market.state.mark));
    if (entry_per_lot(&market, &position->row, &entry)) {
        rpc__json_per_lot(out, "entry_price", &market.listing, entry);
    } else {
        rpc__json_null(out, "entry_price");
    }
    if (rpc__position_value(&market, &position->row, &value)) {
        rpc__json_micro(out, "value", value);
    } else {
        rpc__json_null(out, "value");
    }
    rpc__json_end(out, '}');
    return NV_OK;
}

void rpc__account_positions(struct rpc_call *call)
{
    struct rpc_account account;
    if (!rpc__find_account(call, &account)) {
        return;
    }
    write_account(call, &account);
    rpc__json_array(&call->out, "positions");
    rpc__done(call, rpc__read_positions(call, account.id, write_position, NULL));
    rpc__json_end(&call->out, ']');
}

/* ---- the account as a whole ---- */

struct equity {
    nv_i128 sum;
    uint32_t positions;
};

static enum nv_err add_value(struct rpc_call *call, const struct rpc_position *position, void *ctx)
{
    struct rpc_market market;
    struct equity *equity = ctx;
    int64_t value = 0;
    NV_TRY(rpc__read_market(call, position->market, &market));
    if (!rpc__position_value(&market, &position->row, &value)) {
        return NV_ERR_RANGE;
    }
    equity->sum += value; /* far from 128 bits: at most 64 markets of 64 bits */
    equity->positions++;
    return NV_OK;
}

void rpc__account_get(struct rpc_call *call)
{
    struct rpc_account account;
    struct rpc_json *out = &call->out;
    if (!rpc__find_account(call, &account)) {
        return;
    }
    struct equity equity = {.sum = vm_money_raw(account.row.cash)};
    int64_t micro = 0;
    rpc__done(call, rpc__read_positions(call, account.id, add_value, &equity));
    write_account(call, &account);
    write_balances(call, &account);
    if (nv_narrow_try_i64(equity.sum, &micro)) {
        rpc__json_micro(out, "equity", micro);
    } else {
        rpc__json_null(out, "equity");
    }
    rpc__json_number(out, "positions", equity.positions);
    rpc__json_text(out, "stage", rpc__stage_name(account.row.stage));
    rpc__json_u64(out, "stage_height", account.row.stage_height);
    rpc__json_u64(out, "created_height", account.row.created_height);
    rpc__margin_write(call, account.id);
}

void rpc__account_balances(struct rpc_call *call)
{
    struct rpc_account account;
    if (rpc__find_account(call, &account)) {
        write_account(call, &account);
        write_balances(call, &account);
    }
}

/* ---- fills ---- */

static void write_fills(struct rpc_call *call)
{
    uint32_t const limit = rpc__param_count(call->params, "limit", FILLS_DEFAULT);
    rpc__recent_fills(call->rpc, &call->out, call->account, limit < FILLS_MAX ? limit : FILLS_MAX);
}

/* account_fills finds the account on the state; what it did lately is
 * remembered on the loop. */
void rpc__account_fills(struct rpc_call *call)
{
    struct rpc_account account;
    if (rpc__find_account(call, &account)) {
        write_account(call, &account);
        call->account = account.id;
        call->after = write_fills;
    }
}

/* ---- session keys ---- */

static void write_scopes(struct rpc_json *out, uint32_t scopes)
{
    rpc__json_array(out, "scopes");
    if ((scopes & VM_SCOPE_TRADE) != 0) {
        rpc__json_text(out, NULL, "trade");
    }
    if ((scopes & VM_SCOPE_TRANSFER) != 0) {
        rpc__json_text(out, NULL, "transfer");
    }
    if ((scopes & VM_SCOPE_WITHDRAW) != 0) {
        rpc__json_text(out, NULL, "withdraw");
    }
    if ((scopes & VM_SCOPE_REPORT) != 0) {
        rpc__json_text(out, NULL, "report");
    }
    rpc__json_end(out, ']');
}

static enum nv_err write_sessions(struct rpc_call *call, uint64_t account)
{
    struct nv_row_range range;
    struct rpc_walk walk;
    struct nv_row row;
    uint8_t prefix[9] = {VM_TABLE_SESSION};
    nv_be64_store(prefix + 1, account);
    nv_row_range_prefix(&range, prefix, sizeof prefix);
    NV_TRY(rpc__walk_init(&walk, call, &range));
    enum nv_err err = NV_OK;
    while ((err = rpc__walk_next(&walk, &row)) == NV_OK) {
        struct vm_session_row session;
        NV_TRY(vm_session_row_decode(&session, row.value));
        rpc__json_object(&call->out, NULL);
        rpc__json_pubkey(&call->out, "key", &session.key);
        write_scopes(&call->out, session.scopes);
        rpc__json_number(&call->out, "expires_ms", (int64_t)session.expires_ms);
        rpc__json_end(&call->out, '}');
    }
    return rpc__end(err);
}

void rpc__account_session_keys(struct rpc_call *call)
{
    struct rpc_account account;
    if (!rpc__find_account(call, &account)) {
        return;
    }
    write_account(call, &account);
    rpc__json_array(&call->out, "keys");
    rpc__done(call, write_sessions(call, account.id));
    rpc__json_end(&call->out, ']');
}
