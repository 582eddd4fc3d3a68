#include "consensus/pool.h"

#include <string.h>

#include "base/assert.h"

#include "base/pure.h"

static bool same_key(const struct nv_pubkey *a, const struct nv_pubkey *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* place_of returns where an item stands, or would. */
static uint32_t place_of(const struct cs__pool *pool, const struct cs_evidence *item)
{
    uint32_t place = 0;
    while (place < pool->count && cs_evidence_cmp(&pool->item[place], item) < 0) {
        place++;
    }
    return place;
}

static bool waits(const struct cs__pool *pool, const struct cs_evidence *item)
{
    uint32_t const place = place_of(pool, item);
    return place < pool->count && cs_evidence_cmp(&pool->item[place], item) == 0;
}

/* included returns whether a final block holds an item about the same. */
static bool included(const struct cs__pool *pool, const struct cs_evidence *item)
{
    for (uint32_t i = 0; i < CS__INCLUDED; i++) {
        const struct cs__about *const about = &pool->included[i];
        if (about->epoch == cs_evidence_epoch(item) && same_key(&about->key, &item->key)) {
            return true;
        }
    }
    return false;
}

bool cs__pool_open(const struct cs__pool *pool, const struct cs_evidence *item)
{
    uint32_t each = 0;
    for (uint32_t i = 0; i < pool->count; i++) {
        each += same_key(&pool->item[i].key, &item->key) ? 1 : 0;
    }
    return pool->count < CS__PROOFS && each < CS__PROOFS_EACH && !waits(pool, item) &&
           !included(pool, item);
}

void cs__pool_add(struct cs__pool *pool, const struct cs_evidence *item)
{
    uint32_t const place = place_of(pool, item);
    NV_ASSERT(pool->count < CS__PROOFS);
    memmove(&pool->item[place + 1], &pool->item[place], (pool->count - place) * sizeof *pool->item);
    pool->item[place] = *item;
    pool->count++;
}

void cs__pool_remove(struct cs__pool *pool, uint32_t place)
{
    NV_ASSERT(place < pool->count);
    pool->count--;
    memmove(&pool->item[place], &pool->item[place + 1], (pool->count - place) * sizeof *pool->item);
}

void cs__pool_include(struct cs__pool *pool, const struct cs_evidence *item)
{
    if (waits(pool, item)) {
        cs__pool_remove(pool, place_of(pool, item));
    }
    if (!included(pool, item)) {
        struct cs__about *const about = &pool->included[pool->included_next % CS__INCLUDED];
        about->key = item->key;
        about->epoch = cs_evidence_epoch(item);
        pool->included_next++;
    }
}
