/* items.c - the items of an exchange, each a call: started in their order, with
 * the state or parked, done. An item that is done lets the next one start, so
 * the exchange and its calls go on here together. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "rpc/call.h"
#include "rpc/exchange.h"
#include "rpc/json_read.h"
#include "rpc/proof.h"

/* ---- on the state ---- */

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
        rpc__call_park(call, RPC_WAIT_HEIGHT, height, height_reached);
        return;
    }
    queue(call);
}

/* ---- one item ---- */

static void run_on_loop(struct rpc_call *call)
{
    rpc__json_object(&call->out, NULL);
    call->method->run(call);
    if (call->step == RPC_CALL_ACTIVE) {
        rpc__json_end(&call->out, '}');
    }
}

/* start checks a request whose id and params are set and runs its method;
 * afterwards the call is done, parked or queued. */
static void start(struct rpc_call *call, const char *method)
{
    NV_ASSERT(call->step == RPC_CALL_NEW);
    call->step = RPC_CALL_ACTIVE;
    if (rpc__call_check(call, method)) {
        if (call->method->where == RPC_ON_LOOP) {
            run_on_loop(call);
        } else {
            start_on_state(call);
        }
    }
    if (call->step == RPC_CALL_ACTIVE) {
        call->step = RPC_CALL_DONE;
    }
}

static bool member_known(const char *name)
{
    static const char *const known[] = {"jsonrpc", "id", "method", "params"};
    for (uint32_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(name, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* envelope_fault returns what is wrong with a request, or NULL. */
static const char *envelope_fault(struct json_t *request)
{
    if (!json_is_object(request)) {
        return "a request is an object";
    }
    const char *name = NULL;
    struct json_t *value = NULL;
    json_object_foreach(request, name, value)
    {
        if (!member_known(name)) {
            return "a request has the members jsonrpc, id, method and params only";
        }
    }
    const char *version = json_string_value(json_object_get(request, "jsonrpc"));
    if (version == NULL || strcmp(version, "2.0") != 0) {
        return "the member jsonrpc must be \"2.0\"";
    }
    if (!json_is_string(json_object_get(request, "method"))) {
        return "the member method must be a string";
    }
    const struct json_t *params = json_object_get(request, "params");
    if (params != NULL && !json_is_object(params)) {
        return "the member params must be an object: parameters go by name";
    }
    return NULL;
}

/* id_of returns the id of a request if it is one that can be answered to. */
static bool id_of(const struct json_t **out, const struct json_t *request)
{
    const struct json_t *id = json_object_get(request, "id");
    bool const legal = id == NULL || json_is_null(id) || json_is_integer(id) ||
                       (json_is_string(id) && json_string_length(id) <= 128);
    *out = legal ? id : NULL;
    return legal;
}

static void start_item(struct rpc_exchange *exchange, struct rpc_call *call, struct json_t *request)
{
    uint32_t const limit = exchange->rpc->limits.answer_bytes;
    call->rpc = exchange->rpc;
    call->exchange = exchange;
    rpc__json_init(&call->out, exchange->used < limit ? limit - exchange->used : 0);
    bool const id_legal = id_of(&call->id, request);
    const char *reason = envelope_fault(request);
    if (reason == NULL && !id_legal) {
        reason = "the id must be a string of at most 128 bytes, an integer or null";
    }
    if (reason != NULL) {
        rpc__fault_set(&call->fault, RPC_ERROR_INVALID_REQUEST, reason);
        call->step = RPC_CALL_DONE;
        return;
    }
    call->mute = call->id == NULL;
    call->params = json_object_get(request, "params");
    start(call, json_string_value(json_object_get(request, "method")));
}

/* ---- all of them ---- */

/* account_done adds a finished item to what the exchange has used. */
static void account_done(struct rpc_exchange *exchange, struct rpc_call *call)
{
    NV_ASSERT(call->step == RPC_CALL_DONE);
    if (call->accounted) {
        return; /* it was done before its method had returned */
    }
    call->accounted = true;
    if (call->out.failed && call->fault.code == 0) {
        rpc__fault_set(&call->fault, RPC_ERROR_ANSWER_TOO_LARGE, NULL);
    }
    if (call->fault.code != 0) {
        rpc__json_deinit(&call->out);
    }
    exchange->used += call->out.size;
    exchange->done++;
}

/* pump starts items until one is with the node, then waits for that. */
static void pump(struct rpc_exchange *exchange)
{
    if (exchange->pumping) {
        return;
    }
    exchange->pumping = true;
    while (exchange->started < exchange->call_count) {
        uint32_t const at = exchange->started;
        if (at > 0 && exchange->calls[at - 1].step == RPC_CALL_QUEUED) {
            break;
        }
        struct json_t *request =
            exchange->batch ? json_array_get(exchange->root, at) : exchange->root;
        exchange->started++;
        start_item(exchange, &exchange->calls[at], request);
        if (exchange->calls[at].step == RPC_CALL_DONE) {
            account_done(exchange, &exchange->calls[at]);
        }
    }
    exchange->pumping = false;
    if (exchange->done == exchange->call_count && exchange->abandoned) {
        rpc__exchange_free(exchange);
    } else if (exchange->done == exchange->call_count) {
        rpc__exchange_answer(exchange);
    }
}

void rpc__call_done(struct rpc_call *call)
{
    NV_ASSERT(call->step == RPC_CALL_PARKED || call->step == RPC_CALL_QUEUED);
    rpc__json_end(&call->out, '}');
    call->step = RPC_CALL_DONE;
    account_done(call->exchange, call);
    pump(call->exchange);
}

void rpc__exchange_run(struct rpc_exchange *exchange, struct nv_view text)
{
    char reason[RPC_JSON_REASON];
    const struct rpc_limits *limits = &exchange->rpc->limits;
    if (rpc__json_read(&exchange->root, text, reason) != NV_OK) {
        rpc__exchange_refuse_with(exchange, RPC_ERROR_PARSE, reason);
        return;
    }
    exchange->batch = json_is_array(exchange->root);
    size_t const count = exchange->batch ? json_array_size(exchange->root) : 1;
    if (count == 0) {
        rpc__exchange_refuse_with(exchange, RPC_ERROR_INVALID_REQUEST, "the batch is empty");
        return;
    }
    if (count > limits->batch_items) {
        snprintf(reason,
                 sizeof reason,
                 "the batch has %zu items; at most %u are taken",
                 count,
                 limits->batch_items);
        rpc__exchange_refuse_with(exchange, RPC_ERROR_BATCH_TOO_LARGE, reason);
        return;
    }
    exchange->calls = nv_heap_alloc(count * sizeof *exchange->calls);
    if (exchange->calls == NULL) {
        rpc__exchange_refuse_with(exchange, RPC_ERROR_BUSY, NULL);
        return;
    }
    exchange->call_count = (uint32_t)count;
    pump(exchange);
}
