/* Memory: the linker sends every nv_heap_* here.  What a host takes is listed, so
 * that a host which dies in the middle of something can be swept away, and so
 * that what it holds can be bounded. */

#include <stddef.h>
#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "tests/sim/node/nodesim.h"

void *__real_nv_heap_alloc(size_t size);
void __real_nv_heap_free(void *memory);
void *__real_nv_heap_reserve(size_t size);
void __real_nv_heap_unreserve(void *memory, size_t size);
void *__wrap_nv_heap_alloc(size_t size);
void *__wrap_nv_heap_alloc_raw(size_t size);
void __wrap_nv_heap_free(void *memory);
void *__wrap_nv_heap_reserve(size_t size);
void __wrap_nv_heap_unreserve(void *memory, size_t size);

/* Before each piece that was allocated. */
struct ns_piece {
    struct ns_piece *next;
    struct ns_piece *last;
    struct ns_memory *owner; /* NULL: nobody's */
    size_t size;
};

_Static_assert(sizeof(struct ns_piece) % _Alignof(max_align_t) == 0, "what follows is aligned");

static struct ns_memory *owner;

void ns_memory_of(struct ns_memory *memory)
{
    owner = memory;
}

void *__wrap_nv_heap_alloc(size_t size)
{
    struct ns_piece *const piece = __real_nv_heap_alloc(sizeof *piece + size);
    if (piece == NULL) {
        return NULL;
    }
    *piece = (struct ns_piece){.owner = owner, .size = size};
    if (owner != NULL) {
        piece->next = owner->first;
        if (piece->next != NULL) {
            piece->next->last = piece;
        }
        owner->first = piece;
        owner->allocated += size;
    }
    return piece + 1;
}

void *__wrap_nv_heap_alloc_raw(size_t size)
{
    return __wrap_nv_heap_alloc(size);
}

void __wrap_nv_heap_free(void *memory)
{
    if (memory == NULL) {
        return;
    }
    struct ns_piece *const piece = (struct ns_piece *)memory - 1;
    if (piece->owner != NULL) {
        struct ns_piece **const from =
            piece->last != NULL ? &piece->last->next : &piece->owner->first;
        *from = piece->next;
        if (piece->next != NULL) {
            piece->next->last = piece->last;
        }
        piece->owner->allocated -= piece->size;
    }
    __real_nv_heap_free(piece);
}

void *__wrap_nv_heap_reserve(size_t size)
{
    void *const memory = __real_nv_heap_reserve(size);
    if (memory != NULL && owner != NULL) {
        NV_ASSERT(owner->count < NS_RESERVED_MAX);
        owner->reserved[owner->count++] = (struct ns_reserved){memory, size};
    }
    return memory;
}

void __wrap_nv_heap_unreserve(void *memory, size_t size)
{
    for (uint32_t i = 0; owner != NULL && i < owner->count; i++) {
        if (owner->reserved[i].memory == memory) {
            owner->reserved[i] = owner->reserved[--owner->count];
            break;
        }
    }
    __real_nv_heap_unreserve(memory, size);
}

void ns_memory_sweep(struct ns_memory *memory)
{
    while (memory->first != NULL) {
        struct ns_piece *const piece = memory->first;
        memory->first = piece->next;
        __real_nv_heap_free(piece);
    }
    for (uint32_t i = 0; i < memory->count; i++) {
        __real_nv_heap_unreserve(memory->reserved[i].memory, memory->reserved[i].size);
    }
    *memory = (struct ns_memory){.count = 0};
}
