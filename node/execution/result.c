#include "node/execution/result.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/heap.h"

#define HEAD_SIZE (8u + 32u + 32u + 3u * 8u + 8u + 4u + 4u)

/* ---- copying ---- */

static size_t content_size(const struct vm_result *yield)
{
    size_t size = 0;
    for (uint32_t i = 0; i < yield->receipt_count; i++) {
        size += yield->receipts[i].size;
    }
    for (uint32_t i = 0; i < yield->event_count; i++) {
        size += yield->events[i].size;
    }
    for (uint32_t i = 0; i < yield->write_count; i++) {
        size += yield->writes[i].value.size;
    }
    return size;
}

/* copy_view copies bytes to `*at` and moves it on; NULL stays NULL. */
static struct nv_view copy_view(uint8_t **at, struct nv_view view)
{
    if (view.bytes == NULL) {
        return view;
    }
    uint8_t *const to = *at;
    if (view.size > 0) {
        memcpy(to, view.bytes, view.size);
    }
    *at += view.size;
    return nv_view_of(to, view.size);
}

struct node_result *node_result_new(const struct replica_block *block,
                                    const struct vm_result *yield,
                                    const struct nv_hash *root)
{
    size_t const tables = yield->receipt_count * sizeof(struct rpc_executed_tx) +
                          yield->event_count * sizeof(struct nv_view) +
                          yield->write_count * sizeof(struct nv_row);
    size_t const contents = content_size(yield) + 1;
    size_t const size = sizeof(struct node_result) + tables + contents + 64;
    uint8_t *const memory = nv_heap_alloc(size);
    if (memory == NULL) {
        return NULL;
    }
    NV_ASSERT(yield->receipt_count == block->tx_count);
    struct nv_arena arena;
    nv_arena_init(&arena, memory, size);
    struct node_result *const r = NV_ARENA_NEW(&arena, struct node_result, 1);
    struct rpc_executed_tx *const txs =
        NV_ARENA_NEW(&arena, struct rpc_executed_tx, yield->receipt_count);
    struct nv_view *const events = NV_ARENA_NEW(&arena, struct nv_view, yield->event_count);
    struct nv_row *const writes = NV_ARENA_NEW(&arena, struct nv_row, yield->write_count);
    uint8_t *at = NV_ARENA_NEW(&arena, uint8_t, contents);
    for (uint32_t i = 0; i < yield->receipt_count; i++) {
        txs[i].hash = block->txs[i].hash;
        txs[i].receipt = copy_view(&at, yield->receipts[i]);
    }
    for (uint32_t i = 0; i < yield->event_count; i++) {
        events[i] = copy_view(&at, yield->events[i]);
    }
    for (uint32_t i = 0; i < yield->write_count; i++) {
        writes[i].key = yield->writes[i].key;
        writes[i].value = copy_view(&at, yield->writes[i].value);
    }
    r->head = (struct rpc_head){
        .height = block->header.height,
        .time_ms = block->header.time_ms,
        .block_hash = block->hash,
        .state_root = *root,
    };
    r->final_hash = block->final_hash;
    r->txs = txs;
    r->events = events;
    r->writes = writes;
    r->tx_count = yield->receipt_count;
    r->event_count = yield->event_count;
    r->write_count = yield->write_count;
    r->chosen = NULL;
    r->in_force = NULL;
    return r;
}

void node_result_free(struct node_result *result)
{
    if (result != NULL) {
        nv_heap_free(result->chosen);
        nv_heap_free(result->in_force);
        nv_heap_free(result);
    }
}

struct replica_outcome node_result_outcome(const struct node_result *result)
{
    return (struct replica_outcome){
        .height = result->head.height,
        .root = result->head.state_root,
        .next = result->chosen,
    };
}

/* ---- the record ---- */

static uint64_t receipts_size(const struct node_result *result)
{
    uint64_t size = HEAD_SIZE;
    for (uint32_t i = 0; i < result->tx_count; i++) {
        size += 4u + result->txs[i].receipt.size;
    }
    return size;
}

static uint64_t events_size(const struct node_result *result)
{
    uint64_t size = 0;
    for (uint32_t i = 0; i < result->event_count; i++) {
        size += 4u + result->events[i].size;
    }
    return size;
}

uint32_t node_executed_size(const struct node_result *result, uint32_t size_max)
{
    uint64_t const least = receipts_size(result);
    uint64_t const all = least + events_size(result);
    return (uint32_t)(all <= size_max ? all : least);
}

static void put_place(struct nv_writer *w, struct st_place place)
{
    nv_put_u32(w, place.segment);
    nv_put_u32(w, place.offset);
}

static void put_sized(struct nv_writer *w, struct nv_view view)
{
    nv_put_u32(w, view.size);
    nv_put_bytes(w, view.bytes, view.size);
}

void node_executed_put(struct nv_writer *w,
                       const struct node_result *result,
                       const struct node_places *places,
                       uint32_t size_max)
{
    bool const whole = receipts_size(result) + events_size(result) <= size_max;
    uint32_t const event_count = whole ? result->event_count : 0;
    nv_put_u64(w, result->head.height);
    nv_put_bytes(w, result->head.block_hash.bytes, sizeof result->head.block_hash.bytes);
    nv_put_bytes(w, result->head.state_root.bytes, sizeof result->head.state_root.bytes);
    put_place(w, places->block);
    put_place(w, places->body);
    put_place(w, places->final);
    nv_put_u64(w, places->final_height);
    nv_put_u32(w, result->tx_count);
    nv_put_u32(w, event_count);
    for (uint32_t i = 0; i < result->tx_count; i++) {
        put_sized(w, result->txs[i].receipt);
    }
    for (uint32_t i = 0; i < event_count; i++) {
        put_sized(w, result->events[i]);
    }
}

static struct st_place get_place(struct nv_reader *r)
{
    uint32_t const segment = nv_get_u32(r);
    return (struct st_place){.segment = segment, .offset = nv_get_u32(r)};
}

/* get_run passes over `count` sized items and returns them as one view. */
static struct nv_view get_run(struct nv_reader *r, uint32_t count)
{
    uint32_t const start = r->at;
    for (uint32_t i = 0; i < count && !r->failed; i++) {
        (void)nv_get_view(r, nv_get_u32(r));
    }
    return r->failed ? nv_view_of(NULL, 0) : nv_view_of(r->bytes + start, r->at - start);
}

enum nv_err node_executed_get(struct node_executed *out, struct nv_view payload)
{
    struct nv_reader r;
    nv_reader_init(&r, payload);
    out->height = nv_get_u64(&r);
    nv_get_bytes(&r, out->block_hash.bytes, sizeof out->block_hash.bytes);
    nv_get_bytes(&r, out->state_root.bytes, sizeof out->state_root.bytes);
    out->places.block = get_place(&r);
    out->places.body = get_place(&r);
    out->places.final = get_place(&r);
    out->places.final_height = nv_get_u64(&r);
    out->tx_count = nv_get_u32(&r);
    out->event_count = nv_get_u32(&r);
    out->receipts = get_run(&r, out->tx_count);
    out->events = get_run(&r, out->event_count);
    return nv_reader_end(&r);
}

struct nv_view node_executed_receipt(const struct node_executed *executed, uint32_t index)
{
    NV_ASSERT(index < executed->tx_count);
    struct nv_reader r;
    nv_reader_init(&r, executed->receipts);
    struct nv_view view = nv_view_of(NULL, 0);
    for (uint32_t i = 0; i <= index; i++) {
        view = nv_get_view(&r, nv_get_u32(&r));
    }
    NV_ASSERT(!r.failed); /* read once before */
    return view;
}
