/* checked.c - what workers find of a body: decoded -> signatures -> held. */

#include "base/assert.h"

#include "node/replica/internal.h"

static void finish(struct replica *r, struct node_body *body, bool good)
{
    body->state = good ? NODE_BODY_HELD : NODE_BODY_INVALID;
    if (!good && body->wanted) {
        body->wanted = false;
        replica__body_answer(r, body, CS_BODY_INVALID);
    }
    if (good) {
        if (body->wanted) {
            replica__body_answer(r, body, CS_BODY_HELD);
        }
        replica__bodies_judge(r);
        replica__give(r);
    }
}

/* checked_before returns whether the very same bytes, signature included, wait
 * in the mempool: they were checked when they came. */
static bool checked_before(const struct replica *r, const struct vm_tx *tx)
{
    struct nv_view bytes;
    return node_mempool_has(r->mempool, &tx->hash, &bytes) && nv_view_eq(bytes, tx->bytes);
}

static void start_signatures(struct replica *r, struct node_body *body)
{
    struct replica_job *job = NULL;
    body->state = NODE_BODY_SIGNATURES;
    for (uint32_t i = 0; i < body->tx_count; i++) {
        if (checked_before(r, &body->txs[i])) {
            continue;
        }
        if (job == NULL) {
            job = replica__job(r, REPLICA_JOB_SIGNATURES);
            NV_ASSERT(job != NULL); /* a body without an answer would stall the view */
            job->body.body = body;
            body->jobs++;
        }
        job->body.index[job->body.count] = i;
        job->body.count++;
        if (job->body.count == REPLICA_TX_BATCH) {
            replica__job_start(r, job);
            job = NULL;
        }
    }
    if (job != NULL) {
        replica__job_start(r, job);
    }
    if (body->jobs == 0) {
        finish(r, body, true);
    }
}

void replica__body_job_done(struct replica *r, struct replica_job *job)
{
    struct node_body *const body = job->body.body;
    NV_ASSERT(body->jobs > 0);
    body->jobs--;
    if (job->kind == REPLICA_JOB_DECODE) {
        if (job->ok) {
            start_signatures(r, body);
        } else if (job->starved) {
            body->state = NODE_BODY_ASSEMBLING; /* until somebody needs it again */
        } else {
            finish(r, body, false);
        }
        return;
    }
    body->bad_signature = body->bad_signature || !job->ok;
    if (body->jobs == 0) {
        finish(r, body, !body->bad_signature);
    }
}
