/* restart.c - from a journal to the start, in the order that replica.h tells. */

#include "base/bug.h"
#include "base/heap.h"

#include "node/replica/internal.h"

enum nv_err replica_recover(struct replica *r, uint8_t type, struct nv_view payload)
{
    if (type >= REPLICA_RECORD_BODY) {
        return NV_OK; /* a record of the shell's, or a body: it is read when it is needed */
    }
    uint8_t *const record = nv_heap_alloc(CS_RECORD_HEAD_SIZE + (size_t)payload.size);
    if (record == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    struct nv_writer w;
    nv_writer_init(&w, record, CS_RECORD_HEAD_SIZE + payload.size);
    nv_put_u8(&w, type);
    nv_put_u32(&w, payload.size);
    nv_put_bytes(&w, payload.bytes, payload.size);
    uint64_t const epoch = cs_summary(r->cs).epoch;
    enum nv_err const err = cs_recover(r->cs, nv_view_of(record, w.size));
    nv_heap_free(record);
    if (err == NV_OK && type == CS_RECORD_EPOCH && cs_summary(r->cs).epoch != epoch) {
        replica__epoch_begin(r, cs_validators(r->cs));
    }
    return err;
}

void replica_checkpoint(struct replica *r, const struct replica_outcome *outcome)
{
    struct cs_event const event = replica__executed_event(outcome);
    r->executed_height = outcome->height;
    if (outcome->next != NULL) {
        replica__learn(r, outcome->next);
    }
    replica__event(r, &event);
    replica__run(r);
}

enum nv_err replica_replayed(struct replica *r,
                             const struct replica_block *block,
                             const struct replica_outcome *outcome)
{
    node_window_forget(r->window, block->header.time_ms);
    for (uint32_t i = 0; i < block->tx_count && !NV_SEEDED(WINDOW_VOLATILE); i++) {
        NV_TRY(node_window_add(r->window, &block->txs[i].hash, block->txs[i].expires_ms));
    }
    replica__fees_replayed(r, block);
    r->last_hash = block->hash;
    r->last_height = block->header.height;
    r->parent_executed = block->header.executed_height;
    if (outcome != NULL) {
        replica_checkpoint(r, outcome);
    }
    return NV_OK;
}

void replica_start(struct replica *r, struct replica_time t)
{
    r->started = true;
    r->time = t;
    replica__epoch_tell(r);
    replica__input(r, t, &(struct cs_event){.kind = CS_EV_START});
}
