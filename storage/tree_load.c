#include "base/assert.h"

#include "storage/tree.h"

/* The tree of sorted rows is built from left to right.  What is still open is
 * the path to the last row: a stack of left sides whose depths ascend. */

void st__load_begin(struct st__loader *loader, struct st__tree *tree)
{
    NV_ASSERT(tree->version_count == 1 && st__tree_newest(tree)->root == 0);
    loader->tree = tree;
    loader->count = 0;
    loader->last = 0;
    loader->top = 0;
    loader->height = 0;
}

/* close_below makes nodes of the open subtrees deeper than `depth` (as a signed
 * number: -1 for all). */
static void close_below(struct st__loader *loader, int32_t depth)
{
    while (loader->height > 0 && (int32_t)loader->open[loader->height - 1].depth > depth) {
        const struct st__open *const open = &loader->open[--loader->height];
        uint32_t const index = st__slab_take(&loader->tree->inners);
        struct st__inner *const node = st__inner_at(loader->tree, index);
        node->tag = 0x01;
        node->depth = (uint8_t)open->depth;
        node->child[0] = open->left;
        node->child[1] = loader->top;
        memcpy(node->hash[0], open->left_hash, sizeof node->hash[0]);
        memcpy(node->hash[1], loader->top_hash, sizeof node->hash[1]);
        st__inner_hash(loader->top_hash, node);
        loader->top = index;
    }
}

enum nv_err st__load_row(struct st__loader *loader, const struct nv_row *row)
{
    if (row->value.size > NV_ROW_VALUE_MAX) {
        return NV_ERR_CORRUPT;
    }
    if (loader->count == loader->tree->limits.rows_max) {
        return NV_ERR_NO_MEMORY;
    }
    if (loader->count > 0) {
        const struct nv_row_key *const before = &st__leaf_at(loader->tree, loader->last)->key;
        if (nv_row_key_cmp(before, &row->key) >= 0) {
            return NV_ERR_CORRUPT;
        }
        uint32_t const depth = nv_row_key_diff(before, &row->key);
        close_below(loader, (int32_t)depth);
        NV_ASSERT(loader->height < NV_ROW_KEY_BITS);
        struct st__open *const open = &loader->open[loader->height++];
        open->depth = depth;
        open->left = loader->top;
        memcpy(open->left_hash, loader->top_hash, sizeof open->left_hash);
    }
    loader->last = st__leaf_new(loader->tree, loader->top_hash, row);
    loader->top = loader->last;
    loader->count++;
    return NV_OK;
}

void st__load_end(struct st__loader *loader, struct st_head *head)
{
    struct st__tree *const tree = loader->tree;
    close_below(loader, -1);
    head->row_count = loader->count;
    nv_row_empty_root(&head->root);
    if (loader->count > 0) {
        memcpy(head->root.bytes, loader->top_hash, sizeof head->root.bytes);
    }
    tree->versions[tree->version_first].head = *head;
    tree->versions[tree->version_first].root = loader->top;
    st__tree_check(tree);
}
