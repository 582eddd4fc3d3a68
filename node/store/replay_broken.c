/* How a replay tells that it cannot go on. */

#include "base/fmt.h"

#include "node/store/replay.h"

bool node_replay__broken(const struct node_start *s,
                         const char *what,
                         uint64_t height,
                         enum nv_err err)
{
    node_fault_set(s->fault,
                   err == NV_ERR_NO_MEMORY ? NODE_EXIT_FAILED : NODE_EXIT_STORAGE,
                   "restore the data folder, or move it away to begin anew (not a validator's)",
                   "%s: %s at height %" NV_U64 ": %s",
                   s->journal_dir,
                   what,
                   height,
                   nv_err_text(err));
    return false;
}
