/* effects.c - what a step of the engine asks for, done in its order. */

#include <string.h>

#include "base/assert.h"
#include "base/bug.h"
#include "base/heap.h"

#include "node/replica/internal.h"

/* queue_body writes the record of a block's body, which must be durable with
 * the block. */
static void queue_body(struct replica *r, const struct nv_hash *hash)
{
    struct node_body *const body = replica__body(r, hash);
    NV_ASSERT(body != NULL && node_body_complete(body)); /* the engine counts it as held */
    if (body->journaled || NV_SEEDED(BODY_VOLATILE)) {
        return;
    }
    uint32_t const size = 32 + body->header.body_size;
    uint8_t *const record = nv_heap_alloc(CS_RECORD_HEAD_SIZE + (size_t)size);
    NV_ASSERT(record != NULL); /* no vote may leave without it: stop */
    struct nv_writer w;
    nv_writer_init(&w, record, CS_RECORD_HEAD_SIZE + size);
    nv_put_u8(&w, REPLICA_RECORD_BODY);
    nv_put_u32(&w, size);
    nv_put_bytes(&w, hash->bytes, sizeof hash->bytes);
    nv_put_bytes(&w, body->bytes, body->header.body_size);
    NV_ASSERT(!w.overflow);
    enum nv_err const err = node_outbox_persist(r->outbox, nv_view_of(record, w.size), false);
    NV_ASSERT(err == NV_OK);
    body->journaled = true;
    nv_heap_free(record);
}

static void persist(struct replica *r, const struct cs_effect *effect)
{
    struct nv_reader reader;
    nv_reader_init(&reader, effect->persist.records);
    for (uint32_t i = 0; i < effect->persist.count; i++) {
        struct cs_record record;
        enum nv_err const err = cs_record_get(&reader, &record);
        NV_ASSERT(err == NV_OK); /* the engine wrote it */
        if (record.type == CS_RECORD_BLOCK && record.block.header.body_size > 0) {
            struct nv_hash hash;
            cs_header_hash(&hash, &record.block.header);
            queue_body(r, &hash);
        }
    }
    enum nv_err const err =
        node_outbox_persist(r->outbox, effect->persist.records, effect->persist.sync);
    NV_ASSERT(err == NV_OK);
}

static void send(struct replica *r, const struct cs_effect *effect)
{
    uint32_t links[CS_VALIDATORS_MAX];
    uint32_t count = 0;
    if (effect->kind == CS_FX_BROADCAST) {
        count = replica_roster_all(&r->roster, links);
    } else if (replica_roster_id(&r->roster, effect->send.peer, &links[0])) {
        count = 1;
    }
    if (count == 0) {
        return; /* away */
    }
    struct node_outbox_message const message = {
        .links = links,
        .link_count = count,
        .type = (uint8_t)effect->send.type,
        .bytes = effect->send.bytes,
    };
    if (node_outbox_send(r->outbox, &message) != NV_OK) {
        return; /* without room it is lost, as on a network; the engine repeats */
    }
}

static void halt(struct replica *r, const struct cs_effect *effect)
{
    uint8_t *const copy = nv_heap_alloc(effect->halt.bytes.size + 1u);
    struct nv_view bytes = nv_view_of(NULL, 0);
    if (copy != NULL && effect->halt.bytes.size > 0) {
        memcpy(copy, effect->halt.bytes.bytes, effect->halt.bytes.size);
        bytes = nv_view_of(copy, effect->halt.bytes.size);
    }
    struct replica_op const op = {
        .kind = REPLICA_HALT,
        .halt = {effect->halt.code, effect->halt.height, bytes},
    };
    r->halted = true;
    replica__op(r, &op, copy);
}

/* evidence names the key of who signed both: its number is the present epoch's. */
static void evidence(struct replica *r, const struct cs_effect *effect)
{
    uint32_t const signer = effect->evidence.vote[0].signer;
    struct replica_op op = {.kind = REPLICA_EVIDENCE};
    NV_ASSERT(signer < r->roster.present.set.count); /* the engine has verified the votes */
    op.evidence.offence = effect->evidence.offence;
    op.evidence.key = r->roster.present.set.member[signer].key;
    memcpy(op.evidence.vote, effect->evidence.vote, sizeof op.evidence.vote);
    replica__op(r, &op, NULL);
}

void replica__perform(struct replica *r, const struct cs_effect *effect)
{
    struct replica_op op = {.kind = REPLICA_TRACE};
    switch (effect->kind) {
    case CS_FX_PERSIST: persist(r, effect); break;
    case CS_FX_SEND:
    case CS_FX_BROADCAST: send(r, effect); break;
    case CS_FX_SET_TIMER:
        op.kind = REPLICA_TIMER;
        op.timer_ns = effect->timer.at_ns;
        replica__op(r, &op, NULL);
        break;
    case CS_FX_BUILD: replica__build(r, effect); break;
    case CS_FX_PUBLISH_BODY: replica__publish(r, effect); break;
    case CS_FX_NEED_BODY: replica__body_needed(r, effect); break;
    case CS_FX_EXECUTE: replica__lend(r, effect); break;
    case CS_FX_EVIDENCE: evidence(r, effect); break;
    case CS_FX_TRACE:
        op.trace.code = effect->trace.code;
        op.trace.view = effect->trace.view;
        op.trace.a = effect->trace.a;
        replica__op(r, &op, NULL);
        break;
    case CS_FX_EPOCH:
        replica__epoch_begin(r, effect->epoch.set);
        replica__epoch_tell(r);
        break;
    case CS_FX_HALT: halt(r, effect); break;
    }
}
