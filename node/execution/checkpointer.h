#ifndef NV_NODE_EXECUTION_CHECKPOINTER_H
#define NV_NODE_EXECUTION_CHECKPOINTER_H

/* checkpointer.h - the thread that writes to the database, and pages rows out
 * of it.
 *
 * Checkpoints and pages are taken in the order in which they were given and
 * come back through one mailbox (node/mail/mail.h).  The caller has made sure that
 * the journal is durable past the checkpoint. */

#include "base/err.h"

#include "node/mail/mail.h"
#include "rpc/port.h"
#include "storage/storage.h"

/* A page of rows on its way there and back. */
struct node_page {
    struct node_mail mail;
    struct rpc_rows *rows; /* err, rows and the head's height, hash and root are filled in */
};

struct node_checkpointer;

/* How long a checkpoint is held for who pages through it. */
#define NODE_PIN_MS 60000u

/* node_checkpointer_start starts the thread; the database is borrowed.
 * NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err node_checkpointer_start(struct node_checkpointer **checkpointer,
                                                struct st_db *db,
                                                struct node_mailbox *out);

/* node_checkpointer_write writes a frozen overlay; it comes back as
 * NODE_MAIL_CHECKPOINTED with `err` set, and a copy of all rows if it is wanted. */
void node_checkpointer_write(struct node_checkpointer *checkpointer,
                             struct node_checkpoint *checkpoint);

/* node_checkpointer_page fills a page; it comes back as NODE_MAIL_PAGE. */
void node_checkpointer_page(struct node_checkpointer *checkpointer, struct node_page *page);

/* node_checkpointer_stop lets it finish what it was given and ends it. */
void node_checkpointer_stop(struct node_checkpointer *checkpointer);

#endif /* NV_NODE_EXECUTION_CHECKPOINTER_H */
