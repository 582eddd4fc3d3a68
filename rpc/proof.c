#include "rpc/proof.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/proof.h"
#include "base/sort.h"

#include "rpc/call.h"

static enum nv_err record(struct rpc_call *call, const struct nv_row_range *range)
{
    struct rpc_proof *proof = call->proof;
    if (proof == NULL) {
        return NV_OK;
    }
    if (proof->range_count == RPC_PROOF_RANGES) {
        return NV_ERR_TOO_LARGE;
    }
    proof->range[proof->range_count++] = *range;
    return NV_OK;
}

enum nv_err rpc__row_get(struct rpc_call *call, struct nv_view *value, const struct nv_row_key *key)
{
    struct nv_row_range const range = {.first = *key, .last = *key};
    NV_TRY(record(call, &range));
    return call->state->ops->get(call->state->ctx, value, key);
}

enum nv_err
rpc__walk_init(struct rpc_walk *walk, struct rpc_call *call, const struct nv_row_range *range)
{
    walk->call = call;
    walk->left = *range;
    walk->count = 0;
    walk->at = 0;
    walk->last = false;
    walk->recorded = call->proof != NULL ? call->proof->range_count : 0;
    return record(call, range);
}

static enum nv_err refill(struct rpc_walk *walk)
{
    const struct rpc_state *state = walk->call->state;
    walk->at = 0;
    walk->count = 0;
    NV_TRY(state->ops->rows(state->ctx, walk->row, &walk->count, &walk->left, RPC_WALK_ROWS));
    walk->last = walk->count < RPC_WALK_ROWS;
    if (!walk->last) {
        walk->left.first = walk->row[walk->count - 1].key;
        walk->last = !nv_row_key_next(&walk->left.first) ||
                     nv_row_key_cmp(&walk->left.first, &walk->left.last) > 0;
    }
    return NV_OK;
}

enum nv_err rpc__walk_next(struct rpc_walk *walk, struct nv_row *row)
{
    if (walk->at == walk->count && !walk->last) {
        NV_TRY(refill(walk));
    }
    if (walk->at == walk->count) {
        return NV_ERR_NOT_FOUND;
    }
    *row = walk->row[walk->at++];
    return NV_OK;
}

void rpc__walk_stop(struct rpc_walk *walk, const struct nv_row *last)
{
    struct rpc_proof *proof = walk->call->proof;
    walk->last = true;
    walk->at = walk->count;
    if (proof != NULL) {
        proof->range[walk->recorded].last = last->key;
    }
}

static int range_cmp(const void *a, const void *b)
{
    const struct nv_row_range *x = a;
    const struct nv_row_range *y = b;
    return nv_row_key_cmp(&x->first, &y->first);
}

/* ranges_join sorts the ranges and joins those that touch or overlap. */
static enum nv_err ranges_join(struct rpc_proof *proof)
{
    struct nv_row_range *scratch = nv_heap_alloc(sizeof proof->range);
    if (scratch == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    nv_sort(proof->range, proof->range_count, sizeof proof->range[0], range_cmp, scratch);
    nv_heap_free(scratch);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < proof->range_count; i++) {
        struct nv_row_range *before = kept > 0 ? &proof->range[kept - 1] : NULL;
        const struct nv_row_range *range = &proof->range[i];
        if (before == NULL || nv_row_key_cmp(&range->first, &before->last) > 0) {
            proof->range[kept++] = *range;
        } else if (nv_row_key_cmp(&range->last, &before->last) > 0) {
            before->last = range->last;
        }
    }
    proof->range_count = kept;
    return NV_OK;
}

static void write_ranges(struct rpc_json *json, const struct rpc_proof *proof)
{
    rpc__json_array(json, "ranges");
    for (uint32_t i = 0; i < proof->range_count; i++) {
        const struct nv_row_range *range = &proof->range[i];
        rpc__json_object(json, NULL);
        rpc__json_hex(json, "first", nv_view_of(range->first.bytes, NV_ROW_KEY_SIZE));
        rpc__json_hex(json, "last", nv_view_of(range->last.bytes, NV_ROW_KEY_SIZE));
        rpc__json_end(json, '}');
    }
    rpc__json_end(json, ']');
}

static enum nv_err write_bytes(struct rpc_call *call)
{
    const struct rpc_state *state = call->state;
    uint8_t *bytes = nv_heap_alloc(NV_PROOF_SIZE_MAX);
    if (bytes == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    struct nv_writer writer;
    nv_writer_init(&writer, bytes, NV_PROOF_SIZE_MAX);
    enum nv_err const err =
        state->ops->prove(state->ctx, &writer, call->proof->range, call->proof->range_count);
    if (err == NV_OK) {
        rpc__json_hex(&call->out, "proof", nv_writer_view(&writer));
    }
    nv_heap_free(bytes);
    return err;
}

enum nv_err rpc__proof_write(struct rpc_call *call)
{
    const struct rpc_state *state = call->state;
    NV_TRY(ranges_join(call->proof));
    rpc__json_object(&call->out, "proof");
    rpc__json_u64(&call->out, "height", state->head.height);
    rpc__json_hash(&call->out, "state_root", &state->head.state_root);
    rpc__json_hex(&call->out, "header", state->header);
    rpc__json_hex(&call->out, "certificate", state->certificate);
    write_ranges(&call->out, call->proof);
    NV_TRY(write_bytes(call));
    rpc__json_end(&call->out, '}');
    return NV_OK;
}
