#include "tests/lib/vm_rows.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/heap.h"
#include "base/sort.h"

#include "vm/state/internal.h"
#include "vm/state/stake.h"
#include "vm/tx.h"

struct vm_rows *vm_rows_new(void)
{
    struct vm_rows *const rows = nv_heap_reserve(sizeof *rows);
    NV_ASSERT(rows != NULL);
    rows->row = nv_heap_reserve(sizeof rows->row[0] * VM_ROWS_CAP);
    rows->bytes = nv_heap_reserve((size_t)NV_ROW_VALUE_MAX * VM_ROWS_CAP);
    NV_ASSERT(rows->row != NULL && rows->bytes != NULL);
    return rows;
}

void vm_rows_free(struct vm_rows *rows)
{
    nv_heap_unreserve(rows->bytes, (size_t)NV_ROW_VALUE_MAX * VM_ROWS_CAP);
    nv_heap_unreserve(rows->row, sizeof rows->row[0] * VM_ROWS_CAP);
    nv_heap_unreserve(rows, sizeof *rows);
}

static uint8_t *room(struct vm_rows *rows)
{
    NV_ASSERT(rows->slots < VM_ROWS_CAP);
    return rows->bytes + (size_t)NV_ROW_VALUE_MAX * rows->slots++;
}

static int row_cmp(const void *a, const void *b)
{
    const struct nv_row *const x = a;
    const struct nv_row *const y = b;
    return nv_row_key_cmp(&x->key, &y->key);
}

void vm_rows_dump(struct vm_rows *rows, const struct vm_state *s)
{
    rows->count = 0;
    rows->slots = 0;
    for (uint32_t id = 0; id < VM_SET_COUNT; id++) {
        if (id == VM_SET_BLOCK_RESULT || id == VM_SET_ROOT) {
            continue;
        }
        for (uint32_t i = 0; i < s->sets[id].cap; i++) {
            struct nv_writer w;
            struct nv_row_key key;
            uint8_t bytes[NV_ROW_VALUE_MAX];
            nv_writer_init(&w, bytes, sizeof bytes);
            if (vm__row_encode(s, (enum vm_set_id)id, i, &key, &w)) {
                uint8_t *const kept = room(rows);
                memcpy(kept, bytes, w.size);
                rows->row[rows->count++] =
                    (struct nv_row){.key = key, .value = nv_view_of(kept, w.size)};
            }
        }
    }
    struct nv_row *const scratch = nv_heap_alloc(sizeof rows->row[0] * (rows->count + 1u));
    NV_ASSERT(scratch != NULL);
    nv_sort(rows->row, rows->count, sizeof rows->row[0], row_cmp, scratch);
    nv_heap_free(scratch);
}

static uint32_t place_of(const struct vm_rows *rows, const struct nv_row_key *key)
{
    uint32_t low = 0, high = rows->count;
    while (low < high) {
        uint32_t const middle = (low + high) / 2;
        if (nv_row_key_cmp(&rows->row[middle].key, key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool apply_one(struct vm_rows *rows, const struct nv_row *write)
{
    uint32_t const at = place_of(rows, &write->key);
    bool const there = at < rows->count && nv_row_key_cmp(&rows->row[at].key, &write->key) == 0;
    if (write->value.bytes == NULL) {
        if (!there) {
            return false;
        }
        rows->count--;
        memmove(&rows->row[at], &rows->row[at + 1], (rows->count - at) * sizeof rows->row[0]);
        return true;
    }
    if (there && nv_view_eq(rows->row[at].value, write->value)) {
        return false;
    }
    if (!there) {
        memmove(&rows->row[at + 1], &rows->row[at], (rows->count - at) * sizeof rows->row[0]);
        rows->count++;
    }
    uint8_t *const kept = room(rows);
    memcpy(kept, write->value.bytes, write->value.size);
    rows->row[at] =
        (struct nv_row){.key = write->key, .value = nv_view_of(kept, write->value.size)};
    return true;
}

bool vm_rows_apply(struct vm_rows *rows, const struct nv_row *writes, uint32_t count, bool rings)
{
    bool ok = true;
    for (uint32_t i = 0; i < count; i++) {
        uint8_t const table = writes[i].key.bytes[0];
        bool const ring = table == VM_TABLE_BLOCK_RESULT || table == VM_TABLE_ROOT;
        ok = ok && (i == 0 || nv_row_key_cmp(&writes[i - 1].key, &writes[i].key) < 0);
        ok = ok && ((ring && !rings) || apply_one(rows, &writes[i]));
    }
    return ok;
}

bool vm_rows_equal(const struct vm_rows *a, const struct vm_rows *b)
{
    uint32_t const count = a->count < b->count ? a->count : b->count;
    uint32_t i = 0;
    while (i < count && nv_row_key_cmp(&a->row[i].key, &b->row[i].key) == 0 &&
           nv_view_eq(a->row[i].value, b->row[i].value)) {
        i++;
    }
    if (i == a->count && i == b->count) {
        return true;
    }
    printf("rows differ at %" PRIu32 " of %" PRIu32 " and %" PRIu32 ":", i, a->count, b->count);
    for (uint32_t j = 0; j < 20; j++) {
        printf(" %02x", i < a->count ? a->row[i].key.bytes[j] : 0xffu);
    }
    printf("\n");
    return false;
}

void vm_rows_copy(struct vm_rows *to, const struct vm_rows *from)
{
    to->count = 0;
    to->slots = 0;
    for (uint32_t i = 0; i < from->count; i++) {
        uint8_t *const kept = room(to);
        memcpy(kept, from->row[i].value.bytes, from->row[i].value.size);
        to->row[i] = (struct nv_row){.key = from->row[i].key,
                                     .value = nv_view_of(kept, from->row[i].value.size)};
        to->count++;
    }
}

enum nv_err vm_rows_load(const struct vm_rows *rows, struct vm_state *s)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        NV_TRY(vm_state_load_row(s, &rows->row[i]));
    }
    return vm_state_load_end(s);
}

void vm_state_box_open(struct vm_state_box *box, const struct vm_limits *limits)
{
    struct nv_arena arena;
    box->size = vm_state_footprint(limits);
    box->memory = nv_heap_reserve(box->size);
    NV_ASSERT(box->memory != NULL);
    nv_arena_init_zeroed(&arena, box->memory, box->size);
    box->state = vm_state_new(&arena, limits);
}

void vm_state_box_close(struct vm_state_box *box)
{
    nv_heap_unreserve(box->memory, box->size);
}

/* The queue of one tick: linked both ways, oldest first, adding up. */
static bool queue_sound(const struct vm_state *s, const struct vm_level_page *page, uint32_t i)
{
    int64_t sum = 0;
    uint32_t before = VM_NONE;
    bool ok = true;
    for (uint32_t slot = page->first[i]; slot != VM_NONE; slot = vm_order(s, slot)->level_next) {
        const struct vm_order *const o = vm_order(s, slot);
        ok = ok && vm__taken(s, VM_SLAB_ORDER, slot) && o->level_prev == before &&
             o->row.slot == slot && o->market == page->market && o->row.side == page->side &&
             vm_price_raw(o->row.price) == vm_price_raw(vm_page_tick(page->page, i));
        if (before != VM_NONE) {
            const struct vm_order_row *const older = &vm_order(s, before)->row;
            ok = ok && older->placed_height <= o->row.placed_height &&
                 (older->placed_height < o->row.placed_height || older->tie < o->row.tie ||
                  (older->tie == o->row.tie && before < slot));
        }
        sum += vm_lots_raw(o->row.lots);
        before = slot;
    }
    bool const occupied = (page->row.occupied >> i & 1u) != 0;
    return ok && page->last[i] == before && sum == vm_lots_raw(page->row.lots[i]) &&
           occupied == (before != VM_NONE);
}

/* One side of a book: pages best first, linked both ways; counts its orders. */
static bool side_sound(const struct vm_state *s, uint32_t market, uint8_t side, uint64_t *orders)
{
    const struct vm_market *const m = vm_market(s, market);
    uint32_t before = VM_NONE;
    bool ok = true;
    for (uint32_t p = vm_book_best_page(s, market, side); p != VM_NONE;
         p = vm_level_page(s, p)->next_page) {
        const struct vm_level_page *const page = vm_level_page(s, p);
        ok = ok && page->market == market && page->side == side && page->prev_page == before &&
             page->row.occupied != 0;
        if (before != VM_NONE) {
            int64_t const better = (int64_t)vm_level_page(s, before)->page;
            int64_t const here = (int64_t)page->page;
            ok = ok && (side == VM_BUY ? better > here : better < here);
        }
        for (uint32_t i = 0; i < VM_LEVEL_TICKS; i++) {
            ok = ok && queue_sound(s, page, i);
            for (uint32_t o = page->first[i]; o != VM_NONE; o = vm_order(s, o)->level_next) {
                (*orders)++;
            }
        }
        before = p;
    }
    return ok && before == (side == VM_BUY ? m->worst_bid_page : m->worst_ask_page);
}

/* A position's own orders: list, counters, ordinals. */
static bool position_sound(const struct vm_state *s, uint32_t index)
{
    const struct vm_position *const p = vm_position(s, index);
    int64_t const tick_value = vm_money_raw(vm_market(s, p->market)->listing.tick_value);
    int64_t lots[2] = {0, 0}, cost[2] = {0, 0};
    uint64_t ordinals[VM_ORDERS_ACCOUNT_MARKET_MAX / 64] = {0};
    uint32_t count = 0, before = VM_NONE;
    bool ok = true;
    for (uint32_t o = vm_order_first_own(s, index); o != VM_NONE; o = vm_order_next_own(s, o)) {
        const struct vm_order *const order = vm_order(s, o);
        uint32_t const side = order->row.side == VM_BUY ? 0 : 1;
        ok = ok && order->position == index &&
             (before == VM_NONE || vm_order(s, before)->ordinal < order->ordinal);
        lots[side] += vm_lots_raw(order->row.lots);
        cost[side] += vm_lots_raw(order->row.lots) * vm_price_raw(order->row.price) * tick_value;
        ordinals[order->ordinal / 64] |= UINT64_C(1) << order->ordinal % 64;
        count++;
        before = o;
    }
    return ok && count == p->order_count && lots[0] == vm_lots_raw(p->bid_lots) &&
           lots[1] == vm_lots_raw(p->ask_lots) && cost[0] == vm_money_raw(p->bid_cost) &&
           cost[1] == vm_money_raw(p->ask_cost) &&
           memcmp(ordinals, p->ordinals, sizeof ordinals) == 0;
}

static bool accounts_sound(const struct vm_state *s)
{
    int64_t cash = 0, wallet = 0;
    uint32_t positions = 0;
    bool ok = true;
    for (uint32_t i = 0; i < vm_account_count(s); i++) {
        const struct vm_account *const a = vm_account(s, i);
        cash += vm_money_raw(a->row.cash);
        wallet += vm_money_raw(a->row.wallet);
        ok = ok && a->id == (uint64_t)i + 1 && vm_account_find(s, &a->row.address) == i;
        for (uint32_t j = 0; j < a->position_count; j++) {
            const struct vm_position *const p = vm_position(s, a->held[j].position);
            ok = ok && p->account == a->id && position_sound(s, a->held[j].position);
            ok = ok && (j == 0 || vm_position(s, a->held[j - 1].position)->market < p->market);
        }
        positions += a->position_count;
    }
    return ok && positions == s->slabs[VM_SLAB_POSITION].slots.count &&
           cash == vm_money_raw(vm_chain(s)->cash_sum) &&
           wallet == vm_money_raw(vm_chain(s)->wallet_sum);
}

static bool market_sound(const struct vm_state *s, uint32_t market)
{
    const struct vm_market *const m = vm_market(s, market);
    int64_t lots = 0, cost = 0, open = 0;
    uint64_t orders = 0;
    for (uint32_t i = 0; i < s->slabs[VM_SLAB_POSITION].slots.end; i++) {
        if (vm__taken(s, VM_SLAB_POSITION, i) && vm_position(s, i)->market == market) {
            int64_t const own = vm_lots_raw(vm_position(s, i)->row.lots);
            lots += own;
            open += own > 0 ? own : 0;
            cost += vm_money_raw(vm_position(s, i)->row.cost);
        }
    }
    return side_sound(s, market, VM_BUY, &orders) && side_sound(s, market, VM_SELL, &orders) &&
           orders == m->orders_open && lots == vm_lots_raw(m->row.lots_sum) &&
           cost == vm_money_raw(m->row.cost_sum) && open == vm_lots_raw(m->row.open_interest);
}

/* Shares that accounts hold are the pools', and the sum of what is staked is right. */
static bool stakes_sound(const struct vm_state *s)
{
    int64_t staked = 0;
    bool ok = true;
    for (uint32_t i = 0; i < s->slabs[VM_SLAB_STAKE].slots.end; i++) {
        if (!vm__taken(s, VM_SLAB_STAKE, i)) {
            continue;
        }
        const struct vm_stake *const stake = vm_stake(s, i);
        enum vm_table const table = vm_stake_table(stake);
        int64_t shares = 0;
        if (!stake->live || (table != VM_TABLE_VALIDATOR && table != VM_TABLE_BATCH)) {
            ok = ok && (!stake->live || vm_shares_raw(stake->delegation.shares) > 0);
            continue;
        }
        for (uint32_t j = 0; j < s->slabs[VM_SLAB_STAKE].slots.end; j++) {
            const struct vm_stake *const part = vm_stake(s, j);
            bool const its =
                vm__taken(s, VM_SLAB_STAKE, j) && part->live &&
                vm_stake_table(part) ==
                    (table == VM_TABLE_BATCH ? VM_TABLE_UNBONDING : VM_TABLE_DELEGATION) &&
                vm_stake_field(part, 1) == vm_stake_field(stake, 0) &&
                (table != VM_TABLE_BATCH || vm_stake_field(part, 2) == vm_stake_field(stake, 1));
            shares += its ? vm_shares_raw(part->delegation.shares) : 0;
        }
        staked += vm_money_raw(vm_stake_pool(stake)->tokens) +
                  (table == VM_TABLE_VALIDATOR ? vm_money_raw(stake->validator.due) : 0);
        ok = ok && shares == vm_shares_raw(vm_stake_pool(stake)->shares);
    }
    return ok && staked == vm_money_raw(vm_staking(s)->staked);
}

bool vm_state_sound(const struct vm_state *s)
{
    uint64_t orders = 0;
    bool ok = accounts_sound(s);
    for (uint32_t i = 0; i < vm_market_count(s); i++) {
        ok = ok && market_sound(s, i);
        orders += vm_market(s, i)->orders_open;
    }
    return ok && stakes_sound(s) && orders == s->slabs[VM_SLAB_ORDER].slots.count;
}

static bool
sides_alike(const struct vm_state *a, const struct vm_state *b, uint32_t m, uint8_t side)
{
    uint32_t p = vm_book_best_page(a, m, side), q = vm_book_best_page(b, m, side);
    while (p != VM_NONE && q != VM_NONE) {
        for (uint32_t i = 0; i < VM_LEVEL_TICKS; i++) {
            uint32_t x = vm_level_page(a, p)->first[i], y = vm_level_page(b, q)->first[i];
            while (x == y && x != VM_NONE) {
                x = vm_order(a, x)->level_next;
                y = vm_order(b, y)->level_next;
            }
            if (x != y) {
                return false;
            }
        }
        p = vm_level_page(a, p)->next_page;
        q = vm_level_page(b, q)->next_page;
    }
    return p == q;
}

bool vm_state_alike(const struct vm_state *a, const struct vm_state *b)
{
    bool ok = vm_market_count(a) == vm_market_count(b) &&
              vm_account_count(a) == vm_account_count(b) &&
              vm_slots_lowest(&a->slabs[VM_SLAB_ORDER].slots) ==
                  vm_slots_lowest(&b->slabs[VM_SLAB_ORDER].slots);
    for (uint32_t m = 0; ok && m < vm_market_count(a); m++) {
        ok = sides_alike(a, b, m, VM_BUY) && sides_alike(a, b, m, VM_SELL);
    }
    for (uint32_t i = 0; ok && i < vm_account_count(a); i++) {
        const struct vm_account *const x = vm_account(a, i);
        const struct vm_account *const y = vm_account(b, i);
        ok = x->position_count == y->position_count && x->session_count == y->session_count;
        for (uint32_t j = 0; ok && j < x->position_count; j++) {
            uint32_t o = vm_order_first_own(a, x->held[j].position);
            uint32_t q = vm_order_first_own(b, y->held[j].position);
            while (o == q && o != VM_NONE && vm_order(a, o)->ordinal == vm_order(b, q)->ordinal) {
                o = vm_order_next_own(a, o);
                q = vm_order_next_own(b, q);
            }
            ok = o == q;
        }
    }
    return ok;
}
