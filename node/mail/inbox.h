#ifndef NV_NODE_MAIL_INBOX_H
#define NV_NODE_MAIL_INBOX_H

/* inbox.h - what has come in from outside and waits for its turn: a ring of
 * bytes, first in, first out.
 *
 * The callbacks of the loop copy into it and return; the loop's tick takes
 * out.  It never grows: when it is full, the sender is held back or refused.
 *
 * The loop's thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

/* One item; what `kind` and the numbers mean is the user's business. */
struct node_inbox_item {
    uint32_t kind;
    uint32_t peer;
    uint32_t type;
    uint64_t ticket;
    struct nv_view bytes; /* taken out: borrowed until the next take */
};

struct node_inbox {
    uint8_t *memory;
    uint32_t cap;
    uint32_t first; /* where the oldest item begins */
    uint32_t used;  /* bytes, gaps included */
    uint32_t given; /* bytes of the item taken last, freed by the next take */
    uint32_t count;
};

/* node_inbox_open makes an inbox of `cap` bytes, a multiple of 8.
 * NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err node_inbox_open(struct node_inbox *inbox, uint32_t cap);
void node_inbox_close(struct node_inbox *inbox);

/* node_inbox_put copies an item; false when there is no room for it. */
NV_MUST_USE bool node_inbox_put(struct node_inbox *inbox, const struct node_inbox_item *item);

/* node_inbox_take takes the oldest item out; false when there is none. */
NV_MUST_USE bool node_inbox_take(struct node_inbox *inbox, struct node_inbox_item *item);

static inline bool node_inbox_empty(const struct node_inbox *inbox)
{
    return inbox->count == 0;
}

#endif /* NV_NODE_MAIL_INBOX_H */
