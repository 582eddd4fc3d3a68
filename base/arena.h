#ifndef NV_BASE_ARENA_H
#define NV_BASE_ARENA_H

/* arena.h - memory handed out front to back and taken back all at once.
 *
 * Whoever is given an arena may allocate from it and never frees; the owner
 * resets it, or releases it to a mark, when the step is over.  Every
 * allocation is zeroed.  Addresses are stable.
 *
 * An arena over sparse memory (nv_heap_reserve) must not be zeroed by hand, or
 * all of it would become resident: nv_arena_init_zeroed trusts that the memory
 * is zero already, and clears only what was handed out before.
 *
 * Pure; one thread at a time per arena. */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct nv_arena {
    uint8_t *memory; /* borrowed */
    size_t size;
    size_t used;
    size_t dirty; /* bytes from here on are known to be zero */
};

/* nv_arena_init makes an empty arena over `size` bytes that the caller owns
 * and that must outlive whatever is allocated. */
void nv_arena_init(struct nv_arena *arena, void *memory, size_t size);

/* nv_arena_init_zeroed is nv_arena_init over memory that is all zero. */
void nv_arena_init_zeroed(struct nv_arena *arena, void *memory, size_t size);

/* NV_ARENA_NEW returns `count` zeroed objects of `type`.  The arena must have
 * room: its size was computed from the limits. */
#define NV_ARENA_NEW(arena, type, count)                                                           \
    ((type *)nv_arena_alloc((arena), sizeof(type), _Alignof(type), (size_t)(count)))

/* nv_arena_alloc is NV_ARENA_NEW without the type.  `align` is a power of two,
 * at most 4096. */
void *nv_arena_alloc(struct nv_arena *arena, size_t size, size_t align, size_t count);

/* nv_arena_try returns `size` zeroed bytes, or NULL when they do not fit: for
 * sizes that come from outside. */
NV_MUST_USE void *nv_arena_try(struct nv_arena *arena, size_t size, size_t align);

/* nv_arena_mark returns a place to come back to; nv_arena_release takes back
 * everything allocated since. */
size_t nv_arena_mark(const struct nv_arena *arena);
void nv_arena_release(struct nv_arena *arena, size_t mark);

/* nv_arena_reset takes back everything. */
void nv_arena_reset(struct nv_arena *arena);

/* nv_arena_left returns how many bytes are free (before alignment). */
size_t nv_arena_left(const struct nv_arena *arena);

#endif /* NV_BASE_ARENA_H */
