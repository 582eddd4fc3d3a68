#include "base/assert.h"

#include "storage/tree.h"

static const struct st__leaf *
walk_down(const struct st__tree *tree, uint32_t ref, const struct nv_row_key *key)
{
    while (!st__is_leaf(ref)) {
        const struct st__inner *const node = st__inner_at(tree, ref);
        ref = node->child[nv_row_key_bit(key, node->depth) ? 1 : 0];
    }
    return st__leaf_at(tree, ref);
}

const struct st__leaf *
st__tree_find(const struct st__tree *tree, uint32_t root, const struct nv_row_key *key)
{
    if (root == 0) {
        return NULL;
    }
    const struct st__leaf *const leaf = walk_down(tree, root, key);
    return nv_row_key_cmp(&leaf->key, key) == 0 ? leaf : NULL;
}

struct nv_view st__leaf_value(const struct st__tree *tree, const struct st__leaf *leaf)
{
    static const uint8_t nothing;
    if (leaf->size == 0) {
        return nv_view_of(&nothing, 0); /* an empty value is not the NULL that removes */
    }
    const struct st__slab *const slab = &tree->values[st__value_class(leaf->size)];
    return nv_view_of(st__slab_at(slab, leaf->value), leaf->size);
}

/* The subtrees still to be visited, the next on top.  Each is the right side of
 * a node on one path, so there are no more than that has nodes, and one. */
struct visit {
    uint32_t count;
    uint32_t refs[NV_ROW_KEY_BITS + 1];
};

static void push(struct visit *visit, uint32_t ref)
{
    NV_ASSERT(visit->count <= NV_ROW_KEY_BITS);
    visit->refs[visit->count++] = ref;
}

/* next_leaf visits the next leaf in order of keys; NULL at the end. */
static const struct st__leaf *next_leaf(const struct st__tree *tree, struct visit *visit)
{
    if (visit->count == 0) {
        return NULL;
    }
    uint32_t ref = visit->refs[--visit->count];
    while (!st__is_leaf(ref)) {
        const struct st__inner *const node = st__inner_at(tree, ref);
        push(visit, node->child[1]);
        ref = node->child[0];
    }
    return st__leaf_at(tree, ref);
}

/* seek makes a visit of all leaves that are not below `key`. */
static void
seek(const struct st__tree *tree, struct visit *visit, uint32_t root, const struct nv_row_key *key)
{
    visit->count = 0;
    if (root == 0) {
        return;
    }
    /* All keys below a node deeper than `diff` differ from `key` there alike. */
    uint32_t const diff = nv_row_key_diff(&walk_down(tree, root, key)->key, key);
    uint32_t ref = root;
    while (!st__is_leaf(ref) && st__inner_at(tree, ref)->depth < diff) {
        const struct st__inner *const node = st__inner_at(tree, ref);
        if (nv_row_key_bit(key, node->depth)) {
            ref = node->child[1];
        } else {
            push(visit, node->child[1]);
            ref = node->child[0];
        }
    }
    if (diff == NV_ROW_KEY_BITS || !nv_row_key_bit(key, diff)) {
        push(visit, ref);
    }
}

uint32_t st__tree_rows(const struct st__tree *tree,
                       struct nv_row *rows,
                       uint32_t root,
                       const struct nv_row_range *range,
                       uint32_t rows_max)
{
    struct visit visit;
    uint32_t count = 0;
    seek(tree, &visit, root, &range->first);
    while (count < rows_max) {
        const struct st__leaf *const leaf = next_leaf(tree, &visit);
        if (leaf == NULL || nv_row_key_cmp(&leaf->key, &range->last) > 0) {
            break;
        }
        rows[count].key = leaf->key;
        rows[count].value = st__leaf_value(tree, leaf);
        count++;
    }
    return count;
}
