#include "base/assert.h"
#include "base/heap.h"

#include "node/replica/internal.h"
#include "vm/fee.h"
#include "vm/wire/wire.h"

/* Room to decode one transaction; what does not fit is malformed. */
#define TX_ARENA_SIZE (256u << 10)

struct replica_job *replica__job(struct replica *r, enum replica_job_kind kind)
{
    struct replica_job *const job = nv_heap_alloc(sizeof *job);
    if (job != NULL) {
        *job = (struct replica_job){.kind = kind, .chain_id = r->config.consensus.chain_id};
    }
    return job;
}

void replica__job_free(struct replica_job *job)
{
    if (job == NULL) {
        return;
    }
    if (job->kind == REPLICA_JOB_MESSAGE) {
        nv_heap_free(job->message.bytes);
        replica__checkers_drop(job->message.checkers);
    }
    if (job->kind == REPLICA_JOB_TXS) {
        for (uint32_t i = 0; i < job->txs.count; i++) {
            nv_heap_free(job->txs.tx[i].bytes);
        }
    }
    nv_heap_free(job);
}

static void
check_new_tx(struct replica_new_tx *new_tx, const struct nv_hash *chain_id, struct nv_arena *arena)
{
    struct vm_tx tx;
    struct nv_view const bytes = nv_view_of(new_tx->bytes, new_tx->size);
    nv_arena_reset(arena);
    if (vm_tx_decode(&tx, bytes, chain_id, arena) != NV_OK) {
        new_tx->refusal = REPLICA_TX_MALFORMED;
        return;
    }
    new_tx->hash = tx.hash;
    node_signer_of(&new_tx->signer, &tx);
    new_tx->expires_ms = tx.expires_ms;
    new_tx->actions = tx.action_count;
    new_tx->fee_free = vm_fee_free(&tx);
    new_tx->refusal = vm_tx_signature_ok(&tx) ? REPLICA_TX_TAKEN : REPLICA_TX_SIGNATURE;
}

static void run_txs(struct replica_job *job)
{
    void *const memory = nv_heap_alloc_raw(TX_ARENA_SIZE);
    for (uint32_t i = 0; i < job->txs.count; i++) {
        if (memory == NULL) {
            job->txs.tx[i].refusal = REPLICA_TX_FULL;
            continue;
        }
        struct nv_arena arena;
        nv_arena_init(&arena, memory, TX_ARENA_SIZE);
        check_new_tx(&job->txs.tx[i], &job->chain_id, &arena);
    }
    nv_heap_free(memory);
}

static void run_decode(struct replica_job *job)
{
    struct node_body *const body = job->body.body;
    enum nv_err const err = node_body_decode(body, &job->chain_id);
    job->ok = err == NV_OK;
    job->starved = err == NV_ERR_NO_MEMORY && body->memory == NULL;
}

static void run_signatures(struct replica_job *job)
{
    job->ok = true;
    for (uint32_t i = 0; i < job->body.count && job->ok; i++) {
        job->ok = vm_tx_signature_ok(&job->body.body->txs[job->body.index[i]]);
    }
}

/* Bytes of a body that are decoded in the time of a signature check. */
#define DECODED_A_CHECK 16384u

/* checks_of returns how many signatures of a message are checked, or a few more. */
static uint32_t checks_of(const struct replica_job *job)
{
    const struct cs_plan *const plan = &job->message.plan;
    uint32_t count = 0;
    for (uint64_t left = plan->certificates; left != 0; left &= left - 1) {
        count += job->message.checkers->set.count;
    }
    return 1 + count - ((plan->certificates & 1u) != 0 ? cs_bitmap_count(&plan->known) : 0);
}

uint32_t replica_job_weight(const struct replica_job *job)
{
    switch (job->kind) {
    case REPLICA_JOB_MESSAGE: return checks_of(job);
    case REPLICA_JOB_TXS: return job->txs.count;
    case REPLICA_JOB_DECODE: return 1 + job->body.body->header.body_size / DECODED_A_CHECK;
    case REPLICA_JOB_SIGNATURES: return job->body.count;
    }
    NV_ASSERT(false);
    return 1;
}

void replica_job_run(struct replica_job *job)
{
    switch (job->kind) {
    case REPLICA_JOB_MESSAGE:
        job->ok = cs_message_check(
            &job->message.message, &job->message.plan, &job->chain_id, &job->message.checkers->set);
        break;
    case REPLICA_JOB_TXS: run_txs(job); break;
    case REPLICA_JOB_DECODE: run_decode(job); break;
    case REPLICA_JOB_SIGNATURES: run_signatures(job); break;
    }
}
