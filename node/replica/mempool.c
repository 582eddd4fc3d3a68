#include "node/replica/mempool.h"

#include <string.h>

#include "base/assert.h"
#include "base/critbit.h"
#include "base/heap.h"

#define NONE UINT32_MAX
/* Transactions live about a minute, so a second a bucket never mixes rounds. */
#define BUCKETS 128u
/* A transaction counts for its account, for the account's session keys, and for one of them. */
#define TALLIES 3u

struct slot {
    struct nv_hash hash;
    struct node_signer signer;
    uint64_t expires_ms;
    uint8_t *bytes; /* owned */
    uint32_t size;
    uint32_t actions;
    bool fee_free;
    uint32_t next; /* order of arrival; in the free list too */
    uint32_t prev;
    uint32_t bucket_next;
    uint32_t bucket_prev;
};

struct node_mempool {
    struct node_mempool_limits limits;
    struct slot *slots;
    struct nv_critbit *by_hash; /* hash -> slot */
    struct nv_critbit *tallies; /* whose -> transactions of theirs */
    size_t hash_size;
    size_t tallies_size;
    size_t slots_size;
    uint64_t bytes;
    uint32_t count;
    uint32_t first;
    uint32_t last;
    uint32_t free;
    uint32_t untouched; /* slots from here on were never used */
    uint32_t bucket[BUCKETS];
};

/* Whose transactions are counted together. */
struct whose {
    uint8_t bytes[NV_CRITBIT_KEY_SIZE];
};

static struct whose of_account(const struct node_signer *signer)
{
    struct whose whose = {{0}};
    memcpy(whose.bytes, signer->account.bytes, sizeof signer->account.bytes);
    return whose;
}

/* of_sessions: all session keys of the account. */
static struct whose of_sessions(const struct node_signer *signer)
{
    struct whose whose = of_account(signer);
    whose.bytes[sizeof whose.bytes - 1] = 1;
    return whose;
}

/* of_session: this one; it may be one of several accounts. */
static struct whose of_session(const struct node_signer *signer)
{
    uint8_t both[sizeof signer->account.bytes + sizeof signer->key.bytes];
    struct nv_hash hash;
    struct whose whose;
    memcpy(both, signer->account.bytes, sizeof signer->account.bytes);
    memcpy(both + sizeof signer->account.bytes, signer->key.bytes, sizeof signer->key.bytes);
    nv_sha256(&hash, nv_view_of(both, sizeof both));
    memcpy(whose.bytes, hash.bytes, sizeof whose.bytes);
    return whose;
}

static bool is_session(const struct node_signer *signer)
{
    return signer->scopes != 0;
}

enum nv_err node_mempool_open(struct node_mempool **out, const struct node_mempool_limits *limits)
{
    NV_ASSERT(limits->count_max >= 1 && limits->account_count_max >= 1 && limits->bytes_max >= 1);
    NV_ASSERT(limits->count_max <= NV_CRITBIT_CAP_MAX / TALLIES);
    struct node_mempool *const pool = nv_heap_alloc(sizeof *pool);
    if (pool == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    *pool = (struct node_mempool){.limits = *limits, .first = NONE, .last = NONE, .free = NONE};
    memset(pool->bucket, 0xff, sizeof pool->bucket);
    pool->hash_size = nv_critbit_footprint(limits->count_max);
    pool->tallies_size = nv_critbit_footprint(TALLIES * limits->count_max);
    pool->slots_size = sizeof(struct slot) * (size_t)limits->count_max;
    void *const by_hash = nv_heap_reserve(pool->hash_size);
    void *const tallies = nv_heap_reserve(pool->tallies_size);
    pool->slots = nv_heap_reserve(pool->slots_size);
    if (by_hash != NULL) {
        pool->by_hash = nv_critbit_init(by_hash, limits->count_max);
    }
    if (tallies != NULL) {
        pool->tallies = nv_critbit_init(tallies, TALLIES * limits->count_max);
    }
    if (by_hash == NULL || tallies == NULL || pool->slots == NULL) {
        node_mempool_close(pool);
        return NV_ERR_NO_MEMORY;
    }
    *out = pool;
    return NV_OK;
}

void node_mempool_close(struct node_mempool *pool)
{
    if (pool == NULL) {
        return;
    }
    for (uint32_t i = pool->first; i != NONE; i = pool->slots[i].next) {
        nv_heap_free(pool->slots[i].bytes);
    }
    if (pool->by_hash != NULL) {
        nv_heap_unreserve(pool->by_hash, pool->hash_size);
    }
    if (pool->tallies != NULL) {
        nv_heap_unreserve(pool->tallies, pool->tallies_size);
    }
    if (pool->slots != NULL) {
        nv_heap_unreserve(pool->slots, pool->slots_size);
    }
    nv_heap_free(pool);
}

static uint32_t tally(const struct node_mempool *pool, struct whose whose)
{
    uint32_t count = 0;
    return nv_critbit_lookup(pool->tallies, whose.bytes, &count) ? count : 0;
}

/* tally_change changes a count by one; it is listed while above 0. */
static void tally_change(struct node_mempool *pool, struct whose whose, bool more)
{
    uint32_t const count = tally(pool, whose);
    bool done = true;
    if (more && count == 0) {
        done = nv_critbit_insert(pool->tallies, whose.bytes, 1) == NV_OK;
    } else if (!more && count == 1) {
        done = nv_critbit_remove(pool->tallies, whose.bytes, NULL);
    } else {
        done = nv_critbit_set(pool->tallies, whose.bytes, more ? count + 1 : count - 1);
    }
    NV_ASSERT(done);
}

/* count_in counts a transaction by its signer, in or out. */
static void count_in(struct node_mempool *pool, const struct node_signer *signer, bool in)
{
    tally_change(pool, of_account(signer), in);
    if (is_session(signer)) {
        tally_change(pool, of_sessions(signer), in);
        tally_change(pool, of_session(signer), in);
    }
}

static uint32_t bucket_of(uint64_t expires_ms)
{
    return (uint32_t)(expires_ms / 1000 % BUCKETS);
}

static void link_slot(struct node_mempool *pool, uint32_t index)
{
    struct slot *const slot = &pool->slots[index];
    slot->prev = pool->last;
    slot->next = NONE;
    if (pool->last == NONE) {
        pool->first = index;
    } else {
        pool->slots[pool->last].next = index;
    }
    pool->last = index;

    uint32_t *const head = &pool->bucket[bucket_of(slot->expires_ms)];
    slot->bucket_prev = NONE;
    slot->bucket_next = *head;
    if (*head != NONE) {
        pool->slots[*head].bucket_prev = index;
    }
    *head = index;
}

static void unlink_slot(struct node_mempool *pool, uint32_t index)
{
    const struct slot *const slot = &pool->slots[index];
    if (slot->prev == NONE) {
        pool->first = slot->next;
    } else {
        pool->slots[slot->prev].next = slot->next;
    }
    if (slot->next == NONE) {
        pool->last = slot->prev;
    } else {
        pool->slots[slot->next].prev = slot->prev;
    }
    if (slot->bucket_prev == NONE) {
        pool->bucket[bucket_of(slot->expires_ms)] = slot->bucket_next;
    } else {
        pool->slots[slot->bucket_prev].bucket_next = slot->bucket_next;
    }
    if (slot->bucket_next != NONE) {
        pool->slots[slot->bucket_next].bucket_prev = slot->bucket_prev;
    }
}

static uint32_t take_slot(struct node_mempool *pool)
{
    uint32_t index = pool->free;
    if (index != NONE) {
        pool->free = pool->slots[index].next;
        return index;
    }
    index = pool->untouched;
    NV_ASSERT(index < pool->limits.count_max);
    pool->untouched++;
    return index;
}

/* SPEC transactions 7.6: "one that holds as many places as are left of that half" */
static bool session_is_full(const struct node_mempool *pool, const struct node_signer *signer)
{
    uint32_t const half = pool->limits.account_count_max / 2;
    uint32_t const taken = tally(pool, of_sessions(signer));
    return tally(pool, of_session(signer)) >= half - taken;
}

/* room_for says whether there is a place for a newcomer: ADDED, or why there is none. */
static enum node_mempool_verdict
room_for(const struct node_mempool *pool, const struct node_mempool_tx *tx)
{
    if (tally(pool, of_account(&tx->signer)) >= pool->limits.account_count_max) {
        return NODE_MEMPOOL_ACCOUNT_FULL;
    }
    if (is_session(&tx->signer) && session_is_full(pool, &tx->signer)) {
        return NODE_MEMPOOL_SESSION_FULL;
    }
    bool const fits = pool->count < pool->limits.count_max &&
                      pool->bytes + tx->bytes.size <= pool->limits.bytes_max;
    return fits ? NODE_MEMPOOL_ADDED : NODE_MEMPOOL_FULL;
}

enum node_mempool_verdict
node_mempool_add(struct node_mempool *pool, const struct node_mempool_tx *tx)
{
    uint32_t index = 0;
    if (nv_critbit_lookup(pool->by_hash, tx->hash.bytes, &index)) {
        return NODE_MEMPOOL_DUPLICATE;
    }
    enum node_mempool_verdict const room = room_for(pool, tx);
    if (room != NODE_MEMPOOL_ADDED) {
        return room;
    }
    uint8_t *const bytes = nv_heap_alloc(tx->bytes.size);
    if (bytes == NULL) {
        return NODE_MEMPOOL_FULL;
    }
    memcpy(bytes, tx->bytes.bytes, tx->bytes.size);
    index = take_slot(pool);
    pool->slots[index] = (struct slot){.hash = tx->hash,
                                       .signer = tx->signer,
                                       .expires_ms = tx->expires_ms,
                                       .actions = tx->actions,
                                       .fee_free = tx->fee_free,
                                       .bytes = bytes,
                                       .size = tx->bytes.size};
    link_slot(pool, index);
    enum nv_err const inserted = nv_critbit_insert(pool->by_hash, tx->hash.bytes, index);
    NV_ASSERT(inserted == NV_OK);
    count_in(pool, &tx->signer, true);
    pool->count++;
    pool->bytes += tx->bytes.size;
    return NODE_MEMPOOL_ADDED;
}

bool node_mempool_has(const struct node_mempool *pool,
                      const struct nv_hash *hash,
                      struct nv_view *bytes)
{
    uint32_t index = 0;
    if (!nv_critbit_lookup(pool->by_hash, hash->bytes, &index)) {
        return false;
    }
    if (bytes != NULL) {
        *bytes = nv_view_of(pool->slots[index].bytes, pool->slots[index].size);
    }
    return true;
}

bool node_mempool_remove(struct node_mempool *pool, const struct nv_hash *hash)
{
    uint32_t index = 0;
    if (!nv_critbit_remove(pool->by_hash, hash->bytes, &index)) {
        return false;
    }
    struct slot *const slot = &pool->slots[index];
    unlink_slot(pool, index);
    count_in(pool, &slot->signer, false);
    pool->count--;
    pool->bytes -= slot->size;
    nv_heap_free(slot->bytes);
    slot->next = pool->free;
    pool->free = index;
    return true;
}

bool node_mempool_expire(struct node_mempool *pool, uint64_t time_ms, struct nv_hash *hash)
{
    for (uint32_t b = 0; b < BUCKETS; b++) {
        for (uint32_t i = pool->bucket[b]; i != NONE; i = pool->slots[i].bucket_next) {
            if (pool->slots[i].expires_ms <= time_ms) {
                *hash = pool->slots[i].hash;
                return node_mempool_remove(pool, hash);
            }
            if (pool->slots[i].expires_ms / 1000 > time_ms / 1000) {
                break; /* a bucket holds one second: all of it is later */
            }
        }
    }
    return false;
}

bool node_mempool_next(const struct node_mempool *pool,
                       uint32_t *cursor,
                       struct node_mempool_tx *tx)
{
    uint32_t const index = *cursor == NODE_MEMPOOL_START ? pool->first : pool->slots[*cursor].next;
    if (index == NONE) {
        return false;
    }
    const struct slot *const slot = &pool->slots[index];
    *tx = (struct node_mempool_tx){.hash = slot->hash,
                                   .signer = slot->signer,
                                   .expires_ms = slot->expires_ms,
                                   .actions = slot->actions,
                                   .fee_free = slot->fee_free,
                                   .bytes = nv_view_of(slot->bytes, slot->size)};
    *cursor = index;
    return true;
}

uint32_t node_mempool_count(const struct node_mempool *pool)
{
    return pool->count;
}

uint64_t node_mempool_bytes(const struct node_mempool *pool)
{
    return pool->bytes;
}
