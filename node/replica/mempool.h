#ifndef NV_NODE_REPLICA_MEMPOOL_H
#define NV_NODE_REPLICA_MEMPOOL_H

/* mempool.h - transactions that wait for a block.
 *
 * Every transaction in it has been decoded and its signature checked once.
 * They wait in order of arrival, which is the order in which a leader takes
 * them (inside a block it means nothing).  Bounds: in bytes, in number, and in
 * number for one account, so that a full pool refuses the newcomer and one
 * account cannot fill it; and for session keys, so that none of them can fill
 * its account's places (docs/spec/transactions.md 7.6).
 *
 * No clock: times are handed in.  One thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

#include "node/replica/signers.h"

struct node_mempool;

struct node_mempool_limits {
    uint32_t count_max;         /* transactions */
    uint32_t account_count_max; /* of one account */
    uint64_t bytes_max;
};

/* A transaction as it is handed in. */
struct node_mempool_tx {
    struct nv_hash hash;
    struct node_signer signer;
    uint64_t expires_ms;
    uint32_t actions;     /* how many it has */
    bool fee_free;        /* it pays no fee */
    struct nv_view bytes; /* copied */
};

enum node_mempool_verdict {
    NODE_MEMPOOL_ADDED = 1,
    NODE_MEMPOOL_DUPLICATE,    /* it is there already */
    NODE_MEMPOOL_FULL,         /* no room for any */
    NODE_MEMPOOL_ACCOUNT_FULL, /* no room for more of this account */
    NODE_MEMPOOL_SESSION_FULL, /* no room for more of this session key */
};

/* node_mempool_open reserves memory for the limits, all at least 1.
 * NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err
node_mempool_open(struct node_mempool **out, const struct node_mempool_limits *limits);
void node_mempool_close(struct node_mempool *pool);

enum node_mempool_verdict
node_mempool_add(struct node_mempool *pool, const struct node_mempool_tx *tx);

/* node_mempool_has returns whether a transaction waits; its bytes come out
 * unless `bytes` is NULL, borrowed until it leaves. */
bool node_mempool_has(const struct node_mempool *pool,
                      const struct nv_hash *hash,
                      struct nv_view *bytes);

/* node_mempool_remove takes one out; false when it was not there. */
bool node_mempool_remove(struct node_mempool *pool, const struct nv_hash *hash);

/* node_mempool_expire takes out one transaction that expires at or before
 * `time_ms` and writes its hash; false when none is left.  Call it until then. */
bool node_mempool_expire(struct node_mempool *pool, uint64_t time_ms, struct nv_hash *hash);

/* A walk in order of arrival.  Start with NODE_MEMPOOL_START; the pool must
 * not change during the walk.  False at the end.  The views are borrowed. */
#define NODE_MEMPOOL_START UINT32_MAX
bool node_mempool_next(const struct node_mempool *pool,
                       uint32_t *cursor,
                       struct node_mempool_tx *tx);

uint32_t node_mempool_count(const struct node_mempool *pool);
uint64_t node_mempool_bytes(const struct node_mempool *pool);

#endif /* NV_NODE_REPLICA_MEMPOOL_H */
