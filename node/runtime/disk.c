/* disk.c - performs the orders of the node's store on the threads for them, and
 * ends the node when one fails. */

#include "base/crash.h"
#include "base/fmt.h"
#include "base/log.h"

#include "node/runtime/internal.h"

/* ---- the port ---- */

static void order_append(void *ctx, struct node_batch *batch)
{
    struct node *const n = ctx;
    bool const alone = !n->store.batch_busy || !n->store.own_busy; /* they come back in order */
    if (alone && node_journal_thread_at_once(n->journal, batch)) {
        n->appended = batch;
    } else {
        node_journal_thread_append(n->journal, batch);
    }
}

static void order_freeze(void *ctx)
{
    const struct node *const n = ctx;
    node_executor_freeze(n->executor);
}

static void order_write(void *ctx, struct node_checkpoint *checkpoint)
{
    const struct node *const n = ctx;
    node_checkpointer_write(n->checkpointer, checkpoint);
}

static void order_thaw(void *ctx)
{
    const struct node *const n = ctx;
    node_executor_thaw(n->executor);
}

struct node_store_port node_disk_port(struct node *n)
{
    return (struct node_store_port){n, order_append, order_freeze, order_write, order_thaw};
}

/* ---- what comes back ---- */

static void take_back(struct node *n, struct node_batch *batch)
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
    if (node_store_back(&n->store, uv_hrtime(), batch) != NV_OK) {
        node_fail(n, NODE_EXIT_FAILED, NULL, "the index of blocks is full");
    }
}

/* take_appended takes back what was appended at once. */
static void take_appended(struct node *n)
{
    while (n->appended != NULL) {
        struct node_batch *const batch = n->appended;
        n->appended = NULL;
        take_back(n, batch);
    }
}

void node_disk_batch(struct node *n, uint64_t now_ns, struct nv_view records)
{
    node_store_batch(&n->store, now_ns, records);
    take_appended(n);
}

void node_disk_back(struct node *n, struct node_batch *batch)
{
    take_back(n, batch);
    take_appended(n);
}

void node_disk_frozen(struct node *n, struct node_checkpoint *checkpoint)
{
    if (checkpoint->overlay != NULL) {
        checkpoint->copy = node_sharing_wants(n, st_overlay_head(checkpoint->overlay)->height);
    }
    node_store_frozen(&n->store, uv_hrtime(), checkpoint);
}

void node_disk_written(struct node *n, struct node_checkpoint *checkpoint)
{
    struct st_head const head = *st_overlay_head(checkpoint->overlay);
    struct st_state *const rows = checkpoint->rows; /* a thawed one is the executor's again */
    enum nv_err const err = node_store_written(&n->store, checkpoint);
    if (err != NV_OK) {
        nv_log(NV_LOG_ERROR,
               "event=checkpoint_failed height=%" NV_U64 " error=\"%s\"",
               head.height,
               nv_err_text(err));
        node_fail(n,
                  NODE_EXIT_STORAGE,
                  "make room on the disk or check it, then start again: nothing is lost",
                  "the database cannot be written");
        return;
    }
    NV_CRASH_POINT(CHECKPOINT_BACK);
    n->checkpoints++;
    if (rows != NULL) {
        node_sharing_copied(n, rows);
    }
    nv_log(NV_LOG_DEBUG,
           "event=checkpoint height=%" NV_U64 " rows=%" NV_U64,
           head.height,
           head.row_count);
}

void node_disk_beat(struct node *n, uint64_t now_ns)
{
    struct node_store_beat const beat = {
        .now_ns = now_ns,
        .checkpoint_every_ns =
            node_config_number(n->config, NODE_LIMITS_CHECKPOINT_MS) * UINT64_C(1000000),
        .head_height = n->head.height,
        .stopping = n->stopping,
        .keep =
            {
                .blocks = node_config_number(n->config, NODE_JOURNAL_KEEP_BLOCKS),
                .bytes = node_config_number(n->config, NODE_JOURNAL_KEEP_MB) << 20,
                .segment_size = n->home.journal_options.segment_size,
                .chain = &n->home.chain,
            },
    };
    node_store_beat(&n->store, &beat);
    take_appended(n);
}
