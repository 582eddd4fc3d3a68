#include "consensus/valset.h"

#include <string.h>

#include "base/assert.h"
#include "base/bug.h"
#include "base/codec.h"
#include "base/sort.h"

#include "base/pure.h"

/* The sum of stakes times three fits in 64 bits, so quorums need no more. */
_Static_assert(CS_STAKE_TOTAL_MAX <= UINT64_MAX / 3, "three times the stake fits");

static int member_cmp(const void *a, const void *b)
{
    const struct cs_validator *const x = a;
    const struct cs_validator *const y = b;
    if (x->stake != y->stake) {
        return x->stake > y->stake ? -1 : 1;
    }
    return nv_bytes_cmp(x->key.bytes, y->key.bytes, sizeof x->key.bytes);
}

static bool key_repeats(const struct cs_valset *set)
{
    uint32_t i = 0;
    while (i < set->count && cs_valset_find(set, &set->member[i].key) == i) {
        i++;
    }
    return i < set->count;
}

/* valset_finish checks what a set must be and derives the sum and the hash. */
static enum nv_err valset_finish(struct cs_valset *set)
{
    uint8_t bytes[CS_VALSET_SIZE_MAX];
    set->stake_total = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        uint64_t const stake = set->member[i].stake;
        if (stake == 0 || stake > CS_STAKE_TOTAL_MAX - set->stake_total) {
            return NV_ERR_RANGE;
        }
        set->stake_total += stake;
    }
    if (key_repeats(set)) {
        return NV_ERR_EXISTS;
    }
    struct nv_view const part = nv_view_of(bytes, cs_valset_encode(set, bytes));
    nv_tagged_hash(&set->hash, "novate/valset/v1", &part, 1);
    return NV_OK;
}

enum nv_err
cs_valset_init(struct cs_valset *set, const struct cs_validator *members, uint32_t count)
{
    struct cs_validator scratch[CS_VALIDATORS_MAX];
    if (count < 1 || count > CS_VALIDATORS_MAX) {
        return NV_ERR_RANGE;
    }
    memset(set, 0, sizeof *set);
    set->count = count;
    memcpy(set->member, members, count * sizeof *members);
    nv_sort(set->member, count, sizeof *set->member, member_cmp, scratch);
    return valset_finish(set);
}

uint32_t cs_valset_encode(const struct cs_valset *set, uint8_t *out)
{
    struct nv_writer w;
    nv_writer_init(&w, out, CS_VALSET_SIZE_MAX);
    nv_put_u16(&w, (uint16_t)set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        nv_put_u16(&w, (uint16_t)i);
        nv_put_bytes(&w, set->member[i].key.bytes, sizeof set->member[i].key.bytes);
        nv_put_u64(&w, set->member[i].stake);
    }
    NV_ASSERT(!w.overflow);
    return w.size;
}

enum nv_err cs_valset_decode(struct cs_valset *set, struct nv_view bytes)
{
    struct nv_reader r;
    memset(set, 0, sizeof *set);
    nv_reader_init(&r, bytes);
    uint32_t const count = nv_get_u16(&r);
    if (!r.failed && (count < 1 || count > CS_VALIDATORS_MAX)) {
        return NV_ERR_RANGE;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t const index = nv_get_u16(&r);
        nv_get_bytes(&r, set->member[i].key.bytes, sizeof set->member[i].key.bytes);
        set->member[i].stake = nv_get_u64(&r);
        if (!r.failed &&
            (index != i || (i > 0 && member_cmp(&set->member[i - 1], &set->member[i]) >= 0))) {
            return NV_ERR_MALFORMED;
        }
    }
    NV_TRY(nv_reader_end(&r));
    set->count = count;
    return valset_finish(set);
}

uint32_t cs_valset_find(const struct cs_valset *set, const struct nv_pubkey *key)
{
    for (uint32_t i = 0; i < set->count; i++) {
        if (memcmp(&set->member[i].key, key, sizeof *key) == 0) {
            return i;
        }
    }
    return CS_VALIDATORS_MAX;
}

bool cs_valset_quorum(const struct cs_valset *set, uint64_t stake)
{
    NV_ASSERT(stake <= set->stake_total);
    return NV_SEEDED(HALF_QUORUM) ? 2 * stake >= set->stake_total
                                  : 3 * stake > 2 * set->stake_total;
}

uint64_t cs_valset_stake(const struct cs_valset *set, const struct cs_bitmap *group)
{
    uint64_t stake = 0;
    for (uint32_t i = 0; i < CS_VALIDATORS_MAX; i++) {
        if (cs_bitmap_has(group, i)) {
            NV_ASSERT(i < set->count);
            stake += set->member[i].stake;
        }
    }
    return stake;
}

bool cs_bitmap_has(const struct cs_bitmap *map, uint32_t index)
{
    NV_ASSERT(index < CS_VALIDATORS_MAX);
    return ((uint32_t)map->bytes[index / 8] >> (index % 8) & 1u) != 0;
}

void cs_bitmap_add(struct cs_bitmap *map, uint32_t index)
{
    NV_ASSERT(index < CS_VALIDATORS_MAX);
    map->bytes[index / 8] = (uint8_t)(map->bytes[index / 8] | 1u << (index % 8));
}

uint32_t cs_bitmap_count(const struct cs_bitmap *map)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < CS_BITMAP_SIZE; i++) {
        for (uint32_t byte = map->bytes[i]; byte != 0; byte &= byte - 1) {
            count++;
        }
    }
    return count;
}
