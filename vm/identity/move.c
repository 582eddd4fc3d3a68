/* Phase move: money between wallet, vault and accounts; session keys.
 *
 * What an account may take out is judged at once, on the phase's start less its
 * own earlier debits; what comes in lands at the end.  So the order of the
 * actions of different accounts means nothing. */

#include "base/assert.h"
#include "base/bug.h"

#include "vm/identity/identity.h"
#include "vm/identity/pending.h"
#include "vm/margin/margin.h"
#include "vm/params.h"

#include "base/pure.h"

static struct vm_money negative(struct vm_money amount)
{
    return vm_money(-vm_money_raw(amount));
}

/* A position whose market has no fresh index has no certain value, so nothing
 * is taken out on the strength of it. */
static bool values_fresh(const struct vm_exec *x, uint32_t account)
{
    const struct vm_account *const a = vm_account(x->state, account);
    for (uint32_t i = 0; i < a->position_count; i++) {
        const struct vm_position *const p = vm_position(x->state, a->held[i].position);
        const struct vm_market *const m = vm_market(x->state, p->market);
        if (vm_lots_raw(p->row.lots) != 0 && m->row.status == VM_MARKET_OPEN &&
            !vm_margin_index_age_ok(x, p->market, VM_PARAM_TRADE_AGE)) {
            return false;
        }
    }
    return true;
}

uint16_t vm_identity_cash_take(struct vm_exec *x, uint32_t account, struct vm_money amount)
{
    struct vm_state *const s = x->state;
    if (vm_money_raw(amount) > vm_money_raw(vm_account(s, account)->row.cash)) {
        return VM_REJECT_BALANCE;
    }
    if (!values_fresh(x, account)) {
        return VM_REJECT_INDEX_STALE;
    }
    struct vm_requirement need;
    vm_undo_begin(s);
    bool const ok = vm_cash_add(s, account, negative(amount)) &&
                    vm_margin_account(s, account, true, NULL, &need) &&
                    vm_money_raw(need.equity) >= vm_money_raw(need.initial);
    if (!ok) {
        vm_undo_rollback(s);
        return VM_REJECT_MARGIN;
    }
    vm_undo_commit(s);
    return VM_OK;
}

static uint16_t deposit(struct vm_exec *x, const struct vm_act *act)
{
    struct vm_money const amount = act->action->amount;
    struct vm_chain_row *const chain = vm_chain_mut(x->state);
    struct vm_money vault;
    if (!vm_money_add(chain->vault, amount, &vault) ||
        !vm_wallet_add(x->state, act->account, negative(amount))) {
        return VM_REJECT_BALANCE;
    }
    chain->vault = NV_SEEDED(VAULT_FORGOTTEN) ? chain->vault : vault;
    vm_exec_credit(x, act->account, amount);
    vm_pending_told(x, act->account, VM_CASH_DEPOSIT, amount, 0);
    return VM_OK;
}

static uint16_t withdraw(struct vm_exec *x, struct vm_pending *pending, struct vm_act *act)
{
    if (vm_chain(x->state)->safe_mode != 0) {
        return VM_REJECT_SAFE_MODE;
    }
    uint16_t const code = vm_identity_cash_take(x, act->account, act->action->amount);
    if (code == VM_OK) {
        vm_pending_withdrawal(pending, act);
    }
    return code;
}

static uint16_t transfer(struct vm_exec *x, struct vm_pending *pending, struct vm_act *act)
{
    const struct vm_send *const send = &act->action->send;
    int64_t const least = vm_param(x->state, VM_PARAM_ACCOUNT_CREATE_MIN);
    bool const opens = vm_account_find(x->state, &send->to) == VM_NONE;
    if (opens && vm_money_raw(send->amount) < least) {
        return VM_REJECT_AMOUNT_MINIMUM;
    }
    uint16_t const code = vm_identity_cash_take(x, act->account, send->amount);
    if (code == VM_OK) {
        vm_pending_send(pending, act);
    }
    return code;
}

static uint16_t faucet(struct vm_exec *x, struct vm_pending *pending, struct vm_act *act)
{
    const struct vm_send *const send = &act->action->send;
    struct vm_chain_row *const chain = vm_chain_mut(x->state);
    struct vm_money supply, vault;
    if (chain->faucet_account != vm_account(x->state, act->account)->id) {
        return VM_REJECT_NOT_FAUCET;
    }
    if (!vm_money_add(chain->supply, send->amount, &supply) ||
        !vm_money_add(chain->vault, send->amount, &vault) || vm_money_raw(supply) > VM_SUPPLY_MAX) {
        return VM_REJECT_OVERFLOW;
    }
    chain->supply = supply;
    chain->vault = vault;
    vm_pending_send(pending, act);
    return VM_OK;
}

static uint16_t session_set(struct vm_exec *x, const struct vm_act *act)
{
    const struct vm_session_set *const set = &act->action->session_set;
    struct vm_session_row const row = {
        .key = set->key, .scopes = set->scopes, .expires_ms = set->expires_ms};
    if (set->expires_ms <= x->block->time_ms || set->scopes == 0 || set->scopes > VM_SCOPES_ALL) {
        return VM_REJECT_FIELD_RANGE;
    }
    if (vm_session_find(x->state, act->account, &set->key) == NULL &&
        vm_account(x->state, act->account)->session_count >= VM_SESSIONS_ACCOUNT_MAX &&
        vm_sessions_drop_expired(x->state, act->account, x->block->time_ms) == 0) {
        return VM_REJECT_SESSION_LIMIT;
    }
    return vm_session_put(x->state, act->account, &row) ? VM_OK : VM_REJECT_SESSION_LIMIT;
}

static uint16_t session_revoke(struct vm_exec *x, const struct vm_act *act)
{
    bool const gone = vm_session_remove(x->state, act->account, &act->action->session_revoke);
    return gone ? VM_OK : VM_REJECT_KEY_UNKNOWN;
}

void vm_identity_act(struct vm_exec *x, struct vm_pending *pending, struct vm_act *act)
{
    switch (act->kind) {
    case VM_ACTION_DEPOSIT: act->outcome.code = deposit(x, act); break;
    case VM_ACTION_WITHDRAW: act->outcome.code = withdraw(x, pending, act); break;
    case VM_ACTION_TRANSFER: act->outcome.code = transfer(x, pending, act); break;
    case VM_ACTION_FAUCET: act->outcome.code = faucet(x, pending, act); break;
    case VM_ACTION_SESSION_SET: act->outcome.code = session_set(x, act); break;
    case VM_ACTION_SESSION_REVOKE: act->outcome.code = session_revoke(x, act); break;
    default: break;
    }
}
