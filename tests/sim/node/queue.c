/* Events, by time and then by the order in which they were made. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/node/nodesim.h"

static bool before(const struct ns_item *a, const struct ns_item *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

struct ns_item *ns_queue_push(struct ns_queue *q, uint64_t at_ns, enum ns_kind kind, uint32_t host)
{
    struct ns_item const item = {.at_ns = at_ns, .order = q->order++, .kind = kind, .host = host};
    if (q->count == q->cap) {
        q->cap = q->cap == 0 ? 4096 : 2 * q->cap;
        q->heap = realloc(q->heap, q->cap * sizeof *q->heap);
        NV_ASSERT(q->heap != NULL);
    }
    uint32_t at = q->count++;
    while (at > 0 && before(&item, &q->heap[(at - 1) / 2])) {
        q->heap[at] = q->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    q->heap[at] = item;
    return &q->heap[at];
}

struct ns_item ns_queue_pop(struct ns_queue *q)
{
    NV_ASSERT(q->count > 0);
    struct ns_item const first = q->heap[0];
    struct ns_item const last = q->heap[--q->count];
    uint32_t at = 0;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= q->count) {
            break;
        }
        if (child + 1 < q->count && before(&q->heap[child + 1], &q->heap[child])) {
            child++;
        }
        if (!before(&q->heap[child], &last)) {
            break;
        }
        q->heap[at] = q->heap[child];
        at = child;
    }
    q->heap[at] = last;
    return first;
}

void ns_queue_later(struct ns_queue *q, uint64_t by_ns)
{
    for (uint32_t i = 0; i < q->count; i++) {
        q->heap[i].at_ns += by_ns;
    }
}

void ns_queue_clear(struct ns_queue *q)
{
    for (uint32_t i = 0; i < q->count; i++) {
        ns_bytes_drop(q->heap[i].bytes);
    }
    q->count = 0;
    q->order = 0;
}

struct ns_bytes *ns_bytes_new(struct nv_view view)
{
    struct ns_bytes *const bytes = malloc(sizeof *bytes + view.size);
    NV_ASSERT(bytes != NULL);
    bytes->refs = 1;
    bytes->size = view.size;
    if (view.size > 0) {
        memcpy(bytes->bytes, view.bytes, view.size);
    }
    return bytes;
}

void ns_bytes_drop(struct ns_bytes *bytes)
{
    if (bytes != NULL && --bytes->refs == 0) {
        free(bytes);
    }
}
