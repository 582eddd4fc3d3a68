#ifndef NV_BASE_SORT_H
#define NV_BASE_SORT_H

/* sort.h - a stable merge sort: n log n comparisons in the worst case, no
 * memory but the caller's, the same result on every machine.
 *
 * Pure; any thread. */

#include <stddef.h>
#include <stdint.h>

/* Below, equal to or above 0 as `a` sorts before, with or after `b`.  It must be
 * a total order. */
typedef int (*nv_cmp_fn)(const void *a, const void *b);

/* The same with something of the caller's, such as what indices refer to. */
typedef int (*nv_cmp_with_fn)(const void *ctx, const void *a, const void *b);

/* nv_sort sorts `count` elements of `size` bytes at `base`.  `scratch` holds as
 * many bytes again, aligned alike; its contents are lost.  Equal elements keep
 * their order.  `size` is at least 1. */
void nv_sort(void *base, uint32_t count, size_t size, nv_cmp_fn cmp, void *scratch);

/* An order with its context. */
struct nv_order {
    nv_cmp_with_fn cmp;
    const void *ctx; /* borrowed */
};

/* nv_sort_with is nv_sort by an order that needs a context. */
void nv_sort_with(
    void *base, uint32_t count, size_t size, const struct nv_order *order, void *scratch);

#endif /* NV_BASE_SORT_H */
