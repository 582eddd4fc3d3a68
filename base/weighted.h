#ifndef NV_BASE_WEIGHTED_H
#define NV_BASE_WEIGHTED_H

/* weighted.h - sums of weighted rows, exactly.
 *
 *     sums[i] = Σ over items  weight × row[i]        for i < width
 *
 * in 64 bits, modulo 2^64: the caller bounds what it wants exactly.  Rows have
 * 32 bits and weights 32 bits and a sign, because one instruction that every
 * x86-64 has multiplies two such pairs at once, and none multiplies two of 64.
 * Other machines run the loop as it is written above.
 *
 * Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#define NV_WEIGHTED_STEP 16u /* a width is a multiple of it */

struct nv_weighted {
    const int32_t *row; /* borrowed for the call */
    uint32_t weight;
    bool negative; /* the weight counts as -weight */
};

void nv_weighted_sums(int64_t *sums,
                      uint32_t width,
                      const struct nv_weighted *items,
                      uint32_t count);

#endif /* NV_BASE_WEIGHTED_H */
