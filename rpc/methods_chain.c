/* methods_chain.c - chain_*: blocks, certificates, validators, parameters. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"
#include "base/heap.h"

#include "rpc/block.h"
#include "rpc/call.h"
#include "rpc/exchange.h"
#include "rpc/methods.h"
#include "rpc/proof.h"
#include "vm/params.h"
#include "vm/rows.h"

#define BLOCKS_AT_ONCE 100u
#define PROOF_KEYS_MAX 64u
#define FRESH_BLOCKS   8u
#define RETRY_MS       100u

void rpc__chain_genesis(struct rpc_call *call)
{
    struct rpc_status status = {.eta_ms = -1};
    call->rpc->port.status(call->rpc->port.ctx, &status);
    rpc__json_hash(&call->out, "chain_id", &status.chain_id);
    rpc__json_string(&call->out, "text", call->rpc->port.genesis(call->rpc->port.ctx));
}

void rpc__chain_head(struct rpc_call *call)
{
    struct rpc_status status = {.eta_ms = -1};
    const struct rpc_head *head = &call->rpc->head;
    if (!call->rpc->has_head) {
        rpc__call_fail(call, RPC_ERROR_SYNCING);
        return;
    }
    call->rpc->port.status(call->rpc->port.ctx, &status);
    rpc__json_u64(&call->out, "height", head->height);
    rpc__json_hash(&call->out, "block_hash", &head->block_hash);
    rpc__json_hash(&call->out, "state_root", &head->state_root);
    rpc__json_number(&call->out, "block_time_ms", (int64_t)head->time_ms);
    rpc__json_u64(&call->out, "finalized_height", status.finalized_height);
}

/* find_block asks the node for a block; the call has failed when false. */
static bool find_block(struct rpc_call *call, uint64_t height, struct rpc_block *block)
{
    memset(block, 0, sizeof *block);
    enum nv_err const err = call->rpc->port.block(call->rpc->port.ctx, height, block);
    if (err == NV_OK) {
        return true;
    }
    if (err == NV_ERR_NOT_FOUND) {
        /* The newest blocks may be executed before their journal is written. */
        uint64_t const head = call->rpc->has_head ? call->rpc->head.height : 0;
        bool const early = height > head || head - height < FRESH_BLOCKS;
        rpc__call_fail(call, early ? RPC_ERROR_FUTURE_HEIGHT : RPC_ERROR_PRUNED);
        call->fault.retry_after_ms = early && height <= head ? RETRY_MS : 0;
    } else {
        rpc__call_fail_err(call, err);
    }
    return false;
}

/* newest_block returns the height of the newest block that the node can give. */
static uint64_t newest_block(struct rpc_call *call)
{
    const struct rpc_port *port = &call->rpc->port;
    uint64_t const head = call->rpc->head.height;
    for (uint64_t back = 0; back < FRESH_BLOCKS && back < head; back++) {
        struct rpc_block block = {.tx_count = 0};
        if (port->block(port->ctx, head - back, &block) == NV_OK) {
            return head - back;
        }
    }
    return head;
}

void rpc__chain_block(struct rpc_call *call)
{
    struct rpc_block block;
    uint64_t height = 0;
    if (!rpc__param_u64(call->params, "height", &height)) {
        height = newest_block(call);
    }
    if (find_block(call, height, &block)) {
        rpc__json_u64(&call->out, "height", height);
        rpc__block_write(&call->out, &block);
        if (rpc__param_bool(call->params, "transactions")) {
            rpc__block_write_transactions(&call->out, call->rpc, &block);
        } else {
            rpc__json_null(&call->out, "transactions");
        }
    }
}

void rpc__chain_blocks(struct rpc_call *call)
{
    uint64_t from = 0;
    (void)rpc__param_u64(call->params, "from", &from);
    uint32_t const wanted = rpc__param_count(call->params, "count", 20);
    uint32_t const count = wanted < BLOCKS_AT_ONCE ? wanted : BLOCKS_AT_ONCE;
    uint32_t given = 0;
    rpc__json_array(&call->out, "blocks");
    for (; given < count && from + given >= from; given++) {
        struct rpc_block block = {0};
        if (call->rpc->port.block(call->rpc->port.ctx, from + given, &block) != NV_OK) {
            break;
        }
        rpc__json_object(&call->out, NULL);
        rpc__json_u64(&call->out, "height", from + given);
        rpc__block_write(&call->out, &block);
        rpc__json_end(&call->out, '}');
    }
    rpc__json_end(&call->out, ']');
    rpc__json_u64(&call->out, "next", from + given);
}

void rpc__chain_certificate(struct rpc_call *call)
{
    struct rpc_block block;
    uint64_t height = 0;
    (void)rpc__param_u64(call->params, "height", &height);
    if (!find_block(call, height, &block)) {
        return;
    }
    if (block.certificate.size == 0) {
        rpc__call_fail(call, RPC_ERROR_PRUNED);
        return;
    }
    rpc__json_u64(&call->out, "height", height);
    rpc__json_hash(&call->out, "block_hash", &block.hash);
    rpc__json_hex(&call->out, "header", block.header);
    rpc__json_hex(&call->out, "certificate", block.certificate);
}

void rpc__chain_epoch(struct rpc_call *call)
{
    const struct rpc_port *port = &call->rpc->port;
    struct rpc_epoch end = {{{0}}, {0}, {0}, {0}};
    uint64_t epoch = 0;
    (void)rpc__param_u64(call->params, "epoch", &epoch);
    enum nv_err const err =
        port->epoch != NULL ? port->epoch(port->ctx, epoch, &end) : NV_ERR_UNSUPPORTED;
    if (err == NV_ERR_NOT_FOUND) {
        rpc__call_fail(call, RPC_ERROR_PRUNED);
        return;
    }
    if (err != NV_OK) {
        rpc__call_fail_err(call, err);
        return;
    }
    rpc__json_u64(&call->out, "epoch", epoch);
    rpc__json_hash(&call->out, "block_hash", &end.hash);
    rpc__json_hex(&call->out, "header", end.header);
    rpc__json_hex(&call->out, "certificate", end.certificate);
    rpc__json_hex(&call->out, "next_validators", end.next_validators);
}

static void
write_validator(struct rpc_json *out, uint32_t index, const struct rpc_validator *validator)
{
    rpc__json_object(out, NULL);
    rpc__json_number(out, "index", index);
    rpc__json_text(out, "name", validator->name);
    rpc__json_pubkey(out, "key", &validator->key);
    rpc__json_u64(out, "power", validator->power);
    rpc__json_u64(out, "last_seen_view", validator->last_seen_view);
    rpc__json_end(out, '}');
}

void rpc__chain_validators(struct rpc_call *call)
{
    struct rpc_status status = {.eta_ms = -1};
    struct rpc_validator *validators = nv_heap_alloc(RPC_VALIDATORS_MAX * sizeof *validators);
    if (validators == NULL) {
        rpc__call_fail(call, RPC_ERROR_BUSY);
        return;
    }
    uint32_t const count =
        call->rpc->port.validators(call->rpc->port.ctx, validators, RPC_VALIDATORS_MAX);
    uint64_t power = 0;
    call->rpc->port.status(call->rpc->port.ctx, &status);
    rpc__json_u64(&call->out, "epoch", status.epoch);
    rpc__json_array(&call->out, "validators");
    for (uint32_t i = 0; i < count; i++) {
        write_validator(&call->out, i, &validators[i]);
        power += validators[i].power;
    }
    rpc__json_end(&call->out, ']');
    rpc__json_u64(&call->out, "power", power);
    nv_heap_free(validators);
}

/* ---- on the state ---- */

static void write_param(struct rpc_json *out, const struct vm_param_spec *spec, int64_t value)
{
    rpc__json_object(out, NULL);
    rpc__json_number(out, "number", spec->number);
    rpc__json_text(out, "name", spec->name);
    rpc__json_text(out, "unit", spec->unit);
    rpc__json_i64(out, "value", value);
    rpc__json_i64(out, "minimum", spec->minimum);
    rpc__json_i64(out, "maximum", spec->maximum);
    rpc__json_text(out, "text", spec->text);
    rpc__json_end(out, '}');
}

void rpc__chain_params(struct rpc_call *call)
{
    uint8_t const table = VM_TABLE_PARAM;
    struct nv_row_range range;
    struct rpc_walk walk;
    struct nv_row row;
    nv_row_range_prefix(&range, &table, 1);
    enum nv_err err = rpc__walk_init(&walk, call, &range);
    rpc__json_array(&call->out, "params");
    while (err == NV_OK && (err = rpc__walk_next(&walk, &row)) == NV_OK) {
        struct vm_param_row param;
        const struct vm_param_spec *spec = vm_param_spec_of(nv_be16_load(row.key.bytes + 1));
        err = vm_param_row_decode(&param, row.value);
        if (err == NV_OK && spec != NULL) {
            write_param(&call->out, spec, param.value);
        }
    }
    rpc__json_end(&call->out, ']');
    if (err != NV_ERR_NOT_FOUND) {
        rpc__call_fail_err(call, err);
    }
}

static enum nv_err write_proved_row(struct rpc_call *call, const char *text)
{
    struct nv_row_key key;
    struct nv_view value = {0};
    NV_TRY(nv_bytes_parse(key.bytes, sizeof key.bytes, nv_view_of_text(text)));
    enum nv_err const err = rpc__row_get(call, &value, &key);
    if (err != NV_OK && err != NV_ERR_NOT_FOUND) {
        return err;
    }
    rpc__json_object(&call->out, NULL);
    rpc__json_text(&call->out, "key", text);
    if (err == NV_OK) {
        rpc__json_hex(&call->out, "value", value);
    } else {
        rpc__json_null(&call->out, "value");
    }
    rpc__json_end(&call->out, '}');
    return NV_OK;
}

void rpc__chain_proof(struct rpc_call *call)
{
    const struct json_t *keys = json_object_get(call->params, "keys");
    size_t const count = json_array_size(keys);
    if (count > PROOF_KEYS_MAX) {
        rpc__fault_field(&call->fault, RPC_ERROR_INVALID_PARAMS, "keys", "at most 64 keys");
        return;
    }
    rpc__json_array(&call->out, "rows");
    for (size_t i = 0; i < count; i++) {
        enum nv_err const err = write_proved_row(call, json_string_value(json_array_get(keys, i)));
        if (err == NV_ERR_MALFORMED) {
            rpc__fault_field(&call->fault,
                             RPC_ERROR_INVALID_PARAMS,
                             "keys",
                             "0x and 64 lower-case hexadecimal digits each");
            return;
        }
        if (err != NV_OK) {
            rpc__call_fail_err(call, err);
            return;
        }
    }
    rpc__json_end(&call->out, ']');
}

/* ---- waiting ---- */

static void height_woken(struct rpc_wait *wait, enum rpc_wake wake, const void *detail)
{
    (void)detail;
    struct rpc_call *call = rpc__call_of_wait(wait);
    if (wake == RPC_WAKE_CANCELLED) {
        return;
    }
    if (wake == RPC_WAKE_TIMEOUT) {
        rpc__call_fail(call, RPC_ERROR_TIMEOUT);
    } else {
        rpc__chain_head(call);
    }
    rpc__call_done(call);
}

void rpc__chain_wait_height(struct rpc_call *call)
{
    uint64_t height = 0;
    (void)rpc__param_u64(call->params, "height", &height);
    if (call->rpc->has_head && call->rpc->head.height >= height) {
        rpc__chain_head(call);
        return;
    }
    rpc__call_park(call, RPC_WAIT_HEIGHT, height, height_woken);
}
