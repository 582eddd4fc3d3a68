#ifndef NV_NODE_REPLICA_OUTBOX_H
#define NV_NODE_REPLICA_OUTBOX_H

/* outbox.h - what must wait for the disk, in order.
 *
 * The rule of durability (consensus/consensus.h): nothing behind a PERSIST
 * leaves before its records are durable.  The outbox is that queue.  Records
 * and messages go in in the order in which the engine gave them; out come
 *
 *     a batch     all records waiting in the whole queue, to be written and
 *                 synced as one; then nothing until node_outbox_durable
 *     a message   whose records before it are all durable
 *     a block     to execute: it may be final by an own vote that was queued
 *                 before it, and nobody may be told before that is durable
 *
 * So while the disk works, more records gather and the next sync takes them
 * all.  A failed sync ends the process; there is no way back here.
 *
 * No I/O.  One thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct node_outbox;

struct node_outbox_message {
    const uint32_t *links; /* to whom, as they are named when it is queued */
    uint32_t link_count;
    uint8_t type; /* enum cs_message_type */
    struct nv_view bytes;
};

enum node_outbox_kind {
    NODE_OUTBOX_BATCH = 1,
    NODE_OUTBOX_MESSAGE,
    NODE_OUTBOX_BLOCK,
};

struct node_outbox_item {
    enum node_outbox_kind kind;
    struct nv_view batch; /* records: type u8 | size u32 | payload */
    struct node_outbox_message message;
    const void *block; /* as given to node_outbox_block */
};

/* node_outbox_open makes an empty outbox that holds up to `bytes_max`. */
NV_MUST_USE enum nv_err node_outbox_open(struct node_outbox **out, uint64_t bytes_max);
void node_outbox_close(struct node_outbox *outbox);

/* node_outbox_persist queues records; what follows waits for them if `sync`,
 * else they go with the next batch.  node_outbox_send queues a message.  Both
 * copy.  NV_ERR_NO_MEMORY when the bound is reached: a node whose records do
 * not fit must stop, a message may be dropped. */
NV_MUST_USE enum nv_err
node_outbox_persist(struct node_outbox *outbox, struct nv_view records, bool sync);
NV_MUST_USE enum nv_err
node_outbox_send(struct node_outbox *outbox, const struct node_outbox_message *message);

/* node_outbox_block queues a final block, which is the caller's.
 * NV_ERR_NO_MEMORY: the node must stop. */
NV_MUST_USE enum nv_err node_outbox_block(struct node_outbox *outbox, const void *block);

/* node_outbox_next writes what can be done now; borrowed until the next call.
 * False when there is nothing, or everything waits for the disk. */
bool node_outbox_next(struct node_outbox *outbox, struct node_outbox_item *item);

/* node_outbox_flush makes records that wait for the next batch a batch of their
 * own: for a node that has nothing to vote on, or is about to stop. */
void node_outbox_flush(struct node_outbox *outbox);

/* node_outbox_durable says that the batch given out last is durable. */
void node_outbox_durable(struct node_outbox *outbox);

/* node_outbox_pressed returns whether the queue is more than half full: the
 * shell then stops taking messages from its inbox. */
bool node_outbox_pressed(const struct node_outbox *outbox);

#endif /* NV_NODE_REPLICA_OUTBOX_H */
