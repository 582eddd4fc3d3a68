#ifndef NV_BASE_MERKLE_H
#define NV_BASE_MERKLE_H

/* merkle.h - the Merkle tree of a list (docs/spec/bytes.md section 3).
 *
 *     leaf  = SHA256(0x00 || data)
 *     inner = SHA256(0x01 || left || right)
 *     root  = SHA256(0x02 || count as u32 || top)
 *
 * The tree's shape is that of RFC 6962: a node without a right neighbour is
 * carried up as it is.  The root commits to the number of leaves, so the index
 * of a leaf and the depth of its path cannot be lied about.  The empty list has
 * the root SHA256(0x02 || 00000000).
 *
 * Pure; any thread; no memory but the stack. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"

/* A path never has more hashes than a count has bits. */
#define NV_MERKLE_PATH_MAX 32u

/* The tops of the complete subtrees so far: one a bit of `count`. */
struct nv_merkle {
    struct nv_hash top[NV_MERKLE_PATH_MAX];
    uint32_t count;
};

/* What it takes to check that one leaf is in a list. */
struct nv_merkle_path {
    struct nv_hash sibling[NV_MERKLE_PATH_MAX]; /* from the leaf upwards */
    uint32_t depth;                             /* siblings in use */
};

/* nv_merkle_leaf writes the leaf hash of `data`. */
void nv_merkle_leaf(struct nv_hash *out, struct nv_view data);

/* nv_merkle_inner writes the hash of a node over two others.  `out` may be one
 * of them. */
void nv_merkle_inner(struct nv_hash *out, const struct nv_hash *left, const struct nv_hash *right);

/* nv_merkle_init, _add and _finish compute a root leaf by leaf, in the list's
 * order.  _finish leaves the builder as it was, so that one may go on adding.
 * At most UINT32_MAX leaves. */
void nv_merkle_init(struct nv_merkle *builder);
void nv_merkle_add(struct nv_merkle *builder, const struct nv_hash *leaf);
void nv_merkle_finish(struct nv_hash *root, const struct nv_merkle *builder);

/* nv_merkle_root writes the root of `count` leaves given by their data. */
void nv_merkle_root(struct nv_hash *root, const struct nv_view *leaves, uint32_t count);

/* nv_merkle_root_of_hashes writes the root of `count` leaf hashes. */
void nv_merkle_root_of_hashes(struct nv_hash *root, const struct nv_hash *leaves, uint32_t count);

/* nv_merkle_path writes the path of leaf `index`, which is below `count`, from
 * the hashes of all leaves.  It hashes every other leaf's subtree once. */
void nv_merkle_path(struct nv_merkle_path *path,
                    const struct nv_hash *leaves,
                    uint32_t count,
                    uint32_t index);

/* nv_merkle_verify returns whether `path` shows that leaf `index` of the list
 * of `count` leaves under `root` has the hash `leaf`.  Any input is allowed; a
 * path of the wrong depth does not verify. */
NV_MUST_USE bool nv_merkle_verify(const struct nv_hash *root,
                                  const struct nv_merkle_path *path,
                                  const struct nv_hash *leaf,
                                  uint32_t count,
                                  uint32_t index);

#endif /* NV_BASE_MERKLE_H */
