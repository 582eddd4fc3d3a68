#include "consensus/leader.h"

#include <string.h>

#include "base/assert.h"
#include "base/bug.h"
#include "base/codec.h"
#include "base/int.h"
#include "base/sort.h"

#include "base/pure.h"

#define SLOTS_EACH 16u /* on average */

struct share {
    uint64_t remainder;
    uint32_t index;
};

static int share_cmp(const void *a, const void *b)
{
    const struct share *const x = a;
    const struct share *const y = b;
    if (x->remainder != y->remainder) {
        return x->remainder > y->remainder ? -1 : 1;
    }
    return x->index < y->index ? -1 : 1;
}

/* slots_share writes how many slots each validator gets and returns their sum. */
static uint32_t slots_share(uint32_t *slots, const struct cs_valset *set)
{
    struct share share[CS_VALIDATORS_MAX];
    struct share scratch[CS_VALIDATORS_MAX];
    uint32_t const wanted = SLOTS_EACH * set->count;
    uint32_t given = 0;
    uint32_t total = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        nv_u128 const part = (nv_u128)set->member[i].stake * wanted;
        slots[i] = (uint32_t)(part / set->stake_total);
        share[i].remainder = (uint64_t)(part % set->stake_total);
        share[i].index = i;
        given += slots[i];
    }
    NV_ASSERT(wanted - given < set->count || wanted == given);
    nv_sort(share, set->count, sizeof *share, share_cmp, scratch);
    for (uint32_t i = 0; i < wanted - given; i++) {
        slots[share[i].index]++;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        slots[i] = slots[i] == 0 ? 1 : slots[i];
        total += slots[i];
    }
    return total;
}

void cs_schedule_init(struct cs_schedule *schedule,
                      const struct cs_valset *set,
                      const struct nv_hash *chain_id,
                      uint64_t epoch,
                      const struct nv_hash *boundary)
{
    uint32_t slots[CS_VALIDATORS_MAX];
    int32_t current[CS_VALIDATORS_MAX] = {0};
    uint8_t epoch_bytes[8];
    struct nv_hash offset;
    uint32_t const total = slots_share(slots, set);
    NV_ASSERT(total <= CS_SLOTS_MAX);
    memset(schedule, 0, sizeof *schedule);
    schedule->length = total;
    for (uint32_t place = 0; place < total; place++) {
        uint32_t best = 0;
        for (uint32_t i = 0; i < set->count; i++) {
            current[i] += (int32_t)slots[i];
            best = current[i] > current[best] ? i : best;
        }
        current[best] -= NV_SEEDED(LEADER_STUCK) ? 0 : (int32_t)total;
        schedule->slot[place] = (uint16_t)best;
    }
    nv_be64_store(epoch_bytes, epoch);
    struct nv_view const parts[3] = {
        nv_hash_view(chain_id),
        nv_view_of(epoch_bytes, sizeof epoch_bytes),
        nv_hash_view(boundary),
    };
    nv_tagged_hash(&offset, "novate/leader/v1", parts, 3);
    schedule->offset = (uint32_t)(nv_be64_load(offset.bytes) % total);
}

uint32_t cs_schedule_leader(const struct cs_schedule *schedule, uint64_t view)
{
    uint64_t const place = (view % schedule->length + schedule->offset) % schedule->length;
    return schedule->slot[place];
}
