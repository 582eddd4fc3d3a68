#ifndef NV_NODE_JOURNAL_THREAD_H
#define NV_NODE_JOURNAL_THREAD_H

/* journal_thread.h - the thread that makes records durable, and the batch that
 * goes there and back.
 *
 *     loop: compose a batch --> journal thread: append, fdatasync --> loop:
 *     every record has a place, messages that waited may go
 *
 * One batch is under way at a time; while the disk works, records gather for
 * the next one.  On a quick disk the loop may do it itself (node/mail/at_once.h).
 * A batch that fails is the end: the caller stops the process
 * and nothing is tried again. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#include "node/mail/mail.h"
#include "storage/journal.h"

struct node_journal_thread;

/* A batch and what became of it.  The loop owns it, the thread while it is
 * under way. */
struct node_batch {
    struct node_mail mail;
    struct st_batch batch;
    uint32_t *index; /* by record: what st_batch_place takes */
    void *memory;    /* of both */
    size_t memory_size;
    uint32_t index_max;
    bool replica;     /* it holds a batch of the replica's */
    uint32_t drop;    /* segments before this one go when it is durable; 0: none */
    enum nv_err err;  /* when it is back */
    uint64_t sync_ns; /* how long append and sync took */
};

/* node_batch_open reserves memory for the largest batch.  NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err node_batch_open(struct node_batch *batch, uint32_t batch_max);
void node_batch_close(struct node_batch *batch);

/* node_batch_clear empties it. */
void node_batch_clear(struct node_batch *batch);

/* node_batch_add appends one record; NV_ERR_TOO_LARGE when it does not fit. */
NV_MUST_USE enum nv_err
node_batch_add(struct node_batch *batch, uint8_t type, struct nv_view payload);

/* node_batch_add_all appends records as a replica gives them (type u8 | size
 * u32 | payload, one after another), as many as fit, and returns how many bytes
 * it took. */
uint32_t node_batch_add_all(struct node_batch *batch, struct nv_view records);

/* node_batch_record reads record `i` of a batch that is back, place included;
 * borrowed until the batch is cleared. */
void node_batch_record(const struct node_batch *batch, uint32_t i, struct st_record *record);

/* node_journal_thread_start takes over the appending of `journal`; batches come
 * back through `out` as NODE_MAIL_BATCH.  NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err node_journal_thread_start(struct node_journal_thread **thread,
                                                  struct st_journal *journal,
                                                  struct node_mailbox *out);

/* node_journal_thread_append hands over a batch of at least one record. */
void node_journal_thread_append(struct node_journal_thread *thread, struct node_batch *batch);

/* node_journal_thread_at_once appends a small batch on the caller's thread, if
 * the other one has nothing to do and the disk was quick lately; the batch is
 * back then, and comes in no mail.  False: it did nothing. */
NV_MUST_USE bool
node_journal_thread_at_once(struct node_journal_thread *thread, struct node_batch *batch);

/* node_journal_thread_stop waits for the batch under way and ends the thread. */
void node_journal_thread_stop(struct node_journal_thread *thread);

#endif /* NV_NODE_JOURNAL_THREAD_H */
