#include "rpc/exchange.h"

#include <jansson.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/heap.h"

#include "rpc/json_read.h"
#include "rpc/proof.h"

/* Besides results an answer holds ids and errors, which are small. */
#define FRAME_BYTES 2048u

struct rpc_exchange *rpc__exchange_new(struct rpc *rpc, struct rpc_conn *conn)
{
    struct rpc_exchange *exchange = nv_heap_alloc(sizeof *exchange);
    if (exchange != NULL) {
        exchange->rpc = rpc;
        exchange->conn = conn;
        exchange->http_status = 200;
    }
    return exchange;
}

void rpc__exchange_free(struct rpc_exchange *exchange)
{
    for (uint32_t i = 0; i < exchange->call_count; i++) {
        rpc__call_deinit(&exchange->calls[i]);
    }
    nv_heap_free(exchange->calls);
    json_decref(exchange->root);
    rpc__json_deinit(&exchange->answer);
    nv_heap_free(exchange);
}

static void write_id(struct rpc_json *json, const struct json_t *id)
{
    if (json_is_string(id)) {
        rpc__json_string(
            json, "id", nv_view_of(json_string_value(id), (uint32_t)json_string_length(id)));
    } else if (json_is_integer(id)) {
        rpc__json_number(json, "id", json_integer_value(id));
    } else {
        rpc__json_null(json, "id");
    }
}

static void write_answer(struct rpc_exchange *exchange, struct rpc_call *call)
{
    struct rpc_json *answer = &exchange->answer;
    rpc__json_object(answer, NULL);
    rpc__json_text(answer, "jsonrpc", "2.0");
    write_id(answer, call->id);
    if (call->fault.code != 0) {
        exchange->http_status = exchange->batch ? 200 : rpc__error_http(call->fault.code);
        exchange->rpc->counters.errors[rpc__error_index(call->fault.code)]++;
        rpc__fault_write(answer, "error", &call->fault);
    } else {
        rpc__json_raw(answer, "result", rpc__json_view(&call->out));
    }
    rpc__json_end(answer, '}');
    rpc__json_deinit(&call->out);
}

static void finish(struct rpc_exchange *exchange)
{
    exchange->ready = true;
    exchange->finished(exchange);
}

void rpc__exchange_refuse(struct rpc_exchange *exchange, const struct rpc_fault *fault)
{
    rpc__json_init(&exchange->answer, exchange->rpc->limits.answer_bytes + FRAME_BYTES);
    struct rpc_call call = {.fault = *fault};
    write_answer(exchange, &call);
    finish(exchange);
}

/* refuse_reason refuses the whole body. */
static void refuse_reason(struct rpc_exchange *exchange, int32_t code, const char *reason)
{
    struct rpc_fault fault;
    rpc__fault_set(&fault, code, reason);
    rpc__exchange_refuse(exchange, &fault);
}

/* assemble writes the answers of all items in the order of the requests. */
static void assemble(struct rpc_exchange *exchange)
{
    uint32_t answered = 0;
    rpc__json_init(&exchange->answer,
                   exchange->rpc->limits.answer_bytes + (exchange->call_count + 1) * FRAME_BYTES);
    if (exchange->batch) {
        rpc__json_array(&exchange->answer, NULL);
    }
    for (uint32_t i = 0; i < exchange->call_count; i++) {
        struct rpc_call *call = &exchange->calls[i];
        if (!call->mute) {
            write_answer(exchange, call);
            answered++;
        }
    }
    if (exchange->batch) {
        rpc__json_end(&exchange->answer, ']');
    }
    exchange->silent = answered == 0;
    if (exchange->answer.failed) {
        rpc__json_reset(&exchange->answer);
        struct rpc_call call = {0};
        rpc__fault_set(&call.fault, RPC_ERROR_BUSY, NULL);
        exchange->silent = false;
        write_answer(exchange, &call);
    }
    finish(exchange);
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
    rpc__call_start(call, json_string_value(json_object_get(request, "method")));
}

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
        assemble(exchange);
    }
}

void rpc__exchange_call_done(struct rpc_exchange *exchange, struct rpc_call *call)
{
    account_done(exchange, call);
    pump(exchange);
}

void rpc__exchange_run(struct rpc_exchange *exchange, struct nv_view text)
{
    char reason[RPC_JSON_REASON];
    const struct rpc_limits *limits = &exchange->rpc->limits;
    if (rpc__json_read(&exchange->root, text, reason) != NV_OK) {
        refuse_reason(exchange, RPC_ERROR_PARSE, reason);
        return;
    }
    exchange->batch = json_is_array(exchange->root);
    size_t const count = exchange->batch ? json_array_size(exchange->root) : 1;
    if (count == 0) {
        refuse_reason(exchange, RPC_ERROR_INVALID_REQUEST, "the batch is empty");
        return;
    }
    if (count > limits->batch_items) {
        snprintf(reason,
                 sizeof reason,
                 "the batch has %zu items; at most %u are taken",
                 count,
                 limits->batch_items);
        refuse_reason(exchange, RPC_ERROR_BATCH_TOO_LARGE, reason);
        return;
    }
    exchange->calls = nv_heap_alloc(count * sizeof *exchange->calls);
    if (exchange->calls == NULL) {
        refuse_reason(exchange, RPC_ERROR_BUSY, NULL);
        return;
    }
    exchange->call_count = (uint32_t)count;
    pump(exchange);
}

void rpc__exchange_abandon(struct rpc_exchange *exchange)
{
    exchange->conn = NULL;
    if (exchange->ready) {
        rpc__exchange_free(exchange);
        return;
    }
    uint32_t queued = 0;
    for (uint32_t i = 0; i < exchange->started; i++) {
        struct rpc_call *call = &exchange->calls[i];
        if (call->step == RPC_CALL_PARKED) {
            rpc__call_cancel(call);
        }
        queued += call->step == RPC_CALL_QUEUED ? 1 : 0;
    }
    exchange->abandoned = true;
    exchange->started = exchange->call_count; /* nothing further starts */
    exchange->done = exchange->call_count - queued;
    if (queued == 0) {
        rpc__exchange_free(exchange);
    }
}
