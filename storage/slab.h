#ifndef NV_STORAGE_SLAB_H
#define NV_STORAGE_SLAB_H

/* slab.h - cells of one size, addressed by index, in an arena's memory.
 *
 * Index 0 is no cell.  A cell that was given back is handed out again before a
 * new one is touched, so memory in use follows the largest number of cells
 * ever held. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

/* A cell is fetched into the cache this many takes before it is handed out. */
#define ST__SLAB_AHEAD 8u

struct st__slab {
    uint8_t *cells; /* of index 1 */
    uint32_t cell_size;
    uint32_t cap;
    uint32_t touched;    /* cells that were handed out at least once */
    uint32_t free_count; /* cells given back, in a list of its own: taking and giving */
    uint32_t *free;      /* do not touch the cells, which are seldom in the cache */
};

/* st__slab_size returns the bytes that `cap` cells take in an arena. */
static inline size_t st__slab_size(uint32_t cell_size, uint32_t cap)
{
    return (cell_size + sizeof(uint32_t)) * (size_t)cap + 2 * 64;
}

static inline void
st__slab_init(struct st__slab *slab, struct nv_arena *arena, uint32_t cell_size, uint32_t cap)
{
    slab->cells = nv_arena_alloc(arena, cell_size, 64, cap);
    slab->cell_size = cell_size;
    slab->cap = cap;
    slab->touched = 0;
    slab->free = NV_ARENA_NEW(arena, uint32_t, cap);
    slab->free_count = 0;
}

static inline uint32_t st__slab_left(const struct st__slab *slab)
{
    return slab->cap - slab->touched + slab->free_count;
}

static inline void *st__slab_at(const struct st__slab *slab, uint32_t index)
{
    NV_ASSERT(index - 1 < slab->touched);
    return slab->cells + (size_t)(index - 1) * slab->cell_size;
}

/* st__slab_take returns a cell with any contents.  One must be left. */
static inline uint32_t st__slab_take(struct st__slab *slab)
{
    if (slab->free_count > 0) {
        uint32_t const index = slab->free[--slab->free_count];
        if (slab->free_count >= ST__SLAB_AHEAD) { /* soon to be written */
            uint32_t const next = slab->free[slab->free_count - ST__SLAB_AHEAD];
            const uint8_t *const cell = (const uint8_t *)st__slab_at(slab, next);
            __builtin_prefetch(cell, 1);
            __builtin_prefetch(cell + slab->cell_size - 1, 1);
        }
        return index;
    }
    NV_ASSERT(slab->touched < slab->cap);
    return ++slab->touched;
}

static inline void st__slab_give(struct st__slab *slab, uint32_t index)
{
    NV_ASSERT(index - 1 < slab->touched && slab->free_count < slab->touched);
    slab->free[slab->free_count++] = index;
}

#endif /* NV_STORAGE_SLAB_H */
