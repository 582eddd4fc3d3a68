#ifndef NV_RPC_LIMITS_H
#define NV_RPC_LIMITS_H

/* limits.h - what a client may take: defaults, and a token bucket per address
 * (docs/spec/rpc.md section 5.1).
 *
 * The table of buckets has a fixed size. A bucket that has run full again
 * tells nothing, so it is the first to make room; an enemy with many
 * addresses can only push out buckets of the same small set. */

#include <stdbool.h>
#include <stdint.h>

#include "rpc/rpc.h"

struct sockaddr;

/* rpc__limits_fill replaces zeros by the defaults. */
void rpc__limits_fill(struct rpc_limits *limits);

/* A client's address: IPv4 mapped into IPv6, and of IPv6 the first 64 bits. */
struct rpc_address {
    uint8_t bytes[16];
};

void rpc__address_of(struct rpc_address *out, const struct sockaddr *from);
bool rpc__address_eq(const struct rpc_address *a, const struct rpc_address *b);

#define RPC_BUCKET_SETS 1024u
#define RPC_BUCKET_WAYS 4u

struct rpc_bucket {
    struct rpc_address address;
    uint64_t milli;   /* tokens, in thousandths */
    uint64_t time_ms; /* when `milli` was right */
    bool used;
};

struct rpc_buckets {
    struct rpc_bucket slot[RPC_BUCKET_SETS][RPC_BUCKET_WAYS];
    uint64_t seed;
    uint32_t per_second;
    uint32_t burst;
};

/* rpc__buckets_init makes all buckets full. `seed` is unpredictable. */
void rpc__buckets_init(struct rpc_buckets *buckets, const struct rpc_limits *limits, uint64_t seed);

/* rpc__buckets_take takes `weight` tokens and returns 0, or leaves them and
 * returns after how many milliseconds they will be there (at least 1).
 * `now_ms` does not go back. */
uint32_t rpc__buckets_take(struct rpc_buckets *buckets,
                           const struct rpc_address *address,
                           uint32_t weight,
                           uint64_t now_ms);

/* rpc__buckets_left returns the whole tokens that an address has. */
uint32_t rpc__buckets_left(const struct rpc_buckets *buckets,
                           const struct rpc_address *address,
                           uint64_t now_ms);

#endif /* NV_RPC_LIMITS_H */
