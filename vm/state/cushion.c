/* Cushions: bounds that spare a look at an account.  Each change takes from a
 * cushion at least what it can take from the account's equity less its
 * requirement; only cash and value that came in for certain add to it. */

#include "base/assert.h"

#include "vm/params.h"
#include "vm/state/internal.h"
#include "vm/tx.h"

#include "base/pure.h"

#define SLACK_MAX   (INT64_C(1) << 60) /* beyond that nothing is claimed */
#define WEAR_MAX    (UINT64_C(1) << 28)
#define CLOCK_SHIFT 24u

static struct vm_cushion *known(struct vm_state *s, uint32_t account, enum vm_cushion_kind kind)
{
    struct vm_cushion *const c = &s->cushions[account][kind];
    return c->at >= s->worn_from ? c : NULL;
}

/* --- who is due -------------------------------------------------------------------------- */

/* reach_of is how far the clock may go before a cushion could fail to hold, at
 * least: exposure counts as the next power of two, which spares a division. */
static uint64_t reach_of(const struct vm_cushion *c)
{
    uint64_t const far = UINT64_MAX / 2;
    int64_t const left = c->slack < c->room ? c->slack : c->room;
    if (left <= 0) {
        return 0;
    }
    uint32_t const bits = c->exposure == 0 ? 0 : 64u - (uint32_t)__builtin_clzll(c->exposure);
    uint64_t const whole = (uint64_t)left - 1; /* what has worn off is rounded up */
    if (bits >= CLOCK_SHIFT) {
        return whole >> (bits - CLOCK_SHIFT);
    }
    return whole > far >> (CLOCK_SHIFT - bits) ? far : whole << (CLOCK_SHIFT - bits);
}

/* until_of is the last reading of the clock at which a cushion holds for certain. */
static uint64_t until_of(const struct vm_state *s, uint32_t account)
{
    const struct vm_cushion *const c = &s->cushions[account][VM_CUSHION_MAINTENANCE];
    bool const holds = c->at >= s->worn_from && c->slack >= 0 && c->room >= 0;
    return holds ? c->at + reach_of(c) : 0;
}

/* A group is safe no longer than its accounts; a change of one can only shorten
 * it, until the group is looked at again. */
static void shorten(struct vm_state *s, uint32_t account, uint64_t until)
{
    uint64_t *const group = &s->safe_until[account / VM_DUE_GROUP];
    *group = until < *group ? until : *group;
}

static uint64_t group_until(const struct vm_state *s, uint32_t first)
{
    uint32_t const left = vm_account_count(s) - first;
    uint64_t until = UINT64_MAX;
    for (uint32_t i = 0; i < left && i < VM_DUE_GROUP; i++) {
        uint64_t const own = until_of(s, first + i);
        until = own < until ? own : until;
    }
    return until;
}

uint32_t vm_cushion_due(struct vm_state *s, uint32_t from)
{
    uint32_t const count = vm_account_count(s);
    uint32_t i = from;
    while (i < count) {
        uint64_t *const group = &s->safe_until[i / VM_DUE_GROUP];
        if (i % VM_DUE_GROUP == 0 && *group < s->worn) {
            *group = group_until(s, i);
        }
        if (i % VM_DUE_GROUP == 0 && *group >= s->worn) {
            i += VM_DUE_GROUP;
        } else if (until_of(s, i) < s->worn) {
            return i;
        } else {
            i++;
        }
    }
    return VM_NONE;
}

/* --- what is known ----------------------------------------------------------------------- */

void vm_cushion_forget(struct vm_state *s, uint32_t account, enum vm_cushion_kind kind)
{
    s->cushions[account][kind].at = 0;
    shorten(s, account, until_of(s, account));
}

void vm_cushions_forget(struct vm_state *s)
{
    s->worn++;
    s->worn_from = s->worn;
    uint32_t const groups = (vm_account_count(s) + VM_DUE_GROUP - 1) / VM_DUE_GROUP;
    memset(s->safe_until, 0, groups * sizeof *s->safe_until);
}

void vm_cushions_wear(struct vm_state *s, uint64_t by)
{
    if (by > WEAR_MAX) {
        vm_cushions_forget(s);
        return;
    }
    s->worn += by;
}

void vm_cushion_set(struct vm_state *s,
                    uint32_t account,
                    enum vm_cushion_kind kind,
                    const struct vm_cushion *cushion)
{
    struct vm_cushion *const c = &s->cushions[account][kind];
    *c = *cushion;
    c->at = c->slack <= SLACK_MAX && c->room <= SLACK_MAX ? s->worn : 0;
    shorten(s, account, until_of(s, account));
}

bool vm_cushion_holds(const struct vm_state *s,
                      uint32_t account,
                      enum vm_cushion_kind kind,
                      const struct vm_lot_bound *need)
{
    const struct vm_cushion *const c = &s->cushions[account][kind];
    if (c->at < s->worn_from) {
        return false;
    }
    nv_u128 const loss =
        (((nv_u128)c->exposure * (s->worn - c->at)) >> CLOCK_SHIFT) + (s->worn != c->at);
    if (loss > (nv_u128)SLACK_MAX) {
        return false;
    }
    return (nv_i128)c->slack - (nv_i128)loss >= need->slack &&
           (nv_i128)c->room - (nv_i128)loss >= need->room;
}

/* What a change does to a cushion. */
struct change {
    nv_i128 slack; /* added */
    nv_i128 room;  /* taken */
    nv_i128 exposure;
};

static void apply(const struct vm_state *s, struct vm_cushion *c, struct change change)
{
    /* What a scope gave may be taken back by its undoing, what it took may stay. */
    nv_i128 const gain = s->scope_open && change.slack > 0 ? 0 : change.slack;
    nv_i128 const slack = c->slack + gain;
    nv_i128 const room = c->room - change.room;
    nv_i128 const exposure = c->exposure + change.exposure;
    if (slack > SLACK_MAX || slack < -SLACK_MAX || room < 0 || exposure > (nv_i128)UINT64_MAX) {
        c->at = 0;
        return;
    }
    c->slack = (int64_t)slack;
    c->room = (int64_t)room;
    c->exposure = (uint64_t)exposure;
}

/* apply_cash is apply of a change of cash alone: every transaction pays a fee. */
static void apply_cash(const struct vm_state *s, struct vm_cushion *c, int64_t cash)
{
    int64_t const gain = s->scope_open && cash > 0 ? 0 : cash;
    int64_t slack = 0;
    if (!nv_add_i64(c->slack, gain, &slack) || slack > SLACK_MAX || slack < -SLACK_MAX) {
        c->at = 0;
        return;
    }
    c->slack = slack;
}

void vm__cushion_cash(struct vm_state *s, uint32_t account, struct vm_money delta)
{
    for (uint32_t kind = 0; kind < VM_CUSHION_KINDS; kind++) {
        struct vm_cushion *const c = known(s, account, (enum vm_cushion_kind)kind);
        if (c != NULL) {
            apply_cash(s, c, vm_money_raw(delta));
        }
    }
    shorten(s, account, until_of(s, account));
}

void vm__cushion_position(struct vm_state *s,
                          uint32_t account,
                          uint32_t market,
                          const struct vm_position_row *change)
{
    const struct vm_market *const m = vm_market(s, market);
    nv_i128 const lots = vm_lots_raw(change->lots);
    nv_i128 const size = lots < 0 ? -lots : lots;
    nv_i128 const per_lot = (nv_i128)vm_money_raw(m->row.mark) - vm_money_raw(m->row.carry);
    for (uint32_t kind = 0; kind < VM_CUSHION_KINDS; kind++) {
        struct vm_cushion *const c = known(s, account, (enum vm_cushion_kind)kind);
        if (c != NULL) {
            struct change const taken = {
                .slack = lots * per_lot + vm_money_raw(change->cost) - size * m->bound[kind].slack,
                .room = size * m->bound[kind].room,
                .exposure = size * m->unit,
            };
            apply(s, c, taken);
        }
    }
    shorten(s, account, until_of(s, account));
}

/* edge_of is what an order would lose at once against the mark: micro. */
static nv_i128 edge_of(const struct vm_market *m, nv_i128 lots, struct vm_price price)
{
    nv_i128 const value = (nv_i128)vm_price_raw(price) * vm_money_raw(m->listing.tick_value);
    nv_i128 const above = value - vm_money_raw(m->row.mark);
    nv_i128 const edge = above * lots; /* a sale loses below the mark */
    return edge > 0 ? edge : 0;
}

bool vm_cushion_order(const struct vm_state *s,
                      uint32_t market,
                      struct vm_lots lots,
                      struct vm_price price,
                      struct vm_lot_bound *out)
{
    const struct vm_market *const m = vm_market(s, market);
    nv_i128 const size = nv_magnitude_i64(vm_lots_raw(lots));
    nv_i128 const edge = edge_of(m, vm_lots_raw(lots), price);
    uint64_t const floor = (uint64_t)vm_param(s, VM_PARAM_INITIAL_FLOOR);
    if (edge > SLACK_MAX || floor > UINT64_C(1) << 33) {
        return false;
    }
    /* edge × floor, rounded up; 64 bits are divided by a constant in no time */
    uint64_t const one = VM_RATIO_ONE_PPB;
    uint64_t const part = (uint64_t)edge % one * floor / one;
    nv_i128 const raised = (nv_i128)((uint64_t)edge / one) * (nv_i128)floor + (nv_i128)part + 1;
    return nv_narrow_try_i64(size * m->bound[VM_CUSHION_INITIAL].slack + raised, &out->slack) &&
           nv_narrow_try_i64(size * m->bound[VM_CUSHION_INITIAL].room + edge, &out->room);
}

void vm__cushion_order(struct vm_state *s, uint32_t slot)
{
    const struct vm_order *const order = vm_order(s, slot);
    uint32_t const account = (uint32_t)(vm_position(s, order->position)->account - 1);
    struct vm_cushion *const c = known(s, account, VM_CUSHION_INITIAL);
    if (c == NULL) {
        return;
    }
    int64_t const size = vm_lots_raw(order->row.lots);
    struct vm_lots const lots = vm_lots(order->row.side == VM_BUY ? size : -size);
    struct vm_lot_bound taken;
    if (!vm_cushion_order(s, order->market, lots, order->row.price, &taken)) {
        c->at = 0;
        return;
    }
    struct change const change = {
        .slack = -(nv_i128)taken.slack,
        .room = taken.room,
        .exposure = (nv_i128)size * vm_market(s, order->market)->unit,
    };
    apply(s, c, change);
}
