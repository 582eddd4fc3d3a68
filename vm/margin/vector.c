#include "base/int.h"

#include "vm/margin/cushion.h"
#include "vm/margin/margin.h"
#include "vm/margin/nodes.h"
#include "vm/params.h"
#include "vm/payoff/payoff.h"

#include "base/pure.h"

/* SPEC margin 2: "k is the smallest shift with which all entries lie within ±2^29." */
#define ENTRY_MAX (INT64_C(1) << 29)
#define SHIFT_MAX 34u

/* changes fills the weighted change of value of one lot at each node: micro. */
static void changes(const struct vm_market *market,
                    struct vm_ratio range,
                    struct vm_ratio tail_damp,
                    int64_t out[VM_NODES])
{
    struct nv_view const program = {market->listing.program, market->listing.program_size};
    uint32_t const lots_per_unit = market->listing.lots_per_unit;
    struct vm_payoff_inputs const now = {market->row.risk_index};
    nv_i128 const base = vm_money_raw(vm_payoff_per_lot(program, lots_per_unit, &now));
    for (uint32_t i = 0; i < VM_NODES; i++) {
        struct vm_node const node = vm_node_at(i, range, tail_damp);
        struct vm_payoff_inputs const moved = {vm_node_index(&node, market->row.risk_index)};
        nv_i128 const value = vm_money_raw(vm_payoff_per_lot(program, lots_per_unit, &moved));
        nv_i128 weighted = 0;
        bool const divided = nv_div_i128((value - base) * vm_ratio_raw(node.weight),
                                         VM_RATIO_ONE_PPB,
                                         NV_ROUND_FLOOR,
                                         &weighted);
        out[i] = !divided || weighted > INT64_MAX ? INT64_MAX
                 : weighted < INT64_MIN           ? INT64_MIN
                                                  : (int64_t)weighted;
    }
}

static uint8_t shift_for(int64_t change[VM_RANGES][VM_NODES])
{
    uint64_t largest = 0;
    for (uint32_t range = 0; range < VM_RANGES; range++) {
        for (uint32_t i = 0; i < VM_NODES; i++) {
            uint64_t const size = nv_magnitude_i64(change[range][i]);
            largest = size > largest ? size : largest;
        }
    }
    uint8_t shift = 0;
    while (shift < SHIFT_MAX && (largest >> shift) >= (uint64_t)ENTRY_MAX) {
        shift++;
    }
    return shift;
}

/* scaled is floor(value / 2^shift). */
static int32_t scaled(int64_t value, uint8_t shift)
{
    int64_t out = 0;
    bool const ok = nv_div_i64(value, INT64_C(1) << shift, NV_ROUND_FLOOR, &out);
    NV_ASSERT(ok);
    return nv_narrow_i32(out);
}

static void rebuild(struct vm_state *s, uint32_t market)
{
    struct vm_market *const m = vm_market_derived(s, market);
    const struct vm_feed *const feed = vm_feed(s, m->listing.feed);
    struct vm_ratio const tail_damp = vm_ratio(vm_param(s, VM_PARAM_TAIL_DAMP));
    int64_t change[VM_RANGES][VM_NODES];
    changes(m, feed->row.range_initial, tail_damp, change[VM_RANGE_INITIAL]);
    changes(m, feed->row.range_maintenance, tail_damp, change[VM_RANGE_MAINTENANCE]);
    m->risk.shift = shift_for(change);
    for (uint32_t range = 0; range < VM_RANGES; range++) {
        for (uint32_t i = 0; i < VM_NODES; i++) {
            m->risk.node[range][i] = scaled(change[range][i], m->risk.shift);
        }
    }
}

void vm_margin_rebuild(struct vm_state *s, uint32_t market)
{
    rebuild(s, market);
    vm__cushion_restart(s, market);
}

/* rebuild_moved rebuilds a vector and lets the clock know how far it moved. */
static void rebuild_moved(struct vm_state *s, uint32_t market)
{
    struct vm_market *const m = vm_market_derived(s, market);
    struct vm_risk const before = m->risk;
    rebuild(s, market);
    vm__cushion_moved(m, &before);
}

void vm_margin_refresh(struct vm_exec *x)
{
    uint32_t const count = vm_market_count(x->state);
    for (uint32_t i = 0; i < count; i++) {
        const struct vm_market *const market = vm_market(x->state, i);
        const struct vm_feed *const feed = vm_feed(x->state, market->listing.feed);
        if (vm_money_raw(feed->row.index) != vm_money_raw(market->row.risk_index)) {
            vm_market_mut(x->state, i)->row.risk_index = feed->row.index;
            rebuild_moved(x->state, i);
        }
    }
    vm__cushion_clock(x->state);
}

bool vm_margin_index_age_ok(const struct vm_exec *x, uint32_t market, uint16_t age_param)
{
    const struct vm_market *const m = vm_market(x->state, market);
    const struct vm_feed *const feed = vm_feed(x->state, m->listing.feed);
    uint64_t const age_max = (uint64_t)vm_param(x->state, age_param);
    return feed->row.fresh != 0 && x->block->time_ms - feed->row.index_ms <= age_max;
}
