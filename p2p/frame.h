#ifndef NV_P2P_FRAME_H
#define NV_P2P_FRAME_H

/* frame.h - cuts the bytes of one connection into frames
 * (docs/spec/p2p.md section 4).
 *
 *     size u32 | 0x08 type | rest of the envelope
 *     `------ head -------'
 *
 * The caller asks where the next bytes belong, reads at most that many there,
 * and says how many came.  So no byte is copied twice, and a frame that the
 * caller cannot take yet simply stays where it is.  Memory for a frame is taken
 * when its head has been read and its type allows the size, never before.
 *
 * One thread at a time per object. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#define P2P__FRAME_HEAD 6u
/* A frame buffer up to this size is kept for the next frame. */
#define P2P__FRAME_KEEP 131072u

struct p2p__frame {
    uint8_t head[P2P__FRAME_HEAD];
    uint8_t lane;
    bool proven;
    uint32_t have; /* bytes read of head, then (from the head's last two on) of body */
    uint32_t size; /* of the envelope; 0 until the head has been read */
    uint8_t *body; /* owned */
    uint32_t body_cap;
};

/* p2p__frame_init makes a reader at the start of a connection that is not
 * proven (authenticated) yet; p2p__frame_deinit gives back its memory. */
void p2p__frame_init(struct p2p__frame *frame);
void p2p__frame_deinit(struct p2p__frame *frame);

/* p2p__frame_prove lifts the bounds to those of an authenticated connection,
 * on that lane, from the next frame on. */
void p2p__frame_prove(struct p2p__frame *frame, uint8_t lane);

/* p2p__frame_want writes where the next bytes belong and how many fit there, at
 * least 1.  Not while a frame is ready. */
void p2p__frame_want(struct p2p__frame *frame, uint8_t **at, uint32_t *size);

/* p2p__frame_took says that `count` bytes were put there.  NV_ERR_MALFORMED: no
 * frame begins like this, or its type may not travel here; NV_ERR_TOO_LARGE:
 * above the bound of its type; NV_ERR_NO_MEMORY.  After an error the connection
 * is of no more use. */
NV_MUST_USE enum nv_err p2p__frame_took(struct p2p__frame *frame, uint32_t count);

/* p2p__frame_ready returns whether a whole frame is there. */
bool p2p__frame_ready(const struct p2p__frame *frame);

/* p2p__frame_envelope returns the ready frame's envelope, valid until
 * p2p__frame_next, which makes room for the next frame. */
struct nv_view p2p__frame_envelope(const struct p2p__frame *frame);
void p2p__frame_next(struct p2p__frame *frame);

#endif /* NV_P2P_FRAME_H */
