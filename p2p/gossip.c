#include "p2p/gossip.h"

#include "base/assert.h"
#include "base/critbit.h"
#include "base/heap.h"

#define SIZE_BYTES  4u
#define WORDS       (P2P__SLOTS_MAX / 64u)
#define SERIAL_NONE UINT64_MAX

_Static_assert(P2P__SLOTS_MAX % 64u == 0, "a set of slots is whole words");

/* A set of slots. */
struct slots {
    uint64_t words[WORDS];
};

struct seen {
    struct nv_hash hash;
    struct slots has;
    uint64_t serial; /* in the store, or SERIAL_NONE; may have left it since */
    bool used;
};

struct entry {
    struct slots has; /* peers that sent it or were sent it */
    uint32_t offset;  /* in bytes[] */
    uint32_t size;
};

/* Entries with serials in [tail, head) are in the store, at serial % count_max. */
struct p2p__gossip {
    struct p2p__gossip_limits limits;
    struct nv_critbit *index; /* hash -> place in seen[] */
    struct seen *seen;
    uint32_t seen_next;
    uint32_t seen_touched; /* places of seen[] that were ever used: [0, seen_touched) */
    struct entry *entries;
    uint8_t *bytes;
    uint64_t tail;
    uint64_t head;
    uint32_t write_at; /* in bytes[]: after the newest entry */
    uint64_t cursor[P2P__SLOTS_MAX];
    struct p2p__gossip_counts counts;
};

static void slots_add(struct slots *set, uint32_t slot)
{
    set->words[slot / 64] |= (uint64_t)1 << (slot % 64);
}

static void slots_remove(struct slots *set, uint32_t slot)
{
    set->words[slot / 64] &= ~((uint64_t)1 << (slot % 64));
}

static bool slots_has(const struct slots *set, uint32_t slot)
{
    return ((set->words[slot / 64] >> (slot % 64)) & 1u) != 0;
}

static struct entry *entry_of(struct p2p__gossip *gossip, uint64_t serial)
{
    return &gossip->entries[serial % gossip->limits.count_max];
}

struct p2p__gossip *p2p__gossip_open(const struct p2p__gossip_limits *limits)
{
    NV_ASSERT(limits->seen_max >= 1);
    NV_ASSERT(limits->count_max >= 1);
    NV_ASSERT(limits->bytes_max >= P2P_TRANSACTION_MAX);

    struct p2p__gossip *gossip = nv_heap_alloc(sizeof(*gossip));
    if (gossip == NULL) {
        return NULL;
    }
    gossip->limits = *limits;
    void *index = nv_heap_reserve(nv_critbit_footprint(limits->seen_max));
    gossip->seen = nv_heap_reserve((size_t)limits->seen_max * sizeof(struct seen));
    gossip->entries = nv_heap_reserve((size_t)limits->count_max * sizeof(struct entry));
    gossip->bytes = nv_heap_reserve(limits->bytes_max);
    if (index != NULL) {
        gossip->index = nv_critbit_init(index, limits->seen_max);
    }
    if (index == NULL || gossip->seen == NULL || gossip->entries == NULL || gossip->bytes == NULL) {
        p2p__gossip_close(gossip);
        return NULL;
    }
    return gossip;
}

static void unreserve(void *memory, size_t size)
{
    if (memory != NULL) {
        nv_heap_unreserve(memory, size);
    }
}

void p2p__gossip_close(struct p2p__gossip *gossip)
{
    const struct p2p__gossip_limits *limits = &gossip->limits;
    unreserve(gossip->bytes, limits->bytes_max);
    unreserve(gossip->entries, (size_t)limits->count_max * sizeof(struct entry));
    unreserve(gossip->seen, (size_t)limits->seen_max * sizeof(struct seen));
    unreserve(gossip->index, nv_critbit_footprint(limits->seen_max));
    nv_heap_free(gossip);
}

static struct seen *seen_find(struct p2p__gossip *gossip, const struct nv_hash *hash)
{
    uint32_t place = 0;
    bool const found = nv_critbit_lookup(gossip->index, hash->bytes, &place);
    return found ? &gossip->seen[place] : NULL;
}

/* seen_make remembers a hash in the place of the oldest. */
static struct seen *seen_make(struct p2p__gossip *gossip, const struct nv_hash *hash)
{
    uint32_t const place = gossip->seen_next;
    struct seen *seen = &gossip->seen[place];
    if (seen->used) {
        (void)nv_critbit_remove(gossip->index, seen->hash.bytes, NULL);
    }
    enum nv_err const err = nv_critbit_insert(gossip->index, hash->bytes, place);
    NV_ASSERT(err == NV_OK); /* it was looked up, and there are as many places as keys */
    *seen = (struct seen){.hash = *hash, .serial = SERIAL_NONE, .used = true};
    gossip->seen_next = (place + 1) % gossip->limits.seen_max;
    gossip->seen_touched = place < gossip->seen_touched ? gossip->seen_touched : place + 1;
    return seen;
}

bool p2p__gossip_came(struct p2p__gossip *gossip, const struct nv_hash *hash, uint32_t slot)
{
    NV_ASSERT(slot < P2P__SLOTS_MAX);
    struct seen *seen = seen_find(gossip, hash);
    bool const first = seen == NULL;
    if (first) {
        seen = seen_make(gossip, hash);
    }
    slots_add(&seen->has, slot);
    if (seen->serial != SERIAL_NONE && seen->serial >= gossip->tail) {
        slots_add(&entry_of(gossip, seen->serial)->has, slot);
    }
    return first;
}

void p2p__gossip_forget(struct p2p__gossip *gossip, const struct nv_hash *hash)
{
    uint32_t place = 0;
    if (nv_critbit_remove(gossip->index, hash->bytes, &place)) {
        gossip->seen[place].used = false;
    }
}

/* store_room drops the oldest entries until `size` bytes in one piece are free,
 * and returns where.  Live bytes run from the tail entry's offset to write_at,
 * possibly round the end. */
static uint32_t store_room(struct p2p__gossip *gossip, uint32_t size)
{
    uint32_t const cap = gossip->limits.bytes_max;
    if (gossip->head - gossip->tail == gossip->limits.count_max) {
        gossip->tail++;
    }
    bool const wraps = size > cap - gossip->write_at;
    uint32_t const at = wraps ? 0 : gossip->write_at;
    /* What is overwritten: [at, at + size), and when wrapping also whatever lies
     * from write_at to the end, since entries leave in order. */
    while (gossip->tail != gossip->head) {
        const struct entry *oldest = entry_of(gossip, gossip->tail);
        bool const skipped = wraps && oldest->offset >= gossip->write_at;
        bool const hit = oldest->offset < at + size && at < oldest->offset + oldest->size;
        if (!skipped && !hit) {
            break;
        }
        gossip->tail++;
    }
    return at;
}

bool p2p__gossip_add(struct p2p__gossip *gossip,
                     const struct nv_hash *hash,
                     struct nv_view transaction)
{
    NV_ASSERT(transaction.size >= 1);
    NV_ASSERT(transaction.size <= P2P_TRANSACTION_MAX);
    struct seen *seen = seen_find(gossip, hash);
    if (seen != NULL && seen->serial != SERIAL_NONE) {
        return false;
    }
    if (seen == NULL) {
        seen = seen_make(gossip, hash);
    }
    uint32_t const at = store_room(gossip, transaction.size);
    memcpy(gossip->bytes + at, transaction.bytes, transaction.size);
    *entry_of(gossip, gossip->head) =
        (struct entry){.has = seen->has, .offset = at, .size = transaction.size};
    seen->serial = gossip->head;
    gossip->head++;
    gossip->write_at = at + transaction.size;
    return true;
}

uint32_t p2p__gossip_batch(struct p2p__gossip *gossip, uint32_t slot, uint8_t *out, uint32_t cap)
{
    NV_ASSERT(slot < P2P__SLOTS_MAX);
    NV_ASSERT(cap >= P2P_TRANSACTION_MAX + SIZE_BYTES);
    uint64_t *cursor = &gossip->cursor[slot];
    if (*cursor < gossip->tail) {
        gossip->counts.lost += gossip->tail - *cursor;
        *cursor = gossip->tail;
    }
    struct nv_writer w;
    nv_writer_init(&w, out, cap);
    for (; *cursor < gossip->head; (*cursor)++) {
        struct entry *entry = entry_of(gossip, *cursor);
        if (slots_has(&entry->has, slot)) {
            continue;
        }
        if (SIZE_BYTES + entry->size > cap - w.size) {
            break;
        }
        nv_put_u32(&w, entry->size);
        nv_put_bytes(&w, gossip->bytes + entry->offset, entry->size);
        slots_add(&entry->has, slot);
        gossip->counts.sent++;
    }
    NV_ASSERT(!w.overflow);
    return w.size;
}

bool p2p__gossip_waits(const struct p2p__gossip *gossip, uint32_t slot)
{
    NV_ASSERT(slot < P2P__SLOTS_MAX);
    return gossip->cursor[slot] < gossip->head;
}

void p2p__gossip_reset(struct p2p__gossip *gossip, uint32_t slot)
{
    NV_ASSERT(slot < P2P__SLOTS_MAX);
    for (uint32_t i = 0; i < gossip->seen_touched; i++) {
        slots_remove(&gossip->seen[i].has, slot);
    }
    for (uint64_t serial = gossip->tail; serial < gossip->head; serial++) {
        slots_remove(&entry_of(gossip, serial)->has, slot);
    }
    gossip->cursor[slot] = gossip->tail;
}

struct p2p__gossip_counts p2p__gossip_counts(const struct p2p__gossip *gossip)
{
    return gossip->counts;
}

enum nv_err p2p__batch_next(struct nv_view *transaction, struct nv_reader *batch)
{
    *transaction = (struct nv_view){.size = 0};
    if (batch->at == batch->size) {
        return batch->at == 0 ? NV_ERR_MALFORMED : NV_OK;
    }
    uint32_t const size = nv_get_u32(batch);
    if (batch->failed) {
        return NV_ERR_TRUNCATED;
    }
    if (size < 1 || size > P2P_TRANSACTION_MAX) {
        return NV_ERR_RANGE;
    }
    *transaction = nv_get_view(batch, size);
    return batch->failed ? NV_ERR_TRUNCATED : NV_OK;
}
