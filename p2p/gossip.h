#ifndef NV_P2P_GOSSIP_H
#define NV_P2P_GOSSIP_H

/* gossip.h - which transactions go to which peer, so that none goes twice
 * (docs/spec/p2p.md section 8).
 *
 *     seen   the last transactions by hash: a ring, and an index over it
 *     store  the bytes of those that are passed on: a ring of entries over a
 *            ring of bytes; each peer has a cursor into it
 *
 * A transaction is stored once however many peers it goes to, a peer takes from
 * the store when it has room, and what a slow peer has not taken when the ring
 * comes round is lost to that peer alone.  The index is a crit-bit tree: its
 * depth does not depend on what an enemy hashes.
 *
 * A peer is a slot number.  All memory is taken at p2p__gossip_open.  No I/O, no
 * clock.  One thread at a time. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"

#include "p2p/p2p.h"

#define P2P__SLOTS_MAX (P2P_VALIDATORS_MAX + P2P_OBSERVERS_MAX)

struct p2p__gossip;

struct p2p__gossip_limits {
    uint32_t seen_max;  /* transactions remembered */
    uint32_t count_max; /* transactions in the store */
    uint32_t bytes_max; /* of the store; at least P2P_TRANSACTION_MAX */
};

/* p2p__gossip_open returns an empty one, which p2p__gossip_close frees; NULL
 * when no memory is left. */
NV_MUST_USE struct p2p__gossip *p2p__gossip_open(const struct p2p__gossip_limits *limits);
void p2p__gossip_close(struct p2p__gossip *gossip);

/* p2p__gossip_came takes note that the peer at `slot` has sent the transaction
 * with this hash, and returns whether it is the first sight of it. */
bool p2p__gossip_came(struct p2p__gossip *gossip, const struct nv_hash *hash, uint32_t slot);

/* p2p__gossip_add stores a transaction to be passed on.  False if it was added
 * before and is remembered.  Size in [1, P2P_TRANSACTION_MAX]. */
bool p2p__gossip_add(struct p2p__gossip *gossip,
                     const struct nv_hash *hash,
                     struct nv_view transaction);

/* p2p__gossip_forget makes the next p2p__gossip_came of the hash a first sight. */
void p2p__gossip_forget(struct p2p__gossip *gossip, const struct nv_hash *hash);

/* p2p__gossip_batch writes the payload of a TRANSACTIONS message with the next
 * transactions for the peer at `slot`, as many as fit `cap`, and returns its size;
 * 0 when there is none.  `cap` is at least P2P_TRANSACTION_MAX + 4. */
uint32_t p2p__gossip_batch(struct p2p__gossip *gossip, uint32_t slot, uint8_t *out, uint32_t cap);

/* p2p__gossip_waits returns whether the store holds entries that the peer at
 * `slot` has not been offered. */
bool p2p__gossip_waits(const struct p2p__gossip *gossip, uint32_t slot);

/* p2p__gossip_reset forgets what the peer at `slot` was sent or has sent: it has
 * linked anew, or another peer takes the slot. */
void p2p__gossip_reset(struct p2p__gossip *gossip, uint32_t slot);

struct p2p__gossip_counts {
    uint64_t sent; /* transactions, once a peer */
    uint64_t lost; /* overwritten before a connected peer took them, once a peer */
};
struct p2p__gossip_counts p2p__gossip_counts(const struct p2p__gossip *gossip);

/* p2p__batch_next reads the next transaction of a batch in place.  NV_OK with
 * size 0 at the end.  The batch may be hostile: NV_ERR_MALFORMED for an empty
 * one, NV_ERR_RANGE for a size out of range, NV_ERR_TRUNCATED. */
NV_MUST_USE enum nv_err p2p__batch_next(struct nv_view *transaction, struct nv_reader *batch);

#endif /* NV_P2P_GOSSIP_H */
