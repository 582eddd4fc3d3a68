#include <string.h>

#include "base/assert.h"
#include "base/crash.h"
#include "base/heap.h"

#include "storage/journal.h"
#include "storage/journal_state.h"

/* Bytes looked through at a time. */
#define LOOK_SIZE 65536u

/* The segments found in the directory. */
struct listing {
    uint32_t first;
    uint32_t last;
    uint32_t count;
    uint32_t unfinished; /* one of them, 0 when there is none */
};

/* Reading through all batches. */
struct scan {
    struct st_journal *journal;
    const struct st_files *files;
    struct st__segment segment;
    uint32_t offset;
    uint8_t *buffer; /* as large as a segment; sparse */
    size_t buffer_size;
    bool id_known;         /* a segment was opened */
    bool any;              /* a batch was found */
    uint32_t last_segment; /* where the last batch is */
    uint32_t last_offset;
    uint32_t last_size;
};

static enum nv_err note_name(void *ctx, const char *name)
{
    struct listing *const listing = (struct listing *)ctx;
    bool unfinished = false;
    uint32_t const number = st__segment_number(name, &unfinished);
    if (number == 0) {
        return NV_OK;
    }
    if (unfinished) {
        listing->unfinished = number;
        return NV_OK;
    }
    listing->first = listing->count == 0 || number < listing->first ? number : listing->first;
    listing->last = number > listing->last ? number : listing->last;
    listing->count++;
    return NV_OK;
}

static enum nv_err list(const struct st_journal_options *options, struct listing *out)
{
    memset(out, 0, sizeof *out);
    return options->files->list(options->files->ctx, options->dir, note_name, out);
}

static enum nv_err
remove_segment(const struct st_journal_options *options, uint32_t number, const char *suffix)
{
    char path[ST_PATH_MAX];
    NV_TRY(st__segment_path(path, options->dir, number, suffix));
    NV_TRY(options->files->remove(options->files->ctx, path));
    return options->files->sync_dir(options->files->ctx, options->dir);
}

/* ---- reading to the end ---- */

/* enter opens a segment of the journal at its first batch. */
static enum nv_err enter(struct scan *scan, uint32_t number)
{
    struct st_journal *const journal = scan->journal;
    st__segment_close(&scan->segment, scan->files);
    enum nv_err const err =
        st__segment_open(&scan->segment, &journal->options, number, ST_OPEN_WRITE);
    if (err != NV_OK) {
        return err == NV_ERR_NOT_FOUND ? NV_ERR_CORRUPT : err;
    }
    if (!scan->id_known) {
        memcpy(journal->id, scan->segment.id, sizeof journal->id);
        scan->id_known = true;
    }
    if (memcmp(journal->id, scan->segment.id, sizeof journal->id) != 0) {
        return NV_ERR_CORRUPT;
    }
    scan->offset = ST__SEGMENT_HEAD;
    if (scan->segment.size > scan->buffer_size) {
        nv_heap_unreserve(scan->buffer, scan->buffer_size);
        scan->buffer_size = scan->segment.size;
        scan->buffer = (uint8_t *)nv_heap_reserve(scan->buffer_size);
    }
    return scan->buffer != NULL ? NV_OK : NV_ERR_NO_MEMORY;
}

/* is_zero returns whether a run of bytes is zero. */
static bool is_zero(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* rest_is_zero looks through the present segment from the offset on. */
static enum nv_err rest_is_zero(struct scan *scan, bool *zero)
{
    *zero = true;
    for (uint32_t at = scan->offset; at < scan->segment.size && *zero;) {
        size_t got = 0;
        uint32_t const left = scan->segment.size - at;
        uint32_t const want = left < LOOK_SIZE ? left : LOOK_SIZE;
        NV_TRY(
            scan->files->read(scan->files->ctx, scan->segment.file, scan->buffer, want, at, &got));
        if (got < want) {
            return NV_ERR_CORRUPT;
        }
        *zero = is_zero(scan->buffer, want);
        at += want;
    }
    return NV_OK;
}

/* accept takes the batch at the offset, which is whole, if it is the next one. */
static enum nv_err accept(struct scan *scan, const struct st__found *found)
{
    struct st_journal *const journal = scan->journal;
    bool const begins = !scan->any && scan->segment.number > 1; /* the ones before are gone */
    bool const next =
        found->sequence == journal->sequence && nv_hash_eq(&found->previous, &journal->previous);
    if (!next && !begins) {
        return NV_ERR_CORRUPT;
    }
    scan->any = true;
    scan->last_segment = scan->segment.number;
    scan->last_offset = scan->offset;
    scan->last_size = (uint32_t)st__padded(found->size);
    scan->offset += scan->last_size;
    journal->sequence = found->sequence + 1;
    journal->previous = found->checksum;
    return NV_OK;
}

/* read_segment accepts batches until none is whole. */
static enum nv_err read_segment(struct scan *scan)
{
    for (;;) {
        struct st__found found;
        enum nv_err const err =
            st__batch_find(&found, &scan->segment, scan->files, scan->buffer, scan->offset);
        if (err != NV_OK) {
            return err == NV_ERR_NOT_FOUND ? NV_OK : err;
        }
        NV_TRY(accept(scan, &found));
    }
}

/* read_all reads from a segment to the end of the journal. */
static enum nv_err read_all(struct scan *scan, uint32_t first, uint32_t last)
{
    for (uint32_t number = first; number <= last; number++) {
        bool zero = false;
        NV_TRY(enter(scan, number));
        NV_TRY(read_segment(scan));
        NV_TRY(rest_is_zero(scan, &zero));
        if (!zero) {
            break;
        }
    }
    return NV_OK;
}

/* ---- behind the end ---- */

/* look_for_batches refuses a whole batch from `offset` on.  A batch begins with
 * a mark that only this node knows, so hardly anything is looked at twice. */
static enum nv_err look_for_batches(struct scan *scan, uint32_t offset)
{
    for (uint64_t at = offset; at < scan->segment.size; at += ST_SECTOR_SIZE) {
        struct st__found found;
        enum nv_err const err =
            st__batch_find(&found, &scan->segment, scan->files, scan->buffer, (uint32_t)at);
        if (err != NV_ERR_NOT_FOUND) {
            return err == NV_OK ? NV_ERR_CORRUPT : err;
        }
    }
    return NV_OK;
}

static enum nv_err look_behind(struct scan *scan, uint32_t end, uint32_t last)
{
    for (uint32_t number = scan->last_segment; number <= last; number++) {
        NV_TRY(enter(scan, number));
        NV_TRY(look_for_batches(scan, number == scan->last_segment ? end : ST__SEGMENT_HEAD));
    }
    return NV_OK;
}

/* wipe overwrites with zeros what is behind the end in its segment. */
static enum nv_err wipe(struct scan *scan)
{
    static const uint8_t zeros[LOOK_SIZE];
    bool clean = false;
    NV_TRY(rest_is_zero(scan, &clean));
    for (uint32_t at = scan->offset; !clean && at < scan->segment.size;) {
        uint32_t const left = scan->segment.size - at;
        uint32_t const size = left < LOOK_SIZE ? left : LOOK_SIZE;
        NV_TRY(scan->files->write(scan->files->ctx, scan->segment.file, zeros, size, at));
        at += size;
    }
    return clean ? NV_OK : scan->files->sync(scan->files->ctx, scan->segment.file);
}

/* rewrite makes the last batch durable: its sync may not have returned, or may
 * have failed and left pages that only seem clean. */
static enum nv_err rewrite(struct scan *scan)
{
    size_t got = 0;
    if (!scan->any) {
        return NV_OK;
    }
    const struct st_files *const files = scan->files;
    struct st_file const file = scan->segment.file;
    NV_TRY(files->read(files->ctx, file, scan->buffer, scan->last_size, scan->last_offset, &got));
    if (got < scan->last_size) {
        return NV_ERR_CORRUPT;
    }
    NV_TRY(files->write(files->ctx, file, scan->buffer, scan->last_size, scan->last_offset));
    NV_CRASH_POINT(OPEN_REWRITTEN);
    return files->sync(files->ctx, file);
}

static enum nv_err recover(struct scan *scan, const struct listing *listing)
{
    struct st_journal *const journal = scan->journal;
    uint32_t const wanted = journal->options.first_segment;
    uint32_t const first = wanted > listing->first ? wanted : listing->first;
    if (first > listing->last) {
        return NV_ERR_CORRUPT;
    }
    journal->sequence = 1;
    scan->last_segment = first;
    scan->last_offset = ST__SEGMENT_HEAD;
    NV_TRY(read_all(scan, first, listing->last));
    if (!scan->any && first > 1) {
        return NV_ERR_CORRUPT; /* segments are dropped only below the last batch */
    }
    uint32_t const end = scan->last_offset + scan->last_size;
    NV_TRY(look_behind(scan, end, listing->last));
    NV_CRASH_POINT(OPEN_READ);
    for (uint32_t number = listing->last; number > scan->last_segment; number--) {
        st__segment_close(&scan->segment, scan->files);
        NV_TRY(remove_segment(&journal->options, number, ""));
        NV_CRASH_POINT(OPEN_REMOVED);
    }
    /* The names too: who made them may have died before they were durable. */
    NV_TRY(scan->files->sync_dir(scan->files->ctx, journal->options.dir));
    NV_TRY(enter(scan, scan->last_segment));
    scan->offset = end;
    NV_TRY(wipe(scan));
    NV_CRASH_POINT(OPEN_WIPED);
    NV_TRY(rewrite(scan));
    NV_CRASH_POINT(OPEN_DONE);
    journal->end = end;
    journal->first = listing->first;
    journal->last = scan->last_segment;
    return NV_OK;
}

static enum nv_err open_listed(struct st_journal **out,
                               const struct st_journal_options *options,
                               const struct listing *listing)
{
    struct st_journal *const journal = st__journal_new(options);
    if (journal == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    struct scan scan = {.journal = journal, .files = options->files};
    enum nv_err const err = recover(&scan, listing);
    nv_heap_unreserve(scan.buffer, scan.buffer_size);
    if (err != NV_OK) {
        st__segment_close(&scan.segment, scan.files);
        st_journal_close(journal);
        return err;
    }
    journal->segment = scan.segment;
    *out = journal;
    return NV_OK;
}

enum nv_err st_journal_open(struct st_journal **out, const struct st_journal_options *options)
{
    struct listing listing;
    NV_TRY(list(options, &listing));
    NV_CRASH_POINT(OPEN_LISTED);
    while (listing.unfinished != 0) {
        NV_TRY(remove_segment(options, listing.unfinished, ".new"));
        NV_CRASH_POINT(OPEN_UNFINISHED);
        NV_TRY(list(options, &listing));
    }
    if (listing.count == 0) {
        return NV_ERR_NOT_FOUND;
    }
    if (listing.last - listing.first + 1 != listing.count) {
        return NV_ERR_CORRUPT;
    }
    return open_listed(out, options, &listing);
}

enum nv_err st_journal_create(struct st_journal **out,
                              const struct st_journal_options *options,
                              const uint8_t *id16)
{
    struct listing listing;
    NV_TRY(list(options, &listing));
    if (listing.count > 0) {
        return NV_ERR_EXISTS;
    }
    NV_TRY(st__segment_create(options, 1, id16));
    struct listing const one = {.first = 1, .last = 1, .count = 1};
    return open_listed(out, options, &one);
}
