#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "node/replica/internal.h"

void replica__op(struct replica *r, const struct replica_op *op, uint8_t *memory)
{
    struct replica_queued *const queued = nv_heap_alloc(sizeof *queued);
    NV_ASSERT(queued != NULL); /* an operation that is lost may be a vote: stop */
    *queued = (struct replica_queued){.op = *op, .memory = memory};
    if (r->last == NULL) {
        r->first = queued;
    } else {
        r->last->next = queued;
    }
    r->last = queued;
}

static void
send(struct replica *r, const uint32_t *links, uint32_t count, uint8_t type, struct nv_view bytes)
{
    size_t const ids = count * sizeof *links;
    uint8_t *const copy = count == 0 ? NULL : nv_heap_alloc(ids + bytes.size);
    if (copy == NULL) {
        return; /* whoever waits for it asks again */
    }
    memcpy(copy, links, ids);
    memcpy(copy + ids, bytes.bytes, bytes.size);
    struct replica_op const op = {
        .kind = REPLICA_SEND,
        .send = {(const uint32_t *)(const void *)copy,
                 count,
                 type,
                 nv_view_of(copy + ids, bytes.size)},
    };
    replica__op(r, &op, copy);
}

static struct nv_view encode(struct replica *r, const struct cs_message *message)
{
    struct nv_writer w;
    nv_writer_init(&w, r->message_memory, CS_MESSAGE_SIZE_MAX);
    cs_message_encode(&w, message);
    NV_ASSERT(!w.overflow);
    return nv_writer_view(&w);
}

void replica__send(struct replica *r, uint32_t link, const struct cs_message *message)
{
    send(r, &link, 1, (uint8_t)message->type, encode(r, message));
}

void replica__send_all(struct replica *r, const struct cs_message *message)
{
    uint32_t links[CS_VALIDATORS_MAX];
    uint32_t const count = replica_roster_all(&r->roster, links);
    send(r, links, count, (uint8_t)message->type, encode(r, message));
}

void replica__send_bytes(struct replica *r, uint32_t link, uint8_t type, struct nv_view bytes)
{
    send(r, &link, 1, type, bytes);
}

void replica__ban(struct replica *r, uint32_t link)
{
    struct replica_op const op = {.kind = REPLICA_BAN, .ban_link = link};
    replica__op(r, &op, NULL);
}

void replica__job_start(struct replica *r, struct replica_job *job)
{
    struct replica_op const op = {.kind = REPLICA_JOB, .job = job};
    r->jobs++;
    replica__op(r, &op, NULL);
}

static void free_queued(struct replica_queued *queued)
{
    if (queued != NULL) {
        nv_heap_free(queued->memory);
        nv_heap_free(queued);
    }
}

void replica__op_done(struct replica *r)
{
    free_queued(r->given);
    r->given = NULL;
}

void replica__ops_free(struct replica *r)
{
    replica__op_done(r);
    while (r->first != NULL) {
        struct replica_queued *const queued = r->first;
        r->first = queued->next;
        if (queued->op.kind == REPLICA_JOB) {
            replica__job_free(queued->op.job);
        }
        free_queued(queued);
    }
    r->last = NULL;
}
