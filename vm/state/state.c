/* Memory of the state: slabs, row sets, indexes. */

#include "vm/state/state.h"

#include "base/arena.h"
#include "base/assert.h"

#include "vm/params.h"
#include "vm/state/internal.h"
#include "vm/state/stake.h"

#include "base/pure.h"

/* Sizes of encoded rows, docs/spec/rows.md. */
enum {
    IMAGE_ACCOUNT = 53,
    IMAGE_POSITION = 16,
    IMAGE_MARKET = 74 + VM_PROGRAM_SIZE_MAX + 16,
    IMAGE_LEVEL = 8 + 8 * VM_LEVEL_TICKS,
    IMAGE_ADDRESS = 8,
    IMAGE_SESSION = 44,
    IMAGE_ORDERS = 1 + 59 * VM_ORDER_PAGE,
    IMAGE_FEED = 24 + 8 * 6 + 1 + 8,
    IMAGE_REPORT = 24,
    IMAGE_PARAM = 8,
    IMAGE_CHAIN = 160,
    IMAGE_BLOCK_RESULT = 96,
    IMAGE_ROOT = 40,
    IMAGE_TOMBSTONE = 8,
    IMAGE_REPORTER = 16,
    IMAGE_MARKET_STATE = 512,
    IMAGE_STAKING = 44,
    IMAGE_STAKE = 130 + 8 * VM_SLASHES_MAX,
    IMAGE_SET = 10 + 48 * VM_SET_PAGE,
    IMAGE_UPTIME = 5 + 4 * VM_VALIDATORS_MAX,
};

/* Takes memory from an arena, or, without one, only counts what it would take.
 * So footprint and layout are one piece of code. */
struct carver {
    struct nv_arena *arena;
    size_t total;
};

#define CARVE_ALIGN 64u

static void *carve(struct carver *c, size_t size)
{
    c->total += (size + CARVE_ALIGN - 1) / CARVE_ALIGN * CARVE_ALIGN + CARVE_ALIGN;
    return c->arena != NULL ? nv_arena_alloc(c->arena, size, CARVE_ALIGN, 1) : NULL;
}

/* Elements begin at cache lines, so that each touches as few as it can. */
static void slab_carve(struct carver *c, struct vm_slab *slab, uint32_t cap, size_t size)
{
    uint32_t const stride = ((uint32_t)size + CARVE_ALIGN - 1) / CARVE_ALIGN * CARVE_ALIGN;
    uint64_t *const words = carve(c, vm_slots_words(cap) * sizeof *words);
    slab->size = stride;
    slab->save_at = 0;
    slab->save_size = (uint32_t)size;
    slab->elements = carve(c, (size_t)stride * cap);
    slab->saved = carve(c, sizeof *slab->saved * cap);
    slab->slots.cap = cap;
    if (c->arena != NULL) {
        vm_slots_init(&slab->slots, words, cap);
    }
}

/* Small images do not straddle cache lines, large ones begin with one. */
static uint32_t stride_of(uint32_t size)
{
    uint32_t stride = 1;
    while (stride < size && stride < CARVE_ALIGN) {
        stride *= 2;
    }
    return size <= stride ? stride : (size + CARVE_ALIGN - 1) / CARVE_ALIGN * CARVE_ALIGN;
}

static void set_carve(struct carver *c, struct vm_rowset *set, uint32_t cap, uint32_t image_max)
{
    set->cap = cap;
    set->image_max = image_max;
    set->dirty = carve(c, cap);
    set->list = carve(c, sizeof *set->list * cap);
    set->image_stride = stride_of(VM_IMAGE_HEAD + image_max);
    set->images = carve(c, (size_t)set->image_stride * cap);
}

static void index_carve(struct carver *c, struct nv_critbit **index, uint32_t cap)
{
    void *const memory = carve(c, nv_critbit_footprint(cap));
    *index = c->arena != NULL ? nv_critbit_init(memory, cap) : NULL;
}

static void slabs_carve(struct carver *c, struct vm_state *s, const struct vm_limits *l)
{
    struct vm_slab *const slabs = s->slabs;
    slab_carve(c, &slabs[VM_SLAB_CHAIN], 1, sizeof(struct vm_chain_row));
    slab_carve(c, &slabs[VM_SLAB_ACCOUNT], l->accounts_max, sizeof(struct vm_account));
    slab_carve(c, &slabs[VM_SLAB_POSITION], l->positions_max, sizeof(struct vm_position_cell));
    slab_carve(c, &slabs[VM_SLAB_ORDER], l->orders_max, sizeof(struct vm_order));
    slab_carve(c, &slabs[VM_SLAB_ORDER_PAGE], l->orders_max, sizeof(struct vm_order_page));
    slab_carve(c, &slabs[VM_SLAB_LEVEL], l->level_pages_max, sizeof(struct vm_level_page));
    slab_carve(c, &slabs[VM_SLAB_MARKET], l->markets_max, sizeof(struct vm_market));
    slab_carve(c, &slabs[VM_SLAB_FEED], l->feeds_max, sizeof(struct vm_feed));
    slab_carve(
        c, &slabs[VM_SLAB_REPORT], l->feeds_max * VM_REPORTERS_MAX, sizeof(struct vm_report_row));
    slab_carve(c, &slabs[VM_SLAB_REPORTER], VM_REPORTERS_MAX, sizeof(struct vm_reporter_row));
    slab_carve(c, &slabs[VM_SLAB_SESSION], l->sessions_max, sizeof(struct vm_session_cell));
    slab_carve(c, &slabs[VM_SLAB_TOMBSTONE], l->tombstones_max, sizeof(struct vm_tombstone_cell));
    slab_carve(c, &slabs[VM_SLAB_PARAM], VM_PARAM_NUMBER_MAX + 1, sizeof(struct vm_param_cell));
    slab_carve(c, &slabs[VM_SLAB_STAKING], 1, sizeof(struct vm_staking_row));
    slab_carve(c, &slabs[VM_SLAB_STAKE], l->stakes_max, sizeof(struct vm_stake));
    slab_carve(c, &slabs[VM_SLAB_SET], VM_SETS * VM_SET_PAGES, sizeof(struct vm_set_row));
    slab_carve(c, &slabs[VM_SLAB_UPTIME], 1, sizeof(struct vm_uptime_row));
    /* The listing never changes and what is derived needs no undo. */
    slabs[VM_SLAB_MARKET].save_at = offsetof(struct vm_market, row);
    slabs[VM_SLAB_MARKET].save_size =
        (uint32_t)(offsetof(struct vm_market, risk) - offsetof(struct vm_market, row));
}

static void sets_carve(struct carver *c, struct vm_state *s, const struct vm_limits *l)
{
    struct vm_rowset *const sets = s->sets;
    set_carve(c, &sets[VM_SET_ACCOUNT], l->accounts_max, IMAGE_ACCOUNT);
    set_carve(c, &sets[VM_SET_POSITION], l->positions_max, IMAGE_POSITION);
    set_carve(c, &sets[VM_SET_MARKET], l->markets_max, IMAGE_MARKET);
    set_carve(c, &sets[VM_SET_LEVEL], l->level_pages_max, IMAGE_LEVEL);
    set_carve(c, &sets[VM_SET_ADDRESS], l->accounts_max, IMAGE_ADDRESS);
    set_carve(c, &sets[VM_SET_SESSION], l->sessions_max, IMAGE_SESSION);
    set_carve(c, &sets[VM_SET_ORDERS], l->orders_max, IMAGE_ORDERS);
    set_carve(c, &sets[VM_SET_FEED], l->feeds_max, IMAGE_FEED);
    set_carve(c, &sets[VM_SET_REPORT], l->feeds_max * VM_REPORTERS_MAX, IMAGE_REPORT);
    set_carve(c, &sets[VM_SET_PARAM], VM_PARAM_NUMBER_MAX + 1, IMAGE_PARAM);
    set_carve(c, &sets[VM_SET_CHAIN], 1, IMAGE_CHAIN);
    set_carve(c, &sets[VM_SET_BLOCK_RESULT], 1, IMAGE_BLOCK_RESULT);
    set_carve(c, &sets[VM_SET_ROOT], 1, IMAGE_ROOT);
    set_carve(c, &sets[VM_SET_TOMBSTONE], l->tombstones_max, IMAGE_TOMBSTONE);
    set_carve(c, &sets[VM_SET_REPORTER], VM_REPORTERS_MAX, IMAGE_REPORTER);
    set_carve(c, &sets[VM_SET_MARKET_STATE], l->markets_max, IMAGE_MARKET_STATE);
    set_carve(c, &sets[VM_SET_STAKING], 1, IMAGE_STAKING);
    set_carve(c, &sets[VM_SET_STAKE], l->stakes_max, IMAGE_STAKE);
    set_carve(c, &sets[VM_SET_SETS], VM_SETS * VM_SET_PAGES, IMAGE_SET);
    set_carve(c, &sets[VM_SET_UPTIME], 1, IMAGE_UPTIME);
}

static void indexes_carve(struct carver *c, struct vm_state *s, const struct vm_limits *l)
{
    index_carve(c, &s->indexes[VM_INDEX_ADDRESS], l->accounts_max);
    index_carve(c, &s->indexes[VM_INDEX_LEVEL], l->level_pages_max);
    index_carve(c, &s->indexes[VM_INDEX_LEVEL_IDLE], l->level_pages_max);
    index_carve(c, &s->indexes[VM_INDEX_SESSION], l->sessions_max);
    index_carve(c, &s->indexes[VM_INDEX_TOMBSTONE], l->tombstones_max);
    index_carve(c, &s->indexes[VM_INDEX_TOMBSTONE_EXPIRY], l->tombstones_max);
    index_carve(c, &s->indexes[VM_INDEX_ORDER_EXPIRY], l->orders_max);
    index_carve(c, &s->indexes[VM_INDEX_STAKE], l->stakes_max);
    index_carve(c, &s->indexes[VM_INDEX_VALIDATOR_KEY], VM_VALIDATORS_KNOWN);
    index_carve(c, &s->indexes[VM_INDEX_NODE_KEY], VM_VALIDATORS_KNOWN);
}

static void guess_carve(struct carver *c, struct vm_guess *guess, uint32_t cap)
{
    uint32_t count = 256; /* sets, so many that few are ever full */
    while (count < cap && count < 1u << 17) {
        count *= 2;
    }
    guess->mask = count - 1;
    guess->sets = carve(c, sizeof *guess->sets * count);
}

/* A scope saves an element once, and takes and releases each slot and index
 * entry a bounded number of times, so the log cannot outgrow this. */
static size_t undo_bound(const struct vm_state *s, const struct vm_limits *l)
{
    size_t bound = 0;
    for (uint32_t i = 0; i < VM_SLAB_COUNT; i++) {
        bound += (size_t)s->slabs[i].slots.cap * ((size_t)s->slabs[i].save_size + 48);
    }
    return bound + (size_t)l->orders_max * 320 + (size_t)l->level_pages_max * 320 +
           (size_t)l->tombstones_max * 320 + (size_t)l->stakes_max * 320 + 65536;
}

static void state_carve(struct carver *c, struct vm_state *s, const struct vm_limits *l)
{
    slabs_carve(c, s, l);
    sets_carve(c, s, l);
    indexes_carve(c, s, l);
    guess_carve(c, &s->account_guess, l->accounts_max);
    guess_carve(c, &s->level_guess, l->level_pages_max);
    s->own_keys = carve(c, sizeof *s->own_keys * l->accounts_max);
    s->undo_cap = undo_bound(s, l);
    s->undo = carve(c, s->undo_cap);
    s->cushions = carve(c, sizeof *s->cushions * l->accounts_max);
    s->safe_until = carve(c, sizeof *s->safe_until * (l->accounts_max / VM_DUE_GROUP + 1));
}

size_t vm_state_footprint(const struct vm_limits *limits)
{
    struct vm_state measured;
    struct carver c = {.arena = NULL, .total = 0};
    memset(&measured, 0, sizeof measured);
    state_carve(&c, &measured, limits);
    return c.total + sizeof(struct vm_state) + CARVE_ALIGN;
}

struct vm_state *vm_state_new(struct nv_arena *arena, const struct vm_limits *limits)
{
    NV_ASSERT(limits->orders_max <= VM_SLOT_END && limits->markets_max <= VM_MARKETS_END);
    struct vm_state *const s = NV_ARENA_NEW(arena, struct vm_state, 1);
    struct carver c = {.arena = arena, .total = 0};
    s->wide = limits->wide;
    state_carve(&c, s, limits);
    vm__create_at(s, VM_SLAB_CHAIN, 0);
    struct vm_chain_row *const chain = vm__at(s, VM_SLAB_CHAIN, 0);
    chain->next_account = 1;
    vm__create_at(s, VM_SLAB_STAKING, 0);
    ((struct vm_staking_row *)vm__at(s, VM_SLAB_STAKING, 0))->epoch = 1;
    vm__dirty(s, VM_SET_STAKING, 0);
    s->worn = 1;
    s->worn_from = 1;
    return s;
}

const struct vm_chain_row *vm_chain(const struct vm_state *s)
{
    return vm__at(s, VM_SLAB_CHAIN, 0);
}

struct vm_chain_row *vm_chain_mut(struct vm_state *s)
{
    vm__dirty(s, VM_SET_CHAIN, 0);
    return vm__mut(s, VM_SLAB_CHAIN, 0);
}

bool vm_state_wide(const struct vm_state *s)
{
    return s->wide;
}
