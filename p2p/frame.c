#include "p2p/frame.h"

#include "base/assert.h"
#include "base/codec.h"
#include "base/heap.h"

#include "p2p/envelope.h"
#include "p2p/types.h"

#define SIZE_BYTES 4u
#define PEEK_BYTES (P2P__FRAME_HEAD - SIZE_BYTES)

void p2p__frame_init(struct p2p__frame *frame)
{
    *frame = (struct p2p__frame){.proven = false};
}

void p2p__frame_deinit(struct p2p__frame *frame)
{
    nv_heap_free(frame->body);
    p2p__frame_init(frame);
}

void p2p__frame_prove(struct p2p__frame *frame, uint8_t lane)
{
    frame->lane = lane;
    frame->proven = true;
}

bool p2p__frame_ready(const struct p2p__frame *frame)
{
    return frame->size != 0 && frame->have == frame->size;
}

void p2p__frame_want(struct p2p__frame *frame, uint8_t **at, uint32_t *size)
{
    NV_ASSERT(!p2p__frame_ready(frame));
    bool const in_head = frame->size == 0;
    *at = (in_head ? frame->head : frame->body) + frame->have;
    *size = (in_head ? P2P__FRAME_HEAD : frame->size) - frame->have;
}

static enum nv_err body_reserve(struct p2p__frame *frame, uint32_t size)
{
    if (size <= frame->body_cap) {
        return NV_OK;
    }
    nv_heap_free(frame->body);
    frame->body_cap = 0;
    frame->body = nv_heap_alloc(size);
    if (frame->body == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    frame->body_cap = size;
    return NV_OK;
}

static enum nv_err head_read(struct p2p__frame *frame)
{
    uint32_t const size = nv_be32_load(frame->head);
    uint8_t type = 0;
    NV_TRY(p2p__envelope_peek(&type, frame->head + SIZE_BYTES));

    bool allowed = false;
    uint32_t const payload_max = p2p__payload_max(&allowed, type, frame->lane, frame->proven);
    if (!allowed || size < PEEK_BYTES) {
        return NV_ERR_MALFORMED;
    }
    /* SPEC p2p 4.3: "the type is read before memory for the frame is taken" */
    if (size > p2p__envelope_size(type, payload_max)) {
        return NV_ERR_TOO_LARGE;
    }
    NV_TRY(body_reserve(frame, size));
    memcpy(frame->body, frame->head + SIZE_BYTES, PEEK_BYTES);
    frame->have = PEEK_BYTES;
    frame->size = size;
    return NV_OK;
}

enum nv_err p2p__frame_took(struct p2p__frame *frame, uint32_t count)
{
    uint8_t *at = NULL;
    uint32_t room = 0;
    p2p__frame_want(frame, &at, &room);
    NV_ASSERT(count <= room);

    frame->have += count;
    if (frame->size == 0 && frame->have == P2P__FRAME_HEAD) {
        return head_read(frame);
    }
    return NV_OK;
}

struct nv_view p2p__frame_envelope(const struct p2p__frame *frame)
{
    NV_ASSERT(p2p__frame_ready(frame));
    return nv_view_of(frame->body, frame->size);
}

void p2p__frame_next(struct p2p__frame *frame)
{
    NV_ASSERT(p2p__frame_ready(frame));
    if (frame->body_cap > P2P__FRAME_KEEP) {
        nv_heap_free(frame->body);
        frame->body = NULL;
        frame->body_cap = 0;
    }
    frame->have = 0;
    frame->size = 0;
}
