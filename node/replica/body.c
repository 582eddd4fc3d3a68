#include "node/replica/body.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/heap.h"

#include "vm/wire/wire.h"

/* Chunks kept before the header is known: one body's worth. */
#define LOOSE_MAX CS_BODY_CHUNKS_MAX

/* Decoded structs a byte of body may take: a packed action of a few bytes
 * becomes a struct; and what decoding one transaction takes meanwhile. */
#define DECODED_PER_BYTE 64u
#define SCRATCH_PER_BYTE 128u
#define SCRATCH_LEAST    (64u << 10)
#define SCRATCH_MOST     (1u << 20)

/* Up to here the memory is taken from the heap; above it is a mapping of its own,
 * of which only what is used is touched.  A mapping costs more than a small block
 * does in all. */
#define HEAP_MOST (256u << 10)

struct node_loose_chunk {
    struct node_loose_chunk *next;
    uint32_t index;
    uint32_t size;
    struct nv_merkle_path path;
    uint8_t bytes[];
};

void node_body_init(struct node_body *body, const struct nv_hash *hash)
{
    memset(body, 0, sizeof *body);
    body->hash = *hash;
    body->state = NODE_BODY_ASSEMBLING;
}

static void drop_loose(struct node_body *body)
{
    while (body->loose != NULL) {
        struct node_loose_chunk *const chunk = body->loose;
        body->loose = chunk->next;
        nv_heap_free(chunk);
    }
    body->loose_count = 0;
}

void node_body_deinit(struct node_body *body)
{
    NV_ASSERT(body->jobs == 0);
    NV_ASSERT(!body->executing);
    drop_loose(body);
    nv_heap_free(body->bytes);
    if (body->mapped) {
        nv_heap_unreserve(body->memory, body->memory_size);
    } else {
        nv_heap_free(body->memory);
    }
    memset(body, 0, sizeof *body);
}

static bool place_chunk(struct node_body *body, const struct cs_chunk *chunk)
{
    const struct cs_header *const header = &body->header;
    if (!cs_body_chunk_check(&header->body_root, header->body_size, chunk)) {
        return false;
    }
    if ((body->have >> chunk->index & 1u) == 0) {
        memcpy(body->bytes + (size_t)chunk->index * CS_CHUNK_SIZE,
               chunk->bytes.bytes,
               chunk->bytes.size);
        body->have |= UINT64_C(1) << chunk->index;
    }
    return true;
}

enum nv_err node_body_set_header(struct node_body *body, const struct cs_header *header)
{
    if (body->header_known) {
        return NV_OK;
    }
    NV_ASSERT(header->body_size >= 1 && header->body_size <= CS_BODY_SIZE_MAX);
    body->bytes = nv_heap_alloc(header->body_size);
    if (body->bytes == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    body->header = *header;
    body->header_known = true;
    for (const struct node_loose_chunk *c = body->loose; c != NULL; c = c->next) {
        struct cs_chunk const chunk = {c->index, nv_view_of(c->bytes, c->size), c->path};
        (void)place_chunk(body, &chunk);
    }
    drop_loose(body);
    return NV_OK;
}

static bool keep_loose(struct node_body *body, const struct cs_chunk *chunk)
{
    if (body->loose_count >= LOOSE_MAX || chunk->bytes.size > CS_CHUNK_SIZE) {
        return false;
    }
    for (const struct node_loose_chunk *c = body->loose; c != NULL; c = c->next) {
        if (c->index == chunk->index) {
            return true;
        }
    }
    struct node_loose_chunk *const copy = nv_heap_alloc(sizeof *copy + chunk->bytes.size);
    if (copy == NULL) {
        return true; /* no fault of the sender */
    }
    copy->next = body->loose;
    copy->index = chunk->index;
    copy->size = chunk->bytes.size;
    copy->path = chunk->path;
    memcpy(copy->bytes, chunk->bytes.bytes, chunk->bytes.size);
    body->loose = copy;
    body->loose_count++;
    return true;
}

bool node_body_add(struct node_body *body, const struct cs_chunk *chunk)
{
    if (body->state != NODE_BODY_ASSEMBLING) {
        return true;
    }
    return body->header_known ? place_chunk(body, chunk) : keep_loose(body, chunk);
}

enum nv_err node_body_fill(struct node_body *body, struct nv_view bytes)
{
    NV_ASSERT(body->header_known);
    struct nv_hash root;
    if (bytes.size != body->header.body_size) {
        return NV_ERR_MISMATCH;
    }
    cs_body_root(&root, bytes);
    if (!nv_hash_eq(&root, &body->header.body_root)) {
        return NV_ERR_MISMATCH;
    }
    memcpy(body->bytes, bytes.bytes, bytes.size);
    uint32_t const chunks = cs_body_chunk_count(bytes.size);
    body->have = chunks == 64 ? UINT64_MAX : (UINT64_C(1) << chunks) - 1;
    return NV_OK;
}

bool node_body_missing(const struct node_body *body, uint32_t *first, uint32_t *count)
{
    NV_ASSERT(body->header_known);
    uint32_t const chunks = cs_body_chunk_count(body->header.body_size);
    *first = 0;
    while (*first < chunks && (body->have >> *first & 1u) != 0) {
        (*first)++;
    }
    *count = 0;
    while (*first + *count < chunks && (body->have >> (*first + *count) & 1u) == 0) {
        (*count)++;
    }
    return *count > 0;
}

bool node_body_complete(const struct node_body *body)
{
    uint32_t first = 0;
    uint32_t count = 0;
    return body->header_known && !node_body_missing(body, &first, &count);
}

static enum nv_err check_order(const struct node_body *body, uint32_t i)
{
    const struct vm_tx *const tx = &body->txs[i];
    uint64_t const time_ms = body->header.time_ms;
    if (tx->expires_ms <= time_ms || tx->expires_ms - time_ms > VM_EXPIRY_MAX_MS) {
        return NV_ERR_RANGE;
    }
    return i == 0 || nv_hash_cmp(&body->txs[i - 1].hash, &tx->hash) < 0 ? NV_OK : NV_ERR_MALFORMED;
}

static void tally(struct node_body *body, struct nv_arena *arena)
{
    struct node_charge *const list = NV_ARENA_NEW(arena, struct node_charge, body->tx_count);
    struct node_charge *const scratch = NV_ARENA_NEW(arena, struct node_charge, body->tx_count);
    body->charges.count = node_charges_of(list, scratch, body->txs, body->tx_count);
    body->charges.list = list;
    struct node_signer *const signers = NV_ARENA_NEW(arena, struct node_signer, body->tx_count);
    body->signers.count = node_signers_of(signers, body->txs, body->tx_count);
    body->signers.list = signers;
}

static size_t decoded_size(const struct cs_header *header)
{
    size_t const body = header->body_size;
    size_t const scratch = SCRATCH_LEAST + body * SCRATCH_PER_BYTE;
    size_t const each =
        sizeof(struct vm_tx) + 2 * sizeof(struct node_charge) + sizeof(struct node_signer);
    return body * DECODED_PER_BYTE + each * header->tx_count +
           (scratch < SCRATCH_MOST ? scratch : SCRATCH_MOST);
}

enum nv_err node_body_decode(struct node_body *body, const struct nv_hash *chain_id)
{
    const struct cs_header *const header = &body->header;
    struct nv_view const bytes = nv_view_of(body->bytes, header->body_size);
    NV_TRY(cs_body_check(bytes, header->tx_count));
    if (header->tx_count > VM_BLOCK_TXS_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    size_t const size = decoded_size(header);
    body->mapped = size > HEAP_MOST;
    body->memory_size = size;
    body->memory = body->mapped ? nv_heap_reserve(size) : nv_heap_alloc_raw(size);
    if (body->memory == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    struct nv_arena arena;
    if (body->mapped) {
        nv_arena_init_zeroed(&arena, body->memory, size);
    } else {
        nv_arena_init(&arena, body->memory, size);
    }
    body->txs = NV_ARENA_NEW(&arena, struct vm_tx, header->tx_count);
    struct nv_reader reader;
    struct nv_view tx;
    uint32_t actions = 0;
    nv_reader_init(&reader, bytes);
    for (uint32_t i = 0; cs_body_next(&reader, &tx); i++) {
        NV_TRY(vm_tx_decode(&body->txs[i], tx, chain_id, &arena));
        NV_TRY(check_order(body, i));
        actions += body->txs[i].action_count;
        if (actions > VM_BLOCK_ACTIONS_MAX) {
            return NV_ERR_TOO_LARGE;
        }
        body->tx_count = i + 1;
    }
    tally(body, &arena);
    return NV_OK;
}
