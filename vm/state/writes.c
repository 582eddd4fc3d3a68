/* writes.c - the write set: dirty rows encoded, compared with what is committed,
 * sorted. */

#include "vm/state/writes.h"

#include "base/arena.h"
#include "base/assert.h"
#include "base/sort.h"

#include "vm/state/ranked.h"
#include "vm/state/stake.h"
#include "vm/tx.h"

#include "base/pure.h"

/* Writes one dirty row to *out if it is not as committed, and makes it so.  *gone:
 * there is no such row any more. */
static bool
write_one(struct vm_state *s, enum vm_set_id id, uint32_t index, struct nv_row *out, bool *gone)
{
    const struct vm_rowset *const set = &s->sets[id];
    struct nv_view const image = vm__image(set, index);
    uint8_t bytes[VM_ROW_SIZE_MAX];
    struct nv_writer w;
    if (id == VM_SET_ORDERS) {
        return vm__orders_write(s, index, out, gone);
    }
    nv_writer_init(&w, bytes, sizeof bytes);
    *gone = !vm__row_encode(s, id, index, &out->key, &w);
    if (*gone) {
        if (image.size == 0) {
            return false;
        }
        vm__image_resize(set, index, 0);
        vm__row_key(s, id, index, &out->key);
        out->value = nv_view_of(NULL, 0);
        return true;
    }
    if (nv_view_eq(nv_writer_view(&w), image)) {
        return false;
    }
    vm__image_set(s, id, index, nv_writer_view(&w));
    out->value = vm__image(set, index);
    return true;
}

/* A number of a row that never falls as keys rise; rows that share one are told
 * apart by their keys. */
static uint64_t level_rank(const struct vm_level_page *page)
{
    int64_t const limit = INT64_C(1) << 46; /* beyond it pages share a number */
    int64_t place = (int64_t)page->page;
    place = page->side == VM_BUY ? -1 - place : place;
    place = place < -limit ? -limit : place >= limit ? limit - 1 : place;
    uint64_t const side = page->side == VM_BUY ? 0 : 1;
    return (uint64_t)page->market << 48 | side << 47 | (uint64_t)(place + limit);
}

static uint64_t rank_of_key(const struct vm_state *s, enum vm_set_id id, uint32_t index)
{
    struct nv_row_key key;
    vm__row_key(s, id, index, &key);
    return nv_be64_load(key.bytes + 1);
}

static uint64_t rank_of(const struct vm_state *s, enum vm_set_id id, uint32_t index)
{
    const struct vm_order_page *page;
    const struct vm_position *p;
    switch ((int)id) {
    case VM_SET_POSITION: p = &vm__position(s, index)->open; return p->account << 16 | p->market;
    case VM_SET_ORDERS:
        page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
        return (uint64_t)page->market << 48 | page->account << 8 | page->page;
    case VM_SET_LEVEL: return level_rank(vm__at(s, VM_SLAB_LEVEL, index));
    case VM_SET_STAKE: return nv_be64_load(vm_stake(s, index)->key.bytes);
    case VM_SET_ADDRESS:
    case VM_SET_SESSION:
    case VM_SET_TOMBSTONE: return rank_of_key(s, id, index);
    default: return index;
    }
}

static int row_cmp(const void *a, const void *b)
{
    const struct nv_row *const left = a;
    const struct nv_row *const right = b;
    return nv_row_key_cmp(&left->key, &right->key);
}

/* Sorts rows of which some have one rank. */
static void ties_sort(struct nv_row *rows, uint32_t count, struct nv_arena *arena)
{
    size_t const mark = nv_arena_mark(arena);
    nv_sort(rows, count, sizeof *rows, row_cmp, NV_ARENA_NEW(arena, struct nv_row, count));
    nv_arena_release(arena, mark);
}

/* Rows between a hint and its use: to make a rank is short, to write a row is not. */
#define AHEAD_RANK  24u
#define AHEAD_WRITE 6u

static void element_prefetch(const struct vm_state *s, enum vm_set_id id, uint32_t index)
{
    enum vm_slab_id const slab = vm__row_slab(id);
    if (slab != VM_SLAB_COUNT) {
        vm__hint(vm__at(s, slab, index));
    }
}

/* The committed value of a row, and what of an order page is not at its head. */
static void row_prefetch(const struct vm_state *s, enum vm_set_id id, uint32_t index)
{
    vm__hint(vm__image_bytes(&s->sets[id], index));
    if (id == VM_SET_ORDERS) {
        const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
        for (uint32_t left = page->changed; left != 0; left &= left - 1) {
            vm__hint(&page->own[__builtin_ctz(left)]);
        }
    }
}

/* rank lists the dirty rows of a table in the order of their keys, as far as ranks
 * tell it. */
static struct vm_ranked *rank(const struct vm_state *s, enum vm_set_id id, struct nv_arena *arena)
{
    const struct vm_rowset *const set = &s->sets[id];
    struct vm_ranked *const ranked = NV_ARENA_NEW(arena, struct vm_ranked, 2 * set->list_count);
    for (uint32_t j = 0; j < set->list_count; j++) {
        if (j + AHEAD_RANK < set->list_count) {
            element_prefetch(s, id, set->list[j + AHEAD_RANK]);
        }
        ranked[j] = (struct vm_ranked){rank_of(s, id, set->list[j]), set->list[j]};
    }
    vm_ranked_sort(ranked, ranked + set->list_count, set->list_count);
    return ranked;
}

/* The writes of one table, sorted, at `out`; how many.  Of its dirty rows those that
 * are gone stay listed. */
static uint32_t
set_writes(struct vm_state *s, enum vm_set_id id, struct nv_row *out, struct nv_arena *arena)
{
    struct vm_rowset *const set = &s->sets[id];
    size_t const mark = nv_arena_mark(arena);
    const struct vm_ranked *const ranked = rank(s, id, arena);
    uint32_t count = 0;
    uint32_t gone_count = 0;
    bool tie = false;
    for (uint32_t j = 0; j < set->list_count; j++) {
        if (j + 3 * AHEAD_WRITE < set->list_count) {
            element_prefetch(s, id, ranked[j + 3 * AHEAD_WRITE].index);
        }
        if (j + 2 * AHEAD_WRITE < set->list_count) {
            row_prefetch(s, id, ranked[j + 2 * AHEAD_WRITE].index);
        }
        if (id == VM_SET_ORDERS && j + AHEAD_WRITE < set->list_count) {
            vm__orders_prefetch(s, ranked[j + AHEAD_WRITE].index);
        }
        tie = tie || (j > 0 && ranked[j - 1].rank == ranked[j].rank);
        bool gone = false;
        count += write_one(s, id, ranked[j].index, &out[count], &gone) ? 1u : 0u;
        set->dirty[ranked[j].index] = 0;
        set->list[gone_count] = ranked[j].index;
        gone_count += gone ? 1u : 0u;
    }
    set->list_count = gone_count;
    nv_arena_release(arena, mark);
    if (tie) {
        ties_sort(out, count, arena);
    }
    return count;
}

uint32_t
vm_state_writes(struct vm_state *s, struct nv_arena *arena, const struct nv_row **writes_out)
{
    NV_ASSERT(!s->scope_open);
    uint32_t dirty = 0;
    for (uint32_t id = 0; id < VM_SET_COUNT; id++) {
        dirty += s->sets[id].list_count;
    }
    struct nv_row *const rows = NV_ARENA_NEW(arena, struct nv_row, dirty);
    uint32_t count = 0;
    for (uint32_t id = 0; id < VM_SET_COUNT; id++) {
        count += set_writes(s, (enum vm_set_id)id, &rows[count], arena);
    }
    vm__retire_all(s);
    *writes_out = rows;
    return count;
}
