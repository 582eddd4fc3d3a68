/* Goal: no byte sequence crashes what reads a peer's bytes, and whatever is accepted is canonical.
 * Method: the input's first byte picks the lane, whether the connection is authenticated, and how
 * the rest is cut into pieces; each whole frame is decoded, encoded anew and compared, batches of
 * transactions are walked, and AUTH frames are judged. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/codec.h"

#include "p2p/envelope.h"
#include "p2p/frame.h"
#include "p2p/gossip.h"
#include "p2p/handshake.h"
#include "p2p/p2p.h"
#include "p2p/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static _Alignas(16) uint8_t memory[P2P__ENVELOPE_SCRATCH(P2P__PAYLOAD_MAX + P2P__ENVELOPE_EXTRA)];
static uint8_t again[P2P__PAYLOAD_MAX + P2P__ENVELOPE_EXTRA];

static void walk_batch(struct nv_view payload)
{
    struct nv_reader reader;
    struct nv_view transaction;
    uint32_t total = 0;
    nv_reader_init(&reader, payload);
    while (p2p__batch_next(&transaction, &reader) == NV_OK && transaction.size != 0) {
        NV_ASSERT(transaction.size <= P2P_TRANSACTION_MAX);
        NV_ASSERT(transaction.bytes + transaction.size <= payload.bytes + payload.size);
        total += 4 + transaction.size;
        NV_ASSERT(total <= payload.size);
    }
}

static void judge_auth(uint8_t type, struct nv_view payload)
{
    struct p2p__self const self = {.instance = 1};
    struct nv_hash const exporter = {{0}};
    struct p2p__handshake handshake;
    bool told = false;
    p2p__handshake_init_listener(&handshake);
    (void)p2p__handshake_secured(&handshake, &exporter);
    enum p2p_reason const reason = p2p__handshake_take(&handshake, &told, &self, type, payload);
    NV_ASSERT((reason == P2P_REASON_NONE) == (handshake.phase == P2P__PHASE_PLACE));

    struct p2p__auth auth;
    if (p2p__auth_decode(&auth, payload) == NV_OK) {
        uint8_t encoded[P2P__AUTH_SIZE];
        p2p__auth_encode(encoded, &auth);
        NV_ASSERT(payload.size == P2P__AUTH_SIZE);
        NV_ASSERT(memcmp(encoded, payload.bytes, P2P__AUTH_SIZE) == 0);
    }
}

static void take_frame(struct nv_view envelope, uint8_t lane, bool proven)
{
    struct nv_arena arena;
    uint8_t type = 0;
    struct nv_view payload;
    nv_arena_init(&arena, memory, P2P__ENVELOPE_SCRATCH(envelope.size));
    if (p2p__envelope_decode(&type, &payload, envelope, &arena) != NV_OK) {
        return;
    }
    bool allowed = false;
    uint32_t const payload_max = p2p__payload_max(&allowed, type, lane, proven);
    NV_ASSERT(allowed);
    NV_ASSERT(payload.size <= payload_max);
    NV_ASSERT(p2p__envelope_size(type, payload.size) == envelope.size);
    p2p__envelope_encode(again, type, payload);
    NV_ASSERT(memcmp(again, envelope.bytes, envelope.size) == 0);
    if (proven) {
        walk_batch(payload);
    } else {
        judge_auth(type, payload);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 1) {
        return 0;
    }
    uint8_t const lane = bytes[0] & 1u;
    bool const proven = (bytes[0] & 2u) != 0;
    size_t const piece = 1 + (size_t)(bytes[0] >> 2);
    struct p2p__frame frame;
    p2p__frame_init(&frame);
    if (proven) {
        p2p__frame_prove(&frame, lane);
    }
    for (size_t at = 1; at < size;) {
        uint8_t *into = NULL;
        uint32_t room = 0;
        p2p__frame_want(&frame, &into, &room);
        size_t now = size - at < piece ? size - at : piece;
        now = now < room ? now : room;
        memcpy(into, bytes + at, now);
        at += now;
        if (p2p__frame_took(&frame, (uint32_t)now) != NV_OK) {
            break;
        }
        if (p2p__frame_ready(&frame)) {
            take_frame(p2p__frame_envelope(&frame), frame.lane, proven);
            p2p__frame_next(&frame);
        }
    }
    p2p__frame_deinit(&frame);
    return 0;
}
