#ifndef NV_TESTS_SIM_NODE_QUEUE_H
#define NV_TESTS_SIM_NODE_QUEUE_H

/* queue.h - what will happen, by time. */

#include <stdint.h>

#include "base/bytes.h"

enum ns_kind {
    NS_MAIL = 1, /* bytes from a peer; a: type, b: peer */
    NS_TX,       /* a transaction from a peer, or CS_NOBODY; a: peer, b: ticket */
    NS_TIMER,
    NS_SYNC,    /* a batch is on the disk */
    NS_JOB,     /* a job is done; a: its slot */
    NS_EXECUTE, /* a block has been executed */
    NS_FROZEN,  /* the overlay is out */
    NS_WRITE,   /* a checkpoint is written */
    NS_BEAT,
    NS_LINK, /* a: peer, b: 1 up */
    NS_CRASH,
    NS_START,
    NS_CUT,
    NS_RESET,
    NS_JUMP,
    NS_GAP,
    NS_WORK,
    NS_MARK, /* a transaction must be included soon; a: which */
    NS_HEAL,
    NS_MEASURE,
};

struct ns_bytes {
    uint32_t refs;
    uint32_t size;
    uint8_t bytes[];
};

struct ns_item {
    uint64_t at_ns;
    uint64_t order;
    enum ns_kind kind;
    uint32_t host;
    uint32_t life; /* of the host when it was made; 0: any */
    uint32_t a;
    uint64_t b;
    struct ns_bytes *bytes; /* NULL, or one reference */
};

struct ns_queue {
    struct ns_item *heap;
    uint32_t count;
    uint32_t cap;
    uint64_t order;
};

struct ns_item *ns_queue_push(struct ns_queue *q, uint64_t at_ns, enum ns_kind kind, uint32_t host);
struct ns_item ns_queue_pop(struct ns_queue *q);
/* ns_queue_later makes all that is to come so much later. */
void ns_queue_later(struct ns_queue *q, uint64_t by_ns);
void ns_queue_clear(struct ns_queue *q);
struct ns_bytes *ns_bytes_new(struct nv_view view);
void ns_bytes_drop(struct ns_bytes *bytes);

#endif /* NV_TESTS_SIM_NODE_QUEUE_H */
