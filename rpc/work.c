/* work.c - work for the thread that owns the state. */

#include "base/assert.h"

#include "rpc/server.h"

enum nv_err rpc__work_start(struct rpc *rpc, struct rpc_work *work)
{
    NV_ASSERT(work->done != NULL && work->job.run != NULL);
    work->job.err = NV_OK;
    if (rpc->closing) {
        return NV_ERR_CLOSED;
    }
    rpc->borrowed++;
    enum nv_err const err = rpc->port.run_on_state(rpc->port.ctx, &work->job);
    if (err != NV_OK) {
        rpc->borrowed--;
    }
    return err;
}
