#ifndef NV_STORAGE_EPOCHS_H
#define NV_STORAGE_EPOCHS_H

/* epochs.h - the ends of epochs in the database: bytes by number, which nothing
 * ever removes (docs/spec/state.md section 5).
 *
 *     checkpoint:  st_overlay_epoch ... --> the same transaction as the rows
 *     joining:     st_db_epoch_put          one of its own; no checkpoint is under way
 *
 * What the bytes say is the caller's to judge; that they are those that were
 * written is checked. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct st_db;
struct st_overlay;

#define ST_EPOCH_SIZE_MAX 16384u
#define ST_EPOCHS_AT_ONCE 16u /* beside one checkpoint */

/* st_overlay_epoch adds the end of an epoch (copied) to a frozen overlay.  False
 * when it has as many as it takes.  Contract: at most ST_EPOCH_SIZE_MAX bytes. */
bool st_overlay_epoch(struct st_overlay *overlay, uint64_t epoch, struct nv_view bytes);

/* st_db_epoch_put writes the end of an epoch, fully synced. */
NV_MUST_USE enum nv_err st_db_epoch_put(struct st_db *db, uint64_t epoch, struct nv_view bytes);

/* st_db_epoch reads one into `memory`, which has room for ST_EPOCH_SIZE_MAX bytes.
 * NV_ERR_NOT_FOUND; NV_ERR_CORRUPT: it is not what was written. */
NV_MUST_USE enum nv_err
st_db_epoch(struct st_db *db, struct nv_view *out, uint64_t epoch, uint8_t *memory);

/* st_db_epoch_last writes the highest number there is; NV_ERR_NOT_FOUND: none. */
NV_MUST_USE enum nv_err st_db_epoch_last(struct st_db *db, uint64_t *epoch);

#endif /* NV_STORAGE_EPOCHS_H */
