#ifndef NV_VM_STATE_INTERNAL_H
#define NV_VM_STATE_INTERNAL_H

/* internal.h - how the state lies in memory.  Private to vm/state (and tests).
 *
 *   slab     an array of elements, a bitmap of taken slots, and for each
 *            element the scope in which the undo log last saved it
 *   rowset   the rows of one table: which are dirty, and the *image* of each:
 *            its value as committed.  The write set is the dirty rows whose
 *            encoding differs from their image
 *   index    a critbit from keys to slab indices, for lookup and order
 *
 * An element whose row goes away keeps its slot until vm_state_writes has told
 * of the deletion; if it comes back in the same block it is the same element. */

#include "base/arena.h"

#include "vm/state/guess.h"
#include "vm/state/slots.h"
#include "vm/state/state.h"

enum vm_slab_id {
    VM_SLAB_CHAIN = 0,
    VM_SLAB_ACCOUNT,
    VM_SLAB_POSITION,
    VM_SLAB_ORDER,
    VM_SLAB_ORDER_PAGE,
    VM_SLAB_LEVEL,
    VM_SLAB_MARKET,
    VM_SLAB_FEED,
    VM_SLAB_REPORT,
    VM_SLAB_REPORTER,
    VM_SLAB_SESSION,
    VM_SLAB_TOMBSTONE,
    VM_SLAB_PARAM,
    VM_SLAB_STAKING,
    VM_SLAB_STAKE,
    VM_SLAB_SET,
    VM_SLAB_UPTIME,
    VM_SLAB_COUNT
};

/* One set a table, in the tables' order; the entries of stake share one. */
enum vm_set_id {
    VM_SET_ACCOUNT = 0,
    VM_SET_POSITION,
    VM_SET_MARKET,
    VM_SET_LEVEL,
    VM_SET_ADDRESS,
    VM_SET_SESSION,
    VM_SET_ORDERS,
    VM_SET_FEED,
    VM_SET_REPORT,
    VM_SET_PARAM,
    VM_SET_CHAIN,
    VM_SET_BLOCK_RESULT,
    VM_SET_ROOT,
    VM_SET_TOMBSTONE,
    VM_SET_REPORTER,
    VM_SET_MARKET_STATE,
    VM_SET_STAKING,
    VM_SET_STAKE, /* validators, delegations, batches, unbondings */
    VM_SET_SETS,
    VM_SET_UPTIME,
    VM_SET_COUNT
};

enum vm_index_id {
    VM_INDEX_ADDRESS = 0,      /* address row key -> account */
    VM_INDEX_LEVEL,            /* level row key -> level page that has orders */
    VM_INDEX_LEVEL_IDLE,       /* … that has none, but had some in this block */
    VM_INDEX_SESSION,          /* account, 24 bytes of the key -> session */
    VM_INDEX_TOMBSTONE,        /* tombstone row key -> tombstone */
    VM_INDEX_TOMBSTONE_EXPIRY, /* expiry, tombstone's row -> tombstone */
    VM_INDEX_ORDER_EXPIRY,     /* expiry, slot -> order */
    VM_INDEX_STAKE,            /* row key -> entry of stake */
    VM_INDEX_VALIDATOR_KEY,    /* consensus key -> validator */
    VM_INDEX_NODE_KEY,         /* node key -> validator */
    VM_INDEX_COUNT
};

struct vm_slab {
    uint8_t *elements;
    uint64_t *saved; /* by index: the scope that saved it last */
    struct vm_slots slots;
    uint32_t size;      /* bytes an element */
    uint32_t save_at;   /* what the undo log saves of it */
    uint32_t save_size; /* … */
};

struct vm_rowset {
    uint8_t *dirty; /* by index: 1 when listed */
    uint32_t *list; /* dirty indices */
    uint8_t *images;
    uint32_t list_count;
    uint32_t cap;
    uint32_t image_max;    /* bytes an image */
    uint32_t image_stride; /* from one to the next: each has its size, u16, before it */
};

#define VM_IMAGE_HEAD 2u

/* vm__image is the committed value of a row; without bytes: no such row is committed. */
static inline struct nv_view vm__image(const struct vm_rowset *set, uint32_t index)
{
    const uint8_t *const cell = set->images + (size_t)index * set->image_stride;
    uint32_t const size = nv_be16_load(cell);
    return nv_view_of(size > 0 ? cell + VM_IMAGE_HEAD : NULL, size);
}

/* vm__image_bytes is where it lies, vm__image_resize says how long it is. */
static inline uint8_t *vm__image_bytes(const struct vm_rowset *set, uint32_t index)
{
    return set->images + (size_t)index * set->image_stride + VM_IMAGE_HEAD;
}
static inline void vm__image_resize(const struct vm_rowset *set, uint32_t index, uint32_t size)
{
    NV_ASSERT(size <= set->image_max);
    nv_be16_store(vm__image_bytes(set, index) - VM_IMAGE_HEAD, (uint16_t)size);
}

struct vm_position_cell {
    struct vm_position open;
    uint32_t page[VM_ORDERS_ACCOUNT_MARKET_MAX / VM_ORDER_PAGE]; /* order pages or VM_NONE */
};

/* What is asked of all orders of a position at once: the orders lie anywhere. */
struct vm_own_order {
    struct vm_price price;
    uint32_t slot;
    uint8_t side;
};

/* VM_ORDER_PAGE orders of one position: the unit in which orders are rows. */
struct vm_order_page {
    uint64_t account; /* the position's */
    uint32_t market;
    uint32_t position;
    uint8_t page;
    uint8_t count;
    uint16_t taken;
    uint16_t committed; /* orders that the committed row has */
    uint16_t changed;   /* orders that may differ from it */
    struct vm_own_order own[VM_ORDER_PAGE];
    uint64_t client_id[VM_ORDER_PAGE]; /* 0 where not taken */
};

struct vm_session_cell {
    struct vm_session_row row;
    uint32_t account; /* slab index */
    bool live;
};

struct vm_tombstone_cell {
    struct vm_tombstone_row row;
    uint64_t account;
    uint64_t client_id;
    uint32_t market;
    bool live;
};

struct vm_param_cell {
    struct vm_param_row row;
    bool live;
};

struct vm_state {
    struct vm_slab slabs[VM_SLAB_COUNT];
    struct vm_rowset sets[VM_SET_COUNT];
    struct nv_critbit *indexes[VM_INDEX_COUNT];
    struct vm_block_result_row block_result;
    struct vm_root_row root;
    uint8_t *undo;
    size_t undo_used;
    size_t undo_cap;
    uint64_t scope; /* counts scopes; the current one while scope_open */
    bool scope_open;
    bool wide;                     /* vm_limits.wide */
    uint32_t address_rows;         /* seen while loading */
    struct vm_guess account_guess; /* by address */
    struct vm_guess level_guess;   /* by market, side and page */
    struct nv_pubkey *own_keys;    /* by account: the key found to be its own, or zeros */
    struct vm_cushion (*cushions)[VM_CUSHION_KINDS]; /* by account */
    uint64_t worn;                                   /* at least 1 */
    uint64_t worn_from;                              /* cushions from before are not known */
    uint64_t *safe_until; /* by VM_DUE_GROUP accounts: the clock may go so far */
};

/* vm__address_guess is what an account is guessed by. */
static inline uint64_t vm__address_guess(const struct nv_address *address)
{
    return nv_be64_load(address->bytes + 12);
}

/* vm__level_guess is what a page of price levels is guessed by. */
static inline uint64_t vm__level_guess(uint32_t market, uint8_t side, uint64_t page)
{
    return (page << 17) ^ ((uint64_t)market << 1) ^ side;
}

/* Accounts are found due by groups of so many. */
#define VM_DUE_GROUP 64u

/* vm__hint asks for the cache line of `at`.  gcc takes a function that does nothing
 * but prefetch for one without effect and leaves out its calls; an empty asm
 * statement is an effect. */
static inline void vm__hint(const void *at)
{
    __builtin_prefetch(at);
    __asm__ volatile("");
}

/* Cushions follow what happens to an account. */
void vm__cushion_cash(struct vm_state *s, uint32_t account, struct vm_money delta);
void vm__cushion_position(struct vm_state *s,
                          uint32_t account,
                          uint32_t market,
                          const struct vm_position_row *change);
void vm__cushion_order(struct vm_state *s, uint32_t slot);

/* Elements.  vm__at returns one; vm__mut saves it first if a scope is open. */
static inline void *vm__at(const struct vm_state *s, enum vm_slab_id id, uint32_t index)
{
    const struct vm_slab *const slab = &s->slabs[id];
    NV_ASSERT(index < slab->slots.cap);
    return slab->elements + (size_t)index * slab->size;
}

/* vm__save is what vm__mut does while a scope is open. */
void vm__save(struct vm_state *s, enum vm_slab_id id, uint32_t index);

static inline void *vm__mut(struct vm_state *s, enum vm_slab_id id, uint32_t index)
{
    if (s->scope_open) {
        vm__save(s, id, index);
    }
    return vm__at(s, id, index);
}

static inline bool vm__taken(const struct vm_state *s, enum vm_slab_id id, uint32_t index)
{
    return vm_slots_taken(&s->slabs[id].slots, index);
}

/* vm__create takes the lowest free slot and clears its element; VM_NONE when
 * full.  vm__create_at takes a given one.  vm__release gives one back. */
uint32_t vm__create(struct vm_state *s, enum vm_slab_id id);
void vm__create_at(struct vm_state *s, enum vm_slab_id id, uint32_t index);
void vm__release(struct vm_state *s, enum vm_slab_id id, uint32_t index);

/* Indexes, with undo. */
NV_MUST_USE bool vm__index_find(const struct vm_state *s,
                                enum vm_index_id id,
                                const struct nv_row_key *key,
                                uint32_t *value);
void vm__index_add(struct vm_state *s,
                   enum vm_index_id id,
                   const struct nv_row_key *key,
                   uint32_t value);
void vm__index_remove(struct vm_state *s, enum vm_index_id id, const struct nv_row_key *key);

/* vm__dirty notes that a row may have changed. */
static inline void vm__dirty(struct vm_state *s, enum vm_set_id id, uint32_t index)
{
    struct vm_rowset *const set = &s->sets[id];
    if (set->dirty[index] == 0) {
        set->dirty[index] = 1;
        set->list[set->list_count] = index;
        set->list_count++;
    }
}

/* vm__row_encode writes key and value of a row; false when there is no such
 * row (any more). */
NV_MUST_USE bool vm__row_encode(const struct vm_state *s,
                                enum vm_set_id id,
                                uint32_t index,
                                struct nv_row_key *key,
                                struct nv_writer *value);

/* vm__row_key writes the key alone, also of a row that has gone. */
void vm__row_key(const struct vm_state *s,
                 enum vm_set_id id,
                 uint32_t index,
                 struct nv_row_key *key);

/* vm__image_set makes `value` the committed value of a row. */
static inline void
vm__image_set(struct vm_state *s, enum vm_set_id id, uint32_t index, struct nv_view value)
{
    const struct vm_rowset *const set = &s->sets[id];
    vm__image_resize(set, index, value.size);
    memcpy(vm__image_bytes(set, index), value.bytes, value.size);
}

/* Loading.  _account is the slab index of an account that a key names; _accept
 * compares an element's own key with its row's and takes the value as committed.
 * _stake takes a row of the tables of stake, _stake_end compares them with each
 * other when all are there. */
NV_MUST_USE enum nv_err vm__load_account(const struct vm_state *s, uint64_t id, uint32_t *index);
NV_MUST_USE enum nv_err
vm__load_accept(struct vm_state *s, enum vm_set_id id, uint32_t index, const struct nv_row *row);
NV_MUST_USE enum nv_err vm__load_stake(struct vm_state *s, const struct nv_row *row);
NV_MUST_USE enum nv_err vm__load_stake_end(struct vm_state *s);

/* Positions. */
static inline struct vm_position_cell *vm__position(const struct vm_state *s, uint32_t index)
{
    return vm__at(s, VM_SLAB_POSITION, index);
}
bool vm__position_empty(const struct vm_position_cell *cell);
void vm__position_unlist(struct vm_state *s, uint32_t index);

/* Orders.  vm__order_adopt links an order that stands in its slot (its row,
 * market, position and ordinal are set) to its owner; vm__level_join links it
 * to its price level.  Both expect that there is room. */
void vm__order_adopt(struct vm_state *s, uint32_t slot);
void vm__level_join(struct vm_state *s, uint32_t slot);
void vm__level_leave(struct vm_state *s, uint32_t slot);
void vm__level_change(struct vm_state *s, uint32_t slot, struct vm_lots delta);
/* vm__level_room says whether an order at this place would find a page (there,
 * or a free one) and whether the level's sum stays in 64 bits. */
/* vm__level_open finds or makes the page of a place; VM_NONE when full. */
uint32_t vm__level_open(struct vm_state *s, uint32_t market, uint8_t side, uint64_t page);
/* vm__ordinal_lowest returns the lowest free ordinal of a position's orders, or
 * VM_ORDERS_ACCOUNT_MARKET_MAX. */
uint32_t vm__ordinal_lowest(const struct vm_position *p);
/* vm__order_counts says whether an order's lots and value fit its position's
 * counters, and whether there is a free page for it. */
bool vm__order_counts(const struct vm_state *s, uint32_t position, const struct vm_order_row *row);
bool vm__level_room(const struct vm_state *s, uint32_t market, const struct vm_order_row *row);

/* Sessions and tombstones. */
void vm__session_index_key(struct nv_row_key *key, uint64_t account, const struct nv_pubkey *k);

/* vm__scrubbed says whether the account was re-added already in the pass under
 * way, so that its changes must be added too. */
static inline bool vm__scrubbed(const struct vm_state *s, uint64_t account)
{
    const struct vm_chain_row *const chain = vm_chain(s);
    return account % VM_SCRUB_SLICES < chain->height % VM_SCRUB_SLICES;
}

#endif /* NV_VM_STATE_INTERNAL_H */
