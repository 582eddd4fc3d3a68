/* Price levels: pages of 64 ticks, each side a list of pages, best first, and
 * each tick a queue of orders, oldest first. */

#include "base/arena.h"
#include "base/assert.h"

#include "vm/state/internal.h"
#include "vm/state/ranked.h"
#include "vm/tx.h"

#include "base/pure.h"

uint32_t vm_book_best_page(const struct vm_state *s, uint32_t market, uint8_t side)
{
    const struct vm_market *const m = vm_market(s, market);
    return side == VM_BUY ? m->best_bid_page : m->best_ask_page;
}

static struct vm_level_page *page_mut(struct vm_state *s, uint32_t index)
{
    vm__dirty(s, VM_SET_LEVEL, index);
    return vm__mut(s, VM_SLAB_LEVEL, index);
}

static uint32_t *best_of(struct vm_market *m, uint8_t side)
{
    return side == VM_BUY ? &m->best_bid_page : &m->best_ask_page;
}

static uint32_t *worst_of(struct vm_market *m, uint8_t side)
{
    return side == VM_BUY ? &m->worst_bid_page : &m->worst_ask_page;
}

static bool
page_is(const struct vm_state *s, uint32_t index, uint32_t market, uint8_t side, uint64_t page)
{
    if (!vm__taken(s, VM_SLAB_LEVEL, index)) {
        return false;
    }
    const struct vm_level_page *const p = vm__at(s, VM_SLAB_LEVEL, index);
    return p->page == page && p->market == market && p->side == side;
}

/* The page of that place, listed or not, or VM_NONE. */
static uint32_t page_at(const struct vm_state *s, uint32_t market, uint8_t side, uint64_t page)
{
    uint64_t const guess = vm__level_guess(market, side, page);
    uint32_t index = vm__guess_find(&s->level_guess, guess);
    if (page_is(s, index, market, side, page)) {
        return index;
    }
    struct nv_row_key key;
    vm_key_level(&key, market, side, page);
    if (!vm__index_find(s, VM_INDEX_LEVEL, &key, &index) &&
        !vm__index_find(s, VM_INDEX_LEVEL_IDLE, &key, &index)) {
        return VM_NONE;
    }
    vm__guess_note(&s->level_guess, guess, index);
    return index;
}

static uint32_t
page_find(const struct vm_state *s, uint32_t market, uint8_t side, struct vm_price price)
{
    return page_at(s, market, side, vm_page_of(price));
}

bool vm__level_room(const struct vm_state *s, uint32_t market, const struct vm_order_row *row)
{
    uint32_t const index = page_find(s, market, row->side, row->price);
    if (index == VM_NONE) {
        const struct vm_slots *const slots = &s->slabs[VM_SLAB_LEVEL].slots;
        return slots->count < slots->cap;
    }
    uint32_t const tick = (uint32_t)((uint64_t)vm_price_raw(row->price) % VM_LEVEL_TICKS);
    struct vm_lots sum;
    return vm_lots_add(vm_level_page(s, index)->row.lots[tick], row->lots, &sum);
}

/* The next worse page of the same side, or VM_NONE.  Keys are ordered best first. */
static uint32_t worse_page(const struct vm_state *s, const struct nv_row_key *key)
{
    struct nv_critbit_entry entry;
    bool const found = nv_critbit_next(s->indexes[VM_INDEX_LEVEL], key->bytes, &entry);
    /* the same table, market and side */
    return found && memcmp(entry.key32, key->bytes, 6) == 0 ? entry.value : VM_NONE;
}

/* Puts an empty page that is about to hold an order into its side's list. */
static void page_list(struct vm_state *s, uint32_t index)
{
    struct vm_level_page *const page = page_mut(s, index);
    struct vm_market *const m = vm_market_mut(s, page->market);
    struct nv_row_key key;
    vm_key_level(&key, page->market, page->side, page->page);
    uint32_t const next = worse_page(s, &key);
    uint32_t const prev =
        next != VM_NONE ? vm_level_page(s, next)->prev_page : *worst_of(m, page->side);
    vm__index_remove(s, VM_INDEX_LEVEL_IDLE, &key);
    vm__index_add(s, VM_INDEX_LEVEL, &key, index);
    page->next_page = next;
    page->prev_page = prev;
    if (next != VM_NONE) {
        page_mut(s, next)->prev_page = index;
    } else {
        *worst_of(m, page->side) = index;
    }
    if (prev != VM_NONE) {
        page_mut(s, prev)->next_page = index;
    } else {
        *best_of(m, page->side) = index;
    }
}

static void page_unlist(struct vm_state *s, uint32_t index)
{
    struct vm_level_page *const page = page_mut(s, index);
    struct vm_market *const m = vm_market_mut(s, page->market);
    struct nv_row_key key;
    vm_key_level(&key, page->market, page->side, page->page);
    vm__index_remove(s, VM_INDEX_LEVEL, &key);
    vm__index_add(s, VM_INDEX_LEVEL_IDLE, &key, index);
    if (page->next_page != VM_NONE) {
        page_mut(s, page->next_page)->prev_page = page->prev_page;
    } else {
        *worst_of(m, page->side) = page->prev_page;
    }
    if (page->prev_page != VM_NONE) {
        page_mut(s, page->prev_page)->next_page = page->next_page;
    } else {
        *best_of(m, page->side) = page->next_page;
    }
    page->next_page = VM_NONE;
    page->prev_page = VM_NONE;
}

uint32_t vm__level_open(struct vm_state *s, uint32_t market, uint8_t side, uint64_t page)
{
    struct nv_row_key key;
    uint32_t index = page_at(s, market, side, page);
    if (index != VM_NONE) {
        return index;
    }
    index = vm__create(s, VM_SLAB_LEVEL);
    if (index == VM_NONE) {
        return VM_NONE;
    }
    vm_key_level(&key, market, side, page);
    struct vm_level_page *const fresh = vm__at(s, VM_SLAB_LEVEL, index);
    fresh->market = market;
    fresh->side = side;
    fresh->page = page;
    fresh->next_page = VM_NONE;
    fresh->prev_page = VM_NONE;
    memset(fresh->first, 0xff, sizeof fresh->first);
    memset(fresh->last, 0xff, sizeof fresh->last);
    vm__index_add(s, VM_INDEX_LEVEL_IDLE, &key, index);
    return index;
}

static struct vm_order *order_mut(struct vm_state *s, uint32_t slot)
{
    return vm__mut(s, VM_SLAB_ORDER, slot);
}

/* Puts an order at the end of its level's queue; where it belongs among those
 * of its height is settled later. */
static void queue_join(struct vm_state *s, struct vm_level_page *page, uint32_t i, uint32_t slot)
{
    struct vm_order *const order = order_mut(s, slot);
    uint32_t const before = page->last[i];
    order->level_prev = before;
    order->level_next = VM_NONE;
    page->last[i] = slot;
    if (before == VM_NONE) {
        page->first[i] = slot;
        return;
    }
    struct vm_order *const last = order_mut(s, before);
    NV_ASSERT(last->row.placed_height <= order->row.placed_height);
    last->level_next = slot;
    if (last->row.placed_height == order->row.placed_height) {
        page->unsettled |= UINT64_C(1) << i;
    }
}

static void queue_leave(struct vm_state *s, struct vm_level_page *page, uint32_t i, uint32_t slot)
{
    struct vm_order *const order = order_mut(s, slot);
    if (order->level_prev != VM_NONE) {
        order_mut(s, order->level_prev)->level_next = order->level_next;
    } else {
        page->first[i] = order->level_next;
    }
    if (order->level_next != VM_NONE) {
        order_mut(s, order->level_next)->level_prev = order->level_prev;
    } else {
        page->last[i] = order->level_prev;
    }
    order->level_prev = VM_NONE;
    order->level_next = VM_NONE;
}

static uint32_t tick_of(const struct vm_order *order)
{
    return (uint32_t)((uint64_t)vm_price_raw(order->row.price) % VM_LEVEL_TICKS);
}

static void lots_change(struct vm_level_page *page, uint32_t i, struct vm_lots delta)
{
    struct vm_lots after;
    NV_ASSERT(vm_lots_add(page->row.lots[i], delta, &after) && vm_lots_raw(after) >= 0);
    page->row.lots[i] = after;
}

void vm__level_join(struct vm_state *s, uint32_t slot)
{
    const struct vm_order *const order = vm_order(s, slot);
    uint32_t const i = tick_of(order);
    uint32_t const index =
        vm__level_open(s, order->market, order->row.side, vm_page_of(order->row.price));
    NV_ASSERT(index != VM_NONE);
    struct vm_level_page *const page = page_mut(s, index);
    if (page->row.occupied == 0) {
        page_list(s, index);
    }
    page->row.occupied |= UINT64_C(1) << i;
    lots_change(page, i, order->row.lots);
    queue_join(s, page, i, slot);
}

void vm__level_leave(struct vm_state *s, uint32_t slot)
{
    const struct vm_order *const order = vm_order(s, slot);
    uint32_t const i = tick_of(order);
    uint32_t const index = page_find(s, order->market, order->row.side, order->row.price);
    NV_ASSERT(index != VM_NONE);
    struct vm_level_page *const page = page_mut(s, index);
    queue_leave(s, page, i, slot);
    lots_change(page, i, vm_lots(-vm_lots_raw(order->row.lots)));
    if (page->first[i] == VM_NONE) {
        page->row.occupied &= ~(UINT64_C(1) << i);
    }
    if (page->row.occupied == 0) {
        page_unlist(s, index);
    }
}

void vm__level_change(struct vm_state *s, uint32_t slot, struct vm_lots delta)
{
    const struct vm_order *const order = vm_order(s, slot);
    uint32_t const index = page_find(s, order->market, order->row.side, order->row.price);
    NV_ASSERT(index != VM_NONE);
    lots_change(page_mut(s, index), tick_of(order), delta);
}

/* How many orders at the end of a queue have the height of the last. */
static uint32_t
youngest_count(const struct vm_state *s, const struct vm_level_page *page, uint32_t i)
{
    uint32_t count = 0;
    uint64_t height = 0;
    for (uint32_t slot = page->last[i]; slot != VM_NONE; slot = vm_order(s, slot)->level_prev) {
        uint64_t const own = vm_order(s, slot)->row.placed_height;
        if (count > 0 && own != height) {
            break;
        }
        height = own;
        count++;
    }
    return count;
}

/* Sorts the youngest orders of a queue by (tie, slot) and links them anew. */
static void
queue_settle(struct vm_state *s, struct vm_level_page *page, uint32_t i, struct nv_arena *arena)
{
    uint32_t const count = youngest_count(s, page, i);
    struct vm_ranked *const items = NV_ARENA_NEW(arena, struct vm_ranked, 2 * count);
    uint32_t slot = page->last[i];
    for (uint32_t j = 0; j < count; j++) {
        items[j] = (struct vm_ranked){.rank = slot, .index = slot};
        slot = vm_order(s, slot)->level_prev;
    }
    vm_ranked_sort(items, items + count, count);
    for (uint32_t j = 0; j < count; j++) {
        items[j].rank = vm_order(s, items[j].index)->row.tie;
    }
    vm_ranked_sort(items, items + count, count);
    uint32_t before = slot; /* the last of the older ones */
    for (uint32_t j = 0; j < count; j++) {
        struct vm_order *const order = order_mut(s, items[j].index);
        order->level_prev = before;
        order->level_next = VM_NONE;
        if (before != VM_NONE) {
            order_mut(s, before)->level_next = items[j].index;
        } else {
            page->first[i] = items[j].index;
        }
        before = items[j].index;
    }
    page->last[i] = before;
}

void vm_levels_settle(struct vm_state *s, struct nv_arena *arena)
{
    const struct vm_rowset *const set = &s->sets[VM_SET_LEVEL];
    for (uint32_t j = 0; j < set->list_count; j++) {
        uint32_t const index = set->list[j];
        if (!vm__taken(s, VM_SLAB_LEVEL, index) || vm_level_page(s, index)->unsettled == 0) {
            continue;
        }
        struct vm_level_page *const page = page_mut(s, index);
        for (uint64_t left = page->unsettled; left != 0; left &= left - 1) {
            size_t const mark = nv_arena_mark(arena);
            queue_settle(s, page, (uint32_t)__builtin_ctzll(left), arena);
            nv_arena_release(arena, mark);
        }
        page->unsettled = 0;
    }
}
