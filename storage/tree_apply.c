#include "base/assert.h"

#include "storage/tree.h"

/* A write set becomes a version in two passes.
 *
 * Walking finds for every write the leaf that its key's bits lead to, many keys
 * at a time so that their cache misses overlap.  It tells puts of new keys from
 * changes, how many nodes will be copied at most, and leaves the paths in the
 * cache.
 *
 * Changing goes down the tree once with the sorted writes, copies each inner
 * node that has writes below it, and hashes on the way up.  Spans of writes in
 * different subtrees share nothing but the slabs and the list of retired nodes,
 * so with slabs of their own subtrees could go to different threads. */

/* Keys walked at a time. */
#define WALK_GROUP 64u

/* What a change will take and do. */
struct need {
    uint32_t inners;
    uint32_t leaves;
    uint32_t values[ST__VALUE_CLASSES];
    uint64_t inserts;
    uint64_t removals;
};

struct change {
    struct st__tree *tree;
    const struct st__op *ops; /* sorted */
    uint32_t warm_end;        /* the paths of ops before this one are in the cache */
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

/* walk_step takes the walk of a key one node down and returns whether it is at
 * a leaf then.  Nodes deeper than `shared` are not on the path of the key
 * before, and are counted. */
static bool walk_step(const struct st__tree *tree,
                      uint32_t *ref,
                      const struct nv_row_key *key,
                      uint32_t shared,
                      uint32_t *inners)
{
    if (st__is_leaf(*ref)) {
        return true;
    }
    const struct st__inner *const node = st__inner_at(tree, *ref);
    *inners += shared == NV_ROW_KEY_BITS || node->depth > shared ? 1 : 0;
    *ref = node->child[nv_row_key_bit(key, node->depth) ? 1 : 0];
    prefetch(tree, *ref);
    return false;
}

/* walk_group walks `count` keys from the root and sets their ops.  The first
 * key of the whole set shares nothing: it is before `writes[1]`. */
static void
walk_group(struct st__tree *tree, uint32_t root, uint32_t first, uint32_t count, struct need *need)
{
    uint32_t refs[WALK_GROUP];
    uint32_t shared[WALK_GROUP];
    struct st__op *const ops = tree->ops + first;
    for (uint32_t i = 0; i < count; i++) {
        refs[i] = root;
        shared[i] = NV_ROW_KEY_BITS;
        if (first + i > 0) {
            const struct nv_row *const before = ops[i].row - 1;
            shared[i] = nv_row_key_diff(&before->key, &ops[i].row->key);
        }
    }
    uint32_t arrived = 0;
    while (arrived < count) {
        arrived = 0;
        for (uint32_t i = 0; i < count; i++) {
            bool const there =
                walk_step(tree, &refs[i], &ops[i].row->key, shared[i], &need->inners);
            arrived += there ? 1 : 0;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        ops[i].diff = nv_row_key_diff(&st__leaf_at(tree, refs[i])->key, &ops[i].row->key);
    }
}

/* keep_op counts what an op needs, and returns whether it does anything. */
static bool keep_op(const struct st__op *op, struct need *need)
{
    bool const there = op->diff == NV_ROW_KEY_BITS;
    bool const put = op->row->value.bytes != NULL;
    if (!put) {
        need->removals += there ? 1 : 0;
        return there;
    }
    need->inserts += there ? 0 : 1;
    need->inners += there ? 0 : 1;
    need->leaves++;
    if (op->row->value.size > 0) {
        need->values[st__value_class(op->row->value.size)]++;
    }
    return true;
}

/* walk sets the ops of a write set and returns how many do anything. */
static uint32_t
walk(struct st__tree *tree, const struct nv_row *writes, uint32_t count, struct need *need)
{
    uint32_t const root = st__tree_newest(tree)->root;
    for (uint32_t i = 0; i < count; i++) {
        NV_ASSERT(i == 0 || nv_row_key_cmp(&writes[i - 1].key, &writes[i].key) < 0);
        NV_ASSERT(writes[i].value.size <= NV_ROW_VALUE_MAX);
        tree->ops[i].row = &writes[i];
        tree->ops[i].diff = 0; /* in a tree without rows nothing is found */
    }
    for (uint32_t i = 0; root != 0 && i < count; i += WALK_GROUP) {
        uint32_t const left = count - i;
        walk_group(tree, root, i, left < WALK_GROUP ? left : WALK_GROUP, need);
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (keep_op(&tree->ops[i], need)) {
            tree->ops[kept++] = tree->ops[i];
        }
    }
    return kept;
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
    uint32_t const index = st__slab_take(&c->tree->inners);
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
    uint32_t const index = st__slab_take(&c->tree->inners);
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

/* warm brings the paths of a few keys below a node into the cache, all at a
 * time.  Walking did that too, but for a large write set that was long ago. */
static void warm(const struct change *c, uint32_t ref, struct span span)
{
    uint32_t refs[WALK_GROUP];
    uint32_t const count = span.hi - span.lo;
    uint32_t arrived = 0;
    uint32_t ignored = 0;
    for (uint32_t i = 0; i < count; i++) {
        refs[i] = ref;
    }
    while (arrived < count) {
        arrived = 0;
        for (uint32_t i = 0; i < count; i++) {
            const struct nv_row_key *const key = &c->ops[span.lo + i].row->key;
            arrived += walk_step(c->tree, &refs[i], key, 0, &ignored) ? 1 : 0;
        }
    }
}

/* change_inner copies an inner node with the ops that belong below it. */
static uint32_t change_inner(struct change *c, uint8_t *hash_out, uint32_t ref, struct span span)
{
    const struct st__inner *const old = st__inner_at(c->tree, ref);
    if (span.lo >= c->warm_end && span.hi - span.lo <= WALK_GROUP) {
        warm(c, ref, span);
        c->warm_end = span.hi;
    }
    uint32_t const middle = split(c, span, old->depth);
    uint32_t const index = st__slab_take(&c->tree->inners);
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
    uint32_t const depth = st__is_leaf(ref) ? NV_ROW_KEY_BITS : st__inner_at(c->tree, ref)->depth;
    /* Keys that leave the path above this node lie before or after all of its
     * keys; they come beside it. */
    struct span own = ops;
    while (own.lo < own.hi && c->ops[own.lo].diff < depth &&
           !nv_row_key_bit(&c->ops[own.lo].row->key, c->ops[own.lo].diff)) {
        own.lo++;
    }
    while (own.lo < own.hi && c->ops[own.hi - 1].diff < depth) {
        own.hi--;
    }
    uint32_t subtree = 0;
    if (span_empty(own)) {
        memcpy(hash_out, hash, sizeof(struct nv_hash));
        subtree = ref;
    } else if (!st__is_leaf(ref)) {
        subtree = change_inner(c, hash_out, ref, own);
    } else {
        const struct nv_row *const row = c->ops[own.lo].row;
        NV_ASSERT(own.hi - own.lo == 1);
        subtree = row->value.bytes != NULL ? st__leaf_new(c->tree, hash_out, row) : 0;
        retire(c->tree, ref);
    }
    struct span const low = {ops.lo, own.lo};
    struct span const high = {own.hi, ops.hi};
    return join_all(c, hash_out, subtree, low, high);
}

/* ---- the whole ---- */

static bool fits(const struct st__tree *tree, const struct need *need)
{
    bool fit = st__slab_left(&tree->inners) >= need->inners;
    fit = fit && st__slab_left(&tree->leaves) >= need->leaves;
    for (uint32_t i = 0; i < ST__VALUE_CLASSES; i++) {
        fit = fit && st__slab_left(&tree->values[i]) >= need->values[i];
    }
    return fit;
}

/* make_room releases versions until the nodes suffice.  With one version left
 * they do, by the sizes of the slabs. */
static void make_room(struct st__tree *tree, struct need *need)
{
    /* No more inner nodes than rows, and those of one path that become empty. */
    uint32_t const most = tree->limits.rows_max + NV_ROW_KEY_BITS;
    need->inners = need->inners < most ? need->inners : most;
    while (tree->version_count > 1 && !fits(tree, need)) {
        st__tree_release(tree);
    }
    NV_ASSERT(fits(tree, need));
}

enum nv_err st__tree_apply(struct st__tree *tree,
                           const struct st_head *head,
                           const struct nv_row *writes,
                           uint32_t count)
{
    NV_ASSERT(count <= tree->limits.writes_max);
    struct need need = {.inners = 0};
    uint32_t const ops = walk(tree, writes, count, &need);
    struct st_head next = *head;
    next.row_count = st__tree_newest(tree)->head.row_count + need.inserts - need.removals;
    if (next.row_count > tree->limits.rows_max) {
        return NV_ERR_NO_MEMORY;
    }
    make_room(tree, &need);

    const struct st__version *const base = st__tree_newest(tree);
    struct change c = {.tree = tree, .ops = tree->ops};
    struct nv_hash const root_before = base->head.root;
    uint32_t root = base->root;
    next.root = root_before;
    struct span const all = {0, ops};
    if (ops > 0 && root == 0) {
        root = build(&c, next.root.bytes, all);
    } else if (ops > 0) {
        root = change_node(&c, next.root.bytes, root, root_before.bytes, all);
    }
    if (root == 0) {
        nv_row_empty_root(&next.root);
    }
    bool const genesis = base->head.height == next.height; /* takes the place of no rows */
    st__tree_push(tree, &next, root);
    while (genesis && tree->version_count > 1) {
        st__tree_release(tree);
    }
    st__tree_check(tree);
    return NV_OK;
}
