#include <stdint.h>
#include <sys/random.h>

#include "base/assert.h"
#include "base/random.h"

/* The kernel answers requests up to this size whole and without interruption
 * (getrandom(2)). */
#define REQUEST_MAX 256u

void nv_random_bytes(void *out, size_t size)
{
    uint8_t *const bytes = (uint8_t *)out;
    for (size_t at = 0; at < size; at += REQUEST_MAX) {
        size_t const request = size - at < REQUEST_MAX ? size - at : REQUEST_MAX;
        ssize_t const got = getrandom(bytes + at, request, 0);
        NV_ASSERT(got == (ssize_t)request);
    }
}
