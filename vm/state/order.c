/* Open orders: slots, handles, the owner's list and pages, counters. */

#include "base/assert.h"

#include "vm/state/internal.h"
#include "vm/tx.h"

#include "base/pure.h"

static struct vm_order *order_mut(struct vm_state *s, uint32_t slot)
{
    return vm__mut(s, VM_SLAB_ORDER, slot);
}

uint32_t vm_order_find(const struct vm_state *s, uint64_t handle)
{
    uint32_t market, generation, slot;
    vm_order_handle_split(handle, &market, &generation, &slot);
    if (!vm__taken(s, VM_SLAB_ORDER, slot)) {
        return VM_NONE;
    }
    const struct vm_order *const order = vm_order(s, slot);
    bool const same = order->market == market && order->row.generation == generation;
    return same ? slot : VM_NONE;
}

/* The first open order of a position whose ordinal is not below, or VM_NONE. */
static uint32_t own_from(const struct vm_state *s, uint32_t position, uint32_t ordinal)
{
    const struct vm_position_cell *const cell = vm__position(s, position);
    uint64_t skipped = (UINT64_C(1) << (ordinal % 64u)) - 1;
    for (uint32_t word = ordinal / 64u; word < VM_ORDERS_ACCOUNT_MARKET_MAX / 64u; word++) {
        uint64_t const bits = cell->open.ordinals[word] & ~skipped;
        if (bits != 0) {
            uint32_t const found = word * 64u + (uint32_t)__builtin_ctzll(bits);
            const struct vm_order_page *const page =
                vm__at(s, VM_SLAB_ORDER_PAGE, cell->page[found / VM_ORDER_PAGE]);
            return page->own[found % VM_ORDER_PAGE].slot;
        }
        skipped = 0;
    }
    return VM_NONE;
}

uint32_t vm_order_first_own(const struct vm_state *s, uint32_t position)
{
    return own_from(s, position, 0);
}

uint32_t vm_order_next_own(const struct vm_state *s, uint32_t slot)
{
    const struct vm_order *const order = vm_order(s, slot);
    return own_from(s, order->position, order->ordinal + 1u);
}

static bool meets(const struct vm_own_order *own, uint8_t side, struct vm_price price)
{
    bool const bid = side == VM_BUY;
    return own->side != side && (bid ? vm_price_raw(price) >= vm_price_raw(own->price)
                                     : vm_price_raw(own->price) >= vm_price_raw(price));
}

/* The first order of a page in `among` that such an order would meet, or VM_NONE. */
static uint32_t
page_against(const struct vm_order_page *page, uint32_t among, uint8_t side, struct vm_price price)
{
    for (uint32_t left = page->taken & among; left != 0; left &= left - 1) {
        const struct vm_own_order *const own = &page->own[__builtin_ctz(left)];
        if (meets(own, side, price)) {
            return own->slot;
        }
    }
    return VM_NONE;
}

uint32_t vm_order_own_against(
    const struct vm_state *s, uint32_t position, uint32_t from, uint8_t side, struct vm_price price)
{
    const struct vm_position_cell *const cell = vm__position(s, position);
    uint32_t among = UINT32_MAX << from % VM_ORDER_PAGE;
    uint32_t found = VM_NONE;
    for (uint32_t p = from / VM_ORDER_PAGE;
         p < VM_ORDERS_ACCOUNT_MARKET_MAX / VM_ORDER_PAGE && found == VM_NONE;
         p++) {
        if (cell->page[p] != VM_NONE) {
            found = page_against(vm__at(s, VM_SLAB_ORDER_PAGE, cell->page[p]), among, side, price);
        }
        among = UINT32_MAX;
    }
    return found;
}

uint32_t vm_order_find_client(const struct vm_state *s, uint32_t position, uint64_t client_id)
{
    NV_ASSERT(client_id != 0);
    const struct vm_position_cell *const cell = vm__position(s, position);
    uint32_t left = cell->open.order_count;
    for (uint32_t p = 0; left > 0; p++) {
        if (cell->page[p] == VM_NONE) {
            continue;
        }
        const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, cell->page[p]);
        left -= page->count;
        for (uint32_t i = 0; i < VM_ORDER_PAGE; i++) {
            if (page->client_id[i] == client_id) {
                return page->own[i].slot;
            }
        }
    }
    return VM_NONE;
}

static void expiry_key(struct nv_row_key *key, uint64_t expires_ms, uint32_t slot)
{
    struct nv_writer w;
    memset(key->bytes, 0, sizeof key->bytes);
    nv_writer_init(&w, key->bytes, sizeof key->bytes);
    nv_put_u64(&w, expires_ms);
    nv_put_u32(&w, slot);
}

uint32_t vm_order_expired(const struct vm_state *s, uint64_t now_ms)
{
    static const struct nv_row_key zero;
    struct nv_critbit_entry entry;
    if (!nv_critbit_lower_bound(s->indexes[VM_INDEX_ORDER_EXPIRY], zero.bytes, &entry)) {
        return VM_NONE;
    }
    return nv_be64_load(entry.key32) <= now_ms ? entry.value : VM_NONE;
}

/* What an order adds to its position's counters; false beyond 64 bits. */
static bool counters_after(const struct vm_state *s,
                           const struct vm_position *p,
                           const struct vm_order_row *row,
                           struct vm_lots lots,
                           struct vm_position *out)
{
    struct vm_money per_lot, value;
    struct vm_money const tick_value = vm_market(s, p->market)->listing.tick_value;
    if (!vm_value_of(row->price, tick_value, &per_lot) || !vm_money_times(per_lot, lots, &value)) {
        return false;
    }
    out->bid_lots = p->bid_lots;
    out->ask_lots = p->ask_lots;
    out->bid_cost = p->bid_cost;
    out->ask_cost = p->ask_cost;
    if (row->side == VM_BUY) {
        return vm_lots_add(p->bid_lots, lots, &out->bid_lots) &&
               vm_money_add(p->bid_cost, value, &out->bid_cost);
    }
    return vm_lots_add(p->ask_lots, lots, &out->ask_lots) &&
           vm_money_add(p->ask_cost, value, &out->ask_cost);
}

/* A position whose order counters are about to change: no row tells of them. */
static struct vm_position *counted_mut(struct vm_state *s, uint32_t position)
{
    struct vm_position_cell *const cell = vm__mut(s, VM_SLAB_POSITION, position);
    return &cell->open;
}

static void counters_change(struct vm_state *s,
                            uint32_t position,
                            const struct vm_order_row *row,
                            struct vm_lots lots)
{
    struct vm_position *const p = counted_mut(s, position);
    struct vm_position after;
    NV_ASSERT(counters_after(s, p, row, lots, &after));
    p->bid_lots = after.bid_lots;
    p->ask_lots = after.ask_lots;
    p->bid_cost = after.bid_cost;
    p->ask_cost = after.ask_cost;
}

uint32_t vm__ordinal_lowest(const struct vm_position *p)
{
    for (uint32_t word = 0; word < VM_ORDERS_ACCOUNT_MARKET_MAX / 64; word++) {
        if (p->ordinals[word] != UINT64_MAX) {
            return word * 64 + (uint32_t)__builtin_ctzll(~p->ordinals[word]);
        }
    }
    return VM_ORDERS_ACCOUNT_MARKET_MAX;
}

/* The page of an ordinal, about to change there. */
static struct vm_order_page *order_page_mut(struct vm_state *s, uint32_t position, uint8_t ordinal)
{
    uint32_t const index = vm__position(s, position)->page[ordinal / VM_ORDER_PAGE];
    vm__dirty(s, VM_SET_ORDERS, index);
    struct vm_order_page *const page = vm__mut(s, VM_SLAB_ORDER_PAGE, index);
    page->changed = (uint16_t)(page->changed | 1u << ordinal % VM_ORDER_PAGE);
    return page;
}

/* The page for an ordinal of a position, made when it is not there. */
static struct vm_order_page *order_page_open(struct vm_state *s, uint32_t position, uint8_t ordinal)
{
    uint32_t const p = ordinal / VM_ORDER_PAGE;
    if (vm__position(s, position)->page[p] == VM_NONE) {
        uint32_t const index = vm__create(s, VM_SLAB_ORDER_PAGE);
        NV_ASSERT(index != VM_NONE);
        struct vm_order_page *const fresh = vm__at(s, VM_SLAB_ORDER_PAGE, index);
        fresh->account = vm_position(s, position)->account;
        fresh->market = vm_position(s, position)->market;
        fresh->position = position;
        fresh->page = (uint8_t)p;
        struct vm_position_cell *const cell = vm__mut(s, VM_SLAB_POSITION, position);
        cell->page[p] = index;
    }
    return order_page_mut(s, position, ordinal);
}

/* prices_widen takes an order's price into the bounds of its side; call it before
 * the order is counted.  Orders that leave do not narrow them. */
static void prices_widen(struct vm_position *p, const struct vm_order_row *row)
{
    int64_t const price = vm_price_raw(row->price);
    if (row->side == VM_BUY) {
        bool const first = vm_lots_raw(p->bid_lots) == 0;
        p->bid_most = first || price > vm_price_raw(p->bid_most) ? row->price : p->bid_most;
        return;
    }
    bool const first = vm_lots_raw(p->ask_lots) == 0;
    p->ask_least = first || price < vm_price_raw(p->ask_least) ? row->price : p->ask_least;
}

void vm_position_prices(struct vm_state *s, uint32_t index)
{
    struct vm_position_cell *const cell = vm__mut(s, VM_SLAB_POSITION, index);
    struct vm_position *const p = &cell->open;
    int64_t most = INT64_MIN;
    int64_t least = INT64_MAX;
    uint32_t count = p->order_count;
    for (uint32_t i = 0; count > 0; i++) {
        if (cell->page[i] == VM_NONE) {
            continue;
        }
        const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, cell->page[i]);
        count -= page->count;
        for (uint32_t left = page->taken; left != 0; left &= left - 1) {
            const struct vm_own_order *const own = &page->own[__builtin_ctz(left)];
            int64_t const price = vm_price_raw(own->price);
            most = own->side == VM_BUY && price > most ? price : most;
            least = own->side == VM_SELL && price < least ? price : least;
        }
    }
    p->bid_most = vm_price(most);
    p->ask_least = vm_price(least);
}

void vm__order_adopt(struct vm_state *s, uint32_t slot)
{
    const struct vm_order *const order = vm_order(s, slot);
    struct vm_order_page *const page = order_page_open(s, order->position, order->ordinal);
    uint32_t const i = order->ordinal % VM_ORDER_PAGE;
    page->taken = (uint16_t)(page->taken | 1u << i);
    page->count++;
    page->own[i] =
        (struct vm_own_order){.price = order->row.price, .slot = slot, .side = order->row.side};
    if (order->row.client_id != 0) {
        page->client_id[i] = order->row.client_id;
    }
    struct vm_position *const p = counted_mut(s, order->position);
    p->ordinals[order->ordinal / 64u] |= UINT64_C(1) << (order->ordinal % 64u);
    p->order_count++;
    prices_widen(p, &order->row);
    counters_change(s, order->position, &order->row, order->row.lots);
    vm_market_mut(s, order->market)->orders_open++;
    if (order->row.expires_ms != 0) {
        struct nv_row_key key;
        expiry_key(&key, order->row.expires_ms, slot);
        vm__index_add(s, VM_INDEX_ORDER_EXPIRY, &key, slot);
    }
}

static bool slab_room(const struct vm_state *s, enum vm_slab_id id)
{
    return s->slabs[id].slots.count < s->slabs[id].slots.cap;
}

bool vm__order_counts(const struct vm_state *s, uint32_t position, const struct vm_order_row *row)
{
    struct vm_position counters;
    return slab_room(s, VM_SLAB_ORDER_PAGE) &&
           counters_after(s, vm_position(s, position), row, row->lots, &counters);
}

/* Whether everything that an order needs is free. */
static bool order_room(const struct vm_state *s, uint32_t position, const struct vm_order_row *row)
{
    const struct vm_position *const p = vm_position(s, position);
    return p->order_count < VM_ORDERS_ACCOUNT_MARKET_MAX && slab_room(s, VM_SLAB_ORDER) &&
           vm__order_counts(s, position, row) && vm__level_room(s, p->market, row);
}

uint32_t vm_order_insert(struct vm_state *s, uint32_t position, const struct vm_order_row *row)
{
    NV_ASSERT(vm_lots_raw(row->lots) > 0 && (row->side == VM_BUY || row->side == VM_SELL));
    if (!order_room(s, position, row)) {
        return VM_NONE;
    }
    const struct vm_position *const p = vm_position(s, position);
    struct vm_market *const m = vm_market_mut(s, p->market);
    uint32_t const slot = vm__create(s, VM_SLAB_ORDER);
    NV_ASSERT(slot != VM_NONE);
    struct vm_order *const order = order_mut(s, slot);
    order->row = *row;
    order->row.slot = slot;
    order->row.generation = m->row.generation;
    uint32_t const next = m->row.generation + 1;
    m->row.generation = next == VM_GENERATION_END ? 1 : next; /* so no handle is 0 */
    order->market = p->market;
    order->position = position;
    order->ordinal = (uint8_t)vm__ordinal_lowest(p);
    vm__order_adopt(s, slot);
    vm__level_join(s, slot);
    vm__cushion_order(s, slot);
    return slot;
}

void vm_order_remove(struct vm_state *s, uint32_t slot)
{
    NV_ASSERT(vm__taken(s, VM_SLAB_ORDER, slot));
    struct vm_order *const order = order_mut(s, slot);
    uint32_t const position = order->position;
    vm__level_leave(s, slot);
    if (order->row.expires_ms != 0) {
        struct nv_row_key key;
        expiry_key(&key, order->row.expires_ms, slot);
        vm__index_remove(s, VM_INDEX_ORDER_EXPIRY, &key);
    }
    struct vm_order_page *const page = order_page_mut(s, position, order->ordinal);
    uint32_t const i = order->ordinal % VM_ORDER_PAGE;
    page->taken = (uint16_t)(page->taken & ~(1u << i));
    page->count--;
    if (order->row.client_id != 0) {
        page->client_id[i] = 0;
    }
    struct vm_position *const p = counted_mut(s, position);
    p->ordinals[order->ordinal / 64u] &= ~(UINT64_C(1) << (order->ordinal % 64u));
    p->order_count--;
    counters_change(s, position, &order->row, vm_lots(-vm_lots_raw(order->row.lots)));
    if (vm__position_empty(vm__position(s, position))) {
        vm__dirty(s, VM_SET_POSITION, position); /* it goes at the end of the block */
    }
    vm_market_mut(s, order->market)->orders_open--;
    vm__release(s, VM_SLAB_ORDER, slot);
}

void vm_order_reduce(struct vm_state *s, uint32_t slot, struct vm_lots by)
{
    struct vm_order *const order = order_mut(s, slot);
    NV_ASSERT(vm_lots_raw(by) > 0 && vm_lots_raw(by) < vm_lots_raw(order->row.lots));
    struct vm_lots const delta = vm_lots(-vm_lots_raw(by));
    vm__level_change(s, slot, delta);
    counters_change(s, order->position, &order->row, delta);
    NV_ASSERT(vm_lots_add(order->row.lots, delta, &order->row.lots));
    (void)order_page_mut(s, order->position, order->ordinal);
}
