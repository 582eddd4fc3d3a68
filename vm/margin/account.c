#include <string.h>

#include "base/assert.h"
#include "base/int.h"

#include "vm/margin/cushion.h"
#include "vm/margin/loss.h"
#include "vm/margin/share.h"
#include "vm/params.h"

#include "base/pure.h"

/* A cushion keeps all sums below this, a sixteenth of what they may be. */
#define CUSHION_ROOM ((nv_i128)1 << 58)
#define ROUNDINGS    16 /* micro: what the roundings of a requirement can differ by */

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* greatest returns the greatest loss, 0 without one: of each of four columns, so
 * that no comparison waits for the one before it. */
static int64_t greatest(const int64_t loss[VM_NODES])
{
    _Static_assert(VM_NODES % 4 == 0, "four columns");
    int64_t a = 0, b = 0, c = 0, d = 0;
    for (uint32_t i = 0; i < VM_NODES; i += 4) {
        a = max_i64(a, loss[i]);
        b = max_i64(b, loss[i + 1]);
        c = max_i64(c, loss[i + 2]);
        d = max_i64(d, loss[i + 3]);
    }
    return max_i64(max_i64(a, b), max_i64(c, d));
}

/* node_of returns the first node with the greatest loss, 0 without one. */
static uint8_t node_of(const int64_t loss[VM_NODES], int64_t worst)
{
    uint8_t node = 0;
    while (worst > 0 && loss[node] != worst) {
        node++;
    }
    return node;
}

/* What the scenarios come to under each range. */
struct scenarios {
    int64_t common[VM_RANGES];
    nv_i128 gross[VM_RANGES];
};

/* is_first returns whether no leg before leg `i` has its feed. */
static bool is_first(const struct margin_legs *legs, uint32_t i)
{
    uint32_t j = 0;
    while (j < i && (legs->leg[j].market->listing.feed != legs->leg[i].market->listing.feed ||
                     !vm__leg_in_scenarios(&legs->leg[j]))) {
        j++;
    }
    return j == i;
}

static void add_losses(struct vm_margin_losses *total, const struct vm_margin_losses *feed)
{
    for (uint32_t range = 0; range < VM_RANGES; range++) {
        for (uint32_t i = 0; i < VM_NODES; i++) {
            total->node[range][i] += feed->node[range][i];
        }
    }
}

/* scenarios_of sums the losses of each feed into `total`. */
static struct scenarios scenarios_of(const struct margin_legs *legs, struct vm_margin_losses *total)
{
    struct scenarios out = {{0, 0}, {0, 0}};
    struct vm_margin_losses next;
    uint32_t feeds = 0;
    for (uint32_t i = 0; i < legs->count; i++) {
        if (!vm__leg_in_scenarios(&legs->leg[i]) || !is_first(legs, i)) {
            continue;
        }
        struct vm_margin_losses *const losses = feeds == 0 ? total : &next;
        vm__losses_of_feed(legs, legs->leg[i].market->listing.feed, losses);
        for (uint32_t range = 0; range < VM_RANGES; range++) {
            out.common[range] = greatest(losses->node[range]);
            out.gross[range] += out.common[range];
        }
        if (feeds > 0) {
            add_losses(total, losses);
        }
        feeds++;
    }
    if (feeds == 0) {
        memset(total, 0, sizeof *total);
    }
    for (uint32_t range = 0; range < VM_RANGES && feeds > 1; range++) {
        out.common[range] = greatest(total->node[range]);
    }
    return out;
}

/* core is common + ceil((gross - common) × theta). */
static nv_i128 core(const struct vm_state *s, const struct scenarios *worst, enum vm_range range)
{
    nv_i128 const common = worst->common[range];
    return common + vm__share_up(worst->gross[range] - common, vm_param(s, VM_PARAM_THETA));
}

static bool money_of(nv_i128 micro, struct vm_money *out)
{
    int64_t narrow = 0;
    bool const ok = nv_narrow_try_i64(micro, &narrow);
    *out = vm_money(narrow);
    return ok;
}

static bool
requirement(const struct vm_state *s, const struct margin_legs *legs, struct vm_margin_terms *out)
{
    struct margin_flat flat;
    out->requirement.equity = legs->equity;
    if (!vm__legs_sums(s, legs, &flat)) {
        return false;
    }
    struct scenarios const worst = scenarios_of(legs, &out->losses);
    out->requirement.worst_node =
        node_of(out->losses.node[VM_RANGE_MAINTENANCE], worst.common[VM_RANGE_MAINTENANCE]);
    nv_i128 const core_initial = core(s, &worst, VM_RANGE_INITIAL);
    nv_i128 const core_maintenance = core(s, &worst, VM_RANGE_MAINTENANCE);
    nv_i128 const charge_initial =
        vm__share_up(flat.gross, vm_param(s, VM_PARAM_CONTINGENCY_INITIAL));
    nv_i128 const charge_maintenance =
        vm__share_up(flat.gross, vm_param(s, VM_PARAM_CONTINGENCY_MAINTENANCE));
    nv_i128 const fixed = flat.rounding + flat.quarantine;
    nv_i128 const maintenance = core_maintenance + charge_maintenance + fixed;
    nv_i128 initial = core_initial + charge_initial + fixed;
    nv_i128 const least = vm__share_up(maintenance, vm_param(s, VM_PARAM_INITIAL_FLOOR));
    initial = initial > least ? initial : least;
    return money_of(core_initial, &out->core_initial) &&
           money_of(core_maintenance, &out->core_maintenance) &&
           money_of(charge_initial, &out->contingency_initial) &&
           money_of(charge_maintenance, &out->contingency_maintenance) &&
           money_of(flat.gross, &out->gross) && money_of(flat.rounding, &out->rounding) &&
           money_of(flat.quarantine, &out->quarantine) &&
           money_of(maintenance, &out->requirement.maintenance) &&
           money_of(initial, &out->requirement.initial);
}

bool vm_margin_explain(const struct vm_state *s,
                       uint32_t account,
                       bool with_orders,
                       const struct vm_margin_extra *extra,
                       struct vm_margin_terms *out)
{
    struct margin_legs legs;
    return vm__legs_collect(s, account, with_orders, &legs) &&
           (extra == NULL || vm__legs_order(s, extra, &legs)) && requirement(s, &legs, out);
}

/* sums_bound is what the sums of scenarios and the gross value leave below 2^62, counted so
 * that orders which leave add nothing. */
static nv_i128 sums_bound(const struct margin_legs *legs)
{
    nv_i128 bound = 0;
    for (uint32_t i = 0; i < legs->count; i++) {
        const struct margin_leg *const leg = &legs->leg[i];
        nv_i128 const held = leg->lots < 0 ? -(nv_i128)leg->lots : leg->lots;
        nv_i128 const lots = held + leg->bid_lots + leg->ask_lots;
        nv_i128 const entry = (nv_i128)1 << (30 + leg->market->risk.shift);
        nv_i128 const mark = nv_magnitude_i64(vm_money_raw(leg->market->row.mark));
        bound += lots * (entry > mark ? entry : mark) + leg->bid_edge + leg->ask_edge;
    }
    return bound;
}

static nv_i128 exposure_of(const struct margin_legs *legs)
{
    nv_i128 sum = 0;
    for (uint32_t i = 0; i < legs->count; i++) {
        const struct margin_leg *const leg = &legs->leg[i];
        nv_i128 const held = leg->lots < 0 ? -(nv_i128)leg->lots : leg->lots;
        sum += (held + leg->bid_lots + leg->ask_lots) * leg->market->unit;
    }
    return sum;
}

bool vm__margin_cushion(const struct vm_state *s,
                        uint32_t account,
                        bool with_orders,
                        struct vm_cushion *out)
{
    struct margin_legs legs;
    struct vm_margin_terms terms;
    if (!vm__legs_collect(s, account, with_orders, &legs)) {
        return false;
    }
    legs.upper = true;
    nv_i128 const room = CUSHION_ROOM - sums_bound(&legs);
    if (room < 0 || !requirement(s, &legs, &terms)) {
        return false;
    }
    int64_t const needed =
        vm_money_raw(with_orders ? terms.requirement.initial : terms.requirement.maintenance);
    nv_i128 const exposure = exposure_of(&legs);
    nv_i128 const slack = (nv_i128)vm_money_raw(terms.requirement.equity) - needed - ROUNDINGS;
    out->room = (int64_t)room;
    out->exposure = exposure > (nv_i128)UINT64_MAX ? UINT64_MAX : (uint64_t)exposure;
    return exposure <= (nv_i128)UINT64_MAX && nv_narrow_try_i64(slack, &out->slack);
}

/* close_leg moves a leg's lots towards zero; never past it. */
static void close_leg(struct margin_leg *leg, int64_t lots)
{
    NV_ASSERT(lots >= 0);
    NV_ASSERT((uint64_t)lots <= nv_magnitude_i64(leg->lots));
    leg->lots += leg->lots < 0 ? lots : -lots;
}

bool vm_margin_after(const struct vm_state *s,
                     uint32_t account,
                     const struct vm_margin_close *closes,
                     uint32_t close_count,
                     struct vm_money cost,
                     struct vm_margin_terms *out)
{
    struct margin_legs legs;
    if (!vm__legs_collect(s, account, false, &legs) ||
        !vm_money_sub(legs.equity, cost, &legs.equity)) {
        return false;
    }
    for (uint32_t i = 0; i < close_count; i++) {
        const struct vm_market *const market = vm_market(s, closes[i].market);
        for (uint32_t j = 0; j < legs.count; j++) {
            if (legs.leg[j].market == market) {
                close_leg(&legs.leg[j], vm_lots_raw(closes[i].lots));
            }
        }
    }
    return requirement(s, &legs, out);
}

bool vm_margin_account(const struct vm_state *s,
                       uint32_t account,
                       bool with_orders,
                       const struct vm_margin_extra *extra,
                       struct vm_requirement *out)
{
    struct vm_margin_terms terms;
    if (!vm_margin_explain(s, account, with_orders, extra, &terms)) {
        return false;
    }
    *out = terms.requirement;
    return true;
}
