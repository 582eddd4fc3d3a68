#include "base/merkle.h"

#include "base/assert.h"
#include "base/codec.h"

#include "base/pure.h"

#define PREFIX_LEAF  0x00u
#define PREFIX_INNER 0x01u
#define PREFIX_ROOT  0x02u

void nv_merkle_leaf(struct nv_hash *out, struct nv_view data)
{
    uint8_t const prefix = PREFIX_LEAF;
    struct nv_view const parts[2] = {nv_view_of(&prefix, 1), data};
    nv_sha256_parts(out, parts, 2);
}

void nv_merkle_inner(struct nv_hash *out, const struct nv_hash *left, const struct nv_hash *right)
{
    uint8_t node[65];
    node[0] = PREFIX_INNER;
    memcpy(node + 1, left->bytes, sizeof left->bytes);
    memcpy(node + 33, right->bytes, sizeof right->bytes);
    nv_sha256(out, nv_view_of(node, sizeof node));
}

/* seal makes the root of `count` leaves under `top`, which is NULL for none. */
static void seal(struct nv_hash *root, uint32_t count, const struct nv_hash *top)
{
    uint8_t bytes[37];
    bytes[0] = PREFIX_ROOT;
    nv_be32_store(bytes + 1, count);
    if (top != NULL) {
        memcpy(bytes + 5, top->bytes, sizeof top->bytes);
    }
    nv_sha256(root, nv_view_of(bytes, top != NULL ? 37 : 5));
}

void nv_merkle_init(struct nv_merkle *builder)
{
    builder->count = 0;
}

void nv_merkle_add(struct nv_merkle *builder, const struct nv_hash *leaf)
{
    NV_ASSERT(builder->count < UINT32_MAX);
    /* As in binary counting: a carry joins two subtrees of one height. */
    struct nv_hash node = *leaf;
    uint32_t height = 0;
    while (((builder->count >> height) & 1u) != 0) {
        nv_merkle_inner(&node, &builder->top[height], &node);
        height++;
    }
    builder->top[height] = node;
    builder->count++;
}

/* join_tops joins the subtrees of a non-empty builder, the smallest first. */
static void join_tops(struct nv_hash *top, const struct nv_merkle *builder)
{
    bool begun = false;
    for (uint32_t height = 0; height < NV_MERKLE_PATH_MAX; height++) {
        if (((builder->count >> height) & 1u) == 0) {
            continue;
        }
        if (begun) {
            nv_merkle_inner(top, &builder->top[height], top);
        } else {
            *top = builder->top[height];
            begun = true;
        }
    }
    NV_ASSERT(begun);
}

void nv_merkle_finish(struct nv_hash *root, const struct nv_merkle *builder)
{
    if (builder->count == 0) {
        seal(root, 0, NULL);
        return;
    }
    struct nv_hash top;
    join_tops(&top, builder);
    seal(root, builder->count, &top);
}

void nv_merkle_root(struct nv_hash *root, const struct nv_view *leaves, uint32_t count)
{
    struct nv_merkle builder;
    nv_merkle_init(&builder);
    for (uint32_t i = 0; i < count; i++) {
        struct nv_hash leaf;
        nv_merkle_leaf(&leaf, leaves[i]);
        nv_merkle_add(&builder, &leaf);
    }
    nv_merkle_finish(root, &builder);
}

void nv_merkle_root_of_hashes(struct nv_hash *root, const struct nv_hash *leaves, uint32_t count)
{
    struct nv_merkle builder;
    nv_merkle_init(&builder);
    for (uint32_t i = 0; i < count; i++) {
        nv_merkle_add(&builder, &leaves[i]);
    }
    nv_merkle_finish(root, &builder);
}

/* subtree writes the top of the leaves [first, first + count), count >= 1. */
static void
subtree(struct nv_hash *top, const struct nv_hash *leaves, uint32_t first, uint32_t count)
{
    struct nv_merkle builder;
    nv_merkle_init(&builder);
    for (uint32_t i = 0; i < count; i++) {
        nv_merkle_add(&builder, &leaves[first + i]);
    }
    join_tops(top, &builder);
}

void nv_merkle_path(struct nv_merkle_path *path,
                    const struct nv_hash *leaves,
                    uint32_t count,
                    uint32_t index)
{
    NV_ASSERT(index < count);
    path->depth = 0;
    /* A level at a time: the node over [node << height, ...) and its sibling,
     * which is absent when the node is the last one and even. */
    uint32_t node = index;
    uint32_t last = count - 1; /* the last node of this level */
    for (uint32_t height = 0; last > 0; height++) {
        uint32_t const sibling = node ^ 1u;
        if (sibling <= last) {
            NV_ASSERT(path->depth < NV_MERKLE_PATH_MAX);
            uint32_t const first = sibling << height;
            uint64_t const full = (uint64_t)1 << height;
            uint64_t const left = (uint64_t)count - first;
            subtree(
                &path->sibling[path->depth], leaves, first, (uint32_t)(left < full ? left : full));
            path->depth++;
        }
        node >>= 1;
        last >>= 1;
    }
}

/* SPEC bytes 3.4: "A path that is too short or too long, or `i >= n`, MUST be refused." */
bool nv_merkle_verify(const struct nv_hash *root,
                      const struct nv_merkle_path *path,
                      const struct nv_hash *leaf,
                      uint32_t count,
                      uint32_t index)
{
    if (index >= count) {
        return false;
    }
    struct nv_hash top = *leaf;
    uint32_t used = 0; /* at most one a level, so below NV_MERKLE_PATH_MAX when read */
    uint32_t node = index;
    for (uint32_t last = count - 1; last > 0; last >>= 1) {
        if ((node ^ 1u) <= last) {
            if (used == path->depth) {
                return false;
            }
            const struct nv_hash *const sibling = &path->sibling[used];
            nv_merkle_inner(
                &top, (node & 1u) != 0 ? sibling : &top, (node & 1u) != 0 ? &top : sibling);
            used++;
        }
        node >>= 1;
    }
    struct nv_hash got;
    seal(&got, count, &top);
    return used == path->depth && nv_hash_eq(&got, root);
}
