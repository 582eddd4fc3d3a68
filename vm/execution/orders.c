#include "vm/execution/orders.h"

#include "base/assert.h"
#include "base/codec.h"
#include "base/sort.h"

#include "base/pure.h"

uint64_t vm__order_handle_of(const struct vm_order *order)
{
    return vm_order_handle(order->market, order->row.generation, order->row.slot);
}

uint32_t vm__order_account(const struct vm_state *s, const struct vm_order *order)
{
    return (uint32_t)(vm_position(s, order->position)->account - 1);
}

int64_t vm__index_per_lot(const struct vm_state *s, const struct vm_market *market)
{
    int64_t const index = vm_money_raw(vm_feed(s, market->listing.feed)->row.index);
    int64_t per_lot = 0;
    bool const ok =
        nv_div_i64(index, (int64_t)market->listing.lots_per_unit, NV_ROUND_FLOOR, &per_lot);
    return ok ? per_lot : 0;
}

uint64_t vm__order_tie(const uint8_t hash8[8], uint32_t action_index)
{
    uint64_t x = nv_be64_load(hash8) + (action_index + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

void vm__order_tell(struct vm_exec *x, uint32_t slot, uint8_t change, struct vm_lots lots)
{
    const struct vm_order *const order = vm_order(x->state, slot);
    struct vm_event const event = {
        .kind = VM_EVENT_ORDER,
        .order = {.account = vm_position(x->state, order->position)->account,
                  .market = order->market,
                  .order = vm__order_handle_of(order),
                  .change = change,
                  .side = order->row.side,
                  .price = order->row.price,
                  .lots = lots,
                  .client_id = order->row.client_id},
    };
    vm_exec_emit(x, &event);
}

/* --- joining and leaving ----------------------------------------------------------------- */

uint32_t vm__order_join(struct vm_exec *x, uint32_t position, const struct vm_order_row *row)
{
    uint32_t const slot = vm_order_insert(x->state, position, row);
    if (slot != VM_NONE && (row->flags & VM_ORDER_IOC) != 0) {
        vm_market_mut(x->state, vm_order(x->state, slot)->market)->row.waiting_ioc++;
    }
    return slot;
}

static void leave(struct vm_exec *x, uint32_t slot)
{
    const struct vm_order *const order = vm_order(x->state, slot);
    if ((order->row.flags & VM_ORDER_IOC) != 0) {
        vm_market_mut(x->state, order->market)->row.waiting_ioc--;
    }
    vm_order_remove(x->state, slot);
}

void vm_execution_cancel_order(struct vm_exec *x, uint32_t slot, uint8_t change)
{
    vm__order_tell(x, slot, change, vm_order(x->state, slot)->row.lots);
    leave(x, slot);
}

void vm__order_shrink(struct vm_exec *x, uint32_t slot, struct vm_lots lots, uint8_t change)
{
    int64_t const left = vm_lots_raw(vm_order(x->state, slot)->row.lots) - vm_lots_raw(lots);
    NV_ASSERT(vm_lots_raw(lots) > 0 && left >= 0);
    if (left == 0) {
        vm_execution_cancel_order(x, slot, change);
        return;
    }
    vm_order_reduce(x->state, slot, lots);
    vm__order_tell(x, slot, VM_ORDER_REDUCED, vm_lots(left));
}

void vm__order_filled(struct vm_exec *x, uint32_t slot, struct vm_lots lots)
{
    const struct vm_order *const order = vm_order(x->state, slot);
    int64_t const left = vm_lots_raw(order->row.lots) - vm_lots_raw(lots);
    NV_ASSERT(vm_lots_raw(lots) > 0 && left >= 0);
    if (left == 0) {
        vm__order_tell(x, slot, VM_ORDER_FILLED, vm_lots(0));
        leave(x, slot);
        return;
    }
    vm_order_reduce(x->state, slot, lots);
    if (order->row.placed_height != x->block->height) {
        vm__order_tell(x, slot, VM_ORDER_REDUCED, vm_lots(left));
    }
}

int vm__act_cmp(const struct vm_act *a, const struct vm_act *b)
{
    int const by_hash = nv_hash_cmp(&a->tx->hash, &b->tx->hash);
    if (by_hash != 0) {
        return by_hash;
    }
    return a->action_index < b->action_index ? -1 : a->action_index > b->action_index;
}

/* --- the orders of one account ----------------------------------------------------------- */

static int age_cmp(const void *a, const void *b)
{
    const struct own_order *const left = a;
    const struct own_order *const right = b;
    if (left->height != right->height) {
        return left->height < right->height ? -1 : 1;
    }
    if (left->tie != right->tie) {
        return left->tie < right->tie ? -1 : 1;
    }
    return left->slot < right->slot ? -1 : left->slot > right->slot;
}

uint32_t vm__orders_own(const struct vm_exec *x,
                        uint32_t position,
                        struct own_order out[VM_ORDERS_ACCOUNT_MARKET_MAX])
{
    struct own_order scratch[VM_ORDERS_ACCOUNT_MARKET_MAX];
    uint32_t count = 0;
    vm_prefetch_own_orders(x->state, position);
    uint32_t slot = vm_order_first_own(x->state, position);
    while (slot != VM_NONE) {
        const struct vm_order *const order = vm_order(x->state, slot);
        NV_ASSERT(count < VM_ORDERS_ACCOUNT_MARKET_MAX);
        out[count] = (struct own_order){order->row.placed_height, order->row.tie, slot};
        count++;
        slot = vm_order_next_own(x->state, slot);
    }
    nv_sort(out, count, sizeof *out, age_cmp, scratch);
    return count;
}

/* cancel_position cancels those orders of a position that go. */
static uint32_t cancel_position(struct vm_exec *x, uint32_t position, uint8_t change)
{
    struct own_order own[VM_ORDERS_ACCOUNT_MARKET_MAX];
    uint32_t cancelled = 0;
    int64_t const held = vm_lots_raw(vm_position(x->state, position)->row.lots);
    int64_t room = held < 0 ? -held : held;
    uint8_t const against = held > 0 ? VM_SELL : held < 0 ? VM_BUY : 0;
    uint32_t const count = vm__orders_own(x, position, own);
    for (uint32_t i = 0; i < count; i++) {
        const struct vm_order *const order = vm_order(x->state, own[i].slot);
        int64_t const lots = vm_lots_raw(order->row.lots);
        bool const reduces = order->row.side == against && lots <= room;
        if (reduces || (order->row.flags & VM_ORDER_PROTECTIVE) != 0) {
            room -= reduces ? lots : 0;
            continue;
        }
        vm_execution_cancel_order(x, own[i].slot, change);
        cancelled++;
    }
    return cancelled;
}

/* SPEC auction 4: "each that would take the sum of those kept above |L|" */
uint32_t vm_execution_cancel_increasing(struct vm_exec *x, uint32_t account, uint8_t change)
{
    /* Entries that become empty keep their place until the end of the block. */
    const struct vm_account *const a = vm_account(x->state, account);
    uint32_t cancelled = 0;
    for (uint32_t i = 0; i < a->position_count; i++) {
        if (vm_position(x->state, a->held[i].position)->order_count > 0) {
            cancelled += cancel_position(x, a->held[i].position, change);
        }
    }
    return cancelled;
}

/* --- protective orders ------------------------------------------------------------------- */

static uint64_t protective_tie(const struct vm_exec *x, uint64_t account, uint32_t market)
{
    uint8_t bytes[20];
    struct nv_hash hash;
    nv_be64_store(bytes, account);
    nv_be32_store(bytes + 8, market);
    nv_be64_store(bytes + 12, x->block->height);
    nv_sha256(&hash, nv_view_of(bytes, sizeof bytes));
    return vm__order_tie(hash.bytes, 0);
}

/* replace removes the protective orders that wait for an extended auction. */
static void replace(struct vm_exec *x, uint32_t position)
{
    struct own_order own[VM_ORDERS_ACCOUNT_MARKET_MAX];
    uint32_t const count = vm__orders_own(x, position, own);
    for (uint32_t i = 0; i < count; i++) {
        if ((vm_order(x->state, own[i].slot)->row.flags & VM_ORDER_PROTECTIVE) != 0) {
            vm_execution_cancel_order(x, own[i].slot, VM_ORDER_PROTECTED);
        }
    }
}

void vm_execution_place_protective(struct vm_exec *x,
                                   uint32_t account,
                                   uint32_t market,
                                   struct vm_lots lots,
                                   struct vm_price limit)
{
    int64_t const signed_lots = vm_lots_raw(lots);
    uint32_t const position = vm_position_find(x->state, account, market);
    if (signed_lots == 0 || position == VM_NONE ||
        vm_market(x->state, market)->row.status != VM_MARKET_OPEN) {
        return;
    }
    replace(x, position);
    struct vm_order_row const row = {
        .side = signed_lots > 0 ? VM_BUY : VM_SELL,
        .flags = VM_ORDER_REDUCE_ONLY | VM_ORDER_PROTECTIVE | VM_ORDER_IOC,
        .price = limit,
        .lots = vm_lots(signed_lots > 0 ? signed_lots : -signed_lots),
        .placed_height = x->block->height,
        .tie = protective_tie(x, vm_account(x->state, account)->id, market),
    };
    (void)vm__order_join(x, position, &row);
}
