#ifndef NV_BASE_HEAP_H
#define NV_BASE_HEAP_H

/* heap.h - memory from the system: the only place that asks for it.
 *
 * Memory is taken at start, from limits; afterwards the program lives in it.
 * Not for pure code.  Any thread. */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* nv_heap_alloc returns `size` zeroed bytes, aligned for any type, or NULL.
 * The caller owns them and gives them back with nv_heap_free.  `size` may be
 * 0. */
NV_MUST_USE void *nv_heap_alloc(size_t size);

/* nv_heap_alloc_raw is nv_heap_alloc without the zeros: for what is written before
 * it is read, as by an arena. */
NV_MUST_USE void *nv_heap_alloc_raw(size_t size);

/* nv_heap_free gives back memory of these two.  NULL does nothing. */
void nv_heap_free(void *memory);

/* nv_heap_reserve returns `size` bytes of address space, page-aligned, that
 * read as zero and become resident page by page when written; or NULL.  So a
 * reservation for the largest state costs what the present state uses. */
NV_MUST_USE void *nv_heap_reserve(size_t size);

/* nv_heap_large_pages asks that a reservation take large pages, where the system
 * has them.  For what lives long and is read all over: with small pages each
 * cache miss is a miss of the address translation too.  Up to two mebibytes more
 * become resident for each array begun in it. */
void nv_heap_large_pages(void *memory, size_t size);

/* nv_heap_unreserve gives back a reservation of that very size. */
void nv_heap_unreserve(void *memory, size_t size);

/* nv_heap_taken returns how many times memory was asked for since the start
 * of the process.  After start-up it does not grow. */
uint64_t nv_heap_taken(void);

/* nv_heap_fail_at makes the n-th request from now on (1 is the next) and none
 * other fail, so that tests reach every failure path.  0 takes it back. */
void nv_heap_fail_at(uint64_t n);

#endif /* NV_BASE_HEAP_H */
