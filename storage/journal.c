#include "storage/journal.h"

#include <string.h>

#include "base/assert.h"
#include "base/bug.h"
#include "base/crash.h"
#include "base/heap.h"

#include "storage/journal_state.h"

static void journal_check(const struct st_journal *journal)
{
    NV_ASSERT(journal->first >= 1 && journal->first <= journal->segment.number);
    NV_ASSERT(journal->segment.number <= journal->last);
    NV_ASSERT(journal->end >= ST__SEGMENT_HEAD && journal->end <= journal->segment.size);
    NV_ASSERT(journal->end % ST_SECTOR_SIZE == 0);
}

struct st_journal *st__journal_new(const struct st_journal_options *options)
{
    NV_ASSERT(options->segment_size % ST_SECTOR_SIZE == 0);
    NV_ASSERT(options->segment_size >= ST__SEGMENT_MIN);
    NV_ASSERT(options->batch_max >= ST__BATCH_SMALLEST);
    NV_ASSERT(options->batch_max < options->segment_size - 2 * ST_SECTOR_SIZE);
    struct st_journal *const journal = (struct st_journal *)nv_heap_alloc(sizeof *journal);
    if (journal != NULL) {
        journal->options = *options;
        journal->stage = ST__READY;
    }
    return journal;
}

void st_journal_close(struct st_journal *journal)
{
    if (journal != NULL) {
        st__segment_close(&journal->segment, journal->options.files);
        nv_heap_free(journal);
    }
}

const uint8_t *st_journal_id(const struct st_journal *journal)
{
    return journal->id;
}

uint32_t st_journal_first(const struct st_journal *journal)
{
    return journal->first;
}

struct st_place st_journal_end(const struct st_journal *journal)
{
    return (struct st_place){.segment = journal->segment.number, .offset = journal->end};
}

/* make_next makes the segment after the newest one. */
static enum nv_err make_next(struct st_journal *journal)
{
    NV_TRY(st__segment_create(&journal->options, journal->last + 1, journal->id));
    journal->last++;
    return NV_OK;
}

/* roll goes on to the next segment. */
static enum nv_err roll(struct st_journal *journal)
{
    struct st__segment next = {.number = 0};
    NV_CRASH_POINT(ROLL);
    if (journal->last == journal->segment.number) {
        NV_TRY(make_next(journal));
    }
    uint32_t const number = journal->segment.number + 1;
    NV_TRY(st__segment_open(&next, &journal->options, number, ST_OPEN_WRITE));
    st__segment_close(&journal->segment, journal->options.files);
    journal->segment = next;
    journal->end = ST__SEGMENT_HEAD;
    NV_CRASH_POINT(ROLLED);
    return NV_OK;
}

static enum nv_err write_batch(struct st_journal *journal, struct st_batch *batch)
{
    const struct st_files *const files = journal->options.files;
    struct nv_hash checksum;
    uint32_t const size =
        st__batch_seal(batch, &checksum, journal->id, journal->sequence, &journal->previous);
    NV_ASSERT(size <= journal->segment.size - journal->end);
    NV_CRASH_POINT(BATCH_SEALED);
    NV_TRY(files->write(files->ctx, journal->segment.file, batch->bytes, size, journal->end));
    NV_CRASH_POINT(BATCH_WRITTEN);
    batch->at = (struct st_place){.segment = journal->segment.number, .offset = journal->end};
    journal->end += size;
    journal->sequence++;
    journal->previous = checksum;
    return NV_OK;
}

enum nv_err st_journal_write(struct st_journal *journal, struct st_batch *batch)
{
    if (journal->stage == ST__FAILED) {
        return NV_ERR_CLOSED;
    }
    NV_ASSERT(journal->stage == ST__READY);
    uint64_t const size = (uint64_t)batch->size + NV_HASH_SIZE;
    if (size > journal->options.batch_max) {
        return NV_ERR_TOO_LARGE;
    }
    enum nv_err err = NV_OK;
    if (st__padded(size) > journal->segment.size - journal->end) {
        err = roll(journal);
    }
    if (err == NV_ERR_DISK_FULL) {
        return err; /* nothing was written into a segment */
    }
    if (err == NV_OK) {
        err = write_batch(journal, batch);
    }
    journal->stage = err == NV_OK ? ST__WRITTEN : ST__FAILED;
    journal_check(journal);
    return err;
}

enum nv_err st_journal_sync(struct st_journal *journal)
{
    if (journal->stage == ST__FAILED) {
        return NV_ERR_CLOSED;
    }
    NV_ASSERT(journal->stage == ST__WRITTEN);
    const struct st_files *const files = journal->options.files;
    enum nv_err const err =
        NV_SEEDED(SYNC_SKIPPED) ? NV_OK : files->sync(files->ctx, journal->segment.file);
    journal->stage = err == NV_OK ? ST__READY : ST__FAILED;
    NV_CRASH_POINT(BATCH_SYNCED);
    return err;
}

enum nv_err st_journal_append(struct st_journal *journal, struct st_batch *batch)
{
    NV_TRY(st_journal_write(journal, batch));
    return st_journal_sync(journal);
}

bool st_journal_prepared(const struct st_journal *journal)
{
    return journal->last > journal->segment.number || journal->end <= journal->segment.size / 2;
}

enum nv_err st_journal_prepare(struct st_journal *journal)
{
    if (journal->stage == ST__FAILED) {
        return NV_ERR_CLOSED;
    }
    if (st_journal_prepared(journal)) {
        return NV_OK;
    }
    NV_CRASH_POINT(SEGMENT_AHEAD);
    enum nv_err const err = make_next(journal);
    if (err != NV_OK && err != NV_ERR_DISK_FULL) {
        journal->stage = ST__FAILED;
    }
    return err;
}

enum nv_err st_journal_drop(struct st_journal *journal, uint32_t segment)
{
    const struct st_files *const files = journal->options.files;
    if (journal->stage == ST__FAILED) {
        return NV_ERR_CLOSED;
    }
    while (journal->first < segment && journal->first < journal->segment.number) {
        char path[ST_PATH_MAX];
        NV_TRY(st__segment_path(path, journal->options.dir, journal->first, ""));
        NV_TRY(files->remove(files->ctx, path));
        journal->first++;
        /* One by one, or a crash could leave a gap. */
        NV_TRY(files->sync_dir(files->ctx, journal->options.dir));
    }
    journal_check(journal);
    return NV_OK;
}
