/* prune.c - lets the oldest segments of the journal go. */

#include "base/fmt.h"
#include "base/log.h"

#include "node/journal/segments.h"
#include "node/runtime/internal.h"

#define EVERY_NS UINT64_C(1000000000)

static bool fill_wish(struct node *n, struct node_segments_wish *wish)
{
    struct cs_header header;
    struct cs_summary const summary = replica_summary(n->replica);
    *wish = (struct node_segments_wish){
        .keep_blocks = node_config_number(n->config, NODE_JOURNAL_KEEP_BLOCKS),
        .keep_bytes = node_config_number(n->config, NODE_JOURNAL_KEEP_MB) << 20,
        .segment_size = n->home.journal_options.segment_size,
        .checkpoint = n->checkpoint_height,
        .epoch = summary.epoch,
        .view = summary.final_view,
    };
    if ((wish->keep_blocks == 0 && wish->keep_bytes == 0) ||
        node_blocks_header(n->blocks, wish->checkpoint, &header) != NV_OK) {
        return false;
    }
    wish->time_ms = header.time_ms;
    return true;
}

void node_prune_beat(struct node *n, uint64_t now_ns)
{
    struct node_segments_wish wish;
    if (now_ns - n->prune_at_ns < EVERY_NS || n->own_busy || n->stopping) {
        return;
    }
    n->prune_at_ns = now_ns;
    if (!fill_wish(n, &wish)) {
        return;
    }
    uint32_t const keep = node_segments_keep(&n->segments, &wish);
    if (keep == n->segments.first) {
        return;
    }
    /* The record that says which chain it is goes with the oldest segment, so it
     * is written once more before. */
    if (node_home_chain_record(&n->home, &n->own) == NV_OK) {
        n->own.drop = keep;
        n->own_busy = true;
        node_journal_thread_append(n->journal, &n->own);
    }
}

void node_prune_back(struct node *n, struct node_batch *batch)
{
    if (batch->drop == 0) {
        return;
    }
    uint64_t const height = node_segments_height(&n->segments, batch->drop);
    node_segments_dropped(&n->segments, batch->drop);
    node_blocks_pruned(n->blocks, batch->drop);
    n->pruned_height = height > n->pruned_height ? height : n->pruned_height;
    nv_log(NV_LOG_INFO,
           "event=pruned first_segment=%u height=%" NV_U64,
           (unsigned)batch->drop,
           height);
    batch->drop = 0;
}
