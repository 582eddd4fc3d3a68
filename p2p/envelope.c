#include "p2p/envelope.h"

#include <stdbool.h>
#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/arena.h"
#include "base/assert.h"

#include "envelope.pb-c.h"

/* Field 1, wire type varint: how every canonical envelope begins. */
#define TAG_TYPE 0x08u
#define TYPE_MAX 127u

static void *scratch_alloc(void *ctx, size_t size)
{
    return nv_arena_try((struct nv_arena *)ctx, size, _Alignof(max_align_t));
}

static void scratch_free(void *ctx, void *memory)
{
    (void)ctx;
    (void)memory; /* the arena is taken back as a whole */
}

/* envelope_of borrows the payload: protobuf-c only reads it when packing. */
static Novate__Envelope envelope_of(uint8_t type, struct nv_view payload)
{
    Novate__Envelope envelope = NOVATE__ENVELOPE__INIT;
    envelope.type = type;
    envelope.payload.len = payload.size;
    union {
        const uint8_t *read;
        uint8_t *write;
    } const bytes = {.read = payload.bytes};
    envelope.payload.data = bytes.write;
    return envelope;
}

uint32_t p2p__envelope_size(uint8_t type, uint32_t payload_size)
{
    /* The size of a bytes field depends on its length alone. */
    Novate__Envelope const envelope = envelope_of(type, nv_view_of("", payload_size));
    return (uint32_t)novate__envelope__get_packed_size(&envelope);
}

void p2p__envelope_encode(uint8_t *out, uint8_t type, struct nv_view payload)
{
    NV_ASSERT(type >= 1);
    NV_ASSERT(type <= TYPE_MAX);
    Novate__Envelope const envelope = envelope_of(type, payload);
    (void)novate__envelope__pack(&envelope, out);
}

enum nv_err p2p__envelope_peek(uint8_t *type, const uint8_t *head2)
{
    if (head2[0] != TAG_TYPE || head2[1] < 1 || head2[1] > TYPE_MAX) {
        return NV_ERR_MALFORMED;
    }
    *type = head2[1];
    return NV_OK;
}

/* canonical: the type comes first, nothing is unknown, and encoding anew takes
 * as many bytes.  Every other spelling (a longer varint, a field twice, an
 * empty field written out) is longer. */
static bool canonical(const Novate__Envelope *envelope, struct nv_view bytes)
{
    return envelope->base.n_unknown_fields == 0 && envelope->type == bytes.bytes[1] &&
           novate__envelope__get_packed_size(envelope) == bytes.size;
}

enum nv_err p2p__envelope_decode(uint8_t *type,
                                 struct nv_view *payload,
                                 struct nv_view envelope,
                                 struct nv_arena *scratch)
{
    if (envelope.size < 2) {
        return NV_ERR_MALFORMED;
    }
    NV_TRY(p2p__envelope_peek(type, envelope.bytes));

    ProtobufCAllocator allocator = {scratch_alloc, scratch_free, scratch};
    const Novate__Envelope *message =
        novate__envelope__unpack(&allocator, envelope.size, envelope.bytes);
    if (message == NULL || !canonical(message, envelope)) {
        return NV_ERR_MALFORMED;
    }
    *payload = nv_view_of(message->payload.data, (uint32_t)message->payload.len);
    return NV_OK;
}
