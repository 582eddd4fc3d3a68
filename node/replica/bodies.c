#include "node/replica/internal.h"

#define VIEWS_AHEAD 4u /* SPEC consensus 16: "for views in [fin.view - 10, v + 4]" */

/* ---- when they are complete ---- */

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

void replica__body_check(struct replica *r, struct node_body *body)
{
    if (body->state == NODE_BODY_ASSEMBLING && node_body_complete(body)) {
        start_decoding(r, body);
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
        replica__body_answer(r, body, CS_BODY_INVALID);
        return;
    }
    from_journal(r, body);
    replica__body_check(r, body);
    if (body->state == NODE_BODY_HELD) {
        replica__body_answer(r, body, CS_BODY_HELD);
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
    replica__body_check(r, body);
}
