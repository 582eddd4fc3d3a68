/* From the journal to the present. */

#include "node/store/replay.h"

#include "base/crash.h"
#include "base/heap.h"

/* lacks_state returns whether the state cannot be made of the journal, which has
 * not all blocks, and is not in the database either. */
static bool lacks_state(const struct node_start *s)
{
    uint64_t const height = node_machine_head(s->machine).height;
    bool const pruned = st_journal_first(s->journal) != 1;
    if (height >= s->store->base_height && (height > 0 || !pruned)) {
        return false;
    }
    node_fault_set(s->fault,
                   NODE_EXIT_STORAGE,
                   NULL,
                   "%s: the database is not there, and the journal cannot make it anew: its oldest "
                   "blocks are gone, or came by a snapshot",
                   s->state_dir);
    node_fault_hint(s->fault,
                    "restore %s, or move %s away to begin anew (a validator then with --sit-out)",
                    s->state_dir,
                    s->data);
    return true;
}

/* guarded asks whether the vote key may sign with this journal. */
static bool guarded(const struct node_start *s, bool votes)
{
    struct node_found const found = {.votes = votes, .base = s->store->base_height > 0};
    return s->guard(s->guard_ctx, &found);
}

bool node_start_replay(const struct node_start *s)
{
    bool votes = false;
    if (lacks_state(s) || !node_replay__records(s, &votes) || lacks_state(s) ||
        !guarded(s, votes)) {
        return false;
    }
    NV_CRASH_POINT(REPLAYED_RECORDS);
    struct node_replay__walk *const w = nv_heap_alloc(sizeof *w);
    uint64_t const height = node_machine_head(s->machine).height;
    if (w == NULL) {
        return node_replay__broken(s, "no memory", height, NV_ERR_NO_MEMORY);
    }
    w->start = s;
    w->store = node_blocks_store(s->store->blocks);
    w->tip = node_blocks_final(s->store->blocks);
    bool const ok = height <= w->tip
                        ? node_replay__tell(w) && node_replay__execute(w)
                        : node_replay__broken(
                              s, "the database is ahead of the journal", height, NV_ERR_MISMATCH);
    nv_heap_free(w);
    NV_CRASH_POINT(REPLAYED);
    return ok;
}
