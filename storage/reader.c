#include "base/assert.h"
#include "base/codec.h"
#include "base/heap.h"

#include "storage/journal.h"
#include "storage/segment.h"

/* Segments kept open. */
#define OPEN_MAX 4u

struct st_reader {
    struct st_journal_options options;
    struct st__segment segments[OPEN_MAX];
    uint32_t next; /* the one to be closed for another */
};

enum nv_err st_reader_open(struct st_reader **out, const struct st_journal_options *options)
{
    struct st_reader *const reader = (struct st_reader *)nv_heap_alloc(sizeof *reader);
    if (reader == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    reader->options = *options;
    *out = reader;
    return NV_OK;
}

void st_reader_close(struct st_reader *reader)
{
    for (uint32_t i = 0; reader != NULL && i < OPEN_MAX; i++) {
        st__segment_close(&reader->segments[i], reader->options.files);
    }
    nv_heap_free(reader);
}

void st_reader_drop(struct st_reader *reader, uint32_t segment)
{
    for (uint32_t i = 0; i < OPEN_MAX; i++) {
        if (reader->segments[i].number < segment) {
            st__segment_close(&reader->segments[i], reader->options.files);
        }
    }
}

static enum nv_err
segment_of(struct st_reader *reader, uint32_t number, const struct st__segment **out)
{
    for (uint32_t i = 0; i < OPEN_MAX; i++) {
        if (number != 0 && reader->segments[i].number == number) {
            *out = &reader->segments[i];
            return NV_OK;
        }
    }
    struct st__segment *const slot = &reader->segments[reader->next];
    st__segment_close(slot, reader->options.files);
    NV_TRY(st__segment_open(slot, &reader->options, number, ST_OPEN_READ));
    reader->next = (reader->next + 1) % OPEN_MAX;
    *out = slot;
    return NV_OK;
}

enum nv_err st_reader_read(struct st_reader *reader,
                           struct st_record *record,
                           struct st_place place,
                           void *memory,
                           uint32_t cap)
{
    const struct st_files *const files = reader->options.files;
    const struct st__segment *segment = NULL;
    uint8_t head[ST__RECORD_HEAD];
    size_t got = 0;
    NV_TRY(segment_of(reader, place.segment, &segment));
    uint32_t const smallest = ST__RECORD_HEAD + NV_HASH_SIZE;
    if (place.offset < ST__SEGMENT_HEAD + ST__BATCH_HEAD || place.offset > segment->size ||
        segment->size - place.offset < smallest) {
        return NV_ERR_CORRUPT;
    }
    NV_TRY(files->read(files->ctx, segment->file, head, sizeof head, place.offset, &got));
    uint32_t const length = nv_be32_load(head + 1);
    if (got < sizeof head || head[0] == 0 || length > segment->size - place.offset - smallest) {
        return NV_ERR_CORRUPT;
    }
    if (length > cap) {
        return NV_ERR_TOO_LARGE;
    }
    NV_TRY(files->read(
        files->ctx, segment->file, memory, length, (uint64_t)place.offset + ST__RECORD_HEAD, &got));
    if (got < length) {
        return NV_ERR_CORRUPT;
    }
    record->type = head[0];
    record->bytes = nv_view_of(memory, length);
    record->place = place;
    return NV_OK;
}
