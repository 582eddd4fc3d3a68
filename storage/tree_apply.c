#include "base/assert.h"

#include "storage/tree.h"

/* A write set becomes a version in one pass down and up the tree: sorted writes
 * go down together, each inner node that has writes below it is copied, and
 * hashes are made on the way up.
 *
 * Whether a key is new shows only at the leaf that its bits lead to: there, the
 * first bit in which the two keys differ says where on the path the new one
 * belongs.  So before a few writes go down, they are walked down, all at a time
 * so that their cache misses overlap; that also brings their path into the
 * cache.  Higher up, only the outermost writes of a span need it, and are
 * walked alone.
 *
 * Spans of writes in different subtrees share nothing but the slabs and the
 * list of retired nodes, so with slabs of their own subtrees could go to
 * different threads. */

/* Keys walked at a time. */
#define WALK_GROUP 64u

struct change {
    struct st__tree *tree;
    struct st__op *ops; /* sorted */
    uint32_t walked;    /* ops before this one went down in a group that was walked */
    uint64_t inserts;
    uint64_t removals;
};

/* Some of the ops, from `lo` to before `hi`. */
struct span {
    uint32_t lo;
    uint32_t hi;
};

static bool span_empty(struct span span)
{
    return span.lo == span.hi;
}

/* ---- walking ---- */

/* The diff of an op that was not walked. */
#define UNKNOWN UINT32_MAX

static void prefetch(const struct st__tree *tree, uint32_t ref)
{
    if (st__is_leaf(ref)) {
        __builtin_prefetch(st__leaf_at(tree, ref));
    } else {
        const uint8_t *const node = (const uint8_t *)st__inner_at(tree, ref);
        __builtin_prefetch(node);
        __builtin_prefetch(node + sizeof(struct st__inner) - 1);
    }
}

/* walk_step takes the walk of a key one node down; it returns false when it is
 * at a leaf already. */
static bool walk_step(const struct st__tree *tree, uint32_t *ref, const struct nv_row_key *key)
{
    if (st__is_leaf(*ref)) {
        return false;
    }
    const struct st__inner *const node = st__inner_at(tree, *ref);
    *ref = node->child[nv_row_key_bit(key, node->depth) ? 1 : 0];
    prefetch(tree, *ref);
    return true;
}

/* walk finds the diffs of at most WALK_GROUP ops that come to a node. */
static void walk(const struct change *c, uint32_t ref, struct span span)
{
    uint32_t refs[WALK_GROUP];
    struct st__op *const ops = c->ops + span.lo;
    uint32_t const count = span.hi - span.lo;
    NV_ASSERT(count <= WALK_GROUP);
    for (uint32_t i = 0; i < count; i++) {
        refs[i] = ref;
    }
    bool moved = true;
    while (moved) {
        moved = false;
        for (uint32_t i = 0; i < count; i++) {
            moved = walk_step(c->tree, &refs[i], &ops[i].row->key) || moved;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        ops[i].diff = nv_row_key_diff(&st__leaf_at(c->tree, refs[i])->key, &ops[i].row->key);
    }
}

/* diff_of returns an op's diff; the op comes to the node `ref`. */
static uint32_t diff_of(const struct change *c, uint32_t ref, uint32_t op)
{
    if (c->ops[op].diff == UNKNOWN) {
        walk(c, ref, (struct span){op, op + 1});
    }
    return c->ops[op].diff;
}

/* ---- changing ---- */

static void retire(struct st__tree *tree, uint32_t ref)
{
    NV_ASSERT(tree->retired_end - tree->retired_begin < tree->retired_cap);
    tree->retired[tree->retired_end++ % tree->retired_cap] = ref;
}

/* split returns the first op of a span whose key has bit `depth`; the keys of
 * the span agree in the bits before. */
static uint32_t split(const struct change *c, struct span span, uint32_t depth)
{
    while (span.lo < span.hi) {
        uint32_t const mid = span.lo + (span.hi - span.lo) / 2;
        if (nv_row_key_bit(&c->ops[mid].row->key, depth)) {
            span.hi = mid;
        } else {
            span.lo = mid + 1;
        }
    }
    return span.lo;
}

/* finish completes a new node and writes its hash. */
static void finish(struct st__inner *node, uint8_t *hash_out, uint32_t depth)
{
    node->tag = 0x01;
    node->depth = (uint8_t)depth;
    st__inner_hash(hash_out, node);
}

/* build makes a tree of puts of new keys.  It goes at most NV_ROW_KEY_BITS
 * deep, as the depth of nodes ascends. */
static uint32_t build(struct change *c, uint8_t *hash_out, struct span span)
{
    if (span.hi - span.lo == 1) {
        return st__leaf_new(c->tree, hash_out, c->ops[span.lo].row);
    }
    const struct nv_row *const first = c->ops[span.lo].row;
    const struct nv_row *const last = c->ops[span.hi - 1].row;
    uint32_t const depth = nv_row_key_diff(&first->key, &last->key);
    uint32_t const middle = split(c, span, depth);
    uint32_t const index = st__take(c->tree, &c->tree->inners);
    struct st__inner *const node = st__inner_at(c->tree, index);
    node->child[0] = build(c, node->hash[0], (struct span){span.lo, middle});
    node->child[1] = build(c, node->hash[1], (struct span){middle, span.hi});
    finish(node, hash_out, depth);
    return index;
}

/* join puts new keys beside a subtree from which they all differ first in bit
 * `depth`.  The subtree may have become empty (0); its hash is in and out. */
static uint32_t
join(struct change *c, uint8_t *hash, uint32_t subtree, struct span span, uint32_t depth)
{
    if (subtree == 0) {
        return build(c, hash, span);
    }
    uint32_t const side = nv_row_key_bit(&c->ops[span.lo].row->key, depth) ? 1 : 0;
    uint32_t const index = st__take(c->tree, &c->tree->inners);
    struct st__inner *const node = st__inner_at(c->tree, index);
    node->child[side] = build(c, node->hash[side], span);
    node->child[1 - side] = subtree;
    memcpy(node->hash[1 - side], hash, sizeof node->hash[0]);
    finish(node, hash, depth);
    return index;
}

/* join_all puts the keys of two spans beside a subtree, those in `low` before
 * and those in `high` after it: first the ones that differ from it last.  They
 * share most with it, so they come to lie deepest. */
static uint32_t
join_all(struct change *c, uint8_t *hash, uint32_t subtree, struct span low, struct span high)
{
    while (!span_empty(low) || !span_empty(high)) {
        uint32_t const before = span_empty(low) ? 0 : c->ops[low.hi - 1].diff;
        uint32_t const after = span_empty(high) ? 0 : c->ops[high.lo].diff;
        bool const from_low = span_empty(high) || (!span_empty(low) && before > after);
        uint32_t const depth = from_low ? before : after;
        struct span span =
            from_low ? (struct span){low.hi, low.hi} : (struct span){high.lo, high.lo};
        while (from_low && span.lo > low.lo && c->ops[span.lo - 1].diff == depth) {
            span.lo--;
        }
        while (!from_low && span.hi < high.hi && c->ops[span.hi].diff == depth) {
            span.hi++;
        }
        low.hi = from_low ? span.lo : low.hi;
        high.lo = from_low ? high.lo : span.hi;
        subtree = join(c, hash, subtree, span, depth);
    }
    return subtree;
}

static uint32_t change_node(
    struct change *c, uint8_t *hash_out, uint32_t ref, const uint8_t *hash, struct span ops);

/* change_inner copies an inner node with the ops that belong below it. */
static uint32_t change_inner(struct change *c, uint8_t *hash_out, uint32_t ref, struct span span)
{
    const struct st__inner *const old = st__inner_at(c->tree, ref);
    uint32_t const middle = split(c, span, old->depth);
    uint32_t const index = st__take(c->tree, &c->tree->inners);
    struct st__inner *const node = st__inner_at(c->tree, index);
    struct span const left = {span.lo, middle};
    struct span const right = {middle, span.hi};
    node->child[0] = change_node(c, node->hash[0], old->child[0], old->hash[0], left);
    node->child[1] = change_node(c, node->hash[1], old->child[1], old->hash[1], right);
    retire(c->tree, ref);
    if (node->child[0] != 0 && node->child[1] != 0) {
        finish(node, hash_out, old->depth);
        return index;
    }
    uint32_t const side = node->child[0] != 0 ? 0 : 1;
    uint32_t const child = node->child[side];
    memcpy(hash_out, node->hash[side], sizeof node->hash[0]);
    st__slab_give(&c->tree->inners, index);
    return child;
}

/* puts_of leaves in a span the ops that put, and counts them: removing what is
 * not there changes nothing. */
static struct span puts_of(struct change *c, struct span span)
{
    uint32_t kept = span.lo;
    for (uint32_t i = span.lo; i < span.hi; i++) {
        if (c->ops[i].row->value.bytes != NULL) {
            c->ops[kept++] = c->ops[i];
        }
    }
    c->inserts += kept - span.lo;
    return (struct span){span.lo, kept};
}

/* change_leaf replaces or removes a row. */
static uint32_t change_leaf(struct change *c, uint8_t *hash_out, uint32_t ref, struct span own)
{
    const struct nv_row *const row = c->ops[own.lo].row;
    NV_ASSERT(own.hi - own.lo == 1);
    retire(c->tree, ref);
    if (row->value.bytes == NULL) {
        c->removals++;
        return 0;
    }
    return st__leaf_new(c->tree, hash_out, row);
}

/* change_node applies a span of ops to a subtree with hash `hash`, and returns
 * what becomes of it, its hash in `hash_out`; 0 when no row is left.  It goes
 * at most NV_ROW_KEY_BITS + 1 deep. */
static uint32_t
change_node(struct change *c, uint8_t *hash_out, uint32_t ref, const uint8_t *hash, struct span ops)
{
    if (span_empty(ops)) { /* not even looked at: that would be a cache miss */
        memcpy(hash_out, hash, sizeof(struct nv_hash));
        return ref;
    }
    if (ops.lo >= c->walked && ops.hi - ops.lo <= WALK_GROUP) {
        walk(c, ref, ops);
        c->walked = ops.hi;
    }
    uint32_t const depth = st__is_leaf(ref) ? NV_ROW_KEY_BITS : st__inner_at(c->tree, ref)->depth;
    /* Keys that leave the path above this node lie before or after all of its
     * keys; they come beside it. */
    struct span own = ops;
    while (own.lo < own.hi && diff_of(c, ref, own.lo) < depth &&
           !nv_row_key_bit(&c->ops[own.lo].row->key, c->ops[own.lo].diff)) {
        own.lo++;
    }
    while (own.lo < own.hi && diff_of(c, ref, own.hi - 1) < depth) {
        own.hi--;
    }
    uint32_t subtree = 0;
    if (span_empty(own)) {
        memcpy(hash_out, hash, sizeof(struct nv_hash));
        subtree = ref;
    } else if (!st__is_leaf(ref)) {
        subtree = change_inner(c, hash_out, ref, own);
    } else {
        subtree = change_leaf(c, hash_out, ref, own);
    }
    struct span const low = puts_of(c, (struct span){ops.lo, own.lo});
    struct span const high = puts_of(c, (struct span){own.hi, ops.hi});
    return join_all(c, hash_out, subtree, low, high);
}

/* ---- the whole ---- */

/* too_many returns whether the rows would be more than allowed. */
static bool too_many(const struct st__tree *tree, const struct nv_row *writes, uint32_t count)
{
    const struct st__version *const base = st__tree_newest(tree);
    uint64_t rows = base->head.row_count;
    if (rows + count <= tree->limits.rows_max) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool const there = st__tree_find(tree, base->root, &writes[i].key) != NULL;
        bool const put = writes[i].value.bytes != NULL;
        rows += put && !there ? 1 : 0;
        rows -= !put && there ? 1 : 0;
    }
    return rows > tree->limits.rows_max;
}

/* change_all applies all ops to the tree of a version. */
static uint32_t
change_all(struct change *c, struct nv_hash *root_hash, uint32_t root, uint32_t count)
{
    struct nv_hash const before = *root_hash;
    struct span all = {0, count};
    if (root != 0) {
        return change_node(c, root_hash->bytes, root, before.bytes, all);
    }
    all = puts_of(c, all);
    return span_empty(all) ? 0 : build(c, root_hash->bytes, all);
}

enum nv_err st__tree_apply(struct st__tree *tree,
                           const struct st_head *head,
                           const struct nv_row *writes,
                           uint32_t count)
{
    NV_ASSERT(count <= tree->limits.writes_max);
    for (uint32_t i = 0; i < count; i++) {
        NV_ASSERT(i == 0 || nv_row_key_cmp(&writes[i - 1].key, &writes[i].key) < 0);
        NV_ASSERT(writes[i].value.size <= NV_ROW_VALUE_MAX);
        tree->ops[i] = (struct st__op){.row = &writes[i], .diff = UNKNOWN};
    }
    if (too_many(tree, writes, count)) {
        return NV_ERR_NO_MEMORY;
    }
    struct st_head const base = st__tree_newest(tree)->head;
    struct change c = {.tree = tree, .ops = tree->ops};
    struct st_head next = *head;
    next.root = base.root;
    uint32_t const root = change_all(&c, &next.root, st__tree_newest(tree)->root, count);
    if (root == 0) {
        nv_row_empty_root(&next.root);
    }
    next.row_count = base.row_count + c.inserts - c.removals;
    st__tree_push(tree, &next, root);
    while (base.height == next.height && tree->version_count > 1) {
        st__tree_release(tree); /* genesis takes the place of no rows */
    }
    st__tree_check(tree);
    return NV_OK;
}
