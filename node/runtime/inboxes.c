/* inboxes.c - the inboxes, one a lane. */

#include "node/runtime/internal.h"

#define VOTES_SIZE (4u << 20)
#define BULK_SIZE  (16u << 20)
#define TXS_SIZE   (16u << 20)

enum nv_err node_inboxes_open(struct node *n)
{
    static const uint32_t sizes[NODE_LANES] = {VOTES_SIZE, BULK_SIZE, TXS_SIZE};
    enum nv_err err = NV_OK;
    for (uint32_t i = 0; i < NODE_LANES && err == NV_OK; i++) {
        err = node_inbox_open(&n->inbox[i], sizes[i]);
    }
    return err;
}

void node_inboxes_clear(struct node *n)
{
    struct node_inbox_item item;
    for (uint32_t i = 0; i < NODE_LANES; i++) {
        while (node_inbox_take(&n->inbox[i], &item)) {
        }
    }
}

void node_inboxes_close(struct node *n)
{
    for (uint32_t i = 0; i < NODE_LANES; i++) {
        node_inbox_close(&n->inbox[i]);
    }
}
