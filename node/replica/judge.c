/* judge.c - what the rules say of bodies, and what the engine is told of them. */

#include "node/replica/internal.h"

void replica__body_answer(struct replica *r,
                          const struct node_body *body,
                          enum cs_body_verdict verdict)
{
    struct cs_event const event = {
        .kind = CS_EV_BODY,
        .body = {.block_hash = body->hash, .verdict = verdict},
    };
    replica__event(r, &event);
}

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
            replica__body_answer(
                r, body, verdict == REPLICA_JUDGED_VALID ? CS_BODY_VALID : CS_BODY_INVALID);
        }
    }
}
