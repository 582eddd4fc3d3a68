/* The write set: dirty rows encoded, compared with what is committed, sorted. */

#include "base/arena.h"
#include "base/assert.h"
#include "base/sort.h"

#include "vm/state/internal.h"
#include "vm/state/ranked.h"
#include "vm/state/rows_put.h"
#include "vm/state/stake.h"
#include "vm/tx.h"

#include "base/pure.h"

static void orders_encode(const struct vm_state *s, uint32_t index, struct nv_writer *w)
{
    const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
    nv_put_u8(w, page->count);
    for (uint32_t left = page->taken; left != 0; left &= left - 1) {
        uint32_t const i = (uint32_t)__builtin_ctz(left);
        vm_order_put(w, (uint8_t)i, &vm_order(s, page->own[i].slot)->row);
    }
}

static void orders_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
    vm_key_orders(key, page->market, page->account, page->page);
}

static void level_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_level_page *const page = vm__at(s, VM_SLAB_LEVEL, index);
    vm_key_level(key, page->market, page->side, page->page);
}

static void session_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_session_cell *const cell = vm__at(s, VM_SLAB_SESSION, index);
    vm_key_session(key, (uint64_t)cell->account + 1, &cell->row.key);
}

static void tombstone_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_tombstone_cell *const cell = vm__at(s, VM_SLAB_TOMBSTONE, index);
    vm_key_tombstone(key, cell->market, cell->account, cell->client_id);
}

static void position_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_position *const p = &vm__position(s, index)->open;
    vm_key_position(key, p->account, p->market);
}

static void address_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_account *const a = vm__at(s, VM_SLAB_ACCOUNT, index);
    vm_key_address(key, &a->row.address);
}

/* long: dispatch switch */
void vm__row_key(const struct vm_state *s,
                 enum vm_set_id id,
                 uint32_t index,
                 struct nv_row_key *key)
{
    switch (id) {
    case VM_SET_ACCOUNT: vm_key_account(key, (uint64_t)index + 1); break;
    case VM_SET_POSITION: position_key(s, index, key); break;
    case VM_SET_MARKET: vm_key_market(key, index); break;
    case VM_SET_LEVEL: level_key(s, index, key); break;
    case VM_SET_ADDRESS: address_key(s, index, key); break;
    case VM_SET_SESSION: session_key(s, index, key); break;
    case VM_SET_ORDERS: orders_key(s, index, key); break;
    case VM_SET_FEED: vm_key_feed(key, index); break;
    case VM_SET_REPORT:
        vm_key_report(key, index / VM_REPORTERS_MAX, (uint16_t)(index % VM_REPORTERS_MAX));
        break;
    case VM_SET_PARAM: vm_key_param(key, (uint16_t)index); break;
    case VM_SET_CHAIN: vm_key_chain(key); break;
    case VM_SET_BLOCK_RESULT: vm_key_block_result(key, s->block_result.height); break;
    case VM_SET_ROOT: vm_key_root(key, s->root.height); break;
    case VM_SET_TOMBSTONE: tombstone_key(s, index, key); break;
    case VM_SET_REPORTER: vm_key_reporter(key, (uint16_t)index); break;
    case VM_SET_MARKET_STATE: vm_key_market_state(key, index); break;
    case VM_SET_STAKING: vm_key_staking(key); break;
    case VM_SET_STAKE: *key = vm_stake(s, index)->key; break;
    case VM_SET_SETS:
        vm_key_set(key, (uint8_t)(index / VM_SET_PAGES), (uint8_t)(index % VM_SET_PAGES));
        break;
    case VM_SET_UPTIME: vm_key_uptime(key); break;
    case VM_SET_COUNT: NV_ASSERT(false); break;
    }
}

/* The slab whose elements carry the rows of a set; VM_SLAB_COUNT: always there. */
static enum vm_slab_id slab_of(enum vm_set_id id)
{
    static const uint8_t slabs[VM_SET_COUNT] = {
        [VM_SET_ACCOUNT] = VM_SLAB_ACCOUNT,   [VM_SET_POSITION] = VM_SLAB_POSITION,
        [VM_SET_MARKET] = VM_SLAB_MARKET,     [VM_SET_LEVEL] = VM_SLAB_LEVEL,
        [VM_SET_ADDRESS] = VM_SLAB_ACCOUNT,   [VM_SET_SESSION] = VM_SLAB_SESSION,
        [VM_SET_ORDERS] = VM_SLAB_ORDER_PAGE, [VM_SET_FEED] = VM_SLAB_FEED,
        [VM_SET_REPORT] = VM_SLAB_COUNT,      [VM_SET_PARAM] = VM_SLAB_COUNT,
        [VM_SET_CHAIN] = VM_SLAB_CHAIN,       [VM_SET_BLOCK_RESULT] = VM_SLAB_COUNT,
        [VM_SET_ROOT] = VM_SLAB_COUNT,        [VM_SET_TOMBSTONE] = VM_SLAB_TOMBSTONE,
        [VM_SET_REPORTER] = VM_SLAB_REPORTER, [VM_SET_MARKET_STATE] = VM_SLAB_MARKET,
        [VM_SET_STAKING] = VM_SLAB_STAKING,   [VM_SET_STAKE] = VM_SLAB_STAKE,
        [VM_SET_SETS] = VM_SLAB_COUNT,        [VM_SET_UPTIME] = VM_SLAB_COUNT,
    };
    return (enum vm_slab_id)slabs[id];
}

/* Whether the element has a row now. */
static bool row_lives(const struct vm_state *s, enum vm_set_id id, uint32_t index)
{
    enum vm_slab_id const slab = slab_of(id);
    if (slab != VM_SLAB_COUNT && !vm__taken(s, slab, index)) {
        return false;
    }
    if (id == VM_SET_POSITION) {
        const struct vm_position_row *const row = &vm__position(s, index)->open.row;
        return vm_lots_raw(row->lots) != 0 || vm_money_raw(row->cost) != 0;
    }
    if (id == VM_SET_LEVEL) {
        return ((const struct vm_level_page *)vm__at(s, slab, index))->row.occupied != 0;
    }
    if (id == VM_SET_ORDERS) {
        return ((const struct vm_order_page *)vm__at(s, slab, index))->taken != 0;
    }
    if (id == VM_SET_SESSION) {
        return ((const struct vm_session_cell *)vm__at(s, slab, index))->live;
    }
    if (id == VM_SET_TOMBSTONE) {
        return ((const struct vm_tombstone_cell *)vm__at(s, slab, index))->live;
    }
    if (id == VM_SET_STAKE) {
        return vm_stake(s, index)->live;
    }
    if (id == VM_SET_SETS) {
        return ((const struct vm_set_row *)vm__at(s, VM_SLAB_SET, index))->size != 0;
    }
    if (id == VM_SET_UPTIME) {
        return vm_uptime(s)->count != 0;
    }
    if (id == VM_SET_REPORT) {
        return ((const struct vm_report_row *)vm__at(s, VM_SLAB_REPORT, index))->time_ms != 0;
    }
    return id != VM_SET_PARAM || ((struct vm_param_cell *)vm__at(s, VM_SLAB_PARAM, index))->live;
}

static void stake_encode(const struct vm_stake *stake, struct nv_writer *w)
{
    if (vm_stake_table(stake) == VM_TABLE_VALIDATOR) {
        vm_validator_row_encode(w, &stake->validator);
    } else if (vm_stake_table(stake) == VM_TABLE_DELEGATION) {
        vm_delegation_row_encode(w, &stake->delegation);
    } else if (vm_stake_table(stake) == VM_TABLE_BATCH) {
        vm_batch_row_encode(w, &stake->batch);
    } else {
        vm_unbonding_row_encode(w, &stake->unbonding);
    }
}

/* long: dispatch switch */
static void
value_encode(const struct vm_state *s, enum vm_set_id id, uint32_t index, struct nv_writer *w)
{
    switch (id) {
    case VM_SET_ACCOUNT: vm_account_row_encode(w, &vm_account(s, index)->row); break;
    case VM_SET_POSITION: vm_position_row_encode(w, &vm_position(s, index)->row); break;
    case VM_SET_MARKET: vm_market_row_encode(w, &vm_market(s, index)->listing); break;
    case VM_SET_LEVEL: vm_level_row_encode(w, &vm_level_page(s, index)->row); break;
    case VM_SET_ADDRESS: {
        struct vm_address_row const row = {.account = (uint64_t)index + 1};
        vm_address_row_encode(w, &row);
        break;
    }
    case VM_SET_SESSION: {
        const struct vm_session_cell *const cell = vm__at(s, VM_SLAB_SESSION, index);
        vm_session_row_encode(w, &cell->row);
        break;
    }
    case VM_SET_ORDERS: orders_encode(s, index, w); break;
    case VM_SET_FEED: vm_feed_row_encode(w, &vm_feed(s, index)->row); break;
    case VM_SET_REPORT: vm_report_row_encode(w, vm__at(s, VM_SLAB_REPORT, index)); break;
    case VM_SET_PARAM: {
        const struct vm_param_cell *const cell = vm__at(s, VM_SLAB_PARAM, index);
        vm_param_row_encode(w, &cell->row);
        break;
    }
    case VM_SET_CHAIN: vm_chain_row_encode(w, vm_chain(s)); break;
    case VM_SET_BLOCK_RESULT: vm_block_result_row_encode(w, &s->block_result); break;
    case VM_SET_ROOT: vm_root_row_encode(w, &s->root); break;
    case VM_SET_TOMBSTONE: {
        const struct vm_tombstone_cell *const cell = vm__at(s, VM_SLAB_TOMBSTONE, index);
        vm_tombstone_row_encode(w, &cell->row);
        break;
    }
    case VM_SET_REPORTER: vm_reporter_row_encode(w, vm_reporter(s, index)); break;
    case VM_SET_MARKET_STATE: vm_market_state_row_encode(w, &vm_market(s, index)->row); break;
    case VM_SET_STAKING: vm_staking_row_encode(w, vm_staking(s)); break;
    case VM_SET_STAKE: stake_encode(vm_stake(s, index), w); break;
    case VM_SET_SETS: vm_set_row_encode(w, vm__at(s, VM_SLAB_SET, index)); break;
    case VM_SET_UPTIME: vm_uptime_row_encode(w, vm_uptime(s)); break;
    case VM_SET_COUNT: NV_ASSERT(false); break;
    }
}

bool vm__row_encode(const struct vm_state *s,
                    enum vm_set_id id,
                    uint32_t index,
                    struct nv_row_key *key,
                    struct nv_writer *value)
{
    if (!row_lives(s, id, index)) {
        return false;
    }
    vm__row_key(s, id, index, key);
    value_encode(s, id, index, value);
    NV_ASSERT(!value->overflow && value->size > 0 && value->size <= VM_ROW_SIZE_MAX);
    return true;
}

static uint8_t *image_of(const struct vm_rowset *set, uint32_t index)
{
    return set->images + (size_t)index * set->image_stride + VM_IMAGE_HEAD;
}

static void image_resize(const struct vm_rowset *set, uint32_t index, uint32_t size)
{
    NV_ASSERT(size <= set->image_max);
    nv_be16_store(image_of(set, index) - VM_IMAGE_HEAD, (uint16_t)size);
}

void vm__image_set(struct vm_state *s, enum vm_set_id id, uint32_t index, struct nv_view value)
{
    const struct vm_rowset *const set = &s->sets[id];
    image_resize(set, index, value.size);
    memcpy(image_of(set, index), value.bytes, value.size);
}

/* ones counts the bits of 16, in pairs, fours and bytes at once. */
static uint32_t ones(uint32_t bits)
{
    bits = (bits & 0x5555u) + (bits >> 1 & 0x5555u);
    bits = (bits & 0x3333u) + (bits >> 2 & 0x3333u);
    bits = (bits & 0x0f0fu) + (bits >> 4 & 0x0f0fu);
    return (bits & 0xffu) + (bits >> 8);
}

/* order_renew brings order i of a page up to date in the committed value, `image`;
 * false if it was. */
static bool
order_renew(const struct vm_state *s, struct vm_order_page *page, uint32_t i, uint8_t *image)
{
    uint32_t const bit = 1u << i;
    uint32_t const behind = ones(page->committed & (0x10000u - 2 * bit));
    uint8_t *const at = image + 1 + ones(page->committed & (bit - 1)) * VM_ORDER_SIZE;
    bool const was = (page->committed & bit) != 0;
    if ((page->taken & bit) == 0) {
        if (was) {
            memmove(at, at + VM_ORDER_SIZE, behind * VM_ORDER_SIZE);
        }
        page->committed = (uint16_t)(page->committed & ~bit);
        return was;
    }
    uint8_t bytes[VM_ORDER_SIZE];
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    vm_order_put(&w, (uint8_t)i, &vm_order(s, page->own[i].slot)->row);
    if (was && memcmp(at, bytes, sizeof bytes) == 0) {
        return false;
    }
    if (!was) {
        memmove(at + VM_ORDER_SIZE, at, behind * VM_ORDER_SIZE);
    }
    memcpy(at, bytes, sizeof bytes);
    page->committed = (uint16_t)(page->committed | bit);
    return true;
}

/* orders_write is write_one of an order page.  Orders lie anywhere in memory and
 * most of them have not changed, so the committed value is mended where it lies. */
static bool orders_write(struct vm_state *s, uint32_t index, struct nv_row *out, bool *gone)
{
    const struct vm_rowset *const set = &s->sets[VM_SET_ORDERS];
    struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
    uint8_t *const image = image_of(set, index);
    bool renewed = false;
    if (!vm__taken(s, VM_SLAB_ORDER_PAGE, index)) {
        return false; /* made in a scope that was undone */
    }
    *gone = page->count == 0;
    for (uint32_t left = page->changed; left != 0; left &= left - 1) {
        renewed = order_renew(s, page, (uint32_t)__builtin_ctz(left), image) || renewed;
    }
    page->changed = 0;
    image[0] = page->count;
    image_resize(set, index, page->count > 0 ? 1 + page->count * VM_ORDER_SIZE : 0);
#ifdef NV_PARANOID
    uint8_t bytes[VM_ROW_SIZE_MAX];
    struct nv_writer slow;
    nv_writer_init(&slow, bytes, sizeof bytes);
    orders_encode(s, index, &slow);
    NV_ASSERT(page->count == 0 || nv_view_eq(vm__image(set, index), nv_writer_view(&slow)));
#endif
    orders_key(s, index, &out->key);
    out->value = vm__image(set, index);
    return renewed;
}

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
        return orders_write(s, index, out, gone);
    }
    nv_writer_init(&w, bytes, sizeof bytes);
    *gone = !vm__row_encode(s, id, index, &out->key, &w);
    if (*gone) {
        if (image.size == 0) {
            return false;
        }
        image_resize(set, index, 0);
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

static void retire_order_page(struct vm_state *s, uint32_t index)
{
    const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
    vm__position(s, page->position)->page[page->page] = VM_NONE;
    vm__release(s, VM_SLAB_ORDER_PAGE, index);
}

static void retire_session(struct vm_state *s, uint32_t index)
{
    const struct vm_session_cell *const cell = vm__at(s, VM_SLAB_SESSION, index);
    struct nv_row_key key;
    vm__session_index_key(&key, (uint64_t)cell->account + 1, &cell->row.key);
    vm__index_remove(s, VM_INDEX_SESSION, &key);
    vm__release(s, VM_SLAB_SESSION, index);
}

static void retire_position(struct vm_state *s, uint32_t index)
{
    if (vm__position_empty(vm__position(s, index))) {
        vm__position_unlist(s, index);
        vm__release(s, VM_SLAB_POSITION, index);
    }
}

/* An element of these sets goes when its row does. */
static void retire(struct vm_state *s, enum vm_set_id id, uint32_t index)
{
    struct nv_row_key key;
    if (row_lives(s, id, index) || !vm__taken(s, slab_of(id), index)) {
        return;
    }
    if (id == VM_SET_LEVEL) {
        vm__row_key(s, id, index, &key);
        vm__index_remove(s, VM_INDEX_LEVEL_IDLE, &key);
        vm__release(s, VM_SLAB_LEVEL, index);
    } else if (id == VM_SET_TOMBSTONE) {
        vm__row_key(s, id, index, &key);
        vm__index_remove(s, VM_INDEX_TOMBSTONE, &key);
        vm__release(s, VM_SLAB_TOMBSTONE, index);
    } else if (id == VM_SET_STAKE) {
        vm__row_key(s, id, index, &key);
        vm__index_remove(s, VM_INDEX_STAKE, &key);
        vm__release(s, VM_SLAB_STAKE, index);
    } else if (id == VM_SET_SESSION) {
        retire_session(s, index);
    } else if (id == VM_SET_ORDERS) {
        retire_order_page(s, index);
    } else if (id == VM_SET_POSITION) {
        retire_position(s, index);
    }
}

/* Order pages before positions: a position goes with its last order.  The lists
 * hold rows that are gone. */
static void retire_all(struct vm_state *s)
{
    static const uint8_t sets[] = {VM_SET_ORDERS,
                                   VM_SET_POSITION,
                                   VM_SET_LEVEL,
                                   VM_SET_SESSION,
                                   VM_SET_TOMBSTONE,
                                   VM_SET_STAKE};
    for (uint32_t i = 0; i < sizeof sets; i++) {
        const struct vm_rowset *const set = &s->sets[sets[i]];
        for (uint32_t j = 0; j < set->list_count; j++) {
            retire(s, (enum vm_set_id)sets[i], set->list[j]);
        }
    }
    for (uint32_t id = 0; id < VM_SET_COUNT; id++) {
        s->sets[id].list_count = 0;
    }
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
    enum vm_slab_id const slab = slab_of(id);
    if (slab != VM_SLAB_COUNT) {
        vm__hint(vm__at(s, slab, index));
    }
}

/* The committed value of a row, and what of an order page is not at its head. */
static void row_prefetch(const struct vm_state *s, enum vm_set_id id, uint32_t index)
{
    vm__hint(image_of(&s->sets[id], index));
    if (id == VM_SET_ORDERS) {
        const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
        for (uint32_t left = page->changed; left != 0; left &= left - 1) {
            vm__hint(&page->own[__builtin_ctz(left)]);
        }
    }
}

/* What an order page takes from elsewhere, and where in the committed value it goes. */
static void orders_prefetch(const struct vm_state *s, enum vm_set_id id, uint32_t index)
{
    if (id != VM_SET_ORDERS) {
        return;
    }
    const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
    const uint8_t *const image = image_of(&s->sets[VM_SET_ORDERS], index);
    for (uint32_t left = page->changed; left != 0; left &= left - 1) {
        uint32_t const i = (uint32_t)__builtin_ctz(left);
        vm__hint(vm__at(s, VM_SLAB_ORDER, page->own[i].slot));
    }
    uint32_t const first = page->changed & (0u - page->changed);
    uint32_t const end = 1 + ones(page->committed) * VM_ORDER_SIZE;
    uint32_t at = ones(page->committed & (first - 1)) * VM_ORDER_SIZE;
    for (; at < end + VM_ORDER_SIZE; at += 64) {
        vm__hint(image + at);
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
        if (j + AHEAD_WRITE < set->list_count) {
            orders_prefetch(s, id, ranked[j + AHEAD_WRITE].index);
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
    retire_all(s);
    *writes_out = rows;
    return count;
}
