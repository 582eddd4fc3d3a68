#ifndef NV_BASE_WEIGHTED_H
#define NV_BASE_WEIGHTED_H

/* weighted.h - sums of weighted rows, exactly.
 *
 *     sums[i] = Σ over items  weight × row[i]        for i < width
 *
 * in 64 bits, modulo 2^64: the caller bounds what it wants exactly.  Rows and
 * weights have 32 bits, because one instruction that every
 * x86-64 has multiplies two such pairs at once, and none multiplies two of 64.
 * One that many have multiplies four.  Other machines run the loop as it is
 * written above.
 *
 * Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#define NV_WEIGHTED_STEP 16u /* a width is a multiple of it */

struct nv_weighted {
    const int32_t *row; /* borrowed for the call */
    int32_t weight;
};

/* nv_weighted_sums writes `width` sums.  `wide`: the processor has integers of 256
 * bits (nv_cpu_wide, base/cpu.h); the sums are the same without. */
void nv_weighted_sums(
    int64_t *sums, uint32_t width, const struct nv_weighted *items, uint32_t count, bool wide);

#endif /* NV_BASE_WEIGHTED_H */
