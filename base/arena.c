#include "base/arena.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"

#include "base/pure.h"

#define ALIGN_MAX 4096u

static void arena_check(const struct nv_arena *arena)
{
    NV_ASSERT(arena->used <= arena->size);
    NV_ASSERT(arena->dirty <= arena->size);
}

void nv_arena_init(struct nv_arena *arena, void *memory, size_t size)
{
    nv_arena_init_zeroed(arena, memory, size);
    arena->dirty = size;
}

void nv_arena_init_zeroed(struct nv_arena *arena, void *memory, size_t size)
{
    NV_ASSERT(memory != NULL || size == 0);
    *arena = (struct nv_arena){.memory = (uint8_t *)memory, .size = size};
}

void *nv_arena_try(struct nv_arena *arena, size_t size, size_t align)
{
    NV_ASSERT(align >= 1 && align <= ALIGN_MAX && (align & (align - 1)) == 0);
    arena_check(arena);

    size_t const skip = (size_t)(0 - ((uintptr_t)arena->memory + arena->used)) & (align - 1);
    size_t const left = arena->size - arena->used;
    if (skip > left || size > left - skip) {
        return NULL;
    }
    size_t const first = arena->used + skip;
    size_t const end = first + size;
    if (first < arena->dirty) {
        size_t const stale = (end < arena->dirty ? end : arena->dirty) - first;
        memset(arena->memory + first, 0, stale);
    }
    arena->used = end;
    arena->dirty = end > arena->dirty ? end : arena->dirty;
    return arena->memory + first;
}

void *nv_arena_alloc(struct nv_arena *arena, size_t size, size_t align, size_t count)
{
    size_t total = 0;
    bool const fits = !__builtin_mul_overflow(size, count, &total);
    NV_ASSERT(fits);
    void *const memory = nv_arena_try(arena, total, align);
    NV_ASSERT(memory != NULL);
    return memory;
}

size_t nv_arena_mark(const struct nv_arena *arena)
{
    return arena->used;
}

void nv_arena_release(struct nv_arena *arena, size_t mark)
{
    NV_ASSERT(mark <= arena->used);
    arena_check(arena);
#ifdef NV_PARANOID
    /* Whoever kept a pointer for too long shall see it. */
    memset(arena->memory + mark, 0xdb, arena->used - mark);
#endif
    arena->used = mark;
}

void nv_arena_reset(struct nv_arena *arena)
{
    nv_arena_release(arena, 0);
}

size_t nv_arena_left(const struct nv_arena *arena)
{
    return arena->size - arena->used;
}
