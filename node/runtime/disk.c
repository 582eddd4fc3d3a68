/* disk.c - what goes to the disk: batches of records, what blocks
 * yielded, checkpoints. */

#include "base/assert.h"
#include "base/crash.h"
#include "base/fmt.h"
#include "base/heap.h"
#include "base/log.h"

#include "node/runtime/internal.h"

/* Of an EXECUTED record, beside its contents, in a batch. */
#define RECORD_SPARE 1024u
/* Records and results that no batch takes along are written by themselves. */
#define WAIT_NS UINT64_C(100000000)

/* ---- results ---- */

bool node_disk_add_result(struct node *n, struct node_batch *batch, struct node_result *result)
{
    struct node_places places;
    uint32_t const size_max = n->home.journal_options.batch_max - RECORD_SPARE;
    uint32_t const size = node_executed_size(result, size_max);
    if (!node_blocks_places(n->blocks, result, &places) ||
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
static void take_results(struct node *n, struct node_batch *batch)
{
    while (n->first_result != NULL && node_disk_add_result(n, batch, n->first_result)) {
        struct node_result *const result = n->first_result;
        n->first_result = result->next;
        n->last_result = n->first_result == NULL ? NULL : n->last_result;
        n->results_since_ns = uv_hrtime();
        node_result_free(result);
        NV_CRASH_POINT(RESULTS_TAKEN);
    }
}

void node_disk_result(struct node *n, struct node_result *result)
{
    result->next = NULL;
    if (n->last_result == NULL) {
        n->first_result = result;
        n->results_since_ns = uv_hrtime();
    } else {
        n->last_result->next = result;
    }
    n->last_result = result;
}

/* ---- batches ---- */

static void append_rest(struct node *n)
{
    node_batch_clear(&n->batch);
    uint32_t const taken = node_batch_add_all(&n->batch, n->batch_rest);
    NV_ASSERT(taken > 0); /* every record fits into an empty batch */
    n->batch_rest = nv_view_of(n->batch_rest.bytes + taken, n->batch_rest.size - taken);
    if (n->batch_rest.size == 0) {
        take_results(n, &n->batch);
    }
    n->batch_busy = true;
    n->batch_at_ns = uv_hrtime();
    node_journal_thread_append(n->journal, &n->batch);
    NV_CRASH_POINT(BATCH_GIVEN);
}

void node_disk_batch(struct node *n, struct nv_view records)
{
    NV_ASSERT(!n->batch_busy);
    n->batch_rest = records;
    append_rest(n);
}

static bool note_records(struct node *n, const struct node_batch *batch)
{
    for (uint32_t i = 0; i < batch->batch.count; i++) {
        struct st_record record;
        node_batch_record(batch, i, &record);
        node_segments_note(&n->segments, &record);
        enum nv_err const err = node_blocks_note(n->blocks, &record);
        if (err != NV_OK) {
            node_fail(n, NODE_EXIT_FAILED, NULL, "the index of blocks is full");
            return false;
        }
    }
    return true;
}

void node_disk_back(struct node *n, struct node_batch *batch)
{
    if (batch->err != NV_OK) {
        nv_log(NV_LOG_ERROR, "event=journal_failed error=\"%s\"", nv_err_text(batch->err));
        node_fail(n,
                  NODE_EXIT_STORAGE,
                  batch->err == NV_ERR_DISK_FULL ? "make room on the disk, then start again"
                                                 : "check the disk, then start again",
                  batch->err == NV_ERR_DISK_FULL ? "the journal cannot be written: the disk is full"
                                                 : "the journal cannot be written");
        return;
    }
    n->syncs++;
    n->sync_ns += batch->sync_ns;
    if (!note_records(n, batch)) {
        return;
    }
    if (batch == &n->own) {
        n->own_busy = false;
        node_prune_back(n, batch);
        return;
    }
    n->batch_busy = false;
    NV_CRASH_POINT(BATCH_BACK);
    if (n->batch_rest.size > 0) {
        append_rest(n);
        return;
    }
    replica_durable(n->replica);
}

/* ---- checkpoints ---- */

void node_disk_places(struct node *n, struct st_overlay *overlay)
{
    uint64_t const height = st_overlay_head(overlay)->height;
    for (uint64_t h = n->checkpoint_height + 1; h <= height; h++) {
        st_overlay_place(overlay, h, node_blocks_executed(n->blocks, h));
    }
}

/* go_on writes the frozen overlay once the journal leads past it. */
static void go_on(struct node *n)
{
    if (n->checkpoint == NULL || n->checkpoint_writing) {
        return;
    }
    struct st_overlay *const overlay = n->checkpoint->overlay;
    uint64_t const height = st_overlay_head(overlay)->height;
    if (height > n->checkpoint_height && node_blocks_executed(n->blocks, height).segment == 0) {
        return;
    }
    node_disk_places(n, overlay);
    n->checkpoint_writing = true;
    node_checkpointer_write(n->checkpointer, n->checkpoint);
}

void node_disk_frozen(struct node *n, struct node_checkpoint *checkpoint)
{
    n->freeze_asked = false;
    n->checkpoint_at_ns = uv_hrtime();
    NV_CRASH_POINT(CHECKPOINT_FROZEN);
    if (checkpoint->overlay != NULL) {
        NV_ASSERT(n->checkpoint == NULL);
        n->checkpoint = checkpoint;
        checkpoint->forget = n->pruned_height > n->forgot_height ? n->pruned_height : 0;
        checkpoint->copy = node_sharing_wants(n, st_overlay_head(checkpoint->overlay)->height);
        go_on(n);
    }
}

void node_disk_written(struct node *n, struct node_checkpoint *checkpoint)
{
    const struct st_head *const head = st_overlay_head(checkpoint->overlay);
    n->checkpoint = NULL;
    n->checkpoint_writing = false;
    if (checkpoint->err != NV_OK) {
        nv_log(NV_LOG_ERROR,
               "event=checkpoint_failed height=%" NV_U64 " error=\"%s\"",
               head->height,
               nv_err_text(checkpoint->err));
        node_fail(n,
                  NODE_EXIT_STORAGE,
                  "make room on the disk or check it, then start again: nothing is lost",
                  "the database cannot be written");
        return;
    }
    NV_CRASH_POINT(CHECKPOINT_BACK);
    n->checkpoints++;
    n->checkpoint_height = head->height;
    n->forgot_height = checkpoint->forget > 0 ? checkpoint->forget : n->forgot_height;
    if (checkpoint->rows != NULL) {
        node_sharing_copied(n, checkpoint->rows);
    }
    node_blocks_checkpointed(n->blocks, head->height);
    nv_log(NV_LOG_DEBUG,
           "event=checkpoint height=%" NV_U64 " rows=%" NV_U64,
           head->height,
           head->row_count);
    node_executor_thaw(n->executor);
}

/* ---- now and then ---- */

void node_disk_beat(struct node *n, uint64_t now_ns)
{
    if (!n->batch_busy && now_ns - n->batch_at_ns >= WAIT_NS) {
        replica_flush(n->replica);
    }
    uint64_t const every =
        node_config_number(n->config, NODE_LIMITS_CHECKPOINT_MS) * UINT64_C(1000000);
    bool const late =
        n->stopping || n->checkpoint != NULL || now_ns - n->results_since_ns >= WAIT_NS;
    if (n->first_result != NULL && late && !n->own_busy && !n->batch_busy) {
        node_batch_clear(&n->own);
        take_results(n, &n->own);
        if (n->own.batch.count > 0) {
            n->own_busy = true;
            node_journal_thread_append(n->journal, &n->own);
        }
    }
    go_on(n);
    bool const due = n->stopping || now_ns - n->checkpoint_at_ns >= every;
    if (due && n->checkpoint == NULL && !n->freeze_asked && n->head.height > n->checkpoint_height) {
        n->freeze_asked = true;
        node_executor_freeze(n->executor);
    }
}

bool node_disk_quiet(const struct node *n)
{
    return !n->batch_busy && !n->own_busy && n->checkpoint == NULL && !n->freeze_asked;
}
