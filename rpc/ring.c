/* ring.c - the newest blocks, from which a stream is resumed
 * (docs/spec/rpc.md section 6.4). */

#include <string.h>

#include "base/heap.h"

#include "rpc/hub.h"
#include "rpc/server.h"
#include "vm/rows.h"

#define RING_BYTES_MAX (64u << 20)

static void block_free(struct rpc_hub *hub, struct rpc_ring_block *block)
{
    hub->ring_bytes -= block->bytes;
    nv_heap_free(block->events);
    nv_heap_free(block->levels);
    memset(block, 0, sizeof *block);
}

void rpc__ring_free(struct rpc_hub *hub)
{
    for (uint32_t i = 0; hub->ring != NULL && i < hub->ring_cap; i++) {
        block_free(hub, &hub->ring[i]);
    }
    nv_heap_free(hub->ring);
    hub->ring = NULL;
}

const struct rpc_ring_block *rpc__ring_block(const struct rpc_hub *hub, uint64_t height)
{
    const struct rpc_ring_block *block = &hub->ring[height % hub->ring_cap];
    bool const held = height >= hub->ring_first && height <= hub->rpc->head.height;
    return held && block->head.height == height ? block : NULL;
}

/* copy_events copies views and what they view into one piece of memory. */
static struct nv_view *copy_events(const struct rpc_executed *block, size_t *bytes)
{
    size_t size = block->event_count * sizeof *block->events;
    for (uint32_t i = 0; i < block->event_count; i++) {
        size += block->events[i].size;
    }
    struct nv_view *events = nv_heap_alloc(size);
    if (events == NULL) {
        return NULL;
    }
    uint8_t *to = (uint8_t *)(events + block->event_count);
    for (uint32_t i = 0; i < block->event_count; i++) {
        events[i] = nv_view_of(to, block->events[i].size);
        memcpy(to, block->events[i].bytes, block->events[i].size);
        to += block->events[i].size;
    }
    *bytes += size;
    return events;
}

static bool is_level(const struct nv_row *row)
{
    return row->key.bytes[0] == VM_TABLE_LEVEL;
}

/* copy_levels does the same for the rows of table 04 among the writes. */
static struct nv_row *copy_levels(const struct rpc_executed *block, uint32_t *count, size_t *bytes)
{
    size_t size = 0;
    *count = 0;
    for (uint32_t i = 0; i < block->write_count; i++) {
        if (is_level(&block->writes[i])) {
            size += sizeof *block->writes + block->writes[i].value.size;
            (*count)++;
        }
    }
    struct nv_row *levels = nv_heap_alloc(size);
    if (levels == NULL) {
        return NULL;
    }
    uint8_t *to = (uint8_t *)(levels + *count);
    uint32_t at = 0;
    for (uint32_t i = 0; i < block->write_count; i++) {
        const struct nv_row *row = &block->writes[i];
        if (is_level(row)) {
            levels[at] = *row;
            if (row->value.bytes != NULL) {
                memcpy(to, row->value.bytes, row->value.size);
                levels[at].value.bytes = to;
                to += row->value.size;
            }
            at++;
        }
    }
    *bytes += size;
    return levels;
}

static void ring_clear(struct rpc_hub *hub, uint64_t first)
{
    for (uint32_t i = 0; i < hub->ring_cap; i++) {
        block_free(hub, &hub->ring[i]);
    }
    hub->ring_first = first;
}

const struct rpc_ring_block *rpc__ring_put(struct rpc_hub *hub, const struct rpc_executed *executed)
{
    uint64_t const height = executed->head.height;
    struct rpc_ring_block *block = &hub->ring[height % hub->ring_cap];
    block_free(hub, block);
    block->head = executed->head;
    block->event_count = executed->event_count;
    block->tx_count = executed->tx_count;
    block->events = copy_events(executed, &block->bytes);
    block->levels = copy_levels(executed, &block->level_count, &block->bytes);
    if (block->events == NULL || block->levels == NULL) {
        ring_clear(hub, height + 1);
        return NULL;
    }
    hub->ring_bytes += block->bytes;
    if (height >= hub->ring_cap && hub->ring_first <= height - hub->ring_cap) {
        hub->ring_first = height - hub->ring_cap + 1;
    }
    while (hub->ring_bytes > RING_BYTES_MAX && hub->ring_first < height) {
        block_free(hub, &hub->ring[hub->ring_first % hub->ring_cap]);
        hub->ring_first++;
    }
    return block;
}

/* SPEC rpc 6: "`resume {channel: seq}` sends what came after `seq`, as far back as 256 blocks" */
bool rpc__ring_holds(const struct rpc_hub *hub, struct rpc_seq seq)
{
    struct rpc_seq const newest = rpc__ring_position(hub);
    return !rpc__seq_after(seq, newest) && seq.height >= hub->ring_first;
}

struct rpc_seq rpc__ring_position(const struct rpc_hub *hub)
{
    const struct rpc_ring_block *newest = rpc__ring_block(hub, hub->rpc->head.height);
    return (struct rpc_seq){.height = hub->rpc->head.height,
                            .index = newest != NULL ? newest->event_count : 0};
}
