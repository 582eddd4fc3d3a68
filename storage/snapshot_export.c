#include <string.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/heap.h"

#include "storage/snapshot_parts.h"

/* Of a chunk's bytes: what its rows take; the rest is for the paths beside it. */
#define ROWS_ROOM (ST_CHUNK_SIZE_MAX - (32u << 10))
#define ROW_COST  37u

/* An export under way: memory, and where it is. */
struct export
{
    const struct st_snapshots *at;
    const struct st_state *state;
    struct st_head head;
    struct nv_writer manifest;
    uint32_t chunk_count;
    struct nv_row_range range; /* of the next chunk; its first key is right */
    struct nv_row rows[ST_CHUNK_ROWS_MAX + 1];
    uint8_t chunk[ST_CHUNK_SIZE_MAX];
    uint8_t packed[ST_CHUNK_PACKED_MAX];
    uint8_t manifest_bytes[ST_MANIFEST_SIZE_MAX];
};

/* fit returns how many of the rows one chunk takes. */
static uint32_t fit(const struct nv_row *rows, uint32_t count)
{
    uint32_t size = 0;
    uint32_t taken = 0;
    while (taken < count && taken < ST_CHUNK_ROWS_MAX) {
        size += ROW_COST + rows[taken].value.size;
        if (size > ROWS_ROOM) {
            break;
        }
        taken++;
    }
    return taken;
}

/* put_chunk writes the next chunk; `*more` says whether rows are left. */
static enum nv_err put_chunk(struct export *e, bool *more)
{
    struct nv_writer w;
    struct nv_view packed;
    uint32_t count = 0;
    memset(&e->range.last, 0xff, sizeof e->range.last);
    NV_TRY(st_rows(e->state, e->rows, &count, e->head.height, &e->range, ST_CHUNK_ROWS_MAX + 1));
    uint32_t const taken = fit(e->rows, count);
    *more = taken < count;
    if (*more) {
        e->range.last = e->rows[taken - 1].key;
    }
    nv_writer_init(&w, e->chunk, sizeof e->chunk);
    NV_TRY(st_prove(e->state, &w, e->head.height, &e->range, 1));
    NV_TRY(st__chunk_pack(&packed, nv_writer_view(&w), e->packed));
    st__manifest_add(&e->manifest, &e->range.last, packed);
    NV_TRY(st_snapshot_put(e->at, e->head.height, ST_SNAPSHOT_MADE, e->chunk_count, packed));
    e->chunk_count++;
    e->range.first = e->range.last;
    return *more && !nv_row_key_next(&e->range.first) ? NV_ERR_CORRUPT : NV_OK;
}

static enum nv_err export_all(struct export *e, struct nv_view anchor)
{
    bool more = true;
    NV_TRY(st_snapshot_begin(e->at, e->head.height, ST_SNAPSHOT_MADE));
    st__manifest_begin(&e->manifest, &e->head);
    while (more) {
        if (e->chunk_count == ST_CHUNKS_MAX) {
            return NV_ERR_TOO_LARGE;
        }
        NV_TRY(put_chunk(e, &more));
    }
    st__manifest_end(&e->manifest, e->chunk_count);
    uint64_t const height = e->head.height;
    NV_TRY(st_snapshot_put(
        e->at, height, ST_SNAPSHOT_MADE, ST_PART_MANIFEST, nv_writer_view(&e->manifest)));
    NV_TRY(st_snapshot_put(e->at, height, ST_SNAPSHOT_MADE, ST_PART_ANCHOR, anchor));
    return st_snapshot_finish(e->at, height, ST_SNAPSHOT_MADE);
}

static bool is_there(const struct st_snapshots *at, uint64_t height)
{
    uint64_t heights[ST_SNAPSHOTS_KEPT];
    uint32_t count = 0;
    bool there = false;
    if (st_snapshot_list(at, heights, &count, ST_SNAPSHOT_DONE) != NV_OK) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        there = there || heights[i] == height;
    }
    return there;
}

enum nv_err st_snapshot_export(const struct st_snapshots *at,
                               const struct st_state *state,
                               struct nv_view anchor)
{
    NV_ASSERT(anchor.size <= ST_ANCHOR_SIZE_MAX);
    const struct st_head *const head = st_newest(state);
    if (is_there(at, head->height)) {
        return NV_OK;
    }
    struct export *const e = nv_heap_reserve(sizeof *e);
    if (e == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    e->at = at;
    e->state = state;
    e->head = *head;
    nv_writer_init(&e->manifest, e->manifest_bytes, sizeof e->manifest_bytes);
    enum nv_err const err = export_all(e, anchor);
    nv_heap_unreserve(e, sizeof *e);
    return err;
}

enum nv_err st_snapshot_copy(struct st_state **out, struct st_db *db)
{
    struct st_head head;
    NV_TRY(st_db_head(db, &head));
    struct st_limits const limits = {
        .rows_max = (uint32_t)head.row_count + 1u,
        .versions_max = 1,
        .writes_max = 1,
        .dirty_max = 1,
        .dirty_bytes_max = NV_ROW_VALUE_MAX,
        .blocks_max = 1,
        .txs_max = 1,
    };
    NV_TRY(st_state_open(out, &limits));
    enum nv_err const err = st_db_load(db, *out);
    if (err != NV_OK) {
        st_state_close(*out);
    }
    return err;
}
