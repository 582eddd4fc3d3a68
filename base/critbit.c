#include "base/critbit.h"

#include <string.h>

#include "base/assert.h"

#include "base/pure.h"

/* A reference names the leaf or the inner node of a slot.  The root reference
 * of an empty index is NONE. */
#define LEAF 0x80000000u
#define NONE 0xffffffffu
/* The bit of an inner node that is not in use. */
#define NO_BIT 0xffffffffu
/* The children of a slot that is free as a whole. */
#define FREE 0xfffffffeu

#define KEY_BITS (8u * NV_CRITBIT_KEY_SIZE)

/* n keys need n leaves and n - 1 inner nodes, so every slot is one of each, and
 * exactly one slot has no inner node.  The inner node of a slot, if in use, is
 * an ancestor of the slot's leaf: whoever walks down to a leaf meets it, which
 * is what makes removal possible without parent links. */
struct slot {
    uint8_t key[NV_CRITBIT_KEY_SIZE];
    uint32_t value;    /* of a free slot: the next free one, or NONE */
    uint32_t bit;      /* the bit that the inner node decides on, or NO_BIT */
    uint32_t child[2]; /* references, by that bit */
};

struct nv_critbit {
    uint32_t cap;
    uint32_t count;
    uint32_t root;  /* reference */
    uint32_t fresh; /* slots from here on were never used */
    uint32_t spare; /* the first free slot below `fresh`, or NONE */
    struct slot slot[];
};

_Static_assert(sizeof(struct slot) == 48, "no padding in what is copied");
_Static_assert(sizeof(struct nv_critbit) == 20, "no padding in what is copied");
_Static_assert(NV_CRITBIT_CAP_MAX <= (FREE & ~LEAF), "neither NONE nor FREE is a reference");

static bool is_leaf(uint32_t reference)
{
    return (reference & LEAF) != 0;
}

/* key_bit returns bit `bit` of a key, 0 being the highest of the first byte. */
static uint32_t key_bit(const uint8_t *key32, uint32_t bit)
{
    return ((uint32_t)key32[bit >> 3] >> (7u - (bit & 7u))) & 1u;
}

/* first_difference returns the first bit in which two keys differ, or KEY_BITS. */
static uint32_t first_difference(const uint8_t *a, const uint8_t *b)
{
    for (uint32_t i = 0; i < NV_CRITBIT_KEY_SIZE; i++) {
        uint32_t const differ = (uint32_t)a[i] ^ (uint32_t)b[i];
        if (differ != 0) {
            return 8 * i + (uint32_t)__builtin_clz(differ) - 24u;
        }
    }
    return KEY_BITS;
}

static void index_check(const struct nv_critbit *index)
{
    NV_ASSERT(index->count <= index->fresh);
    NV_ASSERT(index->fresh <= index->cap);
    NV_ASSERT((index->count == 0) == (index->root == NONE));
}

size_t nv_critbit_footprint(uint32_t cap)
{
    NV_ASSERT(cap <= NV_CRITBIT_CAP_MAX);
    return sizeof(struct nv_critbit) + (size_t)cap * sizeof(struct slot);
}

struct nv_critbit *nv_critbit_init(void *memory, uint32_t cap)
{
    NV_ASSERT(memory != NULL && (uintptr_t)memory % 4 == 0);
    NV_ASSERT(cap <= NV_CRITBIT_CAP_MAX);
    struct nv_critbit *const index = (struct nv_critbit *)memory;
    *index = (struct nv_critbit){.cap = cap, .root = NONE, .spare = NONE};
    return index;
}

uint32_t nv_critbit_count(const struct nv_critbit *index)
{
    return index->count;
}

uint32_t nv_critbit_cap(const struct nv_critbit *index)
{
    return index->cap;
}

size_t nv_critbit_used(const struct nv_critbit *index)
{
    return sizeof *index + (size_t)index->fresh * sizeof(struct slot);
}

/* nearest returns the slot of the leaf that the bits of `key32` lead to.  The
 * index is not empty. */
static uint32_t nearest(const struct nv_critbit *index, const uint8_t *key32)
{
    const struct slot *const slot = index->slot;
    uint32_t at = index->root;
    while (!is_leaf(at)) {
        at = slot[at].child[key_bit(key32, slot[at].bit)];
    }
    return at & ~LEAF;
}

/* find returns the slot of a key, or NONE. */
static uint32_t find(const struct nv_critbit *index, const uint8_t *key32)
{
    if (index->count == 0) {
        return NONE;
    }
    uint32_t const leaf = nearest(index, key32);
    bool const same = memcmp(index->slot[leaf].key, key32, NV_CRITBIT_KEY_SIZE) == 0;
    return same ? leaf : NONE;
}

bool nv_critbit_lookup(const struct nv_critbit *index, const uint8_t *key32, uint32_t *value)
{
    uint32_t const leaf = find(index, key32);
    if (leaf == NONE) {
        return false;
    }
    *value = index->slot[leaf].value;
    return true;
}

bool nv_critbit_set(struct nv_critbit *index, const uint8_t *key32, uint32_t value)
{
    uint32_t const leaf = find(index, key32);
    if (leaf == NONE) {
        return false;
    }
    index->slot[leaf].value = value;
    return true;
}

/* slot_take returns a slot that holds the key and no inner node. */
static uint32_t slot_take(struct nv_critbit *index, const uint8_t *key32, uint32_t value)
{
    uint32_t at = index->spare;
    if (at != NONE) {
        index->spare = index->slot[at].value;
    } else {
        NV_ASSERT(index->fresh < index->cap);
        at = index->fresh;
        index->fresh++;
    }
    struct slot *const slot = &index->slot[at];
    *slot = (struct slot){.value = value, .bit = NO_BIT, .child = {NONE, NONE}};
    memcpy(slot->key, key32, sizeof slot->key);
    index->count++;
    return at;
}

/* hang puts the inner node of slot `added` into the path of its key, above the
 * first node that decides on a later bit than `bit`. */
static void hang(struct nv_critbit *index, uint32_t added, uint32_t bit)
{
    struct slot *const slot = index->slot;
    uint32_t *link = &index->root;
    while (!is_leaf(*link) && slot[*link].bit < bit) {
        link = &slot[*link].child[key_bit(slot[added].key, slot[*link].bit)];
    }
    uint32_t const side = key_bit(slot[added].key, bit);
    slot[added].bit = bit;
    slot[added].child[side] = added | LEAF;
    slot[added].child[1 - side] = *link;
    *link = added;
}

enum nv_err nv_critbit_insert(struct nv_critbit *index, const uint8_t *key32, uint32_t value)
{
    if (index->count == 0) {
        if (index->cap == 0) {
            return NV_ERR_NO_MEMORY;
        }
        index->root = slot_take(index, key32, value) | LEAF;
        return NV_OK;
    }
    uint32_t const leaf = nearest(index, key32);
    uint32_t const bit = first_difference(index->slot[leaf].key, key32);
    if (bit == KEY_BITS) {
        return NV_ERR_EXISTS;
    }
    if (index->count == index->cap) {
        return NV_ERR_NO_MEMORY;
    }
    hang(index, slot_take(index, key32, value), bit);
    index_check(index);
    return NV_OK;
}

/* The way to a leaf, as far as removal needs it. */
struct way {
    uint32_t *leaf_link;   /* the link to the leaf */
    uint32_t *parent_link; /* the link to the inner node above it */
    uint32_t *inner_link;  /* the link to the inner node of the leaf's own slot */
    uint32_t parent;       /* slot of the inner node above it, or NONE */
};

static void walk(struct way *way, struct nv_critbit *index, uint32_t leaf)
{
    struct slot *const slot = index->slot;
    *way = (struct way){.leaf_link = &index->root, .parent = NONE};
    while (!is_leaf(*way->leaf_link)) {
        uint32_t const node = *way->leaf_link;
        if (node == leaf) {
            way->inner_link = way->leaf_link;
        }
        way->parent = node;
        way->parent_link = way->leaf_link;
        way->leaf_link = &slot[node].child[key_bit(slot[leaf].key, slot[node].bit)];
    }
    NV_ASSERT(*way->leaf_link == (leaf | LEAF));
}

/* unhang takes the leaf and the inner node above it out of the tree.  Where
 * that inner node lies in another slot, the one of the leaf's slot moves there,
 * so that the leaf's slot is free as a whole.  It keeps to the rule: being an
 * ancestor of the parent, it is one of the leaf in the parent's slot. */
static void unhang(struct nv_critbit *index, uint32_t leaf)
{
    struct slot *const slot = index->slot;
    struct way way;
    walk(&way, index, leaf);
    if (way.parent == NONE) {
        index->root = NONE;
        return;
    }
    struct slot *const parent = &slot[way.parent];
    uint32_t const side = key_bit(slot[leaf].key, parent->bit);
    *way.parent_link = parent->child[1 - side];
    parent->bit = NO_BIT;
    if (way.inner_link != NULL && way.parent != leaf) {
        *way.inner_link = way.parent;
        parent->bit = slot[leaf].bit;
        parent->child[0] = slot[leaf].child[0];
        parent->child[1] = slot[leaf].child[1];
    }
}

bool nv_critbit_remove(struct nv_critbit *index, const uint8_t *key32, uint32_t *value)
{
    uint32_t const leaf = find(index, key32);
    if (leaf == NONE) {
        return false;
    }
    struct slot *const slot = &index->slot[leaf];
    if (value != NULL) {
        *value = slot->value;
    }
    unhang(index, leaf);
    *slot = (struct slot){.value = index->spare, .bit = NO_BIT, .child = {FREE, FREE}};
    index->spare = leaf;
    index->count--;
    index_check(index);
    return true;
}

/* seek writes the first entry at or, when `strict`, after the place of a key. */
static bool seek(const struct nv_critbit *index,
                 const uint8_t *key32,
                 bool strict,
                 struct nv_critbit_entry *out)
{
    if (index->count == 0) {
        return false;
    }
    const struct slot *const slot = index->slot;
    uint32_t const bit = first_difference(slot[nearest(index, key32)].key, key32);
    /* Down to the largest subtree that agrees with the key up to `bit`, noting
     * what comes right after it. */
    uint32_t at = index->root;
    uint32_t after = NONE;
    while (!is_leaf(at) && slot[at].bit < bit) {
        uint32_t const side = key_bit(key32, slot[at].bit);
        after = side == 0 ? slot[at].child[1] : after;
        at = slot[at].child[side];
    }
    bool const here = bit == KEY_BITS ? !strict : key_bit(key32, bit) == 0;
    at = here ? at : after;
    if (at == NONE) {
        return false;
    }
    while (!is_leaf(at)) {
        at = slot[at].child[0];
    }
    at &= ~LEAF;
    *out = (struct nv_critbit_entry){.key32 = slot[at].key, .value = slot[at].value};
    return true;
}

bool nv_critbit_lower_bound(const struct nv_critbit *index,
                            const uint8_t *key32,
                            struct nv_critbit_entry *out)
{
    return seek(index, key32, false, out);
}

bool nv_critbit_next(const struct nv_critbit *index,
                     const uint8_t *key32,
                     struct nv_critbit_entry *out)
{
    return seek(index, key32, true, out);
}

/* --- is a block that came from elsewhere an index? ------------------------- */

/* A subtree that is still to be visited, and the bit of the node whose right
 * side it is: it is where its keys first differ from the ones before. */
struct pending {
    uint32_t reference;
    uint32_t bit;
};

struct visit {
    struct pending stack[KEY_BITS]; /* the bits increase from the first on */
    uint32_t depth;
    uint32_t leaves;
    const uint8_t *previous; /* key of the leaf before */
};

/* descend goes down the left sides and leaves the right sides on the stack.  It
 * returns the slot of the leaf it comes to, or NONE. */
static uint32_t descend(struct visit *visit, const struct nv_critbit *index, struct pending from)
{
    const struct slot *const slot = index->slot;
    uint32_t at = from.reference;
    uint32_t above = from.bit; /* NO_BIT over the root */
    while (!is_leaf(at)) {
        if (at >= index->fresh || slot[at].bit >= KEY_BITS ||
            (above != NO_BIT && slot[at].bit <= above)) {
            return NONE;
        }
        above = slot[at].bit;
        visit->stack[visit->depth] = (struct pending){slot[at].child[1], above};
        visit->depth++;
        at = slot[at].child[0];
    }
    at &= ~LEAF;
    return at < index->fresh ? at : NONE;
}

/* leaf_follows returns whether the leaf may come after the one before, `bit`
 * being what the node decides on that joins them (NO_BIT for the first). */
static bool
leaf_follows(struct visit *visit, const struct nv_critbit *index, uint32_t leaf, uint32_t bit)
{
    const struct slot *const slot = index->slot;
    const uint8_t *const key = slot[leaf].key;
    bool const ordered =
        bit == NO_BIT || (first_difference(visit->previous, key) == bit && key_bit(key, bit) == 1);
    visit->previous = key;
    visit->leaves++;
    return ordered && slot[leaf].child[0] != FREE;
}

/* tree_is_sound visits all leaves in order.  Their keys increase, so none is met
 * twice, and the visit ends. */
static bool tree_is_sound(const struct nv_critbit *index)
{
    struct visit visit = {.depth = 0};
    struct pending next = {index->root, NO_BIT};
    for (;;) {
        uint32_t const leaf = descend(&visit, index, next);
        if (leaf == NONE || !leaf_follows(&visit, index, leaf, next.bit)) {
            return false;
        }
        if (visit.depth == 0) {
            return visit.leaves == index->count;
        }
        visit.depth--;
        next = visit.stack[visit.depth];
    }
}

/* slots_are_sound checks, in a sound tree, that each inner node is an ancestor
 * of its slot's leaf.  (That the slots in use are those of the tree follows: it
 * has `count` leaves in as many slots, and the others are spare.) */
static bool slots_are_sound(const struct nv_critbit *index)
{
    const struct slot *const slot = index->slot;
    for (uint32_t i = 0; i < index->fresh; i++) {
        if (slot[i].child[0] == FREE || slot[i].bit == NO_BIT) {
            continue;
        }
        uint32_t at = index->root;
        while (!is_leaf(at) && at != i) {
            at = slot[at].child[key_bit(slot[i].key, slot[at].bit)];
        }
        if (at != i) {
            return false;
        }
    }
    return true;
}

/* spare_is_sound checks that the list of free slots holds each of them once: a
 * list that ends after as many as there are cannot hold one twice. */
static bool spare_is_sound(const struct nv_critbit *index)
{
    const struct slot *const slot = index->slot;
    uint32_t at = index->spare;
    for (uint32_t left = index->fresh - index->count; left > 0; left--) {
        if (at >= index->fresh || slot[at].child[0] != FREE) {
            return false;
        }
        at = slot[at].value;
    }
    return at == NONE;
}

bool nv_critbit_sound(const void *memory, size_t size, uint32_t cap)
{
    if (size < sizeof(struct nv_critbit) || (uintptr_t)memory % 4 != 0 ||
        cap > NV_CRITBIT_CAP_MAX) {
        return false;
    }
    const struct nv_critbit *const index = (const struct nv_critbit *)memory;
    if (index->cap > cap || index->fresh > index->cap || index->count > index->fresh ||
        size < nv_critbit_used(index) || !spare_is_sound(index)) {
        return false;
    }
    if (index->count == 0) {
        return index->root == NONE;
    }
    return tree_is_sound(index) && slots_are_sound(index);
}
