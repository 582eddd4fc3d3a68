/* serve.c - answers what peers ask of the journal and of bodies in memory. */

#include <string.h>

#include "base/heap.h"

#include "node/replica/internal.h"

/* SPEC consensus 16: "128 requests for blocks and epochs a second are answered" */
#define REQUESTS  128u
#define SECOND_NS UINT64_C(1000000000)

/* may_ask takes a request from what a peer may ask in a second. */
static bool may_ask(struct replica *r, uint32_t link)
{
    uint32_t const number = replica_roster_number(&r->roster, link);
    uint32_t const place = number < CS_VALIDATORS_MAX ? number : CS_VALIDATORS_MAX;
    uint64_t const second = r->time.now_ns / SECOND_NS;
    if (r->asked[place].second != second) {
        r->asked[place].second = second;
        r->asked[place].count = 0;
    }
    r->asked[place].count++;
    return r->asked[place].count <= REQUESTS;
}

/* ---- blocks ---- */

/* send_blocks answers with the blocks in `list`, which is complete. */
static void send_blocks(struct replica *r,
                        uint32_t link,
                        const struct nv_writer *list,
                        uint32_t count,
                        struct nv_view final)
{
    struct cs_message message = {.type = CS_MSG_BLOCK_RESPONSE};
    struct cs_block_response *const response = &message.block_response;
    response->blocks.bytes = nv_view_of(list->bytes, list->size);
    response->blocks.count = count;
    if (final.size > 0) {
        struct nv_reader reader;
        nv_reader_init(&reader, final);
        response->has_final = cs_certificate_get(&reader, &response->final) == NV_OK;
    }
    replica__send(r, link, &message); /* empty: not held */
}

/* Room for blocks in a response: the rest is its head and a certificate. */
#define BLOCKS_ROOM (CS_BLOCK_RESPONSE_SIZE_MAX - CS_CERTIFICATE_SIZE_MAX - 64u)

/* closes_epoch returns whether a stored block closes its epoch. */
static bool closes_epoch(struct nv_view block)
{
    struct nv_reader reader;
    struct cs_header header;
    nv_reader_init(&reader, block);
    return cs_header_get(&reader, &header) == NV_OK && cs_header_closes(&header);
}

/* by_height: the blocks [from, h] and the finalization of h, the greatest
 * height in the range that has its own; or, if none has, the first one above.
 * SPEC consensus 8: "An answer never goes beyond a block that closes its epoch." */
static void serve_by_height(struct replica *r,
                            uint32_t link,
                            const struct cs_block_request *request,
                            uint8_t *memory)
{
    struct nv_writer list;
    uint32_t kept_size = 0;
    uint32_t kept = 0;
    uint32_t count = 0;
    struct replica_stored stored;
    uint8_t final[CS_CERTIFICATE_SIZE_MAX];
    uint32_t final_size = 0;
    uint64_t const end = request->from + request->count;
    bool closed = false;
    nv_writer_init(&list, memory, BLOCKS_ROOM);
    for (uint64_t h = request->from; !closed && (h < end || final_size == 0); h++) {
        if (r->config.store.by_height(r->config.store.ctx, h, &stored) != NV_OK) {
            break;
        }
        closed = closes_epoch(stored.block);
        if (h < end) {
            nv_put_bytes(&list, stored.block.bytes, stored.block.size);
            count++;
        }
        if (list.overflow && final_size > 0) {
            break;
        }
        if (stored.final.size > 0 && stored.final.size <= sizeof final) {
            memcpy(final, stored.final.bytes, stored.final.size);
            final_size = stored.final.size;
            bool const inside = h < end && !list.overflow;
            kept = inside ? count : kept;
            kept_size = inside ? list.size : kept_size;
        }
    }
    list.size = kept_size;
    send_blocks(r, link, &list, kept, nv_view_of(final, final_size));
}

/* by_hash: the block and up to count - 1 of its ancestors, oldest first. */
static void serve_by_hash(struct replica *r,
                          uint32_t link,
                          const struct cs_block_request *request,
                          uint8_t *memory)
{
    struct nv_hash hash = request->hash;
    uint32_t at = BLOCKS_ROOM; /* filled from the back */
    uint32_t count = 0;
    while (count < request->count) {
        struct replica_stored stored;
        struct nv_reader reader;
        struct cs_header header;
        if (r->config.store.by_hash(r->config.store.ctx, &hash, &stored) != NV_OK ||
            stored.block.size > at) {
            break;
        }
        nv_reader_init(&reader, stored.block);
        if (cs_header_get(&reader, &header) != NV_OK) {
            break;
        }
        at -= stored.block.size;
        memcpy(memory + at, stored.block.bytes, stored.block.size);
        count++;
        hash = header.parent_hash;
        if (header.height <= 1) {
            break;
        }
    }
    struct nv_writer list;
    nv_writer_init(&list, memory + at, BLOCKS_ROOM - at);
    list.size = BLOCKS_ROOM - at;
    send_blocks(r, link, &list, count, nv_view_of(NULL, 0));
}

static void serve_blocks(struct replica *r, uint32_t link, const struct cs_block_request *request)
{
    uint8_t *const memory = nv_heap_alloc(BLOCKS_ROOM);
    if (memory == NULL) {
        return;
    }
    if (request->by_hash) {
        serve_by_hash(r, link, request, memory);
    } else {
        serve_by_height(r, link, request, memory);
    }
    nv_heap_free(memory);
}

/* ---- epochs ---- */

static void serve_epoch(struct replica *r, uint32_t link, uint64_t epoch)
{
    struct nv_view handover;
    if (r->config.store.epoch(r->config.store.ctx, epoch, &handover) == NV_OK) {
        replica__send_bytes(r, link, CS_MSG_EPOCH_RESPONSE, handover);
    }
}

/* ---- bodies ---- */

/* body_bytes finds a body in memory or in the journal. */
static bool body_bytes(struct replica *r, const struct nv_hash *hash, struct nv_view *out)
{
    const struct node_body *const body = replica__body(r, hash);
    if (body != NULL && node_body_complete(body)) {
        *out = nv_view_of(body->bytes, body->header.body_size);
        return true;
    }
    return r->config.store.body(r->config.store.ctx, hash, out) == NV_OK && out->size > 0;
}

static void serve_body(struct replica *r, uint32_t link, const struct cs_body_request *request)
{
    struct nv_view bytes;
    if (!body_bytes(r, &request->block_hash, &bytes)) {
        return;
    }
    struct nv_hash leaves[CS_BODY_CHUNKS_MAX];
    uint32_t const count = cs_body_leaves(leaves, bytes);
    for (uint32_t i = 0; i < request->count && request->first + i < count; i++) {
        uint32_t const index = request->first + i;
        struct cs_message message = {.type = CS_MSG_BODY_CHUNK};
        message.body_chunk.block_hash = request->block_hash;
        message.body_chunk.chunk.index = index;
        message.body_chunk.chunk.bytes = cs_body_chunk(bytes, index);
        nv_merkle_path(&message.body_chunk.chunk.path, leaves, count, index);
        replica__send(r, link, &message);
    }
}

bool replica__serve(struct replica *r, uint32_t link, const struct cs_message *message)
{
    switch ((int)message->type) {
    case CS_MSG_BODY_REQUEST: serve_body(r, link, &message->body_request); return true;
    case CS_MSG_BLOCK_REQUEST:
        if (may_ask(r, link)) {
            serve_blocks(r, link, &message->block_request);
        }
        return true;
    case CS_MSG_EPOCH_REQUEST:
        if (may_ask(r, link)) {
            serve_epoch(r, link, message->epoch_request.epoch);
        }
        return true;
    default: return false;
    }
}
