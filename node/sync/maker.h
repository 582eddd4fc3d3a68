#ifndef NV_NODE_SYNC_MAKER_H
#define NV_NODE_SYNC_MAKER_H

/* maker.h - the thread that makes snapshots out of copies of rows.
 *
 *     loop: rows of a checkpoint, why to believe them --> thread: chunks,
 *     folder, the old ones removed --> loop: there is a new one
 *
 * One is under way at a time. */

#include "base/err.h"

#include "node/mail/mail.h"
#include "storage/snapshot.h"

/* A snapshot on its way there and back. */
struct node_snapshot {
    struct node_mail mail;
    struct st_state *rows; /* closed when it is back */
    uint64_t height;
    enum nv_err err;
    uint32_t anchor_size;
    uint8_t anchor[ST_ANCHOR_SIZE_MAX];
};

struct node_maker;

/* node_maker_start starts the thread; `at` is copied and what it points to is
 * borrowed.  Snapshots come back through `out` as NODE_MAIL_SNAPSHOT.
 * NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err node_maker_start(struct node_maker **maker,
                                         const struct st_snapshots *at,
                                         struct node_mailbox *out);

void node_maker_make(struct node_maker *maker, struct node_snapshot *snapshot);

/* node_maker_stop lets it finish what it was given and ends it.  NULL does
 * nothing. */
void node_maker_stop(struct node_maker *maker);

#endif /* NV_NODE_SYNC_MAKER_H */
