#include "base/assert.h"

#include "node/replica/internal.h"

#define VIEWS_AHEAD 4u /* SPEC consensus 16: "for views in [fin.view - 10, v + 4]" */

static void answer(struct replica *r, const struct node_body *body, enum cs_body_verdict verdict)
{
    struct cs_event const event = {
        .kind = CS_EV_BODY,
        .body = {.block_hash = body->hash, .verdict = verdict},
    };
    replica__event(r, &event);
}

/* ---- the pipeline: complete -> decoded -> signatures -> held ---- */

static void start_decoding(struct replica *r, struct node_body *body)
{
    struct replica_job *const job = replica__job(r, REPLICA_JOB_DECODE);
    if (job != NULL) {
        job->body.body = body;
        body->state = NODE_BODY_DECODING;
        body->jobs++;
        replica__job_start(r, job);
    }
}

static void if_complete(struct replica *r, struct node_body *body)
{
    if (body->state == NODE_BODY_ASSEMBLING && node_body_complete(body)) {
        start_decoding(r, body);
    }
}

static void finish(struct replica *r, struct node_body *body, bool good)
{
    body->state = good ? NODE_BODY_HELD : NODE_BODY_INVALID;
    if (!good && body->wanted) {
        body->wanted = false;
        answer(r, body, CS_BODY_INVALID);
    }
    if (good) {
        if (body->wanted) {
            answer(r, body, CS_BODY_HELD);
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

/* ---- rules ---- */

/* shares_tx returns whether two bodies, both sorted by hash, have a
 * transaction in common. */
static bool shares_tx(const struct node_body *a, const struct node_body *b)
{
    uint32_t i = 0;
    uint32_t j = 0;
    while (i < a->tx_count && j < b->tx_count) {
        int const order = nv_hash_cmp(&a->txs[i].hash, &b->txs[j].hash);
        if (order == 0) {
            return true;
        }
        i += order < 0 ? 1u : 0u;
        j += order > 0 ? 1u : 0u;
    }
    return false;
}

static bool in_window(const struct replica *r, const struct node_body *body)
{
    for (uint32_t i = 0; i < body->tx_count; i++) {
        if (node_window_has(r->window, &body->txs[i].hash)) {
            return true;
        }
    }
    return false;
}

/* judge applies the replay rule, no transaction of an ancestor again, and those
 * of fees and keys. */
static enum replica_judgement judge(struct replica *r, const struct node_body *body)
{
    const struct node_body *before[REPLICA_BODIES_MAX];
    uint32_t before_count = 0;
    if (body->header.height <= r->last_height) {
        return REPLICA_JUDGED_VALID; /* it is final or never will be */
    }
    if (!replica__ancestors(r, body->header.parent_hash, before, &before_count)) {
        return REPLICA_JUDGED_LATER;
    }
    for (uint32_t i = 0; i < before_count; i++) {
        if (shares_tx(body, before[i])) {
            return REPLICA_JUDGED_INVALID;
        }
    }
    if (in_window(r, body)) {
        return REPLICA_JUDGED_INVALID;
    }
    enum replica_judgement const fees = replica__fees_judge(r, body, before, before_count);
    return fees == REPLICA_JUDGED_VALID ? replica__names_judge(r, body) : fees;
}

void replica__bodies_judge(struct replica *r)
{
    for (uint32_t i = 0; i < r->body_count; i++) {
        struct node_body *const body = r->body[i];
        if (body->state != NODE_BODY_HELD || !body->wanted) {
            continue;
        }
        enum replica_judgement const verdict = judge(r, body);
        if (verdict != REPLICA_JUDGED_LATER) {
            body->wanted = false;
            answer(r, body, verdict == REPLICA_JUDGED_VALID ? CS_BODY_VALID : CS_BODY_INVALID);
        }
    }
}

/* ---- getting bodies ---- */

static void ask(struct replica *r, const struct node_body *body, uint32_t peer)
{
    uint32_t link = 0;
    struct cs_message message = {.type = CS_MSG_BODY_REQUEST};
    struct cs_body_request *const request = &message.body_request;
    request->block_hash = body->hash;
    if (replica_roster_id(&r->roster, peer, &link) &&
        node_body_missing(body, &request->first, &request->count)) {
        replica__send(r, link, &message);
    }
}

/* from_journal looks for a body where it may be: a restart or want of room has taken
 * it out of memory. */
static void from_journal(struct replica *r, struct node_body *body)
{
    struct nv_view bytes;
    if (body->state == NODE_BODY_ASSEMBLING && !node_body_complete(body) &&
        r->config.store.body(r->config.store.ctx, &body->hash, &bytes) == NV_OK &&
        node_body_fill(body, bytes) == NV_OK) {
        body->journaled = true;
    }
}

void replica__body_needed(struct replica *r, const struct cs_effect *effect)
{
    struct node_body *body = replica__body(r, &effect->body.block_hash);
    if (body == NULL) {
        body = replica__body_new(r, &effect->body.block_hash, true);
    }
    if (body == NULL || node_body_set_header(body, effect->body.header) != NV_OK) {
        return; /* no room now: the engine asks again */
    }
    r->bodies_heard++;
    body->heard = r->bodies_heard;
    body->wanted = true;
    if (body->state == NODE_BODY_INVALID) {
        body->wanted = false;
        answer(r, body, CS_BODY_INVALID);
        return;
    }
    from_journal(r, body);
    if_complete(r, body);
    if (body->state == NODE_BODY_HELD) {
        answer(r, body, CS_BODY_HELD);
        replica__bodies_judge(r);
    } else if (body->state == NODE_BODY_ASSEMBLING && !effect->body.streaming) {
        ask(r, body, effect->body.peer);
    }
}

/* near returns whether a chunk of an unknown block may be kept: its sender is
 * the leader of a view near our own.  Who is a little behind is sent bodies of
 * views that it has not entered, before the proposals that name them. */
static bool near(const struct replica *r, uint32_t link)
{
    uint32_t const peer = replica_roster_number(&r->roster, link);
    uint64_t const view = cs_summary(r->cs).view;
    for (uint64_t v = view > 1 ? view - 1 : 1; v <= view + VIEWS_AHEAD; v++) {
        if (peer == cs_leader(r->cs, v)) {
            return true;
        }
    }
    return false;
}

void replica__body_chunk(struct replica *r, uint32_t link, const struct cs_body_chunk *chunk)
{
    struct node_body *body = replica__body(r, &chunk->block_hash);
    if (body == NULL) {
        body = near(r, link) ? replica__body_new(r, &chunk->block_hash, false) : NULL;
        if (body == NULL) {
            return;
        }
    }
    if (!node_body_add(body, &chunk->chunk)) {
        replica__ban(r, link);
        return;
    }
    if_complete(r, body);
}

void replica__body_check_own(struct replica *r, struct node_body *body)
{
    if_complete(r, body);
}
