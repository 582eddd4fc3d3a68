#include "rpc/call.h"

#include <jansson.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/heap.h"

#include "rpc/exchange.h"
#include "rpc/proof.h"
#include "vm/receipt.h"

/* What every method on the state takes besides its own parameters. */
#define COMMON_STATE "meta:bool proof:bool min_height:u64 timeout_ms:count"

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
                    uint32_t timeout_ms,
                    rpc_woken_fn woken)
{
    call->step = RPC_CALL_PARKED;
    call->wait.kind = kind;
    call->wait.key = key;
    call->wait.deadline_ms = rpc__now(call->rpc) + timeout_ms;
    call->wait.woken = woken;
    rpc__wait_add(&call->rpc->waits, &call->wait);
}

void rpc__call_done(struct rpc_call *call)
{
    NV_ASSERT(call->step == RPC_CALL_PARKED || call->step == RPC_CALL_QUEUED);
    rpc__json_end(&call->out, '}');
    call->step = RPC_CALL_DONE;
    rpc__exchange_call_done(call->exchange, call);
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

static void job_done(struct rpc_work *work)
{
    struct rpc_call *call = (struct rpc_call *)(void *)work;
    if (work->job.err != NV_OK) {
        rpc__call_fail_err(call, work->job.err);
    } else if (call->fault.code == 0 && call->after != NULL) {
        call->after(call);
    }
    rpc__call_done(call);
}

/* queue hands the call to the state; false: it has failed. */
static bool queue(struct rpc_call *call)
{
    call->work.job.run = rpc__call_run_on_state;
    call->work.job.proved = call->proof != NULL;
    call->work.done = job_done;
    enum rpc_call_step const before = call->step;
    call->step = RPC_CALL_QUEUED;
    enum nv_err const err = rpc__work_start(call->rpc, &call->work);
    if (err != NV_OK) {
        call->step = before;
        rpc__call_fail_err(call, err);
    }
    return err == NV_OK;
}

static bool want_proof(struct rpc_call *call)
{
    call->proof = nv_heap_alloc(sizeof *call->proof);
    if (call->proof == NULL) {
        rpc__call_fail(call, RPC_ERROR_BUSY);
    }
    return call->proof != NULL;
}

void rpc__call_prove(struct rpc_call *call, void (*read)(struct rpc_call *call))
{
    call->on_state = read;
    if (want_proof(call)) {
        queue(call);
    }
}

/* height_reached goes on with a call whose min_height has come. */
static void height_reached(struct rpc_wait *wait, enum rpc_wake wake, const void *detail)
{
    (void)detail;
    struct rpc_call *call = rpc__call_of_wait(wait);
    if (wake == RPC_WAKE_CANCELLED) {
        return;
    }
    if (wake == RPC_WAKE_TIMEOUT) {
        rpc__call_fail(call, RPC_ERROR_TIMEOUT);
        rpc__call_done(call);
    } else if (!queue(call)) {
        rpc__call_done(call);
    }
}

static void start_on_state(struct rpc_call *call)
{
    uint64_t height = 0;
    if (!call->rpc->has_head) {
        rpc__call_fail(call, RPC_ERROR_SYNCING);
        return;
    }
    bool const proved =
        call->method->where == RPC_ON_PROVED_STATE || rpc__param_bool(call->params, "proof");
    if (proved && !want_proof(call)) {
        return;
    }
    if (rpc__param_u64(call->params, "min_height", &height) && height > call->rpc->head.height) {
        uint32_t const wait = rpc__param_count(call->params, "timeout_ms", WAIT_MS_DEFAULT);
        rpc__call_park(
            call, RPC_WAIT_HEIGHT, height, wait < WAIT_MS_MAX ? wait : WAIT_MS_MAX, height_reached);
        return;
    }
    queue(call);
}

/* ---- starting ---- */

static void not_found(struct rpc_call *call, const char *name)
{
    rpc__fault_set(&call->fault, RPC_ERROR_METHOD_NOT_FOUND, NULL);
    snprintf(call->fault.got, sizeof call->fault.got, "%.60s", name);
    snprintf(call->fault.expected,
             sizeof call->fault.expected,
             "%s",
             rpc__method_nearest(call->rpc, name));
}

/* SPEC rpc 5: "Every item takes its method's weight from the token bucket of its address" */
static bool admit(struct rpc_call *call, uint32_t weight)
{
    struct rpc *rpc = call->rpc;
    uint32_t const wait_ms =
        rpc__buckets_take(&rpc->buckets, &call->exchange->address, weight, rpc__now(rpc));
    if (wait_ms > 0) {
        rpc__call_fail(call, RPC_ERROR_RATE_LIMITED);
        call->fault.retry_after_ms = wait_ms;
    }
    return wait_ms == 0;
}

/* resolve looks up the market and the feed that the parameters name. */
static bool resolve(struct rpc_call *call)
{
    const struct rpc_catalogue *catalogue = &call->rpc->catalogue;
    const char *market = NULL;
    const char *feed = NULL;
    bool const market_named = rpc__param_text(call->params, "market", &market);
    bool const feed_named = rpc__param_text(call->params, "feed", &feed);
    if ((market_named || feed_named) && !catalogue->loaded) {
        rpc__call_fail(call, RPC_ERROR_SYNCING);
        return false;
    }
    if (market != NULL) {
        const struct rpc_listing *listing = rpc__listing_named(catalogue, market);
        if (listing == NULL) {
            rpc__fault_field(&call->fault, VM_REJECT_MARKET_UNKNOWN, "market", "");
            snprintf(call->fault.got, sizeof call->fault.got, "%.60s", market);
            return false;
        }
        call->listing = *listing;
    }
    if (feed != NULL && call->method->where != RPC_ON_LOOP) {
        const struct rpc_feed *entry = rpc__feed_named(catalogue, feed);
        if (entry == NULL) {
            rpc__fault_field(&call->fault, VM_REJECT_FEED_UNKNOWN, "feed", "");
            snprintf(call->fault.got, sizeof call->fault.got, "%.60s", feed);
            return false;
        }
        call->feed = *entry;
    }
    return true;
}

static void start(struct rpc_call *call, const char *name)
{
    struct rpc *rpc = call->rpc;
    call->method = rpc__method_find(rpc, name);
    if (!admit(call, call->method != NULL ? call->method->weight : 1)) {
        return;
    }
    if (call->method == NULL) {
        not_found(call, name);
        return;
    }
    rpc->counters.calls[call->method - rpc->methods]++;
    if (call->method->dev && !rpc->devnet) {
        rpc__call_fail(call, RPC_ERROR_DEV_ONLY);
        return;
    }
    bool const on_loop = call->method->where == RPC_ON_LOOP;
    const char *common = on_loop ? "" : COMMON_STATE;
    if (!rpc__params_check(call->params, call->method->params, common, &call->fault) ||
        !resolve(call)) {
        return;
    }
    call->markets = rpc->catalogue.listing_count;
    if (!on_loop) {
        start_on_state(call);
        return;
    }
    rpc__json_object(&call->out, NULL);
    call->method->run(call);
    if (call->step == RPC_CALL_ACTIVE) {
        rpc__json_end(&call->out, '}');
    }
}

void rpc__call_start(struct rpc_call *call, const char *method)
{
    NV_ASSERT(call->step == RPC_CALL_NEW);
    call->step = RPC_CALL_ACTIVE;
    start(call, method);
    if (call->step == RPC_CALL_ACTIVE) {
        call->step = RPC_CALL_DONE;
    }
}
