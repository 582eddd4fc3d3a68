/* methods_risk.c - risk_*, liq_*: margin with every term, accounts that
 * protection is at work on, insurance. */

#include "rpc/margin.h"
#include "rpc/methods.h"
#include "rpc/read.h"
#include "rpc/stage.h"
#include "vm/explain.h"
#include "vm/params.h"

#define CANDIDATES_MAX 100u
#define SCAN_MAX       20000u

/* ---- margin ---- */

static void
write_nodes(struct rpc_json *out, const char *key, const struct vm_money nodes[VM_EXPLAIN_NODES])
{
    rpc__json_array(out, key);
    for (uint32_t i = 0; i < VM_EXPLAIN_NODES; i++) {
        rpc__json_micro(out, NULL, vm_money_raw(nodes[i]));
    }
    rpc__json_end(out, ']');
}

static void write_terms(struct rpc_json *out, const char *key, const struct vm_explained *terms)
{
    rpc__json_object(out, key);
    rpc__json_micro(out, "equity", vm_money_raw(terms->equity));
    rpc__json_micro(out, "initial", vm_money_raw(terms->initial));
    rpc__json_micro(out, "maintenance", vm_money_raw(terms->maintenance));
    rpc__json_micro(out, "core_initial", vm_money_raw(terms->core_initial));
    rpc__json_micro(out, "core_maintenance", vm_money_raw(terms->core_maintenance));
    rpc__json_micro(out, "contingency_initial", vm_money_raw(terms->contingency_initial));
    rpc__json_micro(out, "contingency_maintenance", vm_money_raw(terms->contingency_maintenance));
    rpc__json_micro(out, "gross", vm_money_raw(terms->gross));
    rpc__json_micro(out, "rounding", vm_money_raw(terms->rounding));
    rpc__json_micro(out, "quarantine", vm_money_raw(terms->quarantine));
    rpc__json_number(out, "worst_node", terms->worst_node);
    rpc__health_write(out, terms);
    write_nodes(out, "node_initial", terms->node_initial);
    write_nodes(out, "node_maintenance", terms->node_maintenance);
    rpc__json_end(out, '}');
}

void rpc__risk_margin(struct rpc_call *call)
{
    struct rpc_account account;
    struct vm_explained terms;
    const struct vm *vm = call->state->vm;
    if (!rpc__find_account(call, &account)) {
        return;
    }
    if (vm == NULL) {
        rpc__call_fail(call, RPC_ERROR_UNSUPPORTED); /* margin is derived: no row to prove */
        return;
    }
    rpc__json_address(&call->out, "address", &account.address);
    rpc__json_text(&call->out, "stage", rpc__stage_name(account.row.stage));
    if (!vm_explain_margin(vm, account.id, true, &terms)) {
        rpc__call_fail(call, RPC_ERROR_INTERNAL);
        return;
    }
    write_terms(&call->out, "with_orders", &terms);
    if (!vm_explain_margin(vm, account.id, false, &terms)) {
        rpc__call_fail(call, RPC_ERROR_INTERNAL);
        return;
    }
    write_terms(&call->out, "without_orders", &terms);
}

/* ---- parameters ---- */

static enum nv_err write_param(struct rpc_call *call, const struct vm_param_spec *spec)
{
    struct nv_row_key key;
    struct nv_view value = {0};
    struct vm_param_row param;
    vm_key_param(&key, spec->number);
    NV_TRY(rpc__row_get(call, &value, &key));
    NV_TRY(vm_param_row_decode(&param, value));
    rpc__json_i64(&call->out, spec->name, param.value);
    return NV_OK;
}

static enum nv_err write_feeds(struct rpc_call *call)
{
    uint8_t const table = VM_TABLE_FEED;
    struct nv_row_range range;
    struct rpc_walk walk;
    struct nv_row row;
    nv_row_range_prefix(&range, &table, 1);
    NV_TRY(rpc__walk_init(&walk, call, &range));
    enum nv_err err = NV_OK;
    while ((err = rpc__walk_next(&walk, &row)) == NV_OK) {
        struct vm_feed_row feed;
        NV_TRY(vm_feed_row_decode(&feed, row.value));
        rpc__json_object(&call->out, NULL);
        rpc__json_text(&call->out, "feed", feed.symbol);
        rpc__json_decimal(&call->out, "range_initial", vm_ratio_raw(feed.range_initial), 9);
        rpc__json_decimal(&call->out, "range_maintenance", vm_ratio_raw(feed.range_maintenance), 9);
        rpc__json_end(&call->out, '}');
    }
    return rpc__end(err);
}

void rpc__risk_params(struct rpc_call *call)
{
    static const uint16_t numbers[] = {
        VM_PARAM_THETA,
        VM_PARAM_INITIAL_FLOOR,
        VM_PARAM_TAIL_DAMP,
        VM_PARAM_CONTINGENCY_INITIAL,
        VM_PARAM_CONTINGENCY_MAINTENANCE,
        VM_PARAM_QUARANTINE_RANGE,
        VM_PARAM_TARGET,
        VM_PARAM_LIQUIDATION_FEE,
        VM_PARAM_KEEPER_SHARE,
    };
    enum nv_err err = NV_OK;
    rpc__json_array(&call->out, "feeds");
    err = write_feeds(call);
    rpc__json_end(&call->out, ']');
    rpc__json_object(&call->out, "params");
    for (uint32_t i = 0; i < sizeof numbers / sizeof numbers[0] && err == NV_OK; i++) {
        err = write_param(call, vm_param_spec_of(numbers[i]));
    }
    rpc__json_end(&call->out, '}');
    rpc__done(call, err);
}

/* ---- liquidation ---- */

static enum nv_err write_candidate(struct rpc_call *call, uint64_t id)
{
    struct vm_account_row row;
    struct vm_explained terms;
    struct rpc_json *out = &call->out;
    NV_TRY(rpc__read_account(call, id, &row));
    rpc__json_object(out, NULL);
    rpc__json_address(out, "address", &row.address);
    rpc__json_text(out, "stage", rpc__stage_name(row.stage));
    rpc__json_u64(out, "stage_height", row.stage_height);
    if (vm_explain_margin(call->state->vm, id, false, &terms)) {
        rpc__json_micro(out, "equity", vm_money_raw(terms.equity));
        rpc__json_micro(out, "maintenance_margin", vm_money_raw(terms.maintenance));
        rpc__health_write(out, &terms);
    } else {
        rpc__json_null(out, "equity");
        rpc__json_null(out, "maintenance_margin");
        rpc__json_null(out, "health");
    }
    rpc__json_end(out, '}');
    return NV_OK;
}

void rpc__liq_candidates(struct rpc_call *call)
{
    uint64_t ids[CANDIDATES_MAX];
    uint64_t next = 1;
    enum nv_err err = NV_OK;
    if (call->state->vm == NULL) {
        rpc__call_fail(call, RPC_ERROR_UNSUPPORTED);
        return;
    }
    (void)rpc__param_u64(call->params, "cursor", &next);
    uint32_t const count = vm_explain_unsafe(call->state->vm, &next, SCAN_MAX, ids, CANDIDATES_MAX);
    rpc__json_array(&call->out, "candidates");
    for (uint32_t i = 0; i < count && err == NV_OK; i++) {
        err = write_candidate(call, ids[i]);
    }
    rpc__json_end(&call->out, ']');
    if (next != 0) {
        rpc__json_u64(&call->out, "cursor", next);
    } else {
        rpc__json_null(&call->out, "cursor");
    }
    rpc__done(call, err);
}

void rpc__liq_insurance(struct rpc_call *call)
{
    struct vm_chain_row chain;
    struct vm_account_row row;
    enum nv_err err = rpc__read_chain(call, &chain);
    if (err == NV_OK) {
        err = rpc__read_account(call, chain.insurance_account, &row);
    }
    if (err != NV_OK) {
        rpc__done(call, err);
        return;
    }
    rpc__json_address(&call->out, "address", &row.address);
    rpc__json_micro(&call->out, "cash", vm_money_raw(row.cash));
    rpc__json_bool(&call->out, "safe_mode", chain.safe_mode != 0);
}
