#ifndef NV_NODE_MAIL_MAIL_H
#define NV_NODE_MAIL_MAIL_H

/* mail.h - what comes back to the loop from the other threads. */

#include "base/err.h"

#include "node/mail/mailbox.h"

struct st_overlay;
struct st_state;

enum node_mail_kind {
    NODE_MAIL_RESULT = 1,   /* struct node_result */
    NODE_MAIL_JOB,          /* a read: node_executor_take */
    NODE_MAIL_FROZEN,       /* struct node_checkpoint */
    NODE_MAIL_FAILED,       /* struct node_mail: memory is full; the node must stop */
    NODE_MAIL_CHECKPOINTED, /* struct node_checkpoint */
    NODE_MAIL_BATCH,        /* struct node_batch */
    NODE_MAIL_PAGE,         /* struct node_page */
    NODE_MAIL_SNAPSHOT,     /* struct node_snapshot, made */
};

/* A frozen overlay on its way: executor, loop, checkpointer, loop, executor. */
struct node_checkpoint {
    struct node_mail mail;
    struct st_overlay *overlay; /* NULL: nothing had changed */
    enum nv_err err;
    uint64_t forget;       /* up to this height nothing is in the journal any more; 0: as before */
    bool copy;             /* the rows are wanted when it is written */
    struct st_state *rows; /* and here they are; NULL: there was no memory */
};

#endif /* NV_NODE_MAIL_MAIL_H */
