#include "tools/audit/root_fold.h"

#include "base/assert.h"

void root_fold_init(struct root_fold *fold)
{
    fold->count = 0;
}

/* join makes one part of the last two. */
static void join(struct root_fold *fold)
{
    struct root_fold_part *const left = &fold->part[fold->count - 2];
    const struct root_fold_part *const right = &fold->part[fold->count - 1];
    nv_row_inner_hash(&left->hash, (uint8_t)right->depth, &left->hash, &right->hash);
    fold->count--;
}

bool root_fold_add(struct root_fold *fold, const struct nv_row *row)
{
    uint32_t depth = 0;
    if (fold->count > 0) {
        if (nv_row_key_cmp(&fold->last, &row->key) >= 0) {
            return false;
        }
        depth = nv_row_key_diff(&fold->last, &row->key);
        while (fold->count > 1 && fold->part[fold->count - 1].depth > depth) {
            join(fold);
        }
    }
    /* The depths of the parts ascend strictly, so there are never more than bits. */
    NV_ASSERT(fold->count <= NV_ROW_KEY_BITS);
    struct nv_hash value;
    nv_sha256(&value, row->value);
    nv_row_leaf_hash(&fold->part[fold->count].hash, &row->key, &value);
    fold->part[fold->count].depth = depth;
    fold->count++;
    fold->last = row->key;
    return true;
}

void root_fold_finish(struct nv_hash *root, struct root_fold *fold)
{
    if (fold->count == 0) {
        nv_row_empty_root(root);
        return;
    }
    while (fold->count > 1) {
        join(fold);
    }
    *root = fold->part[0].hash;
}
