#ifndef NV_STORAGE_OVERLAY_H
#define NV_STORAGE_OVERLAY_H

/* overlay.h - what has changed since the last checkpoint (private).
 *
 * The latest write of each row, in the order in which rows were first written,
 * with a hash table for finding them; sorted once, by the thread that writes
 * the checkpoint.  The bytes of values are copied, so that a frozen overlay
 * refers to nothing outside it.
 *
 * One thread at a time; it changes hands by st_freeze and st_thaw. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/row.h"

#include "storage/epochs.h"
#include "storage/storage.h"

/* A block to be indexed, if it has a place. */
struct st__block_entry {
    uint64_t height;
    struct st_place place; /* {0, 0}: none */
};

/* A transaction to be indexed. */
struct st__tx_entry {
    struct nv_hash hash;
    struct st_tx_place place;
};

/* The end of an epoch, to be kept. */
struct st__epoch_entry {
    uint64_t epoch;
    uint32_t size;
};

struct st_overlay {
    struct st_limits limits;
    struct st_head base; /* what its changes are to */
    struct st_head head; /* what they lead to */
    bool applied;        /* something was applied since it was emptied */
    bool sorted;
    struct nv_row *rows; /* values in `bytes` */
    uint32_t row_count;
    uint32_t *slots; /* hash table: 1 + index into rows; 0 is free */
    uint32_t slot_mask;
    uint8_t *bytes;
    uint64_t bytes_used;
    struct nv_row *scratch; /* for sorting */
    struct st__block_entry *blocks;
    uint32_t block_count;
    struct st__tx_entry *txs; /* sorted with the rows */
    struct st__tx_entry *tx_scratch;
    uint32_t tx_count;
    struct st__epoch_entry epoch[ST_EPOCHS_AT_ONCE];
    uint32_t epoch_count;
    uint8_t *epoch_bytes; /* ST_EPOCH_SIZE_MAX for each */
};

size_t st__overlay_footprint(const struct st_limits *limits);

void st__overlay_init(struct st_overlay *overlay,
                      struct nv_arena *arena,
                      const struct st_limits *limits);

/* st__overlay_clear empties it. */
void st__overlay_clear(struct st_overlay *overlay);

/* st__overlay_fits returns whether a block can be added, however many of its
 * rows are new. */
bool st__overlay_fits(const struct st_overlay *overlay, const struct st_block *block);

/* st__overlay_add notes a block that fits, and the head it leads to. */
void st__overlay_add(struct st_overlay *overlay,
                     const struct st_block *block,
                     const struct st_head *head);

/* st__overlay_sort brings rows and transactions into the order of their keys,
 * once. */
void st__overlay_sort(struct st_overlay *overlay);

#endif /* NV_STORAGE_OVERLAY_H */
