#ifndef NV_TESTS_LIB_PAYOFF_BUILD_H
#define NV_TESTS_LIB_PAYOFF_BUILD_H

/* payoff_build.h - makes canonical payoff programs out of arbitrary bytes.
 *
 * Written from docs/spec/payoff.md, not from the code: it builds a graph of
 * typed operations, drops what is not needed, allots registers and constants by
 * the rules of section 4 and writes section 2's bytes.  What it makes must be
 * accepted, unless it costs too much or an interval is too wide. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Arbitrary bytes, taken front to back; zeros after the end. */
struct payoff_bytes {
    const uint8_t *bytes;
    size_t size;
    size_t at;
};

#define PAYOFF_BUILD_MAX 620u

/* payoff_build writes a program to `out` (PAYOFF_BUILD_MAX bytes) and returns
 * its size, or 0 when it would need more registers than there are. */
uint32_t payoff_build(uint8_t *out, struct payoff_bytes *from);

#endif /* NV_TESTS_LIB_PAYOFF_BUILD_H */
