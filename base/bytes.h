#ifndef NV_BASE_BYTES_H
#define NV_BASE_BYTES_H

/* bytes.h - a borrowed run of bytes.
 *
 * A view points at bytes that somebody else owns; the header that hands one
 * out says until when they live.  A view of size 0 may have a NULL pointer.
 *
 * Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct nv_view {
    const uint8_t *bytes; /* borrowed */
    uint32_t size;
};

/* nv_view_of returns a view of `size` bytes at `bytes`. */
static inline struct nv_view nv_view_of(const void *bytes, uint32_t size)
{
    return (struct nv_view){.bytes = (const uint8_t *)bytes, .size = size};
}

/* nv_view_of_text returns a view of a string without its terminator.  The
 * string must be shorter than 4 GiB. */
struct nv_view nv_view_of_text(const char *text);

/* nv_bytes_cmp compares `size` bytes as unsigned numbers from the first on:
 * below, equal to or above 0, as `a` sorts before, with or after `b`. */
static inline int nv_bytes_cmp(const void *a, const void *b, uint32_t size)
{
    return size == 0 ? 0 : memcmp(a, b, size);
}

/* nv_view_eq returns whether both views hold the same bytes.  Its time depends
 * on the contents: not for secrets. */
static inline bool nv_view_eq(struct nv_view a, struct nv_view b)
{
    return a.size == b.size && nv_bytes_cmp(a.bytes, b.bytes, a.size) == 0;
}

#endif /* NV_BASE_BYTES_H */
