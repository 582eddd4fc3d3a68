#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "node/replica/internal.h"

static void step_message(struct replica *r,
                         uint32_t peer,
                         const struct cs_message *message,
                         const struct cs_plan *plan)
{
    struct cs_event const event = {
        .kind = CS_EV_MESSAGE,
        .message = {.from = peer, .message = message, .plan = plan},
    };
    replica__event(r, &event);
    replica__run(r);
}

/* check_elsewhere hands a message with signatures to a worker, together with a
 * copy of its bytes. */
static void check_elsewhere(struct replica *r,
                            uint32_t peer,
                            uint8_t type,
                            struct nv_view bytes,
                            const struct cs_plan *plan)
{
    struct replica_job *const job = replica__job(r, REPLICA_JOB_MESSAGE);
    uint8_t *const copy = nv_heap_alloc(bytes.size);
    if (job == NULL || copy == NULL) {
        nv_heap_free(job);
        nv_heap_free(copy);
        return; /* as if it had been lost */
    }
    memcpy(copy, bytes.bytes, bytes.size);
    job->message.peer = peer;
    job->message.bytes = copy;
    job->message.plan = *plan;
    enum nv_err const err =
        cs_message_decode(&job->message.message, type, nv_view_of(copy, bytes.size));
    NV_ASSERT(err == NV_OK); /* the same bytes were decoded just now */
    replica__job_start(r, job);
}

/* SPEC consensus 16: "128 block requests a second are answered" */
#define BLOCK_REQUESTS 128u
#define SECOND_NS      UINT64_C(1000000000)

/* may_ask takes a block request from what a peer may ask in a second. */
static bool may_ask(struct replica *r, uint32_t peer)
{
    uint32_t const place = peer < CS_VALIDATORS_MAX ? peer : CS_VALIDATORS_MAX;
    uint64_t const second = r->time.now_ns / SECOND_NS;
    if (r->asked[place].second != second) {
        r->asked[place].second = second;
        r->asked[place].count = 0;
    }
    r->asked[place].count++;
    return r->asked[place].count <= BLOCK_REQUESTS;
}

void replica_message(
    struct replica *r, struct replica_time t, uint32_t peer, uint8_t type, struct nv_view bytes)
{
    struct cs_message message;
    r->time = t;
    if (!r->started || r->halted) {
        return;
    }
    if (cs_message_decode(&message, type, bytes) != NV_OK) {
        replica__ban(r, peer);
        return;
    }
    if (message.type == CS_MSG_BODY_CHUNK) {
        replica__body_chunk(r, peer, &message.body_chunk);
        replica__run(r);
        return;
    }
    if (message.type == CS_MSG_BODY_REQUEST) {
        replica__serve_body(r, peer, &message.body_request);
        return;
    }
    if (message.type == CS_MSG_BLOCK_REQUEST) {
        if (may_ask(r, peer)) {
            replica__serve_blocks(r, peer, &message.block_request);
        }
        return;
    }
    struct cs_plan const plan = cs_admit(r->cs, peer, &message);
    if (!plan.wanted) {
        return;
    }
    if (plan.own_sig || plan.certificates != 0) {
        check_elsewhere(r, peer, type, bytes, &plan);
    } else {
        step_message(r, peer, &message, &plan);
    }
}

void replica__message_job_done(struct replica *r, struct replica_job *job)
{
    if (!job->ok) {
        replica__ban(r, job->message.peer);
        return;
    }
    step_message(r, job->message.peer, &job->message.message, &job->message.plan);
}

/* ---- serving ---- */

/* send_blocks answers with the blocks in `list`, which is complete. */
static void send_blocks(struct replica *r,
                        uint32_t peer,
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
    replica__send(r, peer, &message); /* empty: not held */
}

/* Room for blocks in a response: the rest is its head and a certificate. */
#define BLOCKS_ROOM (CS_BLOCK_RESPONSE_SIZE_MAX - CS_CERTIFICATE_SIZE_MAX - 64u)

/* by_height: the blocks [from, h] and the finalization of h, the greatest
 * height in the range that has its own; or, if none has, the first one above. */
static void serve_by_height(struct replica *r,
                            uint32_t peer,
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
    nv_writer_init(&list, memory, BLOCKS_ROOM);
    for (uint64_t h = request->from; h < request->from + request->count || final_size == 0; h++) {
        if (r->config.store.by_height(r->config.store.ctx, h, &stored) != NV_OK) {
            break;
        }
        if (h < request->from + request->count) {
            nv_put_bytes(&list, stored.block.bytes, stored.block.size);
            count++;
        }
        if (list.overflow && final_size > 0) {
            break;
        }
        if (stored.final.size > 0 && stored.final.size <= sizeof final) {
            memcpy(final, stored.final.bytes, stored.final.size);
            final_size = stored.final.size;
            bool const inside = h < request->from + request->count && !list.overflow;
            kept = inside ? count : kept;
            kept_size = inside ? list.size : kept_size;
        }
    }
    list.size = kept_size;
    send_blocks(r, peer, &list, kept, nv_view_of(final, final_size));
}

/* by_hash: the block and up to count - 1 of its ancestors, oldest first. */
static void serve_by_hash(struct replica *r,
                          uint32_t peer,
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
    send_blocks(r, peer, &list, count, nv_view_of(NULL, 0));
}

void replica__serve_blocks(struct replica *r, uint32_t peer, const struct cs_block_request *request)
{
    uint8_t *const memory = nv_heap_alloc(BLOCKS_ROOM);
    if (memory == NULL) {
        return;
    }
    if (request->by_hash) {
        serve_by_hash(r, peer, request, memory);
    } else {
        serve_by_height(r, peer, request, memory);
    }
    nv_heap_free(memory);
}

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

void replica__serve_body(struct replica *r, uint32_t peer, const struct cs_body_request *request)
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
        replica__send(r, peer, &message);
    }
}
