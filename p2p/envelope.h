#ifndef NV_P2P_ENVELOPE_H
#define NV_P2P_ENVELOPE_H

/* envelope.h - the protobuf message that a frame carries
 * (docs/spec/p2p.md section 4).
 *
 * The only file that speaks protobuf.  Decoding takes no heap: protobuf-c gets
 * an arena, and when a hostile envelope would need more it is malformed.
 *
 * Plain functions; any thread. */

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

struct nv_arena;

/* The most that an envelope adds to its payload: two tags, a type of one byte
 * and a length of four. */
#define P2P__ENVELOPE_EXTRA 7u

/* Decoding an envelope of `size` bytes needs an arena of this size at most. */
#define P2P__ENVELOPE_SCRATCH(size) ((size) + 8192u)

/* p2p__envelope_size returns the bytes of the envelope of such a payload. */
uint32_t p2p__envelope_size(uint8_t type, uint32_t payload_size);

/* p2p__envelope_encode writes exactly p2p__envelope_size bytes to `out`. */
void p2p__envelope_encode(uint8_t *out, uint8_t type, struct nv_view payload);

/* p2p__envelope_peek reads the type from an envelope's first two bytes, before
 * the rest is there.  NV_ERR_MALFORMED if no canonical envelope begins so. */
NV_MUST_USE enum nv_err p2p__envelope_peek(uint8_t *type, const uint8_t *head2);

/* p2p__envelope_decode reads a whole envelope.  `*payload` lies in `scratch`,
 * which the caller resets when done with it.  NV_ERR_MALFORMED unless it is
 * canonical. */
NV_MUST_USE enum nv_err p2p__envelope_decode(uint8_t *type,
                                             struct nv_view *payload,
                                             struct nv_view envelope,
                                             struct nv_arena *scratch);

#endif /* NV_P2P_ENVELOPE_H */
