/* prune.c - lets the oldest segments of the journal go. */

#include "base/fmt.h"
#include "base/log.h"

#include "node/store/start.h"
#include "node/store/store.h"

#define EVERY_NS UINT64_C(1000000000)

static bool fill_wish(const struct node_store *store,
                      const struct node_store_keep *keep,
                      struct node_segments_wish *wish)
{
    struct cs_header header;
    struct cs_summary const summary = replica_summary(store->replica);
    *wish = (struct node_segments_wish){
        .keep_blocks = keep->blocks,
        .keep_bytes = keep->bytes,
        .segment_size = keep->segment_size,
        .checkpoint = store->checkpoint_height,
        .epoch = summary.epoch,
        .view = summary.final_view,
        .ends = store->ends,
    };
    if ((wish->keep_blocks == 0 && wish->keep_bytes == 0) ||
        node_blocks_header(store->blocks, wish->checkpoint, &header) != NV_OK) {
        return false;
    }
    wish->time_ms = header.time_ms;
    return true;
}

void node_store__prune(struct node_store *store, const struct node_store_beat *beat)
{
    struct node_segments_wish wish;
    if (beat->now_ns - store->prune_at_ns < EVERY_NS || store->own_busy || beat->stopping) {
        return;
    }
    store->prune_at_ns = beat->now_ns;
    if (!fill_wish(store, &beat->keep, &wish)) {
        return;
    }
    uint32_t const first = node_segments_keep(&store->segments, &wish);
    if (first == store->segments.first) {
        return;
    }
    /* The record that says which chain it is goes with the oldest segment, so it
     * is written once more before. */
    if (node_start_chain_record(beat->keep.chain, &store->own) == NV_OK) {
        store->own.drop = first;
        store->own_busy = true;
        store->port.append(store->port.ctx, &store->own);
    }
}

void node_store__pruned(struct node_store *store, struct node_batch *batch)
{
    if (batch->drop == 0) {
        return;
    }
    uint64_t const height = node_segments_height(&store->segments, batch->drop);
    node_segments_dropped(&store->segments, batch->drop);
    node_blocks_pruned(store->blocks, batch->drop);
    store->pruned_height = height > store->pruned_height ? height : store->pruned_height;
    nv_log(NV_LOG_INFO,
           "event=pruned first_segment=%u height=%" NV_U64,
           (unsigned)batch->drop,
           height);
    batch->drop = 0;
}
