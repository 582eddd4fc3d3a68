#ifndef NV_BASE_RANDOM_H
#define NV_BASE_RANDOM_H

/* random.h - entropy of the operating system.
 *
 * Not for pure code: there, entropy arrives in an event.  Any thread. */

#include <stddef.h>

/* nv_random_bytes fills `size` bytes with unpredictable ones.  It ends the
 * process when the system has none. */
void nv_random_bytes(void *out, size_t size);

#endif /* NV_BASE_RANDOM_H */
