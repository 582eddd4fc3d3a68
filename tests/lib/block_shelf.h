#ifndef NV_TESTS_LIB_BLOCK_SHELF_H
#define NV_TESTS_LIB_BLOCK_SHELF_H

/* block_shelf.h - the blocks of a node, as its journal gave them, and the
 * answers to block requests that the engine leaves to its shell. */

#include <stdbool.h>
#include <stdint.h>

#include "base/codec.h"

#include "consensus/message.h"
#include "consensus/record.h"

struct shelf_block {
    struct nv_hash hash;
    struct nv_hash parent_hash;
    uint64_t height;
    struct nv_view payload; /* own copy */
    struct nv_view final;   /* own copy; size 0: no finalization of its own */
    bool chosen;            /* final */
    bool closes;            /* its epoch */
};

struct shelf_epoch {
    uint64_t epoch;
    struct nv_view payload; /* own copy; its handover */
};

struct shelf {
    struct shelf_block *block;
    uint32_t count;
    uint32_t cap;
    struct shelf_epoch *epoch; /* those that have ended */
    uint32_t epoch_count;
};

/* shelf_drop gives the memory back. */
void shelf_drop(struct shelf *shelf);

/* shelf_trim keeps the newest `count` blocks only. */
void shelf_trim(struct shelf *shelf, uint32_t count);

/* shelf_add takes a block, the finalization of one, or the end of an epoch; other
 * records are nothing to it. */
void shelf_add(struct shelf *shelf, const struct cs_record *record);

const struct shelf_block *shelf_find(const struct shelf *shelf, const struct nv_hash *hash);

/* shelf_answer writes the response to a request; false when there is none. */
bool shelf_answer(const struct shelf *shelf,
                  struct nv_writer *w,
                  const struct cs_block_request *request);

/* shelf_handover finds the answer to an epoch request; false when there is none. */
bool shelf_handover(const struct shelf *shelf, uint64_t epoch, struct nv_view *bytes);

#endif /* NV_TESTS_LIB_BLOCK_SHELF_H */
