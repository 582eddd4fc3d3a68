#include "base/assert.h"
#include "base/int.h"

#include "vm/params.h"
#include "vm/protect/plan.h"
#include "vm/protect/protect.h"
#include "vm/protect/stage.h"

#include "base/pure.h"

void vm_stage_enter(struct vm_exec *x,
                    uint32_t account,
                    uint8_t stage,
                    struct vm_money equity,
                    struct vm_money maintenance)
{
    struct vm_account *const a = vm_account_mut(x->state, account);
    a->row.stage = stage;
    a->row.stage_height = x->block->height;
    vm_exec_emit(x,
                 &(struct vm_event){.kind = VM_EVENT_PROTECTION,
                                    .protection = {.account = a->id,
                                                   .stage = stage,
                                                   .market = UINT32_MAX,
                                                   .equity = equity,
                                                   .maintenance = maintenance}});
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void
emit_cash(struct vm_exec *x, uint32_t account, uint8_t reason, int64_t micro, uint32_t from)
{
    vm_exec_emit(x,
                 &(struct vm_event){.kind = VM_EVENT_CASH,
                                    .cash = {.account = vm_account(x->state, account)->id,
                                             .reason = reason,
                                             .amount = vm_money(micro),
                                             .counterparty = vm_account(x->state, from)->id}});
}

/* move_cash takes `micro` from one account to another; nothing when a sum
 * would leave 64 bits. */
static bool move_cash(struct vm_exec *x, uint32_t from, uint32_t to, int64_t micro)
{
    if (!vm_cash_add(x->state, from, vm_money(-micro))) {
        return false;
    }
    if (!vm_cash_add(x->state, to, vm_money(micro))) {
        bool const back = vm_cash_add(x->state, from, vm_money(micro));
        NV_ASSERT(back);
        return false;
    }
    return true;
}

static uint32_t insurance_of(const struct vm_exec *x)
{
    return (uint32_t)(vm_chain(x->state)->insurance_account - 1);
}

/* closed_value is what the plan's orders closed in the block, at the mark. */
static nv_i128 closed_value(const struct vm_exec *x, const struct vm_unsafe *u)
{
    nv_i128 sum = 0;
    for (uint32_t i = 0; i < u->plan->count; i++) {
        uint32_t const market = u->plan->close[i].market;
        uint32_t const position = vm_position_find(x->state, u->account, market);
        int64_t const now =
            position == VM_NONE ? 0 : vm_lots_raw(vm_position(x->state, position)->row.lots);
        int64_t const before = vm_lots_raw(u->plan->before[i]);
        int64_t const closed = before > 0 ? before - now : now - before;
        int64_t const planned = vm_lots_raw(u->plan->close[i].lots);
        if (closed > 0) {
            struct vm_lots const lots = vm_lots(least(closed, planned));
            sum += vm_money_raw(vm_plan_position_value(x->state, market, lots));
        }
    }
    return sum;
}

/* SPEC protection 4: "rounded up but never more than its equity or its cash" */
static void take_fee(struct vm_exec *x, const struct vm_unsafe *u, const struct vm_requirement *r)
{
    nv_i128 const value = closed_value(x, u);
    nv_i128 const ppb = vm_param(x->state, VM_PARAM_LIQUIDATION_FEE);
    nv_i128 const wanted = (value * ppb + VM_RATIO_ONE_PPB - 1) / VM_RATIO_ONE_PPB;
    int64_t const cash = vm_money_raw(vm_account(x->state, u->account)->row.cash);
    int64_t fee = wanted > INT64_MAX ? INT64_MAX : (int64_t)wanted;
    fee = least(fee, least(cash, vm_money_raw(r->equity)));
    if (fee <= 0) {
        return;
    }
    int64_t reward = 0;
    if (u->keeper != VM_NONE) {
        bool const ok = nv_muldiv_i64(fee,
                                      vm_param(x->state, VM_PARAM_KEEPER_SHARE),
                                      VM_RATIO_ONE_PPB,
                                      NV_ROUND_FLOOR,
                                      &reward);
        NV_ASSERT(ok);
    }
    if (move_cash(x, u->account, insurance_of(x), fee - reward)) {
        emit_cash(x, u->account, VM_CASH_LIQUIDATION_FEE, -(fee - reward), insurance_of(x));
    }
    if (reward > 0 && move_cash(x, u->account, u->keeper, reward)) {
        emit_cash(x, u->account, VM_CASH_LIQUIDATION_FEE, -reward, u->keeper);
        emit_cash(x, u->keeper, VM_CASH_KEEPER_REWARD, reward, u->account);
    }
}

static bool holds_lots(const struct vm_state *s, uint32_t account)
{
    const struct vm_account *const a = vm_account(s, account);
    for (uint32_t i = 0; i < a->position_count; i++) {
        if (vm_lots_raw(vm_position(s, a->held[i].position)->row.lots) != 0) {
            return true;
        }
    }
    return false;
}

/* cover pays an account's deficit out of insurance, as far as the block's
 * budget goes. */
static void cover(struct vm_exec *x, uint32_t account, int64_t *budget)
{
    int64_t const cash = vm_money_raw(vm_account(x->state, account)->row.cash);
    int64_t const paid = least(cash < -INT64_MAX ? INT64_MAX : -cash, *budget);
    if (paid > 0 && move_cash(x, insurance_of(x), account, paid)) {
        *budget -= paid;
        emit_cash(x, account, VM_CASH_INSURANCE, paid, insurance_of(x));
    }
}

/* next_stage is the timetable of docs/spec/protection.md section 5. */
static uint8_t next_stage(const struct vm_exec *x,
                          const struct vm_account *account,
                          const struct vm_requirement *r,
                          int64_t budget)
{
    uint64_t const blocks = x->block->height - account->row.stage_height;
    bool const overdue = blocks >= (uint64_t)vm_param(x->state, VM_PARAM_CLOSE_BLOCKS);
    int64_t const equity = vm_money_raw(r->equity);
    uint8_t stage = account->row.stage;
    if (equity < 0 && (equity < -INT64_MAX || -equity > budget)) {
        return VM_STAGE_DELEVERAGE;
    }
    if (stage == VM_STAGE_CLOSING && (overdue || equity < 0)) {
        return VM_STAGE_INSURED;
    }
    return stage == VM_STAGE_INSURED && overdue ? VM_STAGE_DELEVERAGE : stage;
}

static void advance(struct vm_exec *x, const struct vm_unsafe *u, int64_t *budget)
{
    struct vm_requirement r;
    if (!vm_margin_account(x->state, u->account, false, NULL, &r)) {
        vm_stage_enter(x, u->account, VM_STAGE_DELEVERAGE, u->equity, u->maintenance);
        return;
    }
    if (u->plan != NULL) {
        take_fee(x, u, &r);
        bool const again = vm_margin_account(x->state, u->account, false, NULL, &r);
        NV_ASSERT(again);
    }
    const struct vm_account *const account = vm_account(x->state, u->account);
    if (!holds_lots(x->state, u->account) && vm_money_raw(account->row.cash) < 0) {
        cover(x, u->account, budget);
    }
    bool const deficit = vm_money_raw(account->row.cash) < 0 && !holds_lots(x->state, u->account);
    if (!deficit && vm_margin_account(x->state, u->account, false, NULL, &r) &&
        vm_plan_target_met(x->state, &r)) {
        vm_stage_enter(x, u->account, VM_STAGE_SAFE, r.equity, r.maintenance);
        return;
    }
    uint8_t const stage = deficit ? account->row.stage : next_stage(x, account, &r, *budget);
    if (stage != account->row.stage) {
        vm_stage_enter(x, u->account, stage, r.equity, r.maintenance);
    }
}

void vm_protect_advance(struct vm_exec *x)
{
    if (x->unsafe_count == 0) {
        return;
    }
    int64_t const fund = vm_money_raw(vm_account(x->state, insurance_of(x))->row.cash);
    int64_t budget = 0;
    if (fund > 0) {
        bool const ok = nv_muldiv_i64(fund,
                                      vm_param(x->state, VM_PARAM_INSURANCE_CAP),
                                      VM_RATIO_ONE_PPB,
                                      NV_ROUND_FLOOR,
                                      &budget);
        NV_ASSERT(ok);
    }
    for (uint32_t i = 0; i < x->unsafe_count; i++) {
        advance(x, &x->unsafe[i], &budget);
    }
    vm_deleverage(x);
}
