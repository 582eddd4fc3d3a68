#include "node/replica/window.h"

#include "base/assert.h"
#include "base/critbit.h"
#include "base/heap.h"

struct entry {
    struct nv_hash hash;
    uint64_t expires_ms;
};

struct node_window {
    struct nv_critbit *index;
    struct entry *ring; /* in order of arrival */
    size_t index_size;
    size_t ring_size;
    uint32_t cap;
    uint32_t first;
    uint32_t count;
};

enum nv_err node_window_open(struct node_window **out, uint32_t count_max)
{
    NV_ASSERT(count_max >= 1);
    struct node_window *const window = nv_heap_alloc(sizeof *window);
    if (window == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    *window = (struct node_window){.index_size = nv_critbit_footprint(count_max),
                                   .ring_size = sizeof(struct entry) * (size_t)count_max,
                                   .cap = count_max};
    void *const index = nv_heap_reserve(window->index_size);
    window->ring = nv_heap_reserve(window->ring_size);
    if (index != NULL) {
        window->index = nv_critbit_init(index, count_max);
    }
    if (index == NULL || window->ring == NULL) {
        node_window_close(window);
        return NV_ERR_NO_MEMORY;
    }
    *out = window;
    return NV_OK;
}

void node_window_close(struct node_window *window)
{
    if (window == NULL) {
        return;
    }
    if (window->index != NULL) {
        nv_heap_unreserve(window->index, window->index_size);
    }
    if (window->ring != NULL) {
        nv_heap_unreserve(window->ring, window->ring_size);
    }
    nv_heap_free(window);
}

enum nv_err
node_window_add(struct node_window *window, const struct nv_hash *hash, uint64_t expires_ms)
{
    if (window->count == window->cap) {
        return NV_ERR_NO_MEMORY;
    }
    enum nv_err const err = nv_critbit_insert(window->index, hash->bytes, 0);
    if (err == NV_OK) {
        uint32_t const at = (uint32_t)(((uint64_t)window->first + window->count) % window->cap);
        window->ring[at] = (struct entry){*hash, expires_ms};
        window->count++;
    }
    return err;
}

bool node_window_has(const struct node_window *window, const struct nv_hash *hash)
{
    uint32_t unused = 0;
    return nv_critbit_lookup(window->index, hash->bytes, &unused);
}

void node_window_forget(struct node_window *window, uint64_t time_ms)
{
    while (window->count > 0 && window->ring[window->first].expires_ms <= time_ms) {
        bool const there =
            nv_critbit_remove(window->index, window->ring[window->first].hash.bytes, NULL);
        NV_ASSERT(there);
        window->first = (window->first + 1) % window->cap;
        window->count--;
    }
}
