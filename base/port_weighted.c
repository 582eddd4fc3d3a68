#include "base/port_weighted.h"

#include <string.h>

#include "base/assert.h"
#include "base/weighted.h"

#include "base/pure.h"

#if defined(__SSE2__)

/* The instruction multiplies without signs.  So an entry r is taken as r + 2^31,
 * and for a negative weight as -r - 1 + 2^31, both of which flip bits of r; what
 * that adds to each sum depends on the weights alone and is taken off. */
static uint32_t flips_of(const struct nv_weighted *item)
{
    return item->weight < 0 ? 0x7fffffffu : 0x80000000u;
}

static uint32_t size_of(const struct nv_weighted *item)
{
    return item->weight < 0 ? 0u - (uint32_t)item->weight : (uint32_t)item->weight;
}

static uint64_t excess(const struct nv_weighted *items, uint32_t count)
{
    uint64_t sum = 0;
    for (uint32_t j = 0; j < count; j++) {
        sum += (uint64_t)size_of(&items[j]) * flips_of(&items[j]);
    }
    return sum;
}

typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef uint64_t u64x2 __attribute__((vector_size(16)));

/* Four columns: the first and third in `even`, the others in `odd`. */
struct quad {
    u64x2 even, odd;
};

/* products multiplies the lower halves of two pairs (pmuludq). */
static inline u64x2 products(u64x2 entries, i32x4 weight)
{
    return (u64x2)__builtin_ia32_pmuludq128((i32x4)entries, weight);
}

static inline void quad_add(struct quad *sum, const int32_t *row, i32x4 weight, i32x4 flips)
{
    i32x4 entries;
    memcpy(&entries, row, sizeof entries);
    entries ^= flips;
    sum->even += products((u64x2)entries, weight);
    sum->odd += products((u64x2)entries >> 32, weight);
}

static inline void quad_store(int64_t *sums, const struct quad *sum, uint64_t less)
{
    sums[0] = (int64_t)(sum->even[0] - less);
    sums[1] = (int64_t)(sum->odd[0] - less);
    sums[2] = (int64_t)(sum->even[1] - less);
    sums[3] = (int64_t)(sum->odd[1] - less);
}

static inline i32x4 spread(uint32_t x)
{
    int32_t const lane = (int32_t)x;
    return (i32x4){lane, lane, lane, lane};
}

void nv_weighted_sums(
    int64_t *sums, uint32_t width, const struct nv_weighted *items, uint32_t count, bool wide)
{
    NV_ASSERT(width % NV_WEIGHTED_STEP == 0);
    if (wide) {
        nv__weighted_sums_wide(sums, width, items, count);
        return;
    }
    uint64_t const less = excess(items, count);
    for (uint32_t i = 0; i < width; i += NV_WEIGHTED_STEP) {
        struct quad a = {{0, 0}, {0, 0}};
        struct quad b = a, c = a, d = a;
        for (uint32_t j = 0; j < count; j++) {
            i32x4 const weight = spread(size_of(&items[j]));
            i32x4 const flips = spread(flips_of(&items[j]));
            const int32_t *const row = items[j].row + i;
            quad_add(&a, row, weight, flips);
            quad_add(&b, row + 4, weight, flips);
            quad_add(&c, row + 8, weight, flips);
            quad_add(&d, row + 12, weight, flips);
        }
        quad_store(sums + i, &a, less);
        quad_store(sums + i + 4, &b, less);
        quad_store(sums + i + 8, &c, less);
        quad_store(sums + i + 12, &d, less);
    }
}

#else

void nv_weighted_sums(
    int64_t *sums, uint32_t width, const struct nv_weighted *items, uint32_t count, bool wide)
{
    (void)wide; /* there is one form */
    NV_ASSERT(width % NV_WEIGHTED_STEP == 0);
    for (uint32_t i = 0; i < width; i++) {
        uint64_t sum = 0;
        for (uint32_t j = 0; j < count; j++) {
            sum += (uint64_t)((int64_t)items[j].weight * items[j].row[i]);
        }
        sums[i] = (int64_t)sum;
    }
}

#endif
