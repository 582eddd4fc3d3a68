#ifndef NV_TOOLS_AUDIT_ROOT_FOLD_H
#define NV_TOOLS_AUDIT_ROOT_FOLD_H

/* root_fold.h - the state root of rows that come one by one, in ascending
 * order of keys (docs/spec/state.md section 2).
 *
 * In a crit-bit tree over sorted keys the node between two neighbours has the
 * first bit in which they differ, and its place follows from these depths alone:
 * a subtree is complete as soon as a smaller depth comes.  So a stack of the
 * tree's height is enough, whatever the number of rows. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/row.h"

struct root_fold_part {
    struct nv_hash hash;
    uint32_t depth; /* of the node between this part and the one before it */
};

struct root_fold {
    struct root_fold_part part[NV_ROW_KEY_BITS + 1];
    uint32_t count;
    struct nv_row_key last;
};

void root_fold_init(struct root_fold *fold);

/* root_fold_add takes the next row; false when its key is not above the last. */
NV_MUST_USE bool root_fold_add(struct root_fold *fold, const struct nv_row *row);

/* root_fold_finish writes the root of all rows taken. */
void root_fold_finish(struct nv_hash *root, struct root_fold *fold);

#endif /* NV_TOOLS_AUDIT_ROOT_FOLD_H */
