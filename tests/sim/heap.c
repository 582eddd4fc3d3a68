/* Things to come, by time; of two at one time, the one that was pushed first.
 * The heap moves small keys; what they stand for stays in its place. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/sim.h"

struct sim_key {
    uint64_t at_ns;
    uint64_t order;
    uint32_t place;
};

static bool earlier(const struct sim_key *a, const struct sim_key *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void grow(struct sim_heap *heap)
{
    uint32_t const cap = heap->cap == 0 ? 1024 : 2 * heap->cap;
    heap->key = realloc(heap->key, cap * sizeof *heap->key);
    heap->item = realloc(heap->item, cap * sizeof *heap->item);
    NV_ASSERT(heap->key != NULL && heap->item != NULL);
    for (uint32_t i = heap->cap; i < cap; i++) {
        heap->key[i].place = i; /* keys behind `count` hold the free places */
    }
    heap->cap = cap;
}

struct sim_item *sim_push(struct sim *sim, uint64_t at_ns, enum sim_kind kind, uint32_t host)
{
    struct sim_heap *const heap = &sim->heap;
    if (heap->count == heap->cap) {
        grow(heap);
    }
    uint32_t at = heap->count++;
    struct sim_key const made = {at_ns, heap->order++, heap->key[at].place};
    while (at > 0 && earlier(&made, &heap->key[(at - 1) / 2])) {
        heap->key[at] = heap->key[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap->key[at] = made;
    struct sim_item *const item = &heap->item[made.place];
    memset(item, 0, sizeof *item);
    item->at_ns = at_ns;
    item->kind = kind;
    item->host = host;
    item->life = sim->host[host].life;
    return item;
}

bool sim_pop(struct sim *sim, struct sim_item *item)
{
    struct sim_heap *const heap = &sim->heap;
    if (heap->count == 0) {
        return false;
    }
    struct sim_key const first = heap->key[0];
    struct sim_key const last = heap->key[--heap->count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count && earlier(&heap->key[child + 1], &heap->key[child])) {
            child++;
        }
        if (!earlier(&heap->key[child], &last)) {
            break;
        }
        heap->key[at] = heap->key[child];
        at = child;
    }
    heap->key[at] = last;
    heap->key[heap->count].place = first.place;
    *item = heap->item[first.place];
    return true;
}

void sim_heap_clear(struct sim_heap *heap)
{
    for (uint32_t i = 0; i < heap->count; i++) {
        sim_bytes_drop(heap->item[heap->key[i].place].bytes);
    }
    heap->count = 0;
    heap->order = 0;
}

/* ---- bytes that several hold ---- */

struct sim_bytes *sim_bytes_new(struct nv_view view)
{
    struct sim_bytes *const bytes = malloc(sizeof *bytes + view.size);
    NV_ASSERT(bytes != NULL);
    bytes->holders = 1;
    bytes->size = view.size;
    memcpy(bytes->data, view.bytes, view.size);
    return bytes;
}

struct sim_bytes *sim_bytes_hold(struct sim_bytes *bytes)
{
    bytes->holders++;
    return bytes;
}

void sim_bytes_drop(struct sim_bytes *bytes)
{
    if (bytes != NULL && --bytes->holders == 0) {
        free(bytes);
    }
}
