#ifndef NV_BASE_SECRET_H
#define NV_BASE_SECRET_H

/* secret.h - memory for keys: never swapped, never dumped, wiped when given
 * back.
 *
 * nv_wipe is pure; the rest is not.  Any thread. */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* nv_wipe sets `size` bytes to zero, and is not optimised away. */
void nv_wipe(void *memory, size_t size);

/* nv_secret_open returns `size` zeroed bytes in pages of their own that are
 * locked in memory and left out of core dumps, or NULL when the system refuses
 * (see RLIMIT_MEMLOCK). */
NV_MUST_USE void *nv_secret_open(size_t size);

/* nv_secret_close wipes and gives back memory of nv_secret_open, of that very
 * size.  NULL does nothing. */
void nv_secret_close(void *memory, size_t size);

#endif /* NV_BASE_SECRET_H */
