#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "node/replica/internal.h"

#define VIEWS_AHEAD 4u /* SPEC consensus 16: "for views in [fin.view - 10, v + 4]" */

struct node_body *replica__body(struct replica *r, const struct nv_hash *hash)
{
    for (uint32_t i = 0; i < r->body_count; i++) {
        if (nv_hash_eq(&r->body[i]->hash, hash)) {
            return r->body[i];
        }
    }
    return NULL;
}

static bool idle(const struct node_body *body)
{
    return body->jobs == 0 && !body->executing;
}

static void drop(struct replica *r, uint32_t index)
{
    node_body_deinit(r->body[index]);
    nv_heap_free(r->body[index]);
    r->body_count--;
    r->body[index] = r->body[r->body_count];
}

/* ---- room ----
 *
 * Whose the bodies are: the engine's, as long as it counts them as held (consensus.h,
 * BODIES), the executor's, when they are lent, and those of jobs under way.  None of these
 * is ever dropped.  Of the first there are at most CS_BODIES_MAX, and there is room for
 * OTHERS beside them.  Execution and jobs come to an end by themselves, and then all
 * others may be dropped: so room is made sooner or later for all that the engine asks
 * for at once, and the last asked for is dropped last. */

#define OTHERS (REPLICA_BODIES_MAX - CS_BODIES_MAX - 1u)
_Static_assert(OTHERS >= REPLICA_ASKED_MAX, "what is asked for at once pushes out none of itself");

enum rank {
    RANK_LOOSE = 0, /* the header is not known */
    RANK_IDLE,      /* nobody waits for it */
    RANK_WANTED,    /* the engine asked for it */
    RANK_KEPT,
};

static enum rank rank(const struct replica *r, const struct node_body *body)
{
    if (!idle(body) || cs_body_held(r->cs, &body->hash)) {
        return RANK_KEPT;
    }
    if (!body->header_known) {
        return RANK_LOOSE;
    }
    return body->wanted ? RANK_WANTED : RANK_IDLE;
}

/* make_room drops a body of the lowest rank, up to `most`, when there are `limit`:
 * of those the one that was heard of the longest time ago. */
static bool make_room(struct replica *r, uint32_t limit, enum rank most)
{
    if (r->body_count < limit) {
        return true;
    }
    uint32_t best = UINT32_MAX;
    enum rank lowest = RANK_KEPT;
    for (uint32_t i = 0; i < r->body_count; i++) {
        enum rank const this = rank(r, r->body[i]);
        bool const older = best != UINT32_MAX && r->body[i]->heard < r->body[best]->heard;
        if (this < lowest || (this == lowest && older)) {
            best = i;
            lowest = this;
        }
    }
    if (best == UINT32_MAX || lowest > most) {
        return false;
    }
    drop(r, best);
    return r->body_count < limit;
}

static struct node_body *body_new(struct replica *r, const struct nv_hash *hash)
{
    NV_ASSERT(r->body_count < REPLICA_BODIES_MAX);
    struct node_body *const body = nv_heap_alloc(sizeof *body);
    if (body != NULL) {
        node_body_init(body, hash);
        r->bodies_heard++;
        body->heard = r->bodies_heard;
        r->body[r->body_count] = body;
        r->body_count++;
    }
    return body;
}

/* The last place is for an own body: nobody takes it between BUILD and PUBLISH. */
bool replica__body_own_room(struct replica *r)
{
    return make_room(r, REPLICA_BODIES_MAX, RANK_WANTED);
}

struct node_body *replica__body_own(struct replica *r, const struct nv_hash *hash)
{
    return body_new(r, hash);
}

static struct node_body *body_other(struct replica *r, const struct nv_hash *hash, enum rank most)
{
    return make_room(r, REPLICA_BODIES_MAX - 1, most) ? body_new(r, hash) : NULL;
}

bool replica__body_there(struct replica *r, const struct nv_hash *hash)
{
    const struct node_body *const body = replica__body(r, hash);
    return body != NULL && node_body_complete(body) && body->state != NODE_BODY_INVALID;
}

void replica__bodies_check(const struct replica *r)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < r->body_count; i++) {
        held += cs_body_held(r->cs, &r->body[i]->hash) && node_body_complete(r->body[i]) ? 1 : 0;
    }
    NV_ASSERT(held == cs_summary(r->cs).bodies_held && held <= CS_BODIES_MAX);
}

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
            body->valid_told = verdict == REPLICA_JUDGED_VALID;
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
        body = body_other(r, &effect->body.block_hash, RANK_WANTED);
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
        body = near(r, link) ? body_other(r, &chunk->block_hash, RANK_LOOSE) : NULL;
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

/* replica__bodies_prune drops what can never be executed any more. */
void replica__bodies_prune(struct replica *r)
{
    uint32_t i = 0;
    while (i < r->body_count) {
        const struct node_body *const b = r->body[i];
        bool const past = b->header_known && b->header.height <= r->last_height;
        if (past && idle(b)) {
            drop(r, i);
        } else {
            i++;
        }
    }
}
