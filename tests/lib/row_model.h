#ifndef NV_TESTS_LIB_ROW_MODEL_H
#define NV_TESTS_LIB_ROW_MODEL_H

/* row_model.h - rows of state as a sorted list, with the root and the proofs
 * as docs/spec/state.md defines them: recursively, from nothing but the list.
 * Slow and plain, written from the page to compare fast code with. */

#include <stdbool.h>
#include <stdint.h>

#include "base/codec.h"
#include "base/hash.h"
#include "base/row.h"

#define MODEL_ROWS_MAX 8192u

struct model_row {
    struct nv_row_key key;
    uint16_t size;
    uint8_t value[NV_ROW_VALUE_MAX];
};

/* Large: keep it static. */
struct row_model {
    uint32_t count;
    struct model_row rows[MODEL_ROWS_MAX];
};

/* model_put puts or replaces a row; false when the model is full. */
bool model_put(struct row_model *model, const struct nv_row *row);

/* model_remove removes a row; false when it is not there. */
bool model_remove(struct row_model *model, const struct nv_row_key *key);

/* model_find returns the position of the first row not below `key`. */
uint32_t model_find(const struct row_model *model, const struct nv_row_key *key);

/* model_get returns the row of a key, or NULL. */
const struct model_row *model_get(const struct row_model *model, const struct nv_row_key *key);

void model_root(struct nv_hash *root, const struct row_model *model);

/* model_prove writes the proof that a prover cuts for these ranges. */
void model_prove(struct nv_writer *out,
                 const struct row_model *model,
                 const struct nv_row_range *ranges,
                 uint32_t range_count);

#endif /* NV_TESTS_LIB_ROW_MODEL_H */
