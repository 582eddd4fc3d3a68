#ifndef NV_STORAGE_JOURNAL_H
#define NV_STORAGE_JOURNAL_H

/* journal.h - the journal: what must be durable before it is said
 * (docs/spec/state.md section 4).
 *
 * The journal is a list of *batches*, each a list of *records* (a type and
 * bytes that mean nothing here).  One batch is one write and one fdatasync.
 * Batches are chained by hash and carry a key that strangers do not know, and
 * live in preallocated, zeroed segments:
 *
 *     journal-00000001   head | batch 1 | batch 2 | ... | zeros
 *     journal-00000002   head | batch 7 | ...
 *
 * It is the block store too: a record has a *place*, by which it is read again.
 *
 * What it promises.  A batch whose append returned NV_OK is there after any
 * crash.  A batch whose append did not return may be there or not, whole or not
 * at all.  A batch that is damaged although a later one is whole cannot come
 * from a crash: the journal does not open (NV_ERR_CORRUPT) and a validator must
 * not sign.  After NV_ERR_IO of an append the journal takes nothing more, and
 * the process should end: a failed fdatasync is never tried again.
 *
 * Threads: one thread appends (a journal thread in the daemon); composing a
 * batch touches nothing but the batch; a reader belongs to any one thread and
 * may run beside the appending one.
 *
 * Reading order: journal.h, batch.c, segment.c, journal.c, journal_open.c. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#include "storage/files.h"

#define ST_JOURNAL_ID_SIZE 16u

/* Every batch and every segment head begins at a multiple of this, so that a
 * torn write cannot touch a batch that was durable before. */
#define ST_SECTOR_SIZE 512u

/* Where a record is.  {0, 0} is no place: segments count from 1. */
struct st_place {
    uint32_t segment;
    uint32_t offset; /* of the record in its segment, in bytes */
};

struct st_record {
    uint8_t type; /* 1 to 255 */
    struct nv_view bytes;
    struct st_place place;
};

struct st_journal_options {
    const struct st_files *files; /* borrowed for the journal's life */
    const char *dir;              /* borrowed for the journal's life; it exists */
    uint32_t segment_size;        /* bytes of a new segment; a multiple of ST_SECTOR_SIZE */
    uint32_t batch_max;           /* bytes of a batch; less than segment_size - 1024 */
    uint32_t first_segment;       /* open: check from this one on; 0 from the oldest */
};

#define ST_BATCH_MAX_DEFAULT (24u << 20)

struct st_journal;

/* st_journal_create starts an empty journal with this identity in
 * `options->dir`.  NV_ERR_EXISTS when there is one. */
NV_MUST_USE enum nv_err st_journal_create(struct st_journal **out,
                                          const struct st_journal_options *options,
                                          const uint8_t *id16);

/* st_journal_open opens the journal of `options->dir`, after checking all
 * batches from `first_segment` on, dropping a torn last one and making the last
 * whole one durable again.  NV_ERR_NOT_FOUND when there is none,
 * NV_ERR_CORRUPT when something is missing or damaged that was durable. */
NV_MUST_USE enum nv_err
st_journal_open(struct st_journal **out, const struct st_journal_options *options);

/* st_journal_close closes it.  NULL does nothing. */
void st_journal_close(struct st_journal *journal);

/* st_journal_id returns the 16 bytes given at creation; they live as long as
 * the journal. */
const uint8_t *st_journal_id(const struct st_journal *journal);

/* st_journal_first returns the oldest segment there is, st_journal_end the place
 * behind the last batch.  Whole segments before a place are those with a lower
 * number. */
uint32_t st_journal_first(const struct st_journal *journal);
struct st_place st_journal_end(const struct st_journal *journal);

/* A batch being composed, in the caller's memory.  Plain, but written by the
 * functions only. */
struct st_batch {
    uint8_t *bytes; /* borrowed */
    uint32_t cap;
    uint32_t size;  /* in use, head included */
    uint32_t count; /* records */
    struct st_place at;
};

/* st_batch_init makes an empty batch over `cap` bytes that the caller owns: at
 * least ST_SECTOR_SIZE; batch_max + ST_SECTOR_SIZE takes every legal batch. */
void st_batch_init(struct st_batch *batch, void *memory, uint32_t cap);

/* st_batch_clear empties it for reuse. */
void st_batch_clear(struct st_batch *batch);

/* st_batch_add appends a record made of `parts` one after another.  `type` is
 * not 0.  `*index_out` (unless NULL) is what st_batch_place takes.
 * NV_ERR_TOO_LARGE when it does not fit; the batch is as before then. */
NV_MUST_USE enum nv_err st_batch_add(struct st_batch *batch,
                                     uint32_t *index_out,
                                     uint8_t type,
                                     const struct nv_view *parts,
                                     uint32_t part_count);

/* st_batch_place returns where a record of a batch is, once st_journal_write or
 * st_journal_append has taken the batch. */
struct st_place st_batch_place(const struct st_batch *batch, uint32_t index);

/* st_journal_append writes a batch of at least one record and makes it durable:
 * st_journal_write and st_journal_sync. */
NV_MUST_USE enum nv_err st_journal_append(struct st_journal *journal, struct st_batch *batch);

/* st_journal_write seals the batch (the chain, the checksum) and writes it,
 * beginning a new segment when it does not fit into this one.  The batch before
 * must have been synced.  NV_ERR_TOO_LARGE above batch_max, without harm;
 * NV_ERR_DISK_FULL without harm when no segment could be made; NV_ERR_IO and
 * NV_ERR_CLOSED are for good. */
NV_MUST_USE enum nv_err st_journal_write(struct st_journal *journal, struct st_batch *batch);

/* st_journal_sync makes the batch written last durable. */
NV_MUST_USE enum nv_err st_journal_sync(struct st_journal *journal);

/* st_journal_prepare makes the next segment ahead of its need, when more than
 * half of the present one is full and it is not made yet: for a moment without
 * work.  NV_ERR_DISK_FULL is a warning. */
NV_MUST_USE enum nv_err st_journal_prepare(struct st_journal *journal);

/* st_journal_prepared returns whether st_journal_prepare has nothing to do. */
bool st_journal_prepared(const struct st_journal *journal);

/* st_journal_drop removes the segments below `segment`, the oldest first; the
 * present one stays always. */
NV_MUST_USE enum nv_err st_journal_drop(struct st_journal *journal, uint32_t segment);

/* A walk over all records, in the order in which they were appended. */
struct st_replay;

/* st_replay_open begins at the first batch of `first_segment` (0: the oldest)
 * and ends at the journal's end as it is now.  Nothing is appended meanwhile. */
NV_MUST_USE enum nv_err
st_replay_open(struct st_replay **out, struct st_journal *journal, uint32_t first_segment);

/* st_replay_next writes the next record; its bytes live until the next call.
 * NV_ERR_NOT_FOUND at the end. */
NV_MUST_USE enum nv_err st_replay_next(struct st_replay *replay, struct st_record *record);

void st_replay_close(struct st_replay *replay);

/* Reads records by place, beside a running journal. */
struct st_reader;

/* st_reader_open makes a reader of the journal in `options->dir` that keeps a
 * few segments open. */
NV_MUST_USE enum nv_err
st_reader_open(struct st_reader **out, const struct st_journal_options *options);

/* st_reader_read reads the record at `place` into `memory` and makes `*record`
 * of it, which borrows `memory`.  The place must come from st_batch_place or a
 * replay, directly or out of the database.  NV_ERR_NOT_FOUND when the segment
 * was dropped, NV_ERR_TOO_LARGE when it does not fit into `cap`,
 * NV_ERR_CORRUPT when no record can be there.  The contents are not checked:
 * whoever reads a block compares its hash. */
NV_MUST_USE enum nv_err st_reader_read(struct st_reader *reader,
                                       struct st_record *record,
                                       struct st_place place,
                                       void *memory,
                                       uint32_t cap);

/* st_reader_drop lets go of the segments below `segment`, which were dropped:
 * their disk is free then, and their records are not found. */
void st_reader_drop(struct st_reader *reader, uint32_t segment);

void st_reader_close(struct st_reader *reader);

#endif /* NV_STORAGE_JOURNAL_H */
