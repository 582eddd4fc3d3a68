/* The stage at which a joiner is. */

#include "node/sync/state.h"

void sync__stage(struct sync *s, enum sync_stage stage)
{
    s->stage = stage;
    if (stage == SYNC_LISTING) {
        s->listing_ms = s->time.now_ms;
        s->listed_ms = 0;
    }
    if (stage == SYNC_CHUNKS) {
        s->rate_ms = s->time.now_ms;
        s->rate_chunks = 0;
    }
}

void sync__fail(struct sync *s, enum nv_err err)
{
    s->err = err;
    s->stage = SYNC_FAILED;
}

const char *sync_stage_name(enum sync_stage stage)
{
    switch (stage) {
    case SYNC_LISTING: return "listing";
    case SYNC_ANCHOR: return "anchor";
    case SYNC_EPOCHS: return "epochs";
    case SYNC_MANIFEST: return "manifest";
    case SYNC_CHUNKS: return "chunks";
    case SYNC_READY: return "ready";
    case SYNC_SKIP: return "skip";
    case SYNC_FAILED: return "failed";
    }
    return "unknown";
}
