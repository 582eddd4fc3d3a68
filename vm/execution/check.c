#include "vm/execution/check.h"

#include "base/assert.h"

#include "vm/execution/orders.h"
#include "vm/margin/margin.h"

#include "base/pure.h"

/* --- expiry ------------------------------------------------------------------------------ */

/* SPEC auction 4: "A participant whose expiry is not after the block's time leaves." */
static bool check_expiry(struct vm_exec *x, const struct reach_side *side)
{
    bool removed = false;
    for (uint32_t i = 0; i < side->count; i++) {
        uint32_t const slot = side->order[i].slot;
        uint64_t const expires_ms = vm_order(x->state, slot)->row.expires_ms;
        if (expires_ms != 0 && expires_ms <= x->block->time_ms) {
            vm_execution_cancel_order(x, slot, VM_ORDER_EXPIRED);
            removed = true;
        }
    }
    return removed;
}

/* --- margin ------------------------------------------------------------------------------ */

static bool checked_set(struct checked *checked, uint32_t account)
{
    uint64_t const bit = UINT64_C(1) << (account % 64u);
    bool const before = (checked->bits[account / 64u] & bit) != 0;
    checked->bits[account / 64u] |= bit;
    return before;
}

struct checked vm__checked_new(struct vm_exec *x)
{
    uint32_t const accounts = vm_account_count(x->state);
    struct checked checked = {NV_ARENA_NEW(x->arena, uint64_t, accounts / 64u + 1),
                              NV_ARENA_NEW(x->arena, uint32_t, 2 * VM_REACH_MAX)};
    for (uint32_t i = 0; i < x->act_count; i++) {
        const struct vm_act *const act = &x->acts[i];
        if (act->kind == VM_ACTION_PLACE && act->outcome.code == VM_OK &&
            !act->action->place.reduce_only) {
            (void)checked_set(&checked, act->account);
        }
    }
    return checked;
}

/* note_owners lists the owners of one side that are not known of yet. */
static uint32_t note_owners(const struct vm_exec *x,
                            struct checked *checked,
                            const struct reach_side *side,
                            uint32_t *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < side->count; i++) {
        uint32_t const owner = vm__order_account(x->state, vm_order(x->state, side->order[i].slot));
        if (!checked_set(checked, owner)) {
            vm_prefetch_holder(x->state, owner);
            out[count] = owner;
            count++;
        }
    }
    return count;
}

/* check_margin looks at each owner once a block.  What one of them loses changes
 * nothing for another. */
static bool check_margin(struct vm_exec *x, struct checked *checked, const struct reach *reach)
{
    bool removed = false;
    uint32_t count = note_owners(x, checked, &reach->bids, checked->number);
    count += note_owners(x, checked, &reach->asks, checked->number + count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t const owner = checked->number[i];
        if (!vm_margin_covers(x->state, owner, NULL)) {
            removed = vm_execution_cancel_increasing(x, owner, VM_ORDER_MARGIN) > 0 || removed;
        }
    }
    return removed;
}

/* --- reduce-only ------------------------------------------------------------------------- */

/* comes_before: better price, else older. */
static bool comes_before(const struct vm_order *a, const struct vm_order *b)
{
    int64_t const price_a = vm_price_raw(a->row.price);
    int64_t const price_b = vm_price_raw(b->row.price);
    if (price_a != price_b) {
        return (price_a > price_b) == (a->row.side == VM_BUY);
    }
    if (a->row.placed_height != b->row.placed_height) {
        return a->row.placed_height < b->row.placed_height;
    }
    return a->row.tie != b->row.tie ? a->row.tie < b->row.tie : a->row.slot < b->row.slot;
}

/* reduce_room returns how many lots a reduce-only order may have. */
static int64_t reduce_room(const struct vm_exec *x, const struct vm_order *order)
{
    const struct vm_position *const p = vm_position(x->state, order->position);
    int64_t const held = vm_lots_raw(p->row.lots);
    int64_t room = order->row.side == VM_SELL ? held : -held;
    uint32_t slot = vm_order_first_own(x->state, order->position);
    while (slot != VM_NONE && room > 0) {
        const struct vm_order *const other = vm_order(x->state, slot);
        if (other->row.side == order->row.side && !vm__order_late(x, other) &&
            comes_before(other, order)) {
            room -= vm_lots_raw(other->row.lots);
        }
        slot = vm_order_next_own(x->state, slot);
    }
    return room > 0 ? room : 0;
}

static bool check_reduce_only(struct vm_exec *x, const struct reach_side *side)
{
    bool removed = false;
    for (uint32_t i = 0; i < side->count; i++) {
        uint32_t const slot = side->order[i].slot;
        const struct vm_order *const order = vm_order(x->state, slot);
        if ((order->row.flags & VM_ORDER_REDUCE_ONLY) == 0) {
            continue;
        }
        int64_t const excess = vm_lots_raw(order->row.lots) - reduce_room(x, order);
        if (excess > 0) {
            vm__order_shrink(x, slot, vm_lots(excess), VM_ORDER_NOT_REDUCING);
            removed = true;
        }
    }
    return removed;
}

/* --- self-crossing ----------------------------------------------------------------------- */

static bool crosses(const struct vm_order *a, const struct vm_order *b)
{
    const struct vm_order *const bid = a->row.side == VM_BUY ? a : b;
    const struct vm_order *const ask = a->row.side == VM_BUY ? b : a;
    return a->row.side != b->row.side &&
           vm_price_raw(bid->row.price) >= vm_price_raw(ask->row.price);
}

/* apart returns whether an order is surely apart from its owner's of the other
 * side, by the bounds of their prices. */
static bool apart(const struct vm_position *p, const struct vm_order *order)
{
    int64_t const price = vm_price_raw(order->row.price);
    if (order->row.side == VM_BUY) {
        return vm_lots_raw(p->ask_lots) == 0 || price < vm_price_raw(p->ask_least);
    }
    return vm_lots_raw(p->bid_lots) == 0 || price > vm_price_raw(p->bid_most);
}

/* crosses_own returns whether an order crosses another of its owner. */
static bool crosses_own(struct vm_exec *x, const struct vm_order *order)
{
    const struct vm_position *const p = vm_position(x->state, order->position);
    if (apart(p, order)) {
        return false;
    }
    vm_position_prices(x->state, order->position);
    if (apart(p, order)) {
        return false;
    }
    uint32_t from = 0;
    for (;;) {
        uint32_t const slot = vm_order_own_against(
            x->state, order->position, from, order->row.side, order->row.price);
        if (slot == VM_NONE || !vm__order_late(x, vm_order(x->state, slot))) {
            return slot != VM_NONE;
        }
        from = vm_order(x->state, slot)->ordinal + 1u;
    }
}

/* uncross removes, by age, each order of a position that crosses an older one
 * that stays. */
static bool uncross(struct vm_exec *x, uint32_t position)
{
    struct own_order own[VM_ORDERS_ACCOUNT_MARKET_MAX];
    uint32_t const count = vm__orders_own(x, position, own);
    uint32_t kept = 0;
    bool removed = false;
    for (uint32_t i = 0; i < count; i++) {
        const struct vm_order *const order = vm_order(x->state, own[i].slot);
        bool stays = true;
        for (uint32_t j = 0; j < kept && stays; j++) {
            stays = !crosses(order, vm_order(x->state, own[j].slot));
        }
        if (vm__order_late(x, order)) {
            continue;
        }
        if (stays) {
            own[kept] = own[i];
            kept++;
        } else {
            vm_execution_cancel_order(x, own[i].slot, VM_ORDER_SELF_CROSS);
            removed = true;
        }
    }
    return removed;
}

/* note_self_crossers lists the positions of participants of one side that cross
 * an own order. */
static uint32_t note_self_crossers(struct vm_exec *x, const struct reach_side *side, uint32_t *out)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < side->count; i++) {
        const struct vm_order *const order = vm_order(x->state, side->order[i].slot);
        if (crosses_own(x, order)) {
            out[count] = order->position;
            count++;
        }
    }
    return count;
}

static bool
check_self_crossing(struct vm_exec *x, struct checked *checked, const struct reach *reach)
{
    bool removed = false;
    uint32_t count = note_self_crossers(x, &reach->bids, checked->number);
    count += note_self_crossers(x, &reach->asks, checked->number + count);
    for (uint32_t i = 0; i < count; i++) {
        removed = uncross(x, checked->number[i]) || removed;
    }
    return removed;
}

bool vm__participants_check(struct vm_exec *x,
                            struct checked *checked,
                            const struct reach *reach,
                            bool *elsewhere)
{
    bool const bids_expired = check_expiry(x, &reach->bids);
    if (check_expiry(x, &reach->asks) || bids_expired) {
        return true;
    }
    if (check_margin(x, checked, reach)) {
        *elsewhere = true;
        return true;
    }
    bool const bids_reduced = check_reduce_only(x, &reach->bids);
    if (check_reduce_only(x, &reach->asks) || bids_reduced) {
        return true;
    }
    return check_self_crossing(x, checked, reach);
}
