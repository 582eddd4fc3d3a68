#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "storage/journal.h"
#include "storage/journal_state.h"

struct st_replay {
    struct st_journal_options options;
    struct st_place end; /* of the journal when the walk began */
    struct st__segment segment;
    uint32_t offset; /* of the next batch */
    struct st__found batch;
    uint32_t batch_offset; /* of the present one */
    uint32_t at;           /* of the next record in it; 0 when there is no batch */
    uint8_t *buffer;       /* as large as a segment; sparse */
    size_t buffer_size;
};

/* enter goes to the beginning of a segment. */
static enum nv_err enter(struct st_replay *replay, uint32_t number)
{
    st__segment_close(&replay->segment, replay->options.files);
    NV_TRY(st__segment_open(&replay->segment, &replay->options, number, ST_OPEN_READ));
    replay->offset = ST__SEGMENT_HEAD;
    if (replay->segment.size > replay->buffer_size) {
        nv_heap_unreserve(replay->buffer, replay->buffer_size);
        replay->buffer_size = replay->segment.size;
        replay->buffer = (uint8_t *)nv_heap_reserve(replay->buffer_size);
    }
    return replay->buffer != NULL ? NV_OK : NV_ERR_NO_MEMORY;
}

enum nv_err
st_replay_open(struct st_replay **out, struct st_journal *journal, uint32_t first_segment)
{
    NV_ASSERT(journal->stage == ST__READY);
    struct st_replay *const replay = (struct st_replay *)nv_heap_alloc(sizeof *replay);
    if (replay == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    replay->options = journal->options;
    replay->end = st_journal_end(journal);
    uint32_t const first = first_segment > journal->first ? first_segment : journal->first;
    enum nv_err const err = enter(replay, first);
    if (err != NV_OK) {
        st_replay_close(replay);
        return err;
    }
    *out = replay;
    return NV_OK;
}

/* next_batch reads the next batch; NV_ERR_NOT_FOUND at the journal's end. */
static enum nv_err next_batch(struct st_replay *replay)
{
    for (;;) {
        bool const in_last = replay->segment.number == replay->end.segment;
        if (in_last && replay->offset == replay->end.offset) {
            return NV_ERR_NOT_FOUND;
        }
        enum nv_err const err = st__batch_find(&replay->batch,
                                               &replay->segment,
                                               replay->options.files,
                                               replay->buffer,
                                               replay->offset);
        if (err == NV_OK) {
            break;
        }
        if (err != NV_ERR_NOT_FOUND || in_last) {
            return err == NV_ERR_NOT_FOUND ? NV_ERR_CORRUPT : err;
        }
        NV_TRY(enter(replay, replay->segment.number + 1));
    }
    replay->batch_offset = replay->offset;
    replay->offset += (uint32_t)st__padded(replay->batch.size);
    replay->at = ST__BATCH_HEAD;
    return NV_OK;
}

enum nv_err st_replay_next(struct st_replay *replay, struct st_record *record)
{
    uint32_t index = replay->at;
    bool there =
        replay->at != 0 && st__record_at(record, replay->buffer, &replay->batch, &replay->at);
    if (!there) {
        NV_TRY(next_batch(replay));
        index = replay->at;
        there = st__record_at(record, replay->buffer, &replay->batch, &replay->at);
        NV_ASSERT(there); /* a batch that was found has records */
    }
    record->place = (struct st_place){.segment = replay->segment.number,
                                      .offset = replay->batch_offset + index};
    return NV_OK;
}

void st_replay_close(struct st_replay *replay)
{
    if (replay != NULL) {
        st__segment_close(&replay->segment, replay->options.files);
        nv_heap_unreserve(replay->buffer, replay->buffer_size);
        nv_heap_free(replay);
    }
}
