#include "base/heap.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/assert.h"

static atomic_uint_fast64_t taken;
static atomic_uint_fast64_t fails_at; /* the value of `taken` that is refused; 0 is none */

/* refused counts a request and returns whether a test wants it to fail. */
static bool refused(void)
{
    uint64_t const request = atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed) + 1;
    return request == atomic_load_explicit(&fails_at, memory_order_relaxed);
}

void *nv_heap_alloc(size_t size)
{
    if (refused()) {
        return NULL;
    }
    return calloc(1, size != 0 ? size : 1);
}

void *nv_heap_alloc_raw(size_t size)
{
    if (refused()) {
        return NULL;
    }
    return malloc(size != 0 ? size : 1);
}

void nv_heap_free(void *memory)
{
    free(memory);
}

void *nv_heap_reserve(size_t size)
{
    NV_ASSERT(size != 0);
    if (refused()) {
        return NULL;
    }
    int const flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    void *const memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

void nv_heap_large_pages(void *memory, size_t size)
{
    (void)madvise(memory, size, MADV_HUGEPAGE);
}

void nv_heap_unreserve(void *memory, size_t size)
{
    if (memory == NULL) {
        return;
    }
    int const kept = munmap(memory, size);
    NV_ASSERT(kept == 0);
}

uint64_t nv_heap_taken(void)
{
    return atomic_load_explicit(&taken, memory_order_relaxed);
}

void nv_heap_fail_at(uint64_t n)
{
    uint64_t const next = n != 0 ? nv_heap_taken() + n : 0;
    atomic_store_explicit(&fails_at, next, memory_order_relaxed);
}
