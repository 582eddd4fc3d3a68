/* What is to be done for a joiner, in a queue: messages to send, peers to ban. */

#include <string.h>

#include "base/assert.h"

#include "node/sync/state.h"

static struct sync_op *add_op(struct sync *s)
{
    if (s->op_count == SYNC__OPS_MAX) {
        return NULL;
    }
    struct sync_op *const op = &s->op[(s->op_first + s->op_count++) % SYNC__OPS_MAX];
    memset(op, 0, sizeof *op);
    return op;
}

bool sync_next(struct sync *s, struct sync_op *op)
{
    if (s->op_count == 0) {
        return false;
    }
    *op = s->op[s->op_first];
    s->op_first = (s->op_first + 1) % SYNC__OPS_MAX;
    s->op_count--;
    return true;
}

void sync__send(struct sync *s, const struct sync__peer *peer, const struct sync_message *message)
{
    struct sync_op *const op = add_op(s);
    if (op == NULL) {
        return; /* as if it had been lost */
    }
    struct nv_writer w;
    nv_writer_init(&w, op->bytes, sizeof op->bytes);
    sync_encode(&w, message);
    NV_ASSERT(!w.overflow); /* requests are small */
    op->kind = SYNC_OP_SEND;
    op->peer = peer->id;
    op->type = (uint8_t)message->type;
    op->size = (uint8_t)w.size;
}

void sync__send_epoch(struct sync *s, const struct sync__peer *peer, uint64_t epoch)
{
    struct sync_op *const op = add_op(s);
    if (op != NULL) {
        nv_be64_store(op->bytes, epoch);
        op->kind = SYNC_OP_SEND;
        op->peer = peer->id;
        op->type = CS_MSG_EPOCH_REQUEST;
        op->size = 8;
    }
}

void sync__ban(struct sync *s, const struct sync__peer *peer, const char *why)
{
    struct sync_op *const op = add_op(s);
    if (op != NULL) {
        op->kind = SYNC_OP_BAN;
        op->peer = peer->id;
        op->why = why;
    }
}
