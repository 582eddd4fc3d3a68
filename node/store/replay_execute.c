/* The final blocks above the checkpoint are executed. */

#include "base/bug.h"
#include "base/crash.h"
#include "base/fmt.h"
#include "base/log.h"

#include "node/store/replay.h"

static const struct replica_time never; /* before the start there is no time */

/* write_checkpoint makes room in the overlay. */
static enum nv_err write_checkpoint(const struct node_start *s)
{
    struct st_overlay *const overlay = node_machine_freeze(s->machine);
    if (overlay == NULL) {
        return NV_ERR_BUSY;
    }
    uint64_t const height = st_overlay_head(overlay)->height;
    node_store__index(s->store, overlay);
    NV_TRY(st_db_checkpoint(s->db, overlay));
    node_machine_thaw(s->machine, overlay);
    node_store__indexed(s->store, height);
    return NV_OK;
}

/* record_result appends what a block yielded, unless the journal has it. */
static enum nv_err record_result(const struct node_start *s, struct node_result *result)
{
    if (node_blocks_executed(s->store->blocks, result->head.height).segment != 0) {
        return NV_OK;
    }
    node_batch_clear(&s->store->own);
    if (!node_store__add(s->store, &s->store->own, result)) {
        return NV_ERR_CORRUPT;
    }
    NV_TRY(st_journal_append(s->journal, &s->store->own.batch));
    struct st_record record;
    node_batch_record(&s->store->own, 0, &record);
    return node_store__note(s->store, &record);
}

static enum nv_err run_block(struct node_replay__walk *w, uint64_t height)
{
    const struct node_start *const s = w->start;
    struct node_result *result = NULL;
    NV_TRY(node_replay__read(w, height));
    if (!NV_SEEDED(FACTS_FORGOTTEN)) {
        NV_TRY(node_replay__read_facts(w, height));
    }
    enum nv_err err = node_machine_execute(s->machine, &w->block, &result);
    if (err == NV_ERR_BUSY) {
        NV_TRY(write_checkpoint(s));
        err = node_machine_execute(s->machine, &w->block, &result);
    }
    NV_TRY(err);
    err = record_result(s, result);
    NV_CRASH_POINT(REPLAYED_BLOCK);
    replica_wrote(s->store->replica, height, result->writes, result->write_count);
    if (result->in_force != NULL) {
        replica_validators(s->store->replica, never, result->in_force);
    }
    if (err == NV_OK) {
        struct replica_outcome const outcome = node_result_outcome(result);
        err = replica_replayed(s->store->replica, &w->block, &outcome);
    }
    node_result_free(result);
    return err;
}

bool node_replay__execute(struct node_replay__walk *w)
{
    const struct node_start *const s = w->start;
    uint64_t const from = node_machine_head(s->machine).height + 1;
    for (uint64_t h = from; h <= w->tip; h++) {
        enum nv_err const err = run_block(w, h);
        node_replay__drop(w);
        if (err != NV_OK) {
            return node_replay__broken(s, "a final block cannot be executed", h, err);
        }
        if ((h - from) % 1000 == 999) {
            nv_log(NV_LOG_INFO,
                   "event=replay stage=execute height=%" NV_U64 " of=%" NV_U64,
                   h,
                   w->tip);
        }
    }
    nv_log(NV_LOG_INFO,
           "event=replayed stage=execute from=%" NV_U64 " height=%" NV_U64,
           from - 1,
           node_machine_head(s->machine).height);
    return true;
}
