#include "rpc/limits.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/assert.h"

#define MILLI 1000u

static void fill(uint32_t *value, uint32_t otherwise)
{
    if (*value == 0) {
        *value = otherwise;
    }
}

void rpc__limits_fill(struct rpc_limits *limits)
{
    fill(&limits->connections, 256);
    fill(&limits->connections_per_address, 64);
    fill(&limits->body_bytes, 1u << 20);
    fill(&limits->answer_bytes, 10000000);
    fill(&limits->output_bytes, 16u << 20);
    fill(&limits->batch_items, 100);
    fill(&limits->in_flight, 128);
    fill(&limits->subscriptions, 200);
    fill(&limits->calls_per_second, 2000);
    fill(&limits->calls_burst, 2 * limits->calls_per_second);
    fill(&limits->idle_ms, 60000);
    fill(&limits->request_ms, 10000);
    fill(&limits->resume_blocks, 256);
}

void rpc__address_of(struct rpc_address *out, const struct sockaddr *from)
{
    memset(out, 0, sizeof *out);
    if (from->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, from, sizeof in);
        out->bytes[10] = 0xff;
        out->bytes[11] = 0xff;
        memcpy(out->bytes + 12, &in.sin_addr, 4);
    } else if (from->sa_family == AF_INET6) {
        static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
        struct sockaddr_in6 in6;
        memcpy(&in6, from, sizeof in6);
        bool const v4 = memcmp(&in6.sin6_addr, mapped, sizeof mapped) == 0;
        memcpy(out->bytes, &in6.sin6_addr, v4 ? 16 : 8);
    }
}

bool rpc__address_eq(const struct rpc_address *a, const struct rpc_address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void rpc__buckets_init(struct rpc_buckets *buckets, const struct rpc_limits *limits, uint64_t seed)
{
    memset(buckets, 0, sizeof *buckets);
    buckets->seed = seed;
    buckets->per_second = limits->calls_per_second;
    buckets->burst = limits->calls_burst;
}

static uint32_t set_of(const struct rpc_buckets *buckets, const struct rpc_address *address)
{
    uint64_t mixed = buckets->seed;
    for (uint32_t i = 0; i < sizeof address->bytes; i++) {
        mixed = (mixed ^ address->bytes[i]) * 0x100000001b3u;
        mixed ^= mixed >> 29;
    }
    return (uint32_t)(mixed % RPC_BUCKET_SETS);
}

/* tokens_at returns what a bucket holds at `now_ms`, in thousandths. */
static uint64_t
tokens_at(const struct rpc_buckets *buckets, const struct rpc_bucket *bucket, uint64_t now_ms)
{
    uint64_t const full = (uint64_t)buckets->burst * MILLI;
    if (!bucket->used || now_ms - bucket->time_ms > UINT32_MAX) {
        return full;
    }
    uint64_t const tokens = bucket->milli + (now_ms - bucket->time_ms) * buckets->per_second;
    return tokens < full ? tokens : full;
}

static const struct rpc_bucket *
bucket_find(const struct rpc_buckets *buckets, const struct rpc_address *address)
{
    const struct rpc_bucket *set = buckets->slot[set_of(buckets, address)];
    for (uint32_t i = 0; i < RPC_BUCKET_WAYS; i++) {
        if (set[i].used && rpc__address_eq(&set[i].address, address)) {
            return &set[i];
        }
    }
    return NULL;
}

/* bucket_make gives the address the place of the fullest bucket of its set. */
static struct rpc_bucket *
bucket_make(struct rpc_buckets *buckets, const struct rpc_address *address, uint64_t now_ms)
{
    struct rpc_bucket *set = buckets->slot[set_of(buckets, address)];
    struct rpc_bucket *fullest = &set[0];
    for (uint32_t i = 1; i < RPC_BUCKET_WAYS; i++) {
        if (tokens_at(buckets, &set[i], now_ms) > tokens_at(buckets, fullest, now_ms)) {
            fullest = &set[i];
        }
    }
    *fullest = (struct rpc_bucket){.address = *address,
                                   .milli = (uint64_t)buckets->burst * MILLI,
                                   .time_ms = now_ms,
                                   .used = true};
    return fullest;
}

uint32_t rpc__buckets_take(struct rpc_buckets *buckets,
                           const struct rpc_address *address,
                           uint32_t weight,
                           uint64_t now_ms)
{
    NV_ASSERT(buckets->per_second > 0);
    const struct rpc_bucket *found = bucket_find(buckets, address);
    struct rpc_bucket *bucket = found != NULL
                                    ? &buckets->slot[0][0] + (found - &buckets->slot[0][0])
                                    : bucket_make(buckets, address, now_ms);
    uint64_t const tokens = tokens_at(buckets, bucket, now_ms);
    uint64_t const price = (uint64_t)weight * MILLI;
    bucket->time_ms = now_ms;
    if (tokens < price) {
        bucket->milli = tokens;
        return (uint32_t)((price - tokens) / buckets->per_second + 1);
    }
    bucket->milli = tokens - price;
    return 0;
}

uint32_t rpc__buckets_left(const struct rpc_buckets *buckets,
                           const struct rpc_address *address,
                           uint64_t now_ms)
{
    const struct rpc_bucket *bucket = bucket_find(buckets, address);
    return bucket == NULL ? buckets->burst : (uint32_t)(tokens_at(buckets, bucket, now_ms) / MILLI);
}
