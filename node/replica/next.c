/* next.c - which operation the shell gets next: of the queue, or of the outbox. */

#include "node/replica/internal.h"

static void outbox_op(struct replica_op *op, const struct node_outbox_item *item)
{
    if (item->kind == NODE_OUTBOX_BATCH) {
        *op = (struct replica_op){.kind = REPLICA_JOURNAL, .journal = item->batch};
    } else if (item->kind == NODE_OUTBOX_BLOCK) {
        *op = (struct replica_op){.kind = REPLICA_EXECUTE, .block = item->block};
    } else {
        const struct node_outbox_message *const m = &item->message;
        *op = (struct replica_op){.kind = REPLICA_SEND,
                                  .send = {m->links, m->link_count, m->type, m->bytes}};
    }
}

bool replica_next(struct replica *r, struct replica_op *op)
{
    struct node_outbox_item item;
    replica__op_done(r);
    bool const links = r->first != NULL && r->first->op.kind == REPLICA_EPOCH;
    if (!links && node_outbox_next(r->outbox, &item)) { /* others wait for it */
        outbox_op(op, &item);
        return true;
    }
    if (r->first == NULL) {
        replica__tx_flush(r);
    }
    if (r->first == NULL) {
        return false;
    }
    r->given = r->first;
    r->first = r->given->next;
    if (r->first == NULL) {
        r->last = NULL;
    }
    *op = r->given->op;
    return true;
}
