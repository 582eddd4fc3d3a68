#ifndef NV_STORAGE_SEGMENT_H
#define NV_STORAGE_SEGMENT_H

/* segment.h - the files and the bytes of the journal (private): names, heads
 * and batches of docs/spec/state.md section 4. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

#include "storage/journal.h"

#define ST__SEGMENT_HEAD   ST_SECTOR_SIZE
#define ST__BATCH_HEAD     60u
#define ST__RECORD_HEAD    5u
#define ST__BATCH_SMALLEST (ST__BATCH_HEAD + ST__RECORD_HEAD + NV_HASH_SIZE)
#define ST__SEGMENT_MIN    (4u * ST_SECTOR_SIZE)

/* One segment file, open. */
struct st__segment {
    struct st_file file;
    uint32_t number; /* 0: none is open */
    uint32_t size;
    uint8_t id[ST_JOURNAL_ID_SIZE];
};

/* A batch as it was found. */
struct st__found {
    uint32_t size; /* with its checksum, without padding */
    uint32_t count;
    uint64_t sequence;
    struct nv_hash previous;
    struct nv_hash checksum;
};

/* st__padded rounds up to whole sectors. */
static inline uint64_t st__padded(uint64_t size)
{
    return (size + ST_SECTOR_SIZE - 1) / ST_SECTOR_SIZE * ST_SECTOR_SIZE;
}

/* st__segment_path writes the path of a segment; `suffix` is "" or ".new".
 * NV_ERR_TOO_LARGE when it is too long. */
NV_MUST_USE enum nv_err
st__segment_path(char *out, const char *dir, uint32_t number, const char *suffix);

/* st__segment_number reads a segment's number from a file name; 0 when it is
 * none.  `*unfinished` is set when the name has the suffix ".new". */
uint32_t st__segment_number(const char *name, bool *unfinished);

/* st__segment_create makes a segment file, durable and empty, and does not open
 * it. */
NV_MUST_USE enum nv_err
st__segment_create(const struct st_journal_options *options, uint32_t number, const uint8_t *id16);

/* st__segment_open opens a segment and checks its head: NV_ERR_CORRUPT,
 * NV_ERR_VERSION. */
NV_MUST_USE enum nv_err st__segment_open(struct st__segment *out,
                                         const struct st_journal_options *options,
                                         uint32_t number,
                                         enum st_open mode);

void st__segment_close(struct st__segment *segment, const struct st_files *files);

/* st__batch_find reads the batch at `offset` into `buffer` (segment->size
 * bytes).  NV_ERR_NOT_FOUND when no whole batch is there. */
NV_MUST_USE enum nv_err st__batch_find(struct st__found *out,
                                       const struct st__segment *segment,
                                       const struct st_files *files,
                                       uint8_t *buffer,
                                       uint32_t offset);

/* st__batch_seal completes the head of a batch and appends its checksum and
 * padding; it returns the padded size. */
uint32_t st__batch_seal(struct st_batch *batch,
                        struct nv_hash *checksum,
                        const uint8_t *id16,
                        uint64_t sequence,
                        const struct nv_hash *previous);

/* st__record_at reads the record at `*at` in the bytes of a batch that was
 * found, and moves `*at` behind it.  Its place is not set.  False at the end. */
NV_MUST_USE bool st__record_at(struct st_record *out,
                               const uint8_t *bytes,
                               const struct st__found *found,
                               uint32_t *at);

#endif /* NV_STORAGE_SEGMENT_H */
