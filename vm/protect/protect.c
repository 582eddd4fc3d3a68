#include "vm/protect/protect.h"

#include "base/assert.h"
#include "base/int.h"

#include "vm/execution/execution.h"
#include "vm/params.h"
#include "vm/protect/plan.h"
#include "vm/protect/stage.h"

#include "base/pure.h"

/* SPEC protection 1: "(a stale market leaves the account alone)" in substance */
static bool prices_good(const struct vm_exec *x, const struct vm_account *account)
{
    for (uint32_t i = 0; i < account->position_count; i++) {
        const struct vm_position *const position = vm_position(x->state, account->held[i].position);
        const struct vm_market *const market = vm_market(x->state, position->market);
        if (vm_lots_raw(position->row.lots) != 0 && market->row.status != VM_MARKET_QUARANTINED &&
            !vm_margin_index_age_ok(x, position->market, VM_PARAM_LIQUIDATE_AGE)) {
            return false;
        }
    }
    return true;
}

static bool worth_a_look(const struct vm_account *account)
{
    return account->position_count > 0 || account->row.stage != VM_STAGE_SAFE ||
           vm_money_raw(account->row.cash) < 0;
}

/* is_unsafe margins an account without its open orders. */
static bool is_unsafe(const struct vm_exec *x, uint32_t index, struct vm_requirement *r)
{
    const struct vm_account *const account = vm_account(x->state, index);
    if (!vm_margin_account(x->state, index, false, NULL, r)) {
        *r = (struct vm_requirement){.equity = account->row.cash,
                                     .maintenance = vm_money(INT64_MAX)};
        return true;
    }
    if (vm_money_raw(r->equity) < vm_money_raw(r->maintenance)) {
        return true;
    }
    return account->row.stage != VM_STAGE_SAFE && !vm_plan_target_met(x->state, r);
}

static void note_unsafe(struct vm_exec *x, uint32_t account, const struct vm_requirement *r)
{
    struct vm_unsafe *const entry = NV_ARENA_NEW(x->arena, struct vm_unsafe, 1);
    /* Nothing else is taken from the arena while accounts are looked at, so the
     * entries stand side by side. */
    if (x->unsafe_count == 0) {
        x->unsafe = entry;
    }
    NV_ASSERT(entry == &x->unsafe[x->unsafe_count]);
    *entry = (struct vm_unsafe){
        .account = account, .equity = r->equity, .maintenance = r->maintenance, .keeper = VM_NONE};
    x->unsafe_count++;
}

static void look_at(struct vm_exec *x, uint32_t index)
{
    const struct vm_account *const account = vm_account(x->state, index);
    struct vm_requirement r;
    if (worth_a_look(account)) {
        if (!prices_good(x, account)) {
            return;
        }
        if (is_unsafe(x, index, &r)) {
            vm_margin_note(x->state, index, false);
            note_unsafe(x, index, &r);
            return;
        }
        if (account->row.stage != VM_STAGE_SAFE) {
            vm_account_mut(x->state, index)->row.stage = VM_STAGE_SAFE;
        }
    }
    vm_margin_note(x->state, index, true);
}

/* In debug builds all that were passed by are looked at. */
static void assert_safe(const struct vm_state *s, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        NV_ASSERT_PARANOID(vm_margin_surely_safe(s, i));
    }
}

void vm_protect_find(struct vm_exec *x)
{
    uint32_t passed = 0;
    x->unsafe_count = 0;
    for (uint32_t i = vm_cushion_due(x->state, 0); i != VM_NONE;
         i = vm_cushion_due(x->state, i + 1)) {
        assert_safe(x->state, passed, i);
        passed = i + 1;
        if (!vm_margin_surely_safe(x->state, i)) {
            look_at(x, i);
        }
    }
    assert_safe(x->state, passed, vm_account_count(x->state));
    for (uint32_t i = 0; i < x->unsafe_count; i++) {
        const struct vm_unsafe *const u = &x->unsafe[i];
        if (vm_account(x->state, u->account)->row.stage == VM_STAGE_SAFE) {
            vm_stage_enter(x, u->account, VM_STAGE_CLOSING, u->equity, u->maintenance);
        }
    }
}

void vm_protect_cancel(struct vm_exec *x)
{
    for (uint32_t i = 0; i < x->unsafe_count; i++) {
        (void)vm_execution_cancel_increasing(x, x->unsafe[i].account, VM_ORDER_PROTECTED);
    }
}

/* ---- keepers ---- */

static struct vm_unsafe *find_unsafe(struct vm_exec *x, uint32_t account)
{
    for (uint32_t i = 0; i < x->unsafe_count; i++) {
        if (x->unsafe[i].account == account) {
            return &x->unsafe[i];
        }
    }
    return NULL;
}

/* tie_of orders keepers of equal plans so that nobody can grind it. */
static struct nv_hash tie_of(const struct vm_exec *x, uint32_t keeper)
{
    const struct nv_address *const address = &vm_account(x->state, keeper)->row.address;
    struct nv_view const parts[2] = {
        nv_view_of(x->block->previous_root.bytes, sizeof x->block->previous_root.bytes),
        nv_view_of(address->bytes, sizeof address->bytes),
    };
    struct nv_hash tie;
    nv_sha256_parts(&tie, parts, 2);
    return tie;
}

/* beats returns whether a keeper's plan goes before the best one so far. */
static bool beats(const struct vm_exec *x,
                  const struct vm_plan *plan,
                  uint32_t keeper,
                  const struct vm_unsafe *best)
{
    if (best->plan == NULL) {
        return true;
    }
    int64_t const value = vm_money_raw(plan->value);
    int64_t const best_value = vm_money_raw(best->plan->value);
    if (value != best_value) {
        return value < best_value;
    }
    struct nv_hash const a = tie_of(x, keeper);
    struct nv_hash const b = tie_of(x, best->keeper);
    return nv_hash_cmp(&a, &b) < 0;
}

static uint16_t judge_keeper(struct vm_exec *x, const struct vm_act *act)
{
    const struct vm_keeper_close *const keeper = &act->action->keeper_close;
    uint32_t const account = vm_account_find(x->state, &keeper->account);
    struct vm_unsafe *const u = account == VM_NONE ? NULL : find_unsafe(x, account);
    if (u == NULL || vm_account(x->state, account)->row.stage == VM_STAGE_DELEVERAGE) {
        return VM_REJECT_NOT_UNSAFE;
    }
    if (account == act->account) {
        return VM_REJECT_SELF_LIQUIDATION;
    }
    struct vm_plan *const plan = NV_ARENA_NEW(x->arena, struct vm_plan, 1);
    if (!vm_plan_of_keeper(x, account, keeper, plan)) {
        return VM_REJECT_PLAN_INVALID;
    }
    struct vm_plan *const greedy = NV_ARENA_NEW(x->arena, struct vm_plan, 1);
    vm_plan_greedy(x, account, false, greedy);
    nv_i128 const allowed = (nv_i128)vm_money_raw(greedy->value) *
                            (VM_RATIO_ONE_PPB + vm_param(x->state, VM_PARAM_KEEPER_SLACK));
    if ((nv_i128)vm_money_raw(plan->value) * VM_RATIO_ONE_PPB > allowed) {
        return VM_REJECT_PLAN_INVALID;
    }
    if (beats(x, plan, act->account, u)) {
        u->plan = plan;
        u->keeper = act->account;
    }
    return VM_OK;
}

void vm_protect_keepers(struct vm_exec *x)
{
    for (uint32_t i = 0; i < x->act_count; i++) {
        struct vm_act *const act = &x->acts[i];
        if (act->kind == VM_ACTION_KEEPER_CLOSE) {
            act->outcome.code = judge_keeper(x, act);
        }
    }
    for (uint32_t i = 0; i < x->act_count; i++) {
        struct vm_act *const act = &x->acts[i];
        if (act->kind == VM_ACTION_KEEPER_CLOSE && act->outcome.code == VM_OK) {
            uint32_t const account = vm_account_find(x->state, &act->action->keeper_close.account);
            const struct vm_unsafe *const u = find_unsafe(x, account);
            if (u == NULL || u->keeper != act->account) {
                act->outcome.code = VM_REJECT_PLAN_WORSE;
            }
        }
    }
}

/* ---- closing orders ---- */

/* floor_div and ceil_div of wide amounts by a positive divisor. */
static nv_i128 wide_div(nv_i128 a, nv_i128 b, enum nv_round round)
{
    nv_i128 out = 0;
    bool const ok = nv_div_i128(a, b, round, &out);
    NV_ASSERT(ok);
    return out;
}

/* The zero-equity price, not beyond the order band (spec section 3).  Micro
 * per lot; `sell` closes a long. */
static nv_i128 limit_value(const struct vm_exec *x,
                           const struct vm_unsafe *u,
                           const struct vm_market *market,
                           nv_i128 gross,
                           bool sell)
{
    nv_i128 const index = vm_money_raw(market->row.index_value);
    nv_i128 const width =
        (index < 0 ? -index : index) * vm_param(x->state, VM_PARAM_ORDER_BAND) / VM_RATIO_ONE_PPB;
    nv_i128 const edge = sell ? index - width : index + width;
    if (vm_account(x->state, u->account)->row.stage != VM_STAGE_CLOSING || gross == 0) {
        return edge;
    }
    nv_i128 const mark = vm_money_raw(market->row.mark);
    nv_i128 const equity = vm_money_raw(u->equity) > 0 ? vm_money_raw(u->equity) : 0;
    nv_i128 const share = wide_div(equity * (mark < 0 ? -mark : mark), gross, NV_ROUND_FLOOR);
    nv_i128 const zero = sell ? mark - share : mark + share;
    if (sell) {
        return zero > edge ? zero : edge;
    }
    return zero < edge ? zero : edge;
}

static void place_close(struct vm_exec *x,
                        const struct vm_unsafe *u,
                        const struct vm_margin_close *close,
                        int64_t held,
                        nv_i128 gross)
{
    const struct vm_market *const market = vm_market(x->state, close->market);
    bool const sell = held > 0;
    nv_i128 const value = limit_value(x, u, market, gross, sell);
    nv_i128 const ticks = wide_div(
        value, vm_money_raw(market->listing.tick_value), sell ? NV_ROUND_CEIL : NV_ROUND_FLOOR);
    int64_t price = 0;
    if (!nv_narrow_try_i64(ticks, &price)) {
        return;
    }
    int64_t const lots = vm_lots_raw(close->lots);
    vm_execution_place_protective(
        x, u->account, close->market, vm_lots(sell ? -lots : lots), vm_price(price));
}

static void place_plan(struct vm_exec *x, struct vm_unsafe *u)
{
    struct vm_plan *const plan = u->plan;
    struct vm_margin_terms terms;
    nv_i128 const gross = vm_margin_explain(x->state, u->account, false, NULL, &terms)
                              ? vm_money_raw(terms.gross)
                              : 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        uint32_t const position = vm_position_find(x->state, u->account, plan->close[i].market);
        NV_ASSERT(position != VM_NONE);
        plan->before[i] = vm_position(x->state, position)->row.lots;
        place_close(x, u, &plan->close[i], vm_lots_raw(plan->before[i]), gross);
    }
}

void vm_protect_place(struct vm_exec *x)
{
    for (uint32_t i = 0; i < x->unsafe_count; i++) {
        struct vm_unsafe *const u = &x->unsafe[i];
        if (vm_account(x->state, u->account)->row.stage == VM_STAGE_DELEVERAGE) {
            continue;
        }
        if (u->plan == NULL) {
            u->plan = NV_ARENA_NEW(x->arena, struct vm_plan, 1);
            vm_plan_greedy(x, u->account, true, u->plan);
        }
        place_plan(x, u);
    }
}
