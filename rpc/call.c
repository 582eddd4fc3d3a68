#include "rpc/call.h"

#include <stddef.h>

#include "base/assert.h"
#include "base/heap.h"

#include "rpc/proof.h"

#define WAIT_MS_DEFAULT 10000u
#define WAIT_MS_MAX     60000u

void rpc__call_fail(struct rpc_call *call, int32_t code)
{
    rpc__fault_set(&call->fault, code, NULL);
}

void rpc__call_fail_err(struct rpc_call *call, enum nv_err err)
{
    rpc__fault_of_err(&call->fault, err);
}

void rpc__call_deinit(struct rpc_call *call)
{
    NV_ASSERT(call->step != RPC_CALL_PARKED && call->step != RPC_CALL_QUEUED);
    rpc__json_deinit(&call->out);
    nv_heap_free(call->proof);
    call->proof = NULL;
    if (call->rows != NULL) {
        nv_heap_free(call->rows->bytes);
        nv_heap_free(call->rows);
        call->rows = NULL;
    }
}

struct rpc_call *rpc__call_of_wait(struct rpc_wait *wait)
{
    return (struct rpc_call *)(void *)((char *)wait - offsetof(struct rpc_call, wait));
}

void rpc__call_park(struct rpc_call *call,
                    enum rpc_wait_kind kind,
                    uint64_t key,
                    rpc_woken_fn woken)
{
    uint32_t const asked_ms = rpc__param_count(call->params, "timeout_ms", WAIT_MS_DEFAULT);
    uint32_t const timeout_ms = asked_ms < WAIT_MS_MAX ? asked_ms : WAIT_MS_MAX;
    call->step = RPC_CALL_PARKED;
    call->wait.kind = kind;
    call->wait.key = key;
    call->wait.deadline_ms = rpc__now(call->rpc) + timeout_ms;
    call->wait.woken = woken;
    rpc__wait_add(&call->rpc->waits, &call->wait);
}

void rpc__call_cancel(struct rpc_call *call)
{
    NV_ASSERT(call->step == RPC_CALL_PARKED);
    rpc__wait_wake(&call->rpc->waits, &call->wait, RPC_WAKE_CANCELLED, NULL);
    NV_ASSERT(call->step == RPC_CALL_PARKED);
    call->step = RPC_CALL_DONE;
}

/* ---- on the state ---- */

static void write_meta(struct rpc_call *call)
{
    rpc__json_object(&call->out, "meta");
    rpc__json_u64(&call->out, "height", call->head.height);
    rpc__json_number(&call->out, "block_time_ms", (int64_t)call->head.time_ms);
    rpc__json_hash(&call->out, "block_hash", &call->head.block_hash);
    rpc__json_hash(&call->out, "state_root", &call->head.state_root);
    rpc__json_end(&call->out, '}');
}

void rpc__call_run_on_state(struct rpc_job *job, const struct rpc_state *state)
{
    struct rpc_call *call = (struct rpc_call *)(void *)job;
    call->state = state;
    call->head = state->head;
    if (call->on_state != NULL) {
        call->on_state(call);
    } else {
        rpc__json_object(&call->out, NULL);
        call->method->run(call);
    }
    if (call->fault.code == 0 && rpc__param_bool(call->params, "meta")) {
        write_meta(call);
    }
    if (call->fault.code == 0 && call->proof != NULL) {
        enum nv_err const err = rpc__proof_write(call);
        if (err != NV_OK) {
            rpc__call_fail_err(call, err);
        }
    }
    call->state = NULL;
}
