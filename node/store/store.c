#include "node/store/store.h"

#include "base/assert.h"
#include "base/bug.h"
#include "base/crash.h"
#include "base/heap.h"

#include "storage/epochs.h"

/* Of an EXECUTED record, beside its contents, in a batch. */
#define RECORD_SPARE 1024u
/* Records and results that no batch takes along are written by themselves. */
#define WAIT_NS UINT64_C(100000000)

/* ---- life ---- */

enum nv_err node_store_open(struct node_store *store, uint32_t batch_max)
{
    *store = (struct node_store){.batch_max = batch_max};
    NV_TRY(node_batch_open(&store->batch, batch_max));
    return node_batch_open(&store->own, batch_max);
}

void node_store_close(struct node_store *store)
{
    while (store->first_result != NULL) {
        struct node_result *const result = store->first_result;
        store->first_result = result->next;
        node_result_free(result);
    }
    node_batch_close(&store->batch);
    node_batch_close(&store->own);
}

/* ---- results ---- */

bool node_store__add(struct node_store *store, struct node_batch *batch, struct node_result *result)
{
    struct node_places places;
    uint32_t const size_max = store->batch_max - RECORD_SPARE;
    uint32_t const size = node_executed_size(result, size_max);
    if (!node_blocks_places(store->blocks, result, &places) ||
        size > batch->batch.cap - batch->batch.size - RECORD_SPARE / 2) {
        return false;
    }
    uint8_t *const memory = nv_heap_alloc(size);
    if (memory == NULL) {
        return false;
    }
    struct nv_writer w;
    nv_writer_init(&w, memory, size);
    node_executed_put(&w, result, &places, size_max);
    NV_ASSERT(!w.overflow && w.size == size);
    enum nv_err const err = node_batch_add(batch, NODE_RECORD_EXECUTED, nv_view_of(memory, size));
    nv_heap_free(memory);
    return err == NV_OK;
}

/* take_results moves results into a batch, in order, as far as their records
 * are known and fit. */
static void take_results(struct node_store *store, uint64_t now_ns, struct node_batch *batch)
{
    while (store->first_result != NULL && node_store__add(store, batch, store->first_result)) {
        struct node_result *const result = store->first_result;
        store->first_result = result->next;
        store->last_result = store->first_result == NULL ? NULL : store->last_result;
        store->results_since_ns = now_ns;
        node_result_free(result);
        NV_CRASH_POINT(RESULTS_TAKEN);
    }
}

void node_store_result(struct node_store *store, uint64_t now_ns, struct node_result *result)
{
    result->next = NULL;
    if (store->last_result == NULL) {
        store->first_result = result;
        store->results_since_ns = now_ns;
    } else {
        store->last_result->next = result;
    }
    store->last_result = result;
}

/* ---- batches ---- */

static void append_rest(struct node_store *store, uint64_t now_ns)
{
    node_batch_clear(&store->batch);
    uint32_t const taken = node_batch_add_all(&store->batch, store->batch_rest);
    NV_ASSERT(taken > 0); /* every record fits into an empty batch */
    store->batch_rest = nv_view_of(store->batch_rest.bytes + taken, store->batch_rest.size - taken);
    if (store->batch_rest.size == 0) {
        take_results(store, now_ns, &store->batch);
    }
    store->batch_busy = true;
    store->batch_at_ns = now_ns;
    store->port.append(store->port.ctx, &store->batch);
    NV_CRASH_POINT(BATCH_GIVEN);
}

void node_store_batch(struct node_store *store, uint64_t now_ns, struct nv_view records)
{
    NV_ASSERT(!store->batch_busy);
    store->batch_rest = records;
    append_rest(store, now_ns);
}

bool node_store_ready(const struct node_store *store)
{
    return store->batch_rest.size == 0;
}

/* note_body keeps the body of a block whose own record is in a later segment: a power
 * failure may have come between the two, or the end of the segment. */
static void note_body(struct node_store *store, const struct st_record *record)
{
    struct cs_header header;
    struct nv_hash hash;
    struct nv_reader r;
    nv_reader_init(&r, record->bytes);
    if (cs_header_get(&r, &header) == NV_OK) {
        cs_header_hash(&hash, &header);
        struct st_place const body = node_blocks_body(store->blocks, &hash);
        if (body.segment != 0) {
            node_segments_need(&store->segments, body.segment, &header);
        }
    }
}

enum nv_err node_store__note(struct node_store *store, const struct st_record *record)
{
    node_segments_note(&store->segments, record);
    NV_TRY(node_blocks_note(store->blocks, record));
    if (record->type == CS_RECORD_BLOCK) {
        note_body(store, record);
    }
    return NV_OK;
}

static enum nv_err note_records(struct node_store *store, const struct node_batch *batch)
{
    for (uint32_t i = 0; i < batch->batch.count; i++) {
        struct st_record record;
        node_batch_record(batch, i, &record);
        NV_TRY(node_store__note(store, &record));
    }
    return NV_OK;
}

enum nv_err node_store_back(struct node_store *store, uint64_t now_ns, struct node_batch *batch)
{
    NV_TRY(batch->err);
    NV_TRY(note_records(store, batch));
    if (batch == &store->own) {
        store->own_busy = false;
        node_store__pruned(store, batch);
        return NV_OK;
    }
    store->batch_busy = false;
    NV_CRASH_POINT(BATCH_BACK);
    if (store->batch_rest.size > 0) {
        append_rest(store, now_ns);
        return NV_OK;
    }
    replica_durable(store->replica);
    return NV_OK;
}

/* ---- checkpoints ---- */

/* index_ends adds ends of epochs, in order; what does not fit goes with the next
 * checkpoint. */
static void index_ends(struct node_store *store, struct st_overlay *overlay)
{
    struct replica_store const blocks = node_blocks_store(store->blocks);
    uint64_t first = 0;
    uint64_t last = 0;
    store->ends_writing = store->ends;
    if (!node_blocks_epochs(store->blocks, &first, &last)) {
        return;
    }
    for (uint64_t e = store->ends + 1 > first ? store->ends + 1 : first; e <= last; e++) {
        struct nv_view end;
        if (blocks.epoch(blocks.ctx, e, &end) != NV_OK || !st_overlay_epoch(overlay, e, end)) {
            break;
        }
        store->ends_writing = e;
    }
}

void node_store__index(struct node_store *store, struct st_overlay *overlay)
{
    uint64_t const height = st_overlay_head(overlay)->height;
    for (uint64_t h = store->checkpoint_height + 1; h <= height; h++) {
        st_overlay_place(overlay, h, node_blocks_executed(store->blocks, h));
    }
    index_ends(store, overlay);
}

void node_store__indexed(struct node_store *store, uint64_t height)
{
    store->checkpoint_height = height;
    store->ends = store->ends_writing;
    node_blocks_checkpointed(store->blocks, height);
}

/* go_on writes the frozen overlay once the journal leads past it. */
static void go_on(struct node_store *store)
{
    if (store->checkpoint == NULL || store->checkpoint_writing) {
        return;
    }
    struct st_overlay *const overlay = store->checkpoint->overlay;
    uint64_t const height = st_overlay_head(overlay)->height;
    if (height > store->checkpoint_height && !NV_SEEDED(CHECKPOINT_EARLY) &&
        node_blocks_executed(store->blocks, height).segment == 0) {
        return;
    }
    node_store__index(store, overlay);
    store->checkpoint_writing = true;
    store->port.write(store->port.ctx, store->checkpoint);
}

void node_store_frozen(struct node_store *store,
                       uint64_t now_ns,
                       struct node_checkpoint *checkpoint)
{
    store->freeze_asked = false;
    store->checkpoint_at_ns = now_ns;
    NV_CRASH_POINT(CHECKPOINT_FROZEN);
    if (checkpoint->overlay != NULL) {
        NV_ASSERT(store->checkpoint == NULL);
        store->checkpoint = checkpoint;
        checkpoint->forget = store->pruned_height > store->forgot_height ? store->pruned_height : 0;
        go_on(store);
    }
}

enum nv_err node_store_written(struct node_store *store, const struct node_checkpoint *checkpoint)
{
    store->checkpoint = NULL;
    store->checkpoint_writing = false;
    NV_TRY(checkpoint->err);
    if (checkpoint->forget > 0) {
        store->forgot_height = checkpoint->forget;
    }
    node_store__indexed(store, st_overlay_head(checkpoint->overlay)->height);
    store->port.thaw(store->port.ctx);
    return NV_OK;
}

/* ---- now and then ---- */

void node_store_beat(struct node_store *store, const struct node_store_beat *beat)
{
    uint64_t const now_ns = beat->now_ns;
    if (!store->batch_busy && now_ns - store->batch_at_ns >= WAIT_NS) {
        replica_flush(store->replica);
    }
    bool const late =
        beat->stopping || store->checkpoint != NULL || now_ns - store->results_since_ns >= WAIT_NS;
    if (store->first_result != NULL && late && !store->own_busy && !store->batch_busy) {
        node_batch_clear(&store->own);
        take_results(store, now_ns, &store->own);
        if (store->own.batch.count > 0) {
            store->own_busy = true;
            store->port.append(store->port.ctx, &store->own);
        }
    }
    go_on(store);
    bool const due =
        beat->stopping || now_ns - store->checkpoint_at_ns >= beat->checkpoint_every_ns;
    if (due && store->checkpoint == NULL && !store->freeze_asked &&
        beat->head_height > store->checkpoint_height) {
        store->freeze_asked = true;
        store->port.freeze(store->port.ctx);
    }
    node_store__prune(store, beat);
}

bool node_store_quiet(const struct node_store *store)
{
    return !store->batch_busy && !store->own_busy && store->checkpoint == NULL &&
           !store->freeze_asked;
}
