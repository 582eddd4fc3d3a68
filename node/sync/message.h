#ifndef NV_NODE_SYNC_MESSAGE_H
#define NV_NODE_SYNC_MESSAGE_H

/* message.h - what is said about snapshots (docs/spec/sync.md section 1).
 *
 * Bytes from strangers; a decoded message borrows them.  No I/O; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"

#include "storage/snapshot.h"

/* The values are those of the p2p envelope. */
enum sync_type {
    SYNC_SNAPSHOTS_REQ = 32,
    SYNC_SNAPSHOTS = 33,
    SYNC_PART_REQ = 34,
    SYNC_PART = 35,
};

#define SYNC_OFFERS_MAX  ST_SNAPSHOTS_KEPT
#define SYNC_OFFERS_SIZE (9u + SYNC_OFFERS_MAX * 72u)
#define SYNC_PART_HEAD   12u
#define SYNC_PART_SIZE   (SYNC_PART_HEAD + ST_MANIFEST_SIZE_MAX)

_Static_assert(ST_MANIFEST_SIZE_MAX >= ST_CHUNK_PACKED_MAX, "the largest part is a manifest");

/* A snapshot that a peer says it has. */
struct sync_offer {
    uint64_t height;
    struct nv_hash manifest_hash;
    struct nv_hash root;
};

struct sync_offers {
    uint64_t executed_height;
    uint32_t count;
    struct sync_offer offer[SYNC_OFFERS_MAX];
};

/* One file of a snapshot; without bytes: asked for, or not held. */
struct sync_part {
    uint64_t height;
    uint32_t part;
    struct nv_view bytes;
};

/* A message, decoded. */
struct sync_message {
    enum sync_type type;
    struct sync_offers offers; /* SYNC_SNAPSHOTS */
    struct sync_part part;     /* SYNC_PART_REQ, SYNC_PART */
};

/* sync_is_type returns whether a type of the envelope is one of these. */
static inline bool sync_is_type(uint32_t type)
{
    return type >= SYNC_SNAPSHOTS_REQ && type <= SYNC_PART;
}

/* sync_encode appends a message; SYNC_PART_SIZE bytes always fit. */
void sync_encode(struct nv_writer *w, const struct sync_message *message);

/* sync_decode reads a whole message of a type above. */
NV_MUST_USE enum nv_err
sync_decode(struct sync_message *out, enum sync_type type, struct nv_view bytes);

#endif /* NV_NODE_SYNC_MESSAGE_H */
