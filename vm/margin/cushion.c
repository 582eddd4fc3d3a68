#include "vm/margin/cushion.h"

#include "base/assert.h"

#include "vm/margin/margin.h"
#include "vm/margin/share.h"
#include "vm/params.h"

#include "base/pure.h"

#define CLOCK_SHIFT 24u
#define BOUND_MAX   (INT64_C(1) << 60) /* a market beyond that lets no cushion be known */

static nv_i128 size_of(nv_i128 x)
{
    return x < 0 ? -x : x;
}

static nv_i128 most(nv_i128 a, nv_i128 b)
{
    return a > b ? a : b;
}

static nv_i128 largest_entry(const int32_t risk[VM_NODES], uint8_t shift)
{
    nv_i128 largest = 0;
    for (uint32_t i = 0; i < VM_NODES; i++) {
        largest = most(largest, size_of(risk[i]));
    }
    return largest << shift;
}

/* initial_of is what `maintenance` and `initial` make of initial margin, which
 * is the greater of two terms. */
static nv_i128 initial_of(const struct vm_state *s, nv_i128 initial, nv_i128 maintenance)
{
    return most(initial, vm__share_up(maintenance, vm_param(s, VM_PARAM_INITIAL_FLOOR)));
}

static int64_t bounded(nv_i128 value)
{
    return value > BOUND_MAX ? BOUND_MAX : (int64_t)value;
}

static void set_bounds(const struct vm_state *s, struct vm_market *m)
{
    nv_i128 const mark = size_of(vm_money_raw(m->row.mark));
    nv_i128 const rounding = (nv_i128)1 << m->risk.shift;
    nv_i128 maintenance = 0;
    nv_i128 initial = 0;
    if (m->row.status == VM_MARKET_QUARANTINED) {
        maintenance = vm__share_up(mark, vm_param(s, VM_PARAM_QUARANTINE_RANGE));
        initial = maintenance;
    } else {
        maintenance = largest_entry(m->risk.node[VM_RANGE_MAINTENANCE], m->risk.shift) + rounding +
                      vm__share_up(mark, vm_param(s, VM_PARAM_CONTINGENCY_MAINTENANCE));
        initial = largest_entry(m->risk.node[VM_RANGE_INITIAL], m->risk.shift) + rounding +
                  vm__share_up(mark, vm_param(s, VM_PARAM_CONTINGENCY_INITIAL));
    }
    nv_i128 const room = most((nv_i128)1 << (30 + m->risk.shift), mark);
    m->bound[VM_CUSHION_MAINTENANCE].slack = bounded(maintenance);
    m->bound[VM_CUSHION_MAINTENANCE].room = bounded(room);
    m->bound[VM_CUSHION_INITIAL].slack = bounded(initial_of(s, initial, maintenance));
    m->bound[VM_CUSHION_INITIAL].room = bounded(room);
}

/* value_of is the size of one lot, by which exposure is measured. */
static int64_t value_of(const struct vm_state *s, const struct vm_market *m)
{
    int64_t const index = vm_money_raw(vm_feed(s, m->listing.feed)->row.index);
    nv_i128 const per_lot = size_of(index) / m->listing.lots_per_unit;
    return bounded(most(1, most(per_lot, size_of(vm_money_raw(m->row.mark)))));
}

static void set_base(struct vm_market *m)
{
    m->base = (struct vm_lot_bound_base){
        .mark = vm_money_raw(m->row.mark),
        .carry = vm_money_raw(m->row.carry),
        .moved = 0,
        .shift = m->risk.shift,
        .status = m->row.status,
    };
}

static void restart(struct vm_state *s, uint32_t market)
{
    struct vm_market *const m = vm_market_derived(s, market);
    m->unit = value_of(s, m);
    set_base(m);
    set_bounds(s, m);
}

void vm__cushion_restart(struct vm_state *s, uint32_t market)
{
    restart(s, market);
    vm_cushions_forget(s);
}

void vm__cushion_moved(struct vm_market *market, const struct vm_risk *before)
{
    nv_i128 const now = (nv_i128)1 << market->risk.shift;
    nv_i128 const then = (nv_i128)1 << before->shift;
    nv_i128 moved = 0;
    for (uint32_t range = 0; range < VM_RANGES; range++) {
        for (uint32_t i = 0; i < VM_NODES; i++) {
            nv_i128 const change =
                market->risk.node[range][i] * now - before->node[range][i] * then;
            moved = most(moved, size_of(change));
        }
    }
    market->base.moved = bounded(moved + market->base.moved);
}

/* cost_of is what a market's changes since the clock last saw it can have cost
 * a lot.  Held: its value, and its entry and its share of the gross value, which
 * the floor of initial margin raises.  Ordered: the same with the edge of the
 * order, raised too, in the place of its value. */
static nv_i128 cost_of(const struct vm_state *s, const struct vm_market *m)
{
    nv_i128 const mark = size_of((nv_i128)vm_money_raw(m->row.mark) - m->base.mark);
    nv_i128 const carry = size_of((nv_i128)vm_money_raw(m->row.carry) - m->base.carry);
    int64_t const quarantine = vm_param(s, VM_PARAM_QUARANTINE_RANGE);
    nv_i128 const charge =
        vm__share_up(mark, vm_param(s, VM_PARAM_CONTINGENCY_INITIAL)) +
        vm__share_up(mark, vm_param(s, VM_PARAM_CONTINGENCY_MAINTENANCE)) +
        vm__share_up(mark, m->row.status == VM_MARKET_QUARANTINED ? quarantine : 0);
    nv_i128 const raised = m->base.moved + charge + mark;
    return carry + vm__share_up(raised, vm_param(s, VM_PARAM_INITIAL_FLOOR));
}

/* outgrown returns whether a market's base no longer serves. */
static bool outgrown(const struct vm_state *s, const struct vm_market *m)
{
    int64_t const value = value_of(s, m);
    return m->unit == 0 || m->base.shift != m->risk.shift || m->base.status != m->row.status ||
           value / 4 > m->unit || m->unit / 4 > value;
}

void vm__cushion_clock(struct vm_state *s)
{
    nv_i128 wear = 0;
    bool forget = false;
    for (uint32_t i = 0; i < vm_market_count(s); i++) {
        struct vm_market *const m = vm_market_derived(s, i);
        if (outgrown(s, m)) {
            forget = true;
            restart(s, i);
            continue;
        }
        nv_i128 const cost = cost_of(s, m);
        wear = most(wear, cost > 0 ? (cost << CLOCK_SHIFT) / m->unit + 1 : 0);
        set_base(m);
        set_bounds(s, m);
    }
    if (forget) {
        vm_cushions_forget(s);
    } else if (wear > 0) {
        vm_cushions_wear(s, wear > (nv_i128)UINT64_MAX ? UINT64_MAX : (uint64_t)wear);
    }
}

/* --- what the VM asks -------------------------------------------------------------------- */

static bool covers(const struct vm_state *s,
                   uint32_t account,
                   const struct vm_margin_extra *extra,
                   struct vm_requirement *r)
{
    return vm_margin_account(s, account, true, extra, r) &&
           vm_money_raw(r->equity) >= vm_money_raw(r->initial);
}

static bool
surely_covers(const struct vm_state *s, uint32_t account, const struct vm_margin_extra *extra)
{
    struct vm_lot_bound need = {0, 0};
    if (extra != NULL && !vm_cushion_order(s, extra->market, extra->lots, extra->price, &need)) {
        return false;
    }
    return vm_cushion_holds(s, account, VM_CUSHION_INITIAL, &need);
}

static void renew(struct vm_state *s, uint32_t account, enum vm_cushion_kind kind)
{
    struct vm_cushion cushion;
    if (vm__margin_cushion(s, account, kind == VM_CUSHION_INITIAL, &cushion)) {
        vm_cushion_set(s, account, kind, &cushion);
    } else {
        vm_cushion_forget(s, account, kind);
    }
}

bool vm_margin_covers(struct vm_state *s, uint32_t account, const struct vm_margin_extra *extra)
{
    struct vm_requirement r;
    if (surely_covers(s, account, extra)) {
        NV_ASSERT_PARANOID(covers(s, account, extra, &r));
        return true;
    }
    if (!covers(s, account, extra, &r)) {
        return false;
    }
    /* A cushion that is nearly used up would not be worth its making. */
    if (vm_money_raw(r.equity) - vm_money_raw(r.initial) > vm_money_raw(r.initial) / 8) {
        renew(s, account, VM_CUSHION_INITIAL);
    }
    return true;
}

bool vm_margin_surely_safe(const struct vm_state *s, uint32_t account)
{
    struct vm_lot_bound const none = {0, 0};
    if (!vm_cushion_holds(s, account, VM_CUSHION_MAINTENANCE, &none)) {
        return false;
    }
#ifdef NV_PARANOID
    struct vm_requirement r;
    NV_ASSERT(vm_margin_account(s, account, false, NULL, &r));
    NV_ASSERT(vm_money_raw(r.equity) >= vm_money_raw(r.maintenance));
    NV_ASSERT(vm_account(s, account)->row.stage == VM_STAGE_SAFE);
#endif
    return true;
}

void vm_margin_note(struct vm_state *s, uint32_t account, bool safe)
{
    if (safe) {
        renew(s, account, VM_CUSHION_MAINTENANCE);
    } else {
        vm_cushion_forget(s, account, VM_CUSHION_MAINTENANCE);
    }
}
