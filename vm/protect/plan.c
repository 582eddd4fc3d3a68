#include "vm/protect/plan.h"

#include "base/assert.h"
#include "base/int.h"

#include "vm/params.h"

#include "base/pure.h"

/* A leg that a plan may take. */
struct leg {
    uint32_t market;
    int64_t lots;  /* signed */
    int64_t limit; /* lots that may be closed now */
    bool taken;
};

struct legs {
    struct leg leg[VM_POSITIONS_MAX];
    uint32_t count;
};

static nv_i128 value_of(const struct vm_state *s, uint32_t market, int64_t lots)
{
    nv_i128 const mark = nv_magnitude_i64(vm_money_raw(vm_market(s, market)->row.mark));
    return mark * nv_magnitude_i64(lots);
}

static struct vm_money capped(nv_i128 micro)
{
    return vm_money(micro > INT64_MAX ? INT64_MAX : (int64_t)micro);
}

struct vm_money
vm_plan_position_value(const struct vm_state *s, uint32_t market, struct vm_lots lots)
{
    return capped(value_of(s, market, vm_lots_raw(lots)));
}

bool vm_plan_target_met(const struct vm_state *s, const struct vm_requirement *requirement)
{
    nv_i128 const target =
        (nv_i128)vm_money_raw(requirement->maintenance) * vm_param(s, VM_PARAM_TARGET);
    return (nv_i128)vm_money_raw(requirement->equity) * VM_RATIO_ONE_PPB >= target;
}

/* terms_after margins the account as if the plan had run, costs counted. */
static bool terms_after(const struct vm_state *s,
                        uint32_t account,
                        const struct vm_plan *plan,
                        struct vm_margin_terms *terms)
{
    nv_i128 value = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        value += value_of(s, plan->close[i].market, vm_lots_raw(plan->close[i].lots));
    }
    nv_i128 const ppb =
        (nv_i128)vm_param(s, VM_PARAM_TAKER_FEE) + vm_param(s, VM_PARAM_LIQUIDATION_FEE);
    nv_i128 const cost = (value * ppb + VM_RATIO_ONE_PPB - 1) / VM_RATIO_ONE_PPB;
    return vm_margin_after(s, account, plan->close, plan->count, capped(cost), terms);
}

static bool reaches(const struct vm_state *s, uint32_t account, const struct vm_plan *plan)
{
    struct vm_margin_terms terms;
    return terms_after(s, account, plan, &terms) && vm_plan_target_met(s, &terms.requirement);
}

static void plan_value(const struct vm_state *s, struct vm_plan *plan)
{
    nv_i128 value = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        value += value_of(s, plan->close[i].market, vm_lots_raw(plan->close[i].lots));
    }
    plan->value = capped(value);
}

/* large_limit is CLOSE_SHARE of a large leg, at least one lot. */
static int64_t large_limit(const struct vm_state *s, uint32_t market, int64_t lots)
{
    int64_t const size = lots < 0 ? -lots : lots;
    if (value_of(s, market, lots) < vm_param(s, VM_PARAM_CLOSE_LARGE)) {
        return size;
    }
    int64_t share = 0;
    if (!nv_muldiv_i64(
            size, vm_param(s, VM_PARAM_CLOSE_SHARE), VM_RATIO_ONE_PPB, NV_ROUND_FLOOR, &share)) {
        return size;
    }
    return share > 0 ? share : 1;
}

static void collect(const struct vm_state *s, uint32_t account, bool limited, struct legs *out)
{
    const struct vm_account *const a = vm_account(s, account);
    out->count = 0;
    for (uint32_t i = 0; i < a->position_count; i++) {
        const struct vm_position *const position = vm_position(s, a->held[i].position);
        int64_t const lots = vm_lots_raw(position->row.lots);
        if (lots == 0 || vm_market(s, position->market)->row.status != VM_MARKET_OPEN) {
            continue;
        }
        int64_t const size = lots < 0 ? -lots : lots;
        out->leg[out->count] = (struct leg){
            .market = position->market,
            .lots = lots,
            .limit = limited ? large_limit(s, position->market, lots) : size,
        };
        out->count++;
    }
}

/* better returns whether leg a loses more than leg b per unit of value in the
 * binding node; legs that do not lose there are ordered by value. */
static bool better(const struct vm_state *s, const struct leg *a, const struct leg *b, uint8_t node)
{
    const struct vm_market *const ma = vm_market(s, a->market);
    const struct vm_market *const mb = vm_market(s, b->market);
    nv_i128 const loss_a = -(nv_i128)a->lots * ma->risk.node[VM_RANGE_MAINTENANCE][node] *
                           ((nv_i128)1 << ma->risk.shift);
    nv_i128 const loss_b = -(nv_i128)b->lots * mb->risk.node[VM_RANGE_MAINTENANCE][node] *
                           ((nv_i128)1 << mb->risk.shift);
    nv_i128 const value_a = value_of(s, a->market, a->lots);
    nv_i128 const value_b = value_of(s, b->market, b->lots);
    if (loss_a <= 0 && loss_b <= 0) {
        return value_a > value_b;
    }
    if (loss_a <= 0 || loss_b <= 0) {
        return loss_a > 0;
    }
    /* The sums of margin.md section 5 are below 2^62, so parts per million fit. */
    nv_i128 const rate_a = value_a == 0 ? 0 : loss_a * 1000000 / value_a;
    nv_i128 const rate_b = value_b == 0 ? 0 : loss_b * 1000000 / value_b;
    return rate_a > rate_b;
}

static struct leg *next_leg(const struct vm_state *s, struct legs *legs, uint8_t node)
{
    struct leg *best = NULL;
    for (uint32_t i = 0; i < legs->count; i++) {
        struct leg *const leg = &legs->leg[i];
        if (!leg->taken && (best == NULL || better(s, leg, best, node))) {
            best = leg;
        }
    }
    return best;
}

/* least_lots finds by bisection the least lots of the plan's last close that
 * reach the target; `limit` when none does. */
static int64_t
least_lots(const struct vm_state *s, uint32_t account, struct vm_plan *plan, int64_t limit)
{
    struct vm_margin_close *const last = &plan->close[plan->count - 1];
    last->lots = vm_lots(limit);
    if (!reaches(s, account, plan)) {
        return limit;
    }
    int64_t low = 0; /* does not reach */
    int64_t high = limit;
    while (high - low > 1) {
        int64_t const middle = low + (high - low) / 2;
        last->lots = vm_lots(middle);
        if (reaches(s, account, plan)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return high;
}

/* SPEC protection 3: "unless equity < 2/3 maintenance" */
static bool hurried(const struct vm_requirement *r)
{
    return 3 * (nv_i128)vm_money_raw(r->equity) < 2 * (nv_i128)vm_money_raw(r->maintenance);
}

void vm_plan_greedy(struct vm_exec *x, uint32_t account, bool limited, struct vm_plan *out)
{
    const struct vm_state *const s = x->state;
    struct vm_margin_terms terms;
    struct legs legs;
    *out = (struct vm_plan){.count = 0};
    if (!terms_after(s, account, out, &terms)) {
        return;
    }
    collect(s, account, limited && !hurried(&terms.requirement), &legs);
    out->reaches = vm_plan_target_met(s, &terms.requirement);
    while (!out->reaches) {
        struct leg *const leg = next_leg(s, &legs, terms.requirement.worst_node);
        if (leg == NULL) {
            break;
        }
        leg->taken = true;
        struct vm_margin_close *const close = &out->close[out->count];
        out->count++;
        close->market = leg->market;
        close->lots = vm_lots(least_lots(s, account, out, leg->limit));
        if (!terms_after(s, account, out, &terms)) {
            break;
        }
        out->reaches = vm_plan_target_met(s, &terms.requirement);
    }
    plan_value(s, out);
}

/* held returns the lots of an account in an open market, signed. */
static int64_t held(const struct vm_state *s, uint32_t account, uint32_t market)
{
    if (market >= vm_market_count(s) || vm_market(s, market)->row.status != VM_MARKET_OPEN) {
        return 0;
    }
    uint32_t const index = vm_position_find(s, account, market);
    return index == VM_NONE ? 0 : vm_lots_raw(vm_position(s, index)->row.lots);
}

static bool
closes_everything(const struct vm_state *s, uint32_t account, const struct vm_plan *plan)
{
    struct legs legs;
    collect(s, account, false, &legs);
    uint32_t whole = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        int64_t const lots = held(s, account, plan->close[i].market);
        whole += nv_magnitude_i64(lots) == (uint64_t)vm_lots_raw(plan->close[i].lots) ? 1u : 0u;
    }
    return whole == legs.count;
}

bool vm_plan_of_keeper(struct vm_exec *x,
                       uint32_t account,
                       const struct vm_keeper_close *keeper,
                       struct vm_plan *out)
{
    const struct vm_state *const s = x->state;
    *out = (struct vm_plan){.count = 0};
    for (uint32_t i = 0; i < keeper->close_count; i++) {
        const struct vm_close *const close = &keeper->closes[i];
        int64_t const lots = vm_lots_raw(close->lots);
        if (lots <= 0 || (uint64_t)lots > nv_magnitude_i64(held(s, account, close->market))) {
            return false;
        }
        for (uint32_t j = 0; j < out->count; j++) {
            if (out->close[j].market == close->market) {
                return false;
            }
        }
        /* Each names another position, so there is room. */
        NV_ASSERT(out->count < VM_POSITIONS_MAX);
        out->close[out->count] = (struct vm_margin_close){close->market, close->lots};
        out->count++;
    }
    plan_value(s, out);
    out->reaches = reaches(s, account, out);
    return out->count > 0 && (out->reaches || closes_everything(s, account, out));
}
