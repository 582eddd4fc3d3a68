#ifndef NV_STORAGE_STORAGE_H
#define NV_STORAGE_STORAGE_H

/* storage.h - rows of state: in memory with a root and proofs, and on disk.
 *
 * Storage knows rows (base/row.h) and nothing of what they mean.  There are
 * three objects, each with one owner:
 *
 *     struct st_state    all rows in memory, as an authenticated tree with its
 *                        last versions; the executor thread
 *     struct st_overlay  what has changed since the last checkpoint; handed by
 *                        the executor to the checkpointer thread and back
 *     struct st_db       the rows of the last checkpoint and two indices, in
 *                        LMDB; st_db_checkpoint for the checkpointer, pins for
 *                        one reading thread, the rest for any
 *
 *     block ─> st_apply ─> root, proofs, reads at the last heights
 *                 │
 *                 └─> overlay ─ st_freeze ─> st_db_checkpoint ─ st_thaw ─> again
 *
 *     start: st_state_open, st_db_open, st_db_load (scan, rebuild, compare the
 *            root), hand st_rows to the vm, execute the journal's blocks above
 *            the checkpoint
 *
 * Durability is the journal's (storage/journal.h): a checkpoint that is lost is
 * made again from blocks.  Proofs are verified by base/proof.h, without this
 * module.  Bytes: docs/spec/state.md. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/row.h"

#include "storage/journal.h"

/* What one version of the state, or one checkpoint, is of. */
struct st_head {
    uint64_t height;
    struct nv_hash block_hash;
    struct nv_hash root;
    uint64_t row_count;
};

/* Where a transaction was executed. */
struct st_tx_place {
    uint64_t height;
    uint32_t index; /* in its block */
};

/* ---- rows in memory ---- */

/* All at least 1. */
struct st_limits {
    uint32_t rows_max;        /* rows of the state; at most 2^29 */
    uint32_t versions_max;    /* executed heights kept readable; fewer when nodes run out */
    uint32_t writes_max;      /* rows that one block may write */
    uint32_t dirty_max;       /* distinct rows between two checkpoints; at least writes_max */
    uint64_t dirty_bytes_max; /* of their values; at least writes_max * NV_ROW_VALUE_MAX */
    uint32_t blocks_max;      /* blocks between two checkpoints */
    uint32_t txs_max;         /* indexed transactions between two checkpoints */
};

#define ST_VERSIONS_DEFAULT 128u

struct st_state;
struct st_overlay;

/* st_state_footprint returns the address space that a state of these limits
 * reserves; of it the pages in use become resident. */
size_t st_state_footprint(const struct st_limits *limits);

/* st_state_open makes an empty state: one version of height 0 without rows,
 * with a zero block hash.  NV_ERR_NO_MEMORY when the space cannot be reserved. */
NV_MUST_USE enum nv_err st_state_open(struct st_state **out, const struct st_limits *limits);

void st_state_close(struct st_state *state);

/* What executing a block has written. */
struct st_block {
    uint64_t height; /* above the newest, or both are 0: genesis */
    struct nv_hash block_hash;
    struct st_place place;       /* of the block in the journal; {0, 0}: not indexed, unless
                                    st_overlay_place gives one later */
    const struct nv_row *writes; /* borrowed for the call; keys strictly ascending; a NULL
                                    value removes, and removing what is not there is legal */
    uint32_t write_count;
    const struct nv_hash *txs; /* borrowed for the call: hashes to index, by index in the block */
    uint32_t tx_count;
};

/* st_apply makes the next version and notes its changes in the overlay.
 * NV_ERR_NO_MEMORY: the rows would be more than rows_max.  NV_ERR_BUSY: the
 * overlay cannot take them; freeze it, or wait for the checkpoint under way,
 * then apply again.  After an error nothing has changed.  A block beyond
 * writes_max, blocks_max or txs_max alone is the caller's mistake. */
NV_MUST_USE enum nv_err st_apply(struct st_state *state, const struct st_block *block);

/* st_newest returns the newest version; the pointer lives until the next
 * st_apply.  st_version returns the one of a height, or NULL when it is not
 * kept (any more). */
const struct st_head *st_newest(const struct st_state *state);
const struct st_head *st_version(const struct st_state *state, uint64_t height);

/* The three reads below take the height of a version that is kept, else
 * NV_ERR_RANGE.  Values are borrowed until the next st_apply. */

/* st_get reads one row, or NV_ERR_NOT_FOUND. */
NV_MUST_USE enum nv_err st_get(const struct st_state *state,
                               struct nv_view *value,
                               uint64_t height,
                               const struct nv_row_key *key);

/* st_rows reads up to `rows_max` rows of a range in order of keys and writes
 * how many to `*count`.  To go on, begin after the last key got. */
NV_MUST_USE enum nv_err st_rows(const struct st_state *state,
                                struct nv_row *rows,
                                uint32_t *count,
                                uint64_t height,
                                const struct nv_row_range *range,
                                uint32_t rows_max);

/* st_prove writes a proof that covers the ranges (first == last: one key, there
 * or not), which ascend and do not overlap.  NV_ERR_TOO_LARGE when it does not
 * fit into the writer or NV_PROOF_SIZE_MAX. */
NV_MUST_USE enum nv_err st_prove(const struct st_state *state,
                                 struct nv_writer *proof,
                                 uint64_t height,
                                 const struct nv_row_range *ranges,
                                 uint32_t range_count);

/* st_dirty returns how many rows the overlay holds, to decide when to freeze. */
uint32_t st_dirty(const struct st_state *state);

/* st_freeze hands out the changes since the last freeze, up to the newest
 * version, and begins to collect anew; NULL when the overlay handed out last is
 * not back yet or nothing was applied since.  The caller may pass it to another
 * thread. */
NV_MUST_USE struct st_overlay *st_freeze(struct st_state *state);

/* st_thaw takes an overlay back when its checkpoint is durable.  (When it
 * failed, the process should end: the rows are in the journal.) */
void st_thaw(struct st_state *state, struct st_overlay *overlay);

/* st_overlay_place names the place of a block of a frozen overlay that had none
 * when it was applied: what is known of a block after its execution is in the
 * journal only later.  Contract: a height that the overlay holds. */
void st_overlay_place(struct st_overlay *overlay, uint64_t height, struct st_place place);

/* The contents of a frozen overlay, for st_db_checkpoint and for models of it:
 * the version it leads to, and its changes in order of keys (NULL value:
 * removed), borrowed until st_thaw.  The first call of st_overlay_rows sorts. */
const struct st_head *st_overlay_head(const struct st_overlay *overlay);
const struct nv_row *st_overlay_rows(struct st_overlay *overlay, uint32_t *count);

/* ---- rows on disk ---- */

struct st_db_options {
    const char *dir;   /* it exists; the database's files are made in it */
    uint64_t map_size; /* largest size of the database, in bytes; sparse */
    uint32_t readers_max;
    bool read_only; /* for tools beside a daemon that has stopped */
};

#define ST_MAP_SIZE_DEFAULT (1ull << 40)
#define ST_READERS_DEFAULT  126u

struct st_db;

/* st_db_open opens or makes the database.  One process has it open once.
 * NV_ERR_VERSION: another format.  NV_ERR_CORRUPT, NV_ERR_IO,
 * NV_ERR_DISK_FULL, NV_ERR_PERMISSION as they say; the reason is logged. */
NV_MUST_USE enum nv_err st_db_open(struct st_db **out, const struct st_db_options *options);

/* st_db_close closes it, pins included.  NULL does nothing. */
void st_db_close(struct st_db *db);

/* st_db_head reads what the last checkpoint is of; NV_ERR_NOT_FOUND before the
 * first. */
NV_MUST_USE enum nv_err st_db_head(struct st_db *db, struct st_head *head);

/* st_db_load fills an empty state from the last checkpoint and compares the
 * root, so that every row was checked: NV_ERR_MISMATCH when it differs,
 * NV_ERR_NOT_FOUND before the first checkpoint.  After an error the state is to
 * be closed. */
NV_MUST_USE enum nv_err st_db_load(struct st_db *db, struct st_state *state);

/* st_db_checkpoint writes a frozen overlay in one transaction with its head and
 * indices and ends of epochs (storage/epochs.h), fully synced.  NV_ERR_MISMATCH: the overlay's changes are not to what
 * the database holds. */
NV_MUST_USE enum nv_err st_db_checkpoint(struct st_db *db, struct st_overlay *overlay);

/* st_db_block finds the place of the block of a height, st_db_tx that of a
 * transaction, among those at or below the last checkpoint. */
NV_MUST_USE enum nv_err st_db_block(struct st_db *db, struct st_place *out, uint64_t height);
NV_MUST_USE enum nv_err
st_db_tx(struct st_db *db, struct st_tx_place *out, const struct nv_hash *tx_hash);

/* st_db_forget removes from both indices what is of heights up to `height`.  It
 * looks at every transaction: seldom. */
NV_MUST_USE enum nv_err st_db_forget(struct st_db *db, uint64_t height);

/* A pin holds one checkpoint still while its rows are paged out.  The database
 * grows while a pin is old, so pins end after a time, and where one more is
 * wanted than there are, that which was not asked for the longest ends: nobody
 * says when a reader is done. */
struct st_pin;

#define ST_PINS_MAX 4u

/* st_db_pin returns the pin of checkpoint `height`, or for 0 of the newest,
 * making it if need be.  `now_ms` is any clock that does not go back.
 * NV_ERR_NOT_FOUND: not pinned, or no longer, and not the newest. */
NV_MUST_USE enum nv_err
st_db_pin(struct st_db *db, struct st_pin **out, uint64_t height, uint64_t now_ms);

/* st_db_unpin ends all pins made before `before_ms`. */
void st_db_unpin(struct st_db *db, uint64_t before_ms);

const struct st_head *st_pin_head(const struct st_pin *pin);

/* st_pin_rows reads like st_rows, from the pinned checkpoint.  Values are
 * borrowed until the pin ends. */
NV_MUST_USE enum nv_err st_pin_rows(struct st_pin *pin,
                                    struct nv_row *rows,
                                    uint32_t *count,
                                    const struct nv_row_range *range,
                                    uint32_t rows_max);

#endif /* NV_STORAGE_STORAGE_H */
