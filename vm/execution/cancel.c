/* cancel.c - phase cancel.  docs/spec/auction.md section 2. */

#include "base/assert.h"

#include "vm/execution/orders.h"
#include "vm/execution/reach.h"

#include "base/pure.h"

/* The opposite best prices when the phase began, of a market whose auction is
 * extended: what crosses them stays. */
struct lock {
    bool on, has_bid, has_ask;
    struct vm_price bid, ask;
};

struct cancelling {
    struct vm_exec *x;
    const struct lock *locks; /* by market */
};

static struct lock *locks_new(struct vm_exec *x)
{
    uint32_t const markets = vm_market_count(x->state);
    struct lock *const locks = NV_ARENA_NEW(x->arena, struct lock, markets + 1);
    for (uint32_t i = 0; i < markets; i++) {
        locks[i].on = vm_market(x->state, i)->row.extended_from_ms != 0;
        if (locks[i].on) {
            locks[i].has_bid = vm__book_best(x, i, VM_BUY, true, &locks[i].bid);
            locks[i].has_ask = vm__book_best(x, i, VM_SELL, true, &locks[i].ask);
        }
    }
    return locks;
}

static bool locked(const struct cancelling *c, const struct vm_order *order)
{
    const struct lock *const lock = &c->locks[order->market];
    int64_t const price = vm_price_raw(order->row.price);
    if (!lock->on) {
        return false;
    }
    return order->row.side == VM_BUY ? lock->has_ask && price >= vm_price_raw(lock->ask)
                                     : lock->has_bid && price <= vm_price_raw(lock->bid);
}

static struct vm_outcome cancel_slot(const struct cancelling *c, uint32_t slot)
{
    if (locked(c, vm_order(c->x->state, slot))) {
        return (struct vm_outcome){VM_REJECT_AUCTION_EXTENDED, 0};
    }
    vm_execution_cancel_order(c->x, slot, VM_ORDER_CANCELLED);
    return (struct vm_outcome){VM_OK, 0};
}

/* Another account's order counts as unknown: whether it is still there depends
 * on its owner's actions in this very phase. */
static struct vm_outcome cancel_handle(const struct cancelling *c, const struct vm_act *act)
{
    uint32_t const slot = vm_order_find(c->x->state, act->action->cancel_order);
    if (slot == VM_NONE ||
        vm__order_account(c->x->state, vm_order(c->x->state, slot)) != act->account) {
        return (struct vm_outcome){VM_REJECT_ORDER_UNKNOWN, 0};
    }
    return cancel_slot(c, slot);
}

/* SPEC auction 2: "It leaves a tombstone until its transaction's expiry" */
static struct vm_outcome cancel_client(const struct cancelling *c, const struct vm_act *act)
{
    struct vm_state *const s = c->x->state;
    const struct vm_cancel_client *const cancel = &act->action->cancel_client;
    if (cancel->client_id == 0) {
        return (struct vm_outcome){VM_REJECT_FIELD_RANGE, 0};
    }
    if (cancel->market >= vm_market_count(s)) {
        return (struct vm_outcome){VM_REJECT_MARKET_UNKNOWN, 0};
    }
    uint32_t const position = vm_position_find(s, act->account, cancel->market);
    uint32_t const slot =
        position == VM_NONE ? VM_NONE : vm_order_find_client(s, position, cancel->client_id);
    if (slot != VM_NONE) {
        struct vm_outcome const outcome = cancel_slot(c, slot);
        if (outcome.code != VM_OK) {
            return outcome;
        }
    }
    bool const put = vm_tombstone_put(
        s, cancel->market, vm_account(s, act->account)->id, cancel->client_id, act->tx->expires_ms);
    bool const nothing = !put && slot == VM_NONE;
    return (struct vm_outcome){nothing ? VM_REJECT_ORDER_UNKNOWN : VM_OK, 0};
}

static uint32_t cancel_position(const struct cancelling *c, uint32_t position)
{
    struct own_order own[VM_ORDERS_ACCOUNT_MARKET_MAX];
    uint32_t cancelled = 0;
    uint32_t const count = vm__orders_own(c->x, position, own);
    for (uint32_t i = 0; i < count; i++) {
        cancelled += cancel_slot(c, own[i].slot).code == VM_OK;
    }
    return cancelled;
}

static struct vm_outcome cancel_all(const struct cancelling *c, const struct vm_act *act)
{
    struct vm_state *const s = c->x->state;
    const struct vm_cancel_all *const cancel = &act->action->cancel_all;
    if (!cancel->every_market && cancel->market >= vm_market_count(s)) {
        return (struct vm_outcome){VM_REJECT_MARKET_UNKNOWN, 0};
    }
    const struct vm_account *const account = vm_account(s, act->account);
    uint64_t cancelled = 0;
    for (uint32_t i = 0; i < account->position_count; i++) {
        const struct vm_position *const position = vm_position(s, account->held[i].position);
        if (position->order_count > 0 &&
            (cancel->every_market || position->market == cancel->market)) {
            cancelled += cancel_position(c, account->held[i].position);
        }
    }
    return (struct vm_outcome){VM_OK, cancelled};
}

/* clear_side removes the orders of one side, as many as the budget holds. */
static void clear_side(struct vm_exec *x, uint32_t market, uint8_t side, uint32_t *budget)
{
    uint32_t slot = vm__book_top(x, market, side);
    while (slot != VM_NONE && *budget > 0) {
        vm_execution_cancel_order(x, slot, VM_ORDER_MARKET_CLOSED);
        (*budget)--;
        slot = vm__book_top(x, market, side);
    }
}

/* clear_closed removes the orders of markets that are not open. */
static void clear_closed(struct vm_exec *x, uint32_t *budget)
{
    for (uint32_t i = 0; i < vm_market_count(x->state); i++) {
        const struct vm_market *const market = vm_market(x->state, i);
        if (market->row.status != VM_MARKET_OPEN && market->orders_open > 0) {
            clear_side(x, i, VM_BUY, budget);
            clear_side(x, i, VM_SELL, budget);
        }
    }
}

static void clear_expired(struct vm_exec *x, uint32_t *budget)
{
    uint64_t const now = x->block->time_ms;
    uint32_t slot = vm_order_expired(x->state, now);
    while (slot != VM_NONE && *budget > 0) {
        vm_execution_cancel_order(x, slot, VM_ORDER_EXPIRED);
        (*budget)--;
        slot = vm_order_expired(x->state, now);
    }
}

/* SPEC work 1: "What does not fit goes first in the next block." */
static void clear_due(struct vm_exec *x)
{
    uint32_t budget = x->due_max;
    clear_expired(x, &budget);
    clear_closed(x, &budget);
}

#define AHEAD 5u /* acts between a hint and its use */

/* The handle that an act cancels, 0 none. */
static uint64_t handle_at(const struct vm_exec *x, uint32_t i)
{
    bool const cancels = i < x->act_count && x->acts[i].kind == VM_ACTION_CANCEL;
    return cancels ? x->acts[i].action->cancel_order : 0;
}

static void prefetch(const struct vm_exec *x, uint32_t i)
{
    uint64_t const far = handle_at(x, i + 3 * AHEAD);
    uint64_t const near = handle_at(x, i + 2 * AHEAD);
    uint64_t const next = handle_at(x, i + AHEAD);
    if (far != 0) {
        vm_prefetch_order(x->state, far);
    }
    if (near != 0) {
        vm_prefetch_around_order(x->state, near);
    }
    if (next != 0) {
        vm_prefetch_order_page(x->state, next);
    }
}

void vm_execution_cancel(struct vm_exec *x)
{
    struct cancelling const c = {.x = x, .locks = locks_new(x)};
    clear_due(x);
    for (uint32_t i = 0; i < x->act_count; i++) {
        struct vm_act *const act = &x->acts[i];
        prefetch(x, i);
        if (act->kind == VM_ACTION_CANCEL) {
            act->outcome = cancel_handle(&c, act);
        } else if (act->kind == VM_ACTION_CANCEL_CLIENT) {
            act->outcome = cancel_client(&c, act);
        } else if (act->kind == VM_ACTION_CANCEL_ALL) {
            act->outcome = cancel_all(&c, act);
        }
    }
}
