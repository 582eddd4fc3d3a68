#include "rpc/exchange.h"

#include <jansson.h>

#include "base/heap.h"

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

void rpc__exchange_refuse_with(struct rpc_exchange *exchange, int32_t code, const char *reason)
{
    struct rpc_fault fault;
    rpc__fault_set(&fault, code, reason);
    rpc__exchange_refuse(exchange, &fault);
}

void rpc__exchange_answer(struct rpc_exchange *exchange)
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
