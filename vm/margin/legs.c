#include "vm/margin/legs.h"

#include "base/int.h"

#include "vm/margin/share.h"
#include "vm/params.h"

#include "base/pure.h"

/* What a price is above (sign 1) or below (sign -1) the mark, never negative. */
static nv_i128 edge_of(const struct vm_market *market, struct vm_price price, int sign)
{
    nv_i128 const value = (nv_i128)vm_price_raw(price) * vm_money_raw(market->listing.tick_value);
    nv_i128 const edge = (value - vm_money_raw(market->row.mark)) * sign;
    return edge > 0 ? edge : 0;
}

/* add_edge adds edge × lots to one side of a leg; false beyond 64 bits. */
static bool add_edge(struct margin_leg *leg, struct vm_price price, int64_t lots, bool bid)
{
    nv_i128 const edge = edge_of(leg->market, price, bid ? 1 : -1);
    int64_t *const sum = bid ? &leg->bid_edge : &leg->ask_edge;
    return nv_narrow_try_i64(*sum + edge * lots, sum);
}

static bool add_orders(const struct vm_state *s, uint32_t index, struct margin_leg *leg)
{
    const struct vm_position *const position = vm_position(s, index);
    leg->bid_lots = vm_lots_raw(position->bid_lots);
    leg->ask_lots = vm_lots_raw(position->ask_lots);
    uint32_t slot = vm_order_first_own(s, index);
    while (slot != VM_NONE) {
        const struct vm_order *const order = vm_order(s, slot);
        bool const bid = order->row.side == VM_BUY;
        if (!add_edge(leg, order->row.price, vm_lots_raw(order->row.lots), bid)) {
            return false;
        }
        slot = vm_order_next_own(s, slot);
    }
    return true;
}

bool vm__legs_collect(const struct vm_state *s,
                      uint32_t account,
                      bool with_orders,
                      struct margin_legs *legs)
{
    const struct vm_account *const a = vm_account(s, account);
    nv_i128 equity = vm_money_raw(a->row.cash);
    legs->count = a->position_count;
    legs->wide = vm_state_wide(s);
    legs->upper = false;
    vm_prefetch_positions(s, account);
    for (uint32_t i = 0; i < a->position_count; i++) {
        const struct vm_position *const position = vm_position(s, a->held[i].position);
        const struct vm_market *const market = vm_market(s, position->market);
        int64_t const lots = vm_lots_raw(position->row.lots);
        nv_i128 const per_lot =
            (nv_i128)vm_money_raw(market->row.mark) - vm_money_raw(market->row.carry);
        equity += per_lot * lots + vm_money_raw(position->row.cost);
        legs->leg[i] = (struct margin_leg){.market = market, .lots = lots};
        if (with_orders && position->order_count > 0 &&
            !add_orders(s, a->held[i].position, &legs->leg[i])) {
            return false;
        }
    }
    int64_t micro = 0;
    bool const fits = nv_narrow_try_i64(equity, &micro);
    legs->equity = vm_money(micro);
    return fits;
}

bool vm__legs_order(const struct vm_state *s,
                    const struct vm_margin_extra *order,
                    struct margin_legs *legs)
{
    const struct vm_market *const market = vm_market(s, order->market);
    uint32_t i = 0;
    while (i < legs->count && legs->leg[i].market != market) {
        i++;
    }
    struct margin_leg *const leg = &legs->leg[i];
    if (i == legs->count) {
        *leg = (struct margin_leg){.market = market};
        legs->count++;
    }
    int64_t const lots = vm_lots_raw(order->lots);
    bool const bid = lots > 0;
    int64_t *const sum = bid ? &leg->bid_lots : &leg->ask_lots;
    int64_t const size = bid ? lots : -lots;
    return nv_add_i64(*sum, size, sum) && add_edge(leg, order->price, size, bid);
}

/* worst_lots is max(|L|, |L + B|, |L - A|). */
static nv_u128 worst_lots(const struct margin_leg *leg)
{
    if (!vm__leg_has_orders(leg)) {
        return nv_magnitude_i64(leg->lots);
    }
    nv_i128 const held = leg->lots;
    nv_i128 const bought = held + leg->bid_lots;
    nv_i128 const sold = held - leg->ask_lots;
    nv_i128 worst = held < 0 ? -held : held;
    worst = bought > worst ? bought : worst;
    worst = -sold > worst ? -sold : worst;
    return (nv_u128)worst;
}

bool vm__legs_sums(const struct vm_state *s,
                   const struct margin_legs *legs,
                   struct margin_flat *sums)
{
    int64_t const quarantine_range = vm_param(s, VM_PARAM_QUARANTINE_RANGE);
    nv_u128 units = 0; /* Σ worst lots × 2^shift, of all legs */
    nv_u128 edges = 0;
    *sums = (struct margin_flat){0, 0, 0};
    for (uint32_t i = 0; i < legs->count; i++) {
        const struct margin_leg *const leg = &legs->leg[i];
        nv_u128 const worst = worst_lots(leg);
        if (worst > INT64_MAX) {
            return false;
        }
        nv_u128 const unit = worst * (UINT64_C(1) << leg->market->risk.shift);
        uint64_t const mark = nv_magnitude_i64(vm_money_raw(leg->market->row.mark));
        units += unit;
        edges += (uint64_t)leg->bid_edge + (uint64_t)leg->ask_edge;
        if (vm__leg_in_scenarios(leg)) {
            sums->gross += (nv_i128)(worst * mark);
            sums->rounding += (nv_i128)unit;
        } else {
            nv_i128 const held = nv_magnitude_i64(leg->lots);
            sums->quarantine += vm__share_up(held * mark, quarantine_range);
        }
    }
    return units < (nv_u128)1 << 32 && (units << 30) + edges < (nv_u128)1 << 62;
}
