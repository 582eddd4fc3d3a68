#include <string.h>

#include "base/assert.h"
#include "base/bug.h"
#include "base/heap.h"

#include "node/replica/internal.h"

static void verdict(struct replica *r, const struct replica_new_tx *tx)
{
    if (tx->link != CS_NOBODY) {
        return;
    }
    struct replica_op const op = {
        .kind = REPLICA_VERDICT,
        .verdict = {.ticket = tx->ticket, .refusal = tx->refusal, .hash = tx->hash},
    };
    replica__op(r, &op, NULL);
}

void replica_submit(struct replica *r, uint32_t link, uint64_t ticket, struct nv_view bytes)
{
    struct replica_new_tx tx = {.link = link, .ticket = ticket, .size = bytes.size};
    if (bytes.size == 0 || bytes.size > VM_TX_SIZE_MAX) {
        tx.refusal = REPLICA_TX_MALFORMED;
        verdict(r, &tx);
        return;
    }
    if (r->tx_job == NULL) {
        r->tx_job = replica__job(r, REPLICA_JOB_TXS);
    }
    tx.bytes = nv_heap_alloc(bytes.size);
    if (r->tx_job == NULL || tx.bytes == NULL) {
        nv_heap_free(tx.bytes);
        tx.refusal = REPLICA_TX_FULL;
        verdict(r, &tx);
        return;
    }
    memcpy(tx.bytes, bytes.bytes, bytes.size);
    r->tx_job->txs.tx[r->tx_job->txs.count] = tx;
    r->tx_job->txs.count++;
    if (r->tx_job->txs.count == REPLICA_TX_BATCH) {
        replica__tx_flush(r);
    }
}

void replica__tx_flush(struct replica *r)
{
    if (r->tx_job != NULL) {
        struct replica_job *const job = r->tx_job;
        r->tx_job = NULL;
        replica__job_start(r, job);
    }
}

/* admit decides about a transaction whose signature is good. */
static enum replica_refusal admit(struct replica *r, const struct replica_new_tx *tx)
{
    uint64_t const now = r->time.wall_ms;
    if (node_window_has(r->window, &tx->hash)) {
        return REPLICA_TX_DUPLICATE;
    }
    if (tx->expires_ms <= now) {
        return REPLICA_TX_EXPIRED;
    }
    /* A little more than a minute: the block's time may lead this clock. */
    if (tx->expires_ms > now + VM_EXPIRY_MAX_MS + r->config.consensus.ahead_ms) {
        return REPLICA_TX_EXPIRY_FAR;
    }
    enum replica_refusal const unpaid = replica__fees_admit(r, tx);
    if (unpaid != REPLICA_TX_TAKEN) {
        return unpaid;
    }
    enum replica_refusal const strange = replica__names_admit(r, &tx->signer);
    if (strange != REPLICA_TX_TAKEN) {
        return strange;
    }
    struct node_mempool_tx const entry = {.hash = tx->hash,
                                          .signer = tx->signer,
                                          .expires_ms = tx->expires_ms,
                                          .actions = tx->actions,
                                          .fee_free = tx->fee_free,
                                          .bytes = nv_view_of(tx->bytes, tx->size)};
    switch (node_mempool_add(r->mempool, &entry)) {
    case NODE_MEMPOOL_ADDED: return REPLICA_TX_TAKEN;
    case NODE_MEMPOOL_DUPLICATE: return REPLICA_TX_DUPLICATE;
    case NODE_MEMPOOL_FULL: return REPLICA_TX_FULL;
    case NODE_MEMPOOL_ACCOUNT_FULL: return REPLICA_TX_ACCOUNT_FULL;
    case NODE_MEMPOOL_SESSION_FULL: return REPLICA_TX_SESSION_FULL;
    }
    NV_ASSERT(false);
    return REPLICA_TX_FULL;
}

static void gossip(struct replica *r, const struct replica_new_tx *tx)
{
    struct nv_view bytes;
    bool const there = node_mempool_has(r->mempool, &tx->hash, &bytes);
    NV_ASSERT(there);
    uint8_t *const copy = nv_heap_alloc(bytes.size);
    if (copy == NULL) {
        return;
    }
    memcpy(copy, bytes.bytes, bytes.size);
    struct replica_op const op = {.kind = REPLICA_GOSSIP,
                                  .gossip = {tx->link, nv_view_of(copy, bytes.size)}};
    replica__op(r, &op, copy);
}

void replica__tx_job_done(struct replica *r, struct replica_job *job)
{
    for (uint32_t i = 0; i < job->txs.count; i++) {
        struct replica_new_tx *const tx = &job->txs.tx[i];
        if (tx->refusal == REPLICA_TX_TAKEN) {
            tx->refusal = admit(r, tx);
        }
        if (tx->refusal == REPLICA_TX_TAKEN && !NV_SEEDED(GOSSIP_NONE)) {
            gossip(r, tx);
        }
        verdict(r, tx);
    }
    replica__work(r);
}

/* A final block's transactions leave the pool and enter the window; what can
 * be in no later block any more is dropped. */
void replica__txs_final(struct replica *r, const struct replica_block *block)
{
    uint64_t const time_ms = block->header.time_ms;
    node_window_forget(r->window, time_ms);
    for (uint32_t i = 0; i < block->tx_count; i++) {
        const struct vm_tx *const tx = &block->txs[i];
        (void)(!NV_SEEDED(POOL_KEEPS) && node_mempool_remove(r->mempool, &tx->hash));
        enum nv_err const err = node_window_add(r->window, &tx->hash, tx->expires_ms);
        NV_ASSERT(err == NV_OK); /* window_max covers a minute of full blocks */
    }
    struct nv_hash hash;
    while (node_mempool_expire(r->mempool, time_ms, &hash)) {
        struct replica_op const op = {.kind = REPLICA_DROPPED, .dropped = hash};
        replica__op(r, &op, NULL);
    }
    if (block->tx_count > 0) {
        r->waiting_told = UINT32_MAX; /* the engine has counted out what may not have been here */
    }
    replica__work(r);
}
