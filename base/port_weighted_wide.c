/* port_weighted_wide.c - what port_weighted.c does four columns at a time, eight
 * at a time: this file alone may hold instructions that not every x86-64 has, and
 * runs only where the caller says that they are there.  They multiply with signs. */

#include <string.h>

#include "base/port_weighted.h"

#include "base/pure.h"

#if defined(__SSE2__)

#define WIDE __attribute__((target("avx2")))

typedef int32_t i32x8 __attribute__((vector_size(32)));
typedef uint64_t u64x4 __attribute__((vector_size(32)));

/* Eight columns: the first, third, … in `even`, the others in `odd`. */
struct octet {
    u64x4 even, odd;
};

static const struct octet nothing = {{0, 0, 0, 0}, {0, 0, 0, 0}};

/* products multiplies the lower halves of four pairs (pmuldq). */
WIDE static inline u64x4 products(u64x4 entries, i32x8 weight)
{
    return (u64x4)__builtin_ia32_pmuldq256((i32x8)entries, weight);
}

WIDE static inline i32x8 spread(int32_t x)
{
    return (i32x8){x, x, x, x, x, x, x, x};
}

WIDE static inline void octet_add(struct octet *sum, const int32_t *row, i32x8 weight)
{
    u64x4 entries;
    memcpy(&entries, row, sizeof entries);
    sum->even += products(entries, weight);
    sum->odd += products(entries >> 32, weight);
}

WIDE static inline void octet_store(int64_t *sums, const struct octet *sum)
{
    for (uint32_t i = 0; i < 4; i++) {
        sums[2 * i] = (int64_t)sum->even[i];
        sums[2 * i + 1] = (int64_t)sum->odd[i];
    }
}

#define MANY 40u /* columns whose sums have registers */

WIDE static void
sum_many(int64_t *sums, uint32_t from, const struct nv_weighted *items, uint32_t count)
{
    struct octet a = nothing, b = nothing, c = nothing, d = nothing, e = nothing;
    for (uint32_t j = 0; j < count; j++) {
        i32x8 const weight = spread(items[j].weight);
        const int32_t *const row = items[j].row + from;
        octet_add(&a, row, weight);
        octet_add(&b, row + 8, weight);
        octet_add(&c, row + 16, weight);
        octet_add(&d, row + 24, weight);
        octet_add(&e, row + 32, weight);
    }
    octet_store(sums + from, &a);
    octet_store(sums + from + 8, &b);
    octet_store(sums + from + 16, &c);
    octet_store(sums + from + 24, &d);
    octet_store(sums + from + 32, &e);
}

WIDE static void
sum_few(int64_t *sums, uint32_t from, const struct nv_weighted *items, uint32_t count)
{
    struct octet a = nothing;
    for (uint32_t j = 0; j < count; j++) {
        octet_add(&a, items[j].row + from, spread(items[j].weight));
    }
    octet_store(sums + from, &a);
}

void nv__weighted_sums_wide(int64_t *sums,
                            uint32_t width,
                            const struct nv_weighted *items,
                            uint32_t count)
{
    uint32_t i = 0;
    for (; i + MANY <= width; i += MANY) {
        sum_many(sums, i, items, count);
    }
    for (; i < width; i += 8) {
        sum_few(sums, i, items, count);
    }
}

#endif
