#ifndef NV_P2P_QUEUE_H
#define NV_P2P_QUEUE_H

/* queue.h - frames that wait to be written on one lane of one peer
 * (docs/spec/p2p.md section 5).
 *
 * A frame is encoded once into a packet; each queue that it waits in holds the
 * packet, and the last one frees it.  So a broadcast costs its size once.
 *
 * A queue is bounded by bytes and by count.  What happens when it is full is
 * the lane's policy: lane 0 lets the oldest go, lane 1 refuses.  The frame that
 * is being written (some of its bytes have been taken) is never let go.
 *
 * One thread at a time. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#include "p2p/p2p.h"

struct p2p__packet {
    uint32_t holders;
    uint32_t size; /* of the whole frame */
    uint8_t type;
    uint8_t bytes[];
};

/* p2p__packet_new encodes a frame.  The caller holds it and lets it go with
 * p2p__packet_release.  NULL when no memory is left. */
NV_MUST_USE struct p2p__packet *p2p__packet_new(uint8_t type, struct nv_view payload);
void p2p__packet_release(struct p2p__packet *packet);

struct p2p__queue {
    struct p2p__packet **ring; /* owned; `cap` places */
    uint32_t cap;
    uint32_t first; /* index of the oldest */
    uint32_t count;
    uint32_t bytes; /* of all waiting frames, whole */
    uint32_t bytes_max;
    uint32_t taken; /* bytes of the oldest frame that have been taken */
    bool drops;     /* lane 0: the oldest goes; else the newest is refused */
    uint64_t dropped;
};

/* p2p__queue_init makes an empty queue for `lane`.  NV_ERR_NO_MEMORY.
 * p2p__queue_deinit lets all frames go. */
NV_MUST_USE enum nv_err
p2p__queue_init(struct p2p__queue *queue, uint8_t lane, uint32_t count_max, uint32_t bytes_max);
void p2p__queue_deinit(struct p2p__queue *queue);

/* p2p__queue_put adds `packet` at the end, and holds it if it did. */
enum p2p_sent p2p__queue_put(struct p2p__queue *queue, struct p2p__packet *packet);

/* p2p__queue_take copies up to `cap` of the next bytes to `out`, across frames,
 * lets go of the frames that are finished, and returns how many it copied.
 * `*finished` is increased by the frames that ended. */
uint32_t p2p__queue_take(struct p2p__queue *queue, uint8_t *out, uint32_t cap, uint64_t *finished);

/* p2p__queue_unfinished returns how many bytes of a frame that was begun are left, 0
 * between frames. */
uint32_t p2p__queue_unfinished(const struct p2p__queue *queue);

/* p2p__queue_rewind forgets that the oldest frame was begun: the connection it
 * was begun on is gone, and another one takes over. */
void p2p__queue_rewind(struct p2p__queue *queue);

/* p2p__queue_clear lets all frames go, and counts them as dropped. */
void p2p__queue_clear(struct p2p__queue *queue);

#endif /* NV_P2P_QUEUE_H */
