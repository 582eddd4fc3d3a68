#include "p2p/queue.h"

#include "base/assert.h"
#include "base/codec.h"
#include "base/heap.h"

#include "p2p/envelope.h"
#include "p2p/types.h"

#define SIZE_BYTES 4u

static void queue_check(const struct p2p__queue *queue)
{
    NV_ASSERT(queue->count <= queue->cap);
    NV_ASSERT(queue->bytes <= queue->bytes_max);
    NV_ASSERT(queue->count != 0 || (queue->bytes == 0 && queue->taken == 0));
}

struct p2p__packet *p2p__packet_new(uint8_t type, struct nv_view payload)
{
    uint32_t const envelope = p2p__envelope_size(type, payload.size);
    uint32_t const size = SIZE_BYTES + envelope;
    struct p2p__packet *packet = nv_heap_alloc(sizeof(*packet) + size);
    if (packet == NULL) {
        return NULL;
    }
    packet->holders = 1;
    packet->size = size;
    packet->type = type;
    nv_be32_store(packet->bytes, envelope);
    p2p__envelope_encode(packet->bytes + SIZE_BYTES, type, payload);
    return packet;
}

void p2p__packet_release(struct p2p__packet *packet)
{
    NV_ASSERT(packet->holders >= 1);
    packet->holders--;
    if (packet->holders == 0) {
        nv_heap_free(packet);
    }
}

enum nv_err
p2p__queue_init(struct p2p__queue *queue, uint8_t lane, uint32_t count_max, uint32_t bytes_max)
{
    NV_ASSERT(count_max >= 2);
    NV_ASSERT(lane < P2P_LANES);
    *queue = (struct p2p__queue){.cap = count_max, .bytes_max = bytes_max};
    queue->drops = lane == P2P_LANE_0;
    queue->ring = nv_heap_alloc((size_t)count_max * sizeof(struct p2p__packet *));
    return queue->ring == NULL ? NV_ERR_NO_MEMORY : NV_OK;
}

void p2p__queue_deinit(struct p2p__queue *queue)
{
    p2p__queue_clear(queue);
    nv_heap_free(queue->ring);
    *queue = (struct p2p__queue){.cap = 0};
}

static struct p2p__packet **place(const struct p2p__queue *queue, uint32_t index)
{
    return &queue->ring[(queue->first + index) % queue->cap];
}

/* queue_remove lets the frame at `index` go; the order of the others stays. */
static void queue_remove(struct p2p__queue *queue, uint32_t index)
{
    struct p2p__packet *packet = *place(queue, index);
    for (uint32_t i = index; i > 0; i--) {
        *place(queue, i) = *place(queue, i - 1);
    }
    queue->first = (queue->first + 1) % queue->cap;
    queue->count--;
    queue->bytes -= packet->size;
    p2p__packet_release(packet);
}

/* oldest_free is the index of the oldest frame that was not begun. */
static uint32_t oldest_free(const struct p2p__queue *queue)
{
    return queue->taken != 0 ? 1 : 0;
}

static void drop_replaced(struct p2p__queue *queue, uint8_t type)
{
    for (uint32_t i = oldest_free(queue); i < queue->count; i++) {
        if ((*place(queue, i))->type == type) {
            queue_remove(queue, i);
            return;
        }
    }
}

static bool fits(const struct p2p__queue *queue, uint32_t size)
{
    return queue->count < queue->cap && size <= queue->bytes_max - queue->bytes;
}

/* fits_after_drops: if every frame that may go went. */
static bool fits_after_drops(const struct p2p__queue *queue, uint32_t size)
{
    uint32_t const begun = queue->taken != 0 ? (*place(queue, 0))->size : 0;
    return size <= queue->bytes_max - begun;
}

enum p2p_sent p2p__queue_put(struct p2p__queue *queue, struct p2p__packet *packet)
{
    if (p2p__type_replaces(packet->type)) {
        drop_replaced(queue, packet->type);
    }
    bool dropped = false;
    if (queue->drops && fits_after_drops(queue, packet->size)) {
        while (!fits(queue, packet->size)) {
            queue_remove(queue, oldest_free(queue));
            queue->dropped++;
            dropped = true;
        }
    }
    if (!fits(queue, packet->size)) {
        queue->dropped++;
        return P2P_SENT_FULL;
    }
    *place(queue, queue->count) = packet;
    packet->holders++;
    queue->count++;
    queue->bytes += packet->size;
    queue_check(queue);
    return dropped ? P2P_SENT_DROPPED_OLDER : P2P_SENT_QUEUED;
}

uint32_t p2p__queue_take(struct p2p__queue *queue, uint8_t *out, uint32_t cap, uint64_t *finished)
{
    uint32_t copied = 0;
    while (queue->count != 0 && copied < cap) {
        const struct p2p__packet *packet = *place(queue, 0);
        uint32_t const left = packet->size - queue->taken;
        uint32_t const now = left < cap - copied ? left : cap - copied;
        memcpy(out + copied, packet->bytes + queue->taken, now);
        copied += now;
        queue->taken += now;
        if (queue->taken == packet->size) {
            queue->taken = 0;
            queue_remove(queue, 0);
            (*finished)++;
        }
    }
    queue_check(queue);
    return copied;
}

uint32_t p2p__queue_unfinished(const struct p2p__queue *queue)
{
    return queue->taken != 0 ? (*place(queue, 0))->size - queue->taken : 0;
}

void p2p__queue_rewind(struct p2p__queue *queue)
{
    queue->taken = 0;
}

void p2p__queue_clear(struct p2p__queue *queue)
{
    queue->taken = 0;
    while (queue->count != 0) {
        queue_remove(queue, 0);
        queue->dropped++;
    }
    queue_check(queue);
}
