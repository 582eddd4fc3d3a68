#ifndef NV_STORAGE_TREE_H
#define NV_STORAGE_TREE_H

/* tree.h - the authenticated tree in memory, with versions (private).
 *
 * A crit-bit tree over the keys.  An inner node holds the hashes of its two
 * children, so hashing a changed path touches the path alone, and the bytes to
 * be hashed lie together:
 *
 *     | child 0 | child 1 | unused | 01 | depth | hash 0 ... | hash 1 ... |
 *                                  '------------ 66 bytes hashed ---------'
 *
 * Nodes are immutable.  A change copies the nodes from the root to the leaf; a
 * *version* is a root and shares what did not change with its neighbours.  What
 * version v replaced is in v's part of the list of retired nodes, and is reused
 * when version v - 1 is released.  Versions are released oldest first, so that
 * list is a ring.
 *
 * A tree is changed by one thread.  Nothing in it refers to an address. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/row.h"

#include "storage/slab.h"
#include "storage/storage.h"

/* A node by its index in its slab, with the highest bit set for a leaf; 0 is no
 * node. */
#define ST__LEAF 0x80000000u

#define ST__ROWS_MAX (1u << 29)

struct st__inner {
    uint32_t child[2];
    uint8_t unused[6];
    uint8_t tag; /* 0x01, the first byte that is hashed */
    uint8_t depth;
    uint8_t hash[2][32]; /* of the children */
};

_Static_assert(sizeof(struct st__inner) == 80, "no padding");
_Static_assert(offsetof(struct st__inner, hash) == offsetof(struct st__inner, tag) + 2,
               "what is hashed lies together");

struct st__leaf {
    struct nv_row_key key;
    uint32_t value; /* index in the slab of its size; 0 when empty */
    uint32_t size;
};

#define ST__VALUE_CLASSES 14u

struct st__version {
    struct st_head head;
    uint32_t root;
    uint64_t retired_end; /* in the ring: what versions up to this one replaced */
};

/* One write on its way into the tree. */
struct st__op {
    const struct nv_row *row;
    uint32_t diff; /* first bit in which it differs from the leaf found; 256: none */
};

struct st__tree {
    struct st_limits limits;
    struct st__slab inners;
    struct st__slab leaves;
    struct st__slab values[ST__VALUE_CLASSES];
    struct st__version *versions; /* ring */
    uint32_t version_first;       /* the oldest */
    uint32_t version_count;       /* at least 1 */
    uint32_t *retired;            /* ring of nodes */
    uint32_t retired_cap;
    uint64_t retired_begin; /* counts all that ever were; modulo the capacity: the place */
    uint64_t retired_end;
    struct st__op *ops; /* scratch of one change */
};

/* ---- tree.c ---- */

size_t st__tree_footprint(const struct st_limits *limits);

/* st__tree_init makes a tree of one version of height 0 without rows, in
 * zeroed memory of the arena. */
void st__tree_init(struct st__tree *tree, struct nv_arena *arena, const struct st_limits *limits);

/* st__tree_version returns the version of a height, or NULL. */
const struct st__version *st__tree_version(const struct st__tree *tree, uint64_t height);
const struct st__version *st__tree_newest(const struct st__tree *tree);

/* st__tree_release gives back the oldest of at least two versions. */
void st__tree_release(struct st__tree *tree);

/* st__tree_push makes a version the newest, releasing the oldest when there
 * are versions_max. */
void st__tree_push(struct st__tree *tree, const struct st_head *head, uint32_t root);

/* st__take takes a cell of a slab of the tree, releasing versions but the newest
 * until there is one.  With one version left there is, by the sizes of the
 * slabs. */
uint32_t st__take(struct st__tree *tree, struct st__slab *slab);

/* st__value_class returns the slab of values of `size` bytes, at least 1. */
uint32_t st__value_class(uint32_t size);

/* st__leaf_new makes a leaf and writes its hash (32 bytes). */
uint32_t st__leaf_new(struct st__tree *tree, uint8_t *hash32, const struct nv_row *row);

/* st__inner_hash writes the hash of a node whose fields are complete. */
void st__inner_hash(uint8_t *hash32, const struct st__inner *node);

/* st__tree_check asserts what holds between calls. */
void st__tree_check(const struct st__tree *tree);

static inline bool st__is_leaf(uint32_t ref)
{
    return (ref & ST__LEAF) != 0;
}

static inline struct st__inner *st__inner_at(const struct st__tree *tree, uint32_t ref)
{
    return (struct st__inner *)st__slab_at(&tree->inners, ref);
}

static inline struct st__leaf *st__leaf_at(const struct st__tree *tree, uint32_t ref)
{
    return (struct st__leaf *)st__slab_at(&tree->leaves, ref & ~ST__LEAF);
}

/* ---- tree_apply.c ---- */

/* st__tree_apply makes the next version of the newest one by a write set.
 * NV_ERR_NO_MEMORY, with nothing changed, when the rows would be too many. */
NV_MUST_USE enum nv_err st__tree_apply(struct st__tree *tree,
                                       const struct st_head *head,
                                       const struct nv_row *writes,
                                       uint32_t count);

/* ---- tree_load.c ---- */

/* A subtree whose right side is still to come. */
struct st__open {
    uint32_t depth;
    uint32_t left;
    uint8_t left_hash[32];
};

/* Builds the tree from rows in ascending order, into a tree without rows. */
struct st__loader {
    struct st__tree *tree;
    uint64_t count;
    uint32_t last; /* the leaf added last */
    uint32_t top;  /* the subtree that is complete, its hash below */
    uint8_t top_hash[32];
    uint32_t height; /* open subtrees */
    struct st__open open[NV_ROW_KEY_BITS];
};

void st__load_begin(struct st__loader *loader, struct st__tree *tree);

/* st__load_row adds a row; the rows come from a disk.  NV_ERR_CORRUPT when its
 * key does not ascend or its value is too large, NV_ERR_NO_MEMORY beyond
 * rows_max. */
NV_MUST_USE enum nv_err st__load_row(struct st__loader *loader, const struct nv_row *row);

/* st__load_end makes the rows the only version, of `height` and `block_hash`,
 * and writes its root and count. */
void st__load_end(struct st__loader *loader, struct st_head *head);

/* ---- tree_read.c ---- */

const struct st__leaf *
st__tree_find(const struct st__tree *tree, uint32_t root, const struct nv_row_key *key);

struct nv_view st__leaf_value(const struct st__tree *tree, const struct st__leaf *leaf);

/* st__tree_rows reads the rows of a range, at most `rows_max`; it returns how
 * many. */
uint32_t st__tree_rows(const struct st__tree *tree,
                       struct nv_row *rows,
                       uint32_t root,
                       const struct nv_row_range *range,
                       uint32_t rows_max);

/* ---- tree_prove.c ---- */

NV_MUST_USE enum nv_err st__tree_prove(const struct st__tree *tree,
                                       struct nv_writer *proof,
                                       uint32_t root,
                                       const struct nv_row_range *ranges,
                                       uint32_t range_count);

#endif /* NV_STORAGE_TREE_H */
