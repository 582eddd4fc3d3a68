#include "vm/execution/reach.h"

#include <string.h>

#include "base/assert.h"
#include "base/sort.h"

#include "base/pure.h"

/* --- walking a side of a book, best price first ------------------------------------------ */

/* One level. */
struct level {
    uint32_t page; /* slab index, VM_NONE: past the end */
    uint32_t tick;
};

struct walk {
    const struct vm_exec *x;
    uint8_t side;
    const struct reach_window *window; /* NULL: none */
    struct level level;
    uint32_t slot; /* next order of the level, VM_NONE: none left */
};

static uint32_t best_tick(uint8_t side, uint64_t bits)
{
    return side == VM_BUY ? 63u - (uint32_t)__builtin_clzll(bits) : (uint32_t)__builtin_ctzll(bits);
}

/* The ticks of a page behind one. */
static uint64_t behind(uint8_t side, uint32_t tick)
{
    uint64_t const bit = UINT64_C(1) << tick;
    return side == VM_BUY ? bit - 1 : ~(bit | (bit - 1));
}

static struct level first_level(const struct vm_state *s, uint32_t market, uint8_t side)
{
    uint32_t const page = vm_book_best_page(s, market, side);
    if (page == VM_NONE) {
        return (struct level){VM_NONE, 0};
    }
    return (struct level){page, best_tick(side, vm_level_page(s, page)->row.occupied)};
}

static struct level next_level(const struct vm_state *s, uint8_t side, struct level at)
{
    const struct vm_level_page *page = vm_level_page(s, at.page);
    uint64_t const left = page->row.occupied & behind(side, at.tick);
    if (left != 0) {
        return (struct level){at.page, best_tick(side, left)};
    }
    if (page->next_page == VM_NONE) {
        return (struct level){VM_NONE, 0};
    }
    uint64_t const bits = vm_level_page(s, page->next_page)->row.occupied;
    return (struct level){page->next_page, best_tick(side, bits)};
}

static int64_t level_price(const struct vm_state *s, struct level at)
{
    return vm_price_raw(vm_page_tick(vm_level_page(s, at.page)->page, at.tick));
}

bool vm__order_late(const struct vm_exec *x, const struct vm_order *order)
{
    return order->row.placed_height == x->block->height &&
           (order->row.flags & VM_ORDER_POST_ONLY) != 0;
}

/* level_lots returns the lots of a level that are not late.  Late ones are
 * among the youngest. */
static int64_t level_lots(const struct vm_exec *x, struct level at)
{
    const struct vm_level_page *const page = vm_level_page(x->state, at.page);
    int64_t lots = vm_lots_raw(page->row.lots[at.tick]);
    uint32_t slot = page->last[at.tick];
    while (slot != VM_NONE) {
        const struct vm_order *const order = vm_order(x->state, slot);
        if (order->row.placed_height != x->block->height) {
            break;
        }
        if (vm__order_late(x, order)) {
            lots -= vm_lots_raw(order->row.lots);
        }
        slot = order->level_prev;
    }
    return lots;
}

static void walk_begin(struct walk *w, uint32_t market)
{
    w->level = first_level(w->x->state, market, w->side);
    w->slot = VM_NONE;
    if (w->level.page != VM_NONE) {
        w->slot = vm_level_page(w->x->state, w->level.page)->first[w->level.tick];
    }
}

/* walk_next returns the next order that is not late, or NULL.  w->level is its
 * level. */
static const struct vm_order *walk_next(struct walk *w)
{
    const struct vm_state *const s = w->x->state;
    for (;;) {
        while (w->slot == VM_NONE) {
            if (w->level.page == VM_NONE) {
                return NULL;
            }
            struct level const next = next_level(s, w->side, w->level);
            w->level = next;
            if (next.page != VM_NONE) {
                w->slot = vm_level_page(s, next.page)->first[next.tick];
            }
        }
        const struct vm_order *const order = vm_order(s, w->slot);
        w->slot = order->level_next;
        if (!vm__order_late(w->x, order)) {
            return order;
        }
    }
}

uint32_t vm__book_top(const struct vm_exec *x, uint32_t market, uint8_t side)
{
    struct walk w = {.x = x, .side = side};
    walk_begin(&w, market);
    const struct vm_order *const order = walk_next(&w);
    return order == NULL ? VM_NONE : order->row.slot;
}

bool vm__book_best(
    const struct vm_exec *x, uint32_t market, uint8_t side, bool with_late, struct vm_price *out)
{
    if (!with_late) {
        uint32_t const slot = vm__book_top(x, market, side);
        if (slot != VM_NONE) {
            *out = vm_order(x->state, slot)->row.price;
        }
        return slot != VM_NONE;
    }
    struct level const level = first_level(x->state, market, side);
    if (level.page != VM_NONE) {
        *out = vm_price(level_price(x->state, level));
    }
    return level.page != VM_NONE;
}

uint32_t vm__book_ioc(const struct vm_exec *x, uint32_t market, uint32_t *slots, uint32_t max)
{
    uint32_t count = 0;
    for (uint8_t side = VM_BUY; side <= VM_SELL; side++) {
        struct walk w = {.x = x, .side = side};
        walk_begin(&w, market);
        while (count < max) {
            const struct vm_order *const order = walk_next(&w);
            if (order == NULL) {
                break;
            }
            if ((order->row.flags & VM_ORDER_IOC) != 0) {
                slots[count] = order->row.slot;
                count++;
            }
        }
    }
    return count;
}

/* --- matching in thought ----------------------------------------------------------------- */

/* One side while it is being matched. */
struct gather {
    struct reach_side *out;
    struct walk walk;
    struct level pulled;  /* level of the last order pulled */
    struct level touched; /* level of the last order touched */
    int64_t left;         /* lots of the last order pulled that are not matched */
    int64_t at_level;     /* lots matched at the level `touched` */
    uint32_t touched_count;
};

static void side_grow(struct vm_exec *x, struct reach_side *side)
{
    uint32_t const cap = side->cap == 0 ? 32 : side->cap * 2;
    struct auction_order *const order = NV_ARENA_NEW(x->arena, struct auction_order, cap);
    if (side->count > 0) {
        memcpy(order, side->order, side->count * sizeof *order);
    }
    side->order = order;
    side->cap = cap;
}

static struct auction_order as_auction(const struct walk *w, const struct vm_order *order)
{
    struct auction_order o = {
        .price = vm_price_raw(order->row.price),
        .lots = vm_lots_raw(order->row.lots),
        .height = order->row.placed_height,
        .tie = order->row.tie,
        .slot = order->row.slot,
    };
    if (w->window == NULL) {
        return o;
    }
    int64_t const edge = w->side == VM_BUY ? w->window->hi : w->window->lo;
    if (w->side == VM_BUY ? o.price > edge : o.price < edge) {
        o.price = edge;
        o.height = 0;
    }
    return o;
}

static bool outside(const struct walk *w, int64_t price)
{
    return w->window != NULL && (w->side == VM_BUY ? price < w->window->lo : price > w->window->hi);
}

/* pull appends the next order of a side; false when there is none. */
static bool pull(struct vm_exec *x, struct gather *g)
{
    if (g->out->count == VM_REACH_MAX) {
        return false;
    }
    const struct vm_order *const order = walk_next(&g->walk);
    if (order == NULL || outside(&g->walk, vm_price_raw(order->row.price))) {
        return false;
    }
    if (g->out->count == g->out->cap) {
        side_grow(x, g->out);
    }
    vm_prefetch_owner(x->state, order);
    struct auction_order *const o = &g->out->order[g->out->count];
    *o = as_auction(&g->walk, order);
    g->out->count++;
    g->left = o->lots;
    g->pulled = g->walk.level;
    return true;
}

static int64_t last_price(const struct gather *g)
{
    return g->out->order[g->out->count - 1].price;
}

static void touch(struct gather *g, int64_t lots)
{
    if (g->touched_count == 0 || g->touched.page != g->pulled.page ||
        g->touched.tick != g->pulled.tick) {
        g->touched = g->pulled;
        g->at_level = 0;
    }
    g->touched_count = g->out->count;
    g->at_level += lots;
    g->left -= lots;
}

/* close_group takes in the whole group of the last order touched, and lets go of
 * what was pulled and is behind it. */
static void close_group(struct vm_exec *x, struct gather *g)
{
    if (g->touched_count == 0) {
        g->out->count = 0;
        return;
    }
    uint32_t at = g->touched_count;
    while (at < g->out->count || pull(x, g)) {
        const struct auction_order *const last = &g->out->order[g->touched_count - 1];
        const struct auction_order *const next = &g->out->order[at];
        if (next->price != last->price || next->height != last->height) {
            break;
        }
        at++;
    }
    g->out->count = at;
}

/* The next level behind one that has lots which are not late. */
static struct level next_filled(const struct vm_exec *x, uint8_t side, struct level at)
{
    struct level next = next_level(x->state, side, at);
    while (next.page != VM_NONE && level_lots(x, next) == 0) {
        next = next_level(x->state, side, next);
    }
    return next;
}

static void set_top(const struct vm_exec *x, struct gather *g)
{
    struct auction_top *const top = &g->out->top;
    uint8_t const side = g->walk.side;
    *top = (struct auction_top){
        .price = level_price(x->state, g->touched),
        .rest = level_lots(x, g->touched) - g->at_level,
    };
    struct level const next = next_filled(x, side, g->touched);
    if (next.page == VM_NONE) {
        return;
    }
    top->has_next = true;
    top->next_price = level_price(x->state, next);
    top->next_lots = level_lots(x, next);
    struct level const after = next_filled(x, side, next);
    if (after.page != VM_NONE) {
        top->has_after = true;
        top->after_price = level_price(x->state, after);
    }
}

/* By (tie, slot): the order in which the group beyond an edge shares. */
static int tie_cmp(const void *a, const void *b)
{
    const struct auction_order *const left = a;
    const struct auction_order *const right = b;
    if (left->tie != right->tie) {
        return left->tie < right->tie ? -1 : 1;
    }
    return left->slot < right->slot ? -1 : left->slot > right->slot;
}

static void sort_beyond(struct vm_exec *x, struct reach_side *side)
{
    uint32_t count = 0;
    while (count < side->count && side->order[count].height == 0) {
        count++;
    }
    if (count > 1) {
        void *const scratch = NV_ARENA_NEW(x->arena, struct auction_order, count);
        nv_sort(side->order, count, sizeof *side->order, tie_cmp, scratch);
    }
}

static void gather_begin(struct gather *g, struct reach_side *out, uint32_t market)
{
    g->out = out;
    walk_begin(&g->walk, market);
}

void vm__reach_collect(struct vm_exec *x,
                       uint32_t market,
                       const struct reach_window *window,
                       struct reach *reach)
{
    reach->market = market;
    reach->matched = 0;
    reach->bids.count = 0;
    reach->asks.count = 0;
    struct gather bids = {.walk = {.x = x, .side = VM_BUY, .window = window}};
    struct gather asks = {.walk = {.x = x, .side = VM_SELL, .window = window}};
    gather_begin(&bids, &reach->bids, market);
    gather_begin(&asks, &reach->asks, market);
    for (;;) {
        bool const more = (bids.left > 0 || pull(x, &bids)) && (asks.left > 0 || pull(x, &asks));
        if (!more || last_price(&bids) < last_price(&asks)) {
            break;
        }
        int64_t const lots = bids.left < asks.left ? bids.left : asks.left;
        touch(&bids, lots);
        touch(&asks, lots);
        reach->matched += lots;
    }
    close_group(x, &bids);
    close_group(x, &asks);
    if (window != NULL) {
        sort_beyond(x, &reach->bids);
        sort_beyond(x, &reach->asks);
    } else if (reach->matched > 0) {
        set_top(x, &bids);
        set_top(x, &asks);
    }
}
