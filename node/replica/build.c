#include <string.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/sort.h"

#include "node/replica/internal.h"

/* A transaction chosen for a block. */
struct choice {
    struct nv_hash hash;
    struct nv_view bytes; /* in the mempool */
};

struct choices {
    struct choice *list;
    uint32_t count;
    uint32_t cap;
    uint32_t size; /* of the body so far */
    uint32_t actions;
};

static bool has_tx(const struct node_body *body, const struct nv_hash *hash)
{
    uint32_t low = 0;
    uint32_t high = body->tx_count;
    while (low < high) {
        uint32_t const middle = low + (high - low) / 2;
        int const order = nv_hash_cmp(&body->txs[middle].hash, hash);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

/* choose takes transactions in order of arrival while they fit. */
static void choose(struct replica *r,
                   const struct cs_effect *effect,
                   const struct node_body *const *before,
                   uint32_t before_count,
                   struct choices *out)
{
    uint32_t cursor = NODE_MEMPOOL_START;
    struct node_mempool_tx tx;
    uint64_t const time_ms = effect->build.time_ms;
    uint64_t const executed = effect->build.executed_height;
    struct replica_span span;
    if (!replica__fees_begin(r, executed, &span, before, before_count)) {
        return;
    }
    while (out->count < out->cap && node_mempool_next(r->mempool, &cursor, &tx)) {
        uint32_t const size = 4 + tx.bytes.size;
        if (out->size + size > effect->build.body_size_max ||
            out->actions + tx.actions > VM_BLOCK_ACTIONS_MAX) {
            continue; /* before what costs more: with a full pool most end here */
        }
        /* None is in the window: admission looks there, and what is final leaves the pool. */
        bool taken = tx.expires_ms <= time_ms || tx.expires_ms - time_ms > VM_EXPIRY_MAX_MS;
        for (uint32_t i = 0; i < before_count && !taken; i++) {
            taken = has_tx(before[i], &tx.hash);
        }
        if (taken || !replica__names_take(r, executed, time_ms, &tx.signer) ||
            !replica__fees_take(r, executed, &span, &tx)) {
            continue;
        }
        out->list[out->count] = (struct choice){tx.hash, tx.bytes};
        out->count++;
        out->size += size;
        out->actions += tx.actions;
    }
}

static int choice_cmp(const void *a, const void *b)
{
    const struct choice *const left = a;
    const struct choice *const right = b;
    return nv_hash_cmp(&left->hash, &right->hash);
}

/* compose writes the body of the sorted choices. */
static struct node_body *compose(const struct choices *choices)
{
    struct node_body *const body = nv_heap_alloc(sizeof *body);
    uint8_t *const bytes = nv_heap_alloc(choices->size);
    if (body == NULL || bytes == NULL) {
        nv_heap_free(body);
        nv_heap_free(bytes);
        return NULL;
    }
    struct nv_hash const none = {{0}};
    node_body_init(body, &none);
    body->bytes = bytes;
    struct nv_writer w;
    nv_writer_init(&w, bytes, choices->size);
    for (uint32_t i = 0; i < choices->count; i++) {
        cs_body_put(&w, choices->list[i].bytes);
    }
    NV_ASSERT(!w.overflow && w.size == choices->size);
    return body;
}

static void drop_built(struct replica *r)
{
    if (r->built != NULL) {
        node_body_deinit(r->built);
        nv_heap_free(r->built);
        r->built = NULL;
    }
}

void replica__build(struct replica *r, const struct cs_effect *effect)
{
    struct cs_event event = {.kind = CS_EV_BUILT, .built = {.view = effect->build.view}};
    const struct node_body *before[REPLICA_BODIES_MAX];
    uint32_t before_count = 0;
    uint32_t const waiting = node_mempool_count(r->mempool);
    uint32_t const cap = waiting < VM_BLOCK_TXS_MAX ? waiting : VM_BLOCK_TXS_MAX;
    drop_built(r);
    if (cap > 0 && replica__body_own_room(r) &&
        replica__ancestors(r, effect->build.parent_hash, before, &before_count)) {
        struct choice *const memory = nv_heap_alloc(2 * sizeof(struct choice) * (size_t)cap);
        if (memory != NULL) {
            struct choices choices = {.list = memory, .cap = cap};
            choose(r, effect, before, before_count, &choices);
            nv_sort(memory, choices.count, sizeof *memory, choice_cmp, memory + cap);
            r->built = choices.count > 0 ? compose(&choices) : NULL;
            if (r->built != NULL) {
                cs_body_root(&event.built.body_root, nv_view_of(r->built->bytes, choices.size));
                event.built.body_size = choices.size;
                event.built.tx_count = choices.count;
            }
        }
        nv_heap_free(memory);
    }
    replica__event(r, &event);
}

static void stream(struct replica *r, const struct node_body *body)
{
    struct nv_view const bytes = nv_view_of(body->bytes, body->header.body_size);
    struct nv_hash leaves[CS_BODY_CHUNKS_MAX];
    uint32_t const count = cs_body_leaves(leaves, bytes);
    for (uint32_t i = 0; i < count; i++) {
        struct cs_message message = {.type = CS_MSG_BODY_CHUNK};
        message.body_chunk.block_hash = body->hash;
        message.body_chunk.chunk.index = i;
        message.body_chunk.chunk.bytes = cs_body_chunk(bytes, i);
        nv_merkle_path(&message.body_chunk.chunk.path, leaves, count, i);
        replica__send_all(r, &message);
    }
}

/* replica__publish gives the body just built its block, keeps it among the
 * others and streams it. */
void replica__publish(struct replica *r, const struct cs_effect *effect)
{
    struct node_body *const built = r->built;
    NV_ASSERT(built != NULL); /* the engine got it with BUILT */
    struct node_body *body = replica__body(r, &effect->body.block_hash); /* before a restart */
    if (body == NULL) {
        body = replica__body_own(r, &effect->body.block_hash);
    }
    NV_ASSERT(body != NULL); /* no vote may leave without it: stop */
    uint8_t *const bytes = built->bytes;
    built->bytes = NULL;
    drop_built(r);
    enum nv_err err = node_body_set_header(body, effect->body.header);
    NV_ASSERT(err == NV_OK); /* as above */
    err = node_body_fill(body, nv_view_of(bytes, effect->body.header->body_size));
    NV_ASSERT(err == NV_OK); /* it is the body of that root */
    stream(r, body);
    replica__body_check(r, body);
    nv_heap_free(bytes);
}
