/* stream.c - executed blocks as streams of events, and the ring of blocks from
 * which a stream is resumed (docs/spec/rpc.md sections 6.3 and 6.4). */

#include <string.h>

#include "base/heap.h"

#include "rpc/error.h"
#include "rpc/hub.h"
#include "rpc/recent.h"
#include "rpc/server.h"
#include "rpc/tx.h"
#include "vm/rows.h"

#define RING_BYTES_MAX (64u << 20)

/* ---- the ring ---- */

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

/* ring_put adds a block and drops what no longer fits. */
static const struct rpc_ring_block *
ring_put(struct rpc_hub *hub, const struct rpc_executed *executed)
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
bool rpc__stream_holds(const struct rpc_hub *hub, struct rpc_seq seq)
{
    struct rpc_seq const newest = rpc__stream_position(hub);
    return !rpc__seq_after(seq, newest) && seq.height >= hub->ring_first;
}

struct rpc_seq rpc__stream_position(const struct rpc_hub *hub)
{
    const struct rpc_ring_block *newest = rpc__ring_block(hub, hub->rpc->head.height);
    return (struct rpc_seq){.height = hub->rpc->head.height,
                            .index = newest != NULL ? newest->event_count : 0};
}

/* ---- events to channels ---- */

/* tells returns whether an ordered channel tells this event. */
static bool tells(const struct rpc_channel *channel, const struct vm_event *event)
{
    switch (channel->topic.kind) {
    case RPC_CHANNEL_TRADES:
        return event->kind == VM_EVENT_AUCTION && vm_lots_raw(event->auction.lots) > 0 &&
               event->auction.market == channel->topic.listing.market;
    case RPC_CHANNEL_ACCOUNT:
        return channel->account != 0 && rpc__event_account(event) == channel->account;
    case RPC_CHANNEL_LIQUIDATIONS: return event->kind == VM_EVENT_PROTECTION;
    case RPC_CHANNEL_BOOK:
    case RPC_CHANNEL_TICKER:
    case RPC_CHANNEL_ORACLE:
    case RPC_CHANNEL_FUNDING:
    case RPC_CHANNEL_BLOCKS:
    case RPC_CHANNEL_TX:
    case RPC_CHANNEL_CONSENSUS:
    case RPC_CHANNEL_KINDS: return false;
    }
    return false;
}

/* tell_block makes the message of `blocks`. */
static struct rpc_told tell_block(struct rpc_hub *hub, const struct rpc_ring_block *block)
{
    struct rpc_json *data = &hub->data;
    rpc__json_reset(data);
    rpc__json_object(data, NULL);
    rpc__json_u64(data, "height", block->head.height);
    rpc__json_hash(data, "block_hash", &block->head.block_hash);
    rpc__json_hash(data, "state_root", &block->head.state_root);
    rpc__json_number(data, "tx_count", block->tx_count);
    rpc__json_number(data, "event_count", block->event_count);
    rpc__json_end(data, '}');
    return (struct rpc_told){.type = "update",
                             .seq = {.height = block->head.height},
                             .time_ms = block->head.time_ms,
                             .data = rpc__json_view(data)};
}

static struct rpc_told tell_event(struct rpc_hub *hub,
                                  const struct rpc_ring_block *block,
                                  uint32_t index,
                                  const struct vm_event *event)
{
    rpc__json_reset(&hub->data);
    rpc__event_write(&hub->data, NULL, &hub->rpc->catalogue, event);
    return (struct rpc_told){.type = "update",
                             .seq = {.height = block->head.height, .index = index},
                             .time_ms = block->head.time_ms,
                             .data = rpc__json_view(&hub->data)};
}

/* channels_of writes the keys of the ordered channels that tell an event. */
static uint32_t channels_of(const struct vm_event *event, struct nv_row_key keys[3])
{
    uint32_t count = 0;
    struct rpc_topic topic = {0};
    uint64_t const account = rpc__event_account(event);
    if (account != 0) {
        rpc__account_key(&keys[count++], account);
    }
    if (event->kind == VM_EVENT_AUCTION) {
        topic.kind = RPC_CHANNEL_TRADES;
        topic.listing.market = event->auction.market;
        rpc__topic_key(&keys[count++], &topic);
    }
    if (event->kind == VM_EVENT_PROTECTION) {
        topic.kind = RPC_CHANNEL_LIQUIDATIONS;
        rpc__topic_key(&keys[count++], &topic);
    }
    return count;
}

static void publish_event(struct rpc_hub *hub,
                          const struct rpc_ring_block *block,
                          uint32_t index,
                          const struct vm_event *event)
{
    struct nv_row_key keys[3];
    uint32_t const count = channels_of(event, keys);
    for (uint32_t i = 0; i < count; i++) {
        struct rpc_channel *channel = rpc__hub_find(hub, &keys[i]);
        if (channel != NULL && tells(channel, event)) {
            struct rpc_told const told = tell_event(hub, block, index, event);
            rpc__deliver_all(channel, &told);
        }
    }
}

/* mark_dirty notes which replaced channels an event makes old. */
static void mark_dirty(struct rpc_hub *hub, const struct vm_event *event)
{
    static const enum rpc_channel_kind of_market[] = {RPC_CHANNEL_TICKER, RPC_CHANNEL_FUNDING};
    struct nv_row_key key;
    struct rpc_topic topic = {0};
    struct rpc_channel *channel = NULL;
    if (event->kind == VM_EVENT_INDEX) {
        topic.kind = RPC_CHANNEL_ORACLE;
        topic.feed.feed = event->index.feed;
        rpc__topic_key(&key, &topic);
        channel = rpc__hub_find(hub, &key);
        if (channel != NULL) {
            channel->dirty = true;
        }
    }
    if (!rpc__event_market(event, &topic.listing.market)) {
        return;
    }
    for (uint32_t i = 0; i < 2; i++) {
        topic.kind = of_market[i];
        rpc__topic_key(&key, &topic);
        channel = rpc__hub_find(hub, &key);
        if (channel != NULL) {
            channel->dirty = true;
        }
    }
}

static void publish_events(struct rpc_hub *hub, const struct rpc_ring_block *block)
{
    for (uint32_t i = 0; i < block->event_count; i++) {
        struct vm_event event;
        if (vm_event_decode(&event, block->events[i]) == NV_OK) {
            rpc__recent_note(hub->rpc->recent, &block->head, i, &event);
            publish_event(hub, block, i, &event);
            mark_dirty(hub, &event);
        }
    }
}

/* publish_channel does what a block means to one channel besides its events. */
static void publish_channel(struct rpc_hub *hub,
                            struct rpc_channel *channel,
                            const struct rpc_ring_block *block,
                            const struct rpc_executed *executed)
{
    if (channel->topic.kind == RPC_CHANNEL_BLOCKS) {
        struct rpc_told const told = tell_block(hub, block);
        rpc__deliver_all(channel, &told);
    } else if (channel->topic.kind == RPC_CHANNEL_BOOK) {
        rpc__book_block(hub, channel, block);
    } else if (channel->topic.kind == RPC_CHANNEL_ACCOUNT) {
        rpc__account_block(hub, channel, executed);
    } else if (channel->dirty) {
        rpc__replaced_refresh(hub, channel);
    }
}

/* ---- transactions ---- */

/* tell_tx tells what became of a transaction and ends the subscriptions. */
static void tell_tx(struct rpc_hub *hub, const struct rpc_tx_outcome *outcome)
{
    struct rpc_topic const topic = {.kind = RPC_CHANNEL_TX, .hash = outcome->hash};
    struct nv_row_key key;
    rpc__topic_key(&key, &topic);
    struct rpc_channel *channel = rpc__hub_find(hub, &key);
    if (channel == NULL) {
        return;
    }
    struct rpc_json *data = &hub->data;
    rpc__json_reset(data);
    rpc__json_object(data, NULL);
    rpc__tx_outcome_write(data, outcome);
    rpc__json_text(data, "dropped", outcome->final ? NULL : rpc__error_name(outcome->reason));
    rpc__json_end(data, '}');
    struct rpc_told const told = {.type = "update",
                                  .seq = {.height = hub->rpc->head.height, .index = outcome->index},
                                  .time_ms = hub->rpc->head.time_ms,
                                  .data = rpc__json_view(data)};
    channel->busy++;
    for (struct rpc_sub *sub = channel->subs; sub != NULL; sub = sub->channel_next) {
        rpc__deliver(sub, &told);
    }
    while (channel->subs != NULL) {
        rpc__sub_end(hub, channel->subs);
    }
    channel->busy--;
    rpc__channel_idle(hub, channel);
}

void rpc__hub_dropped(struct rpc_hub *hub, const struct nv_hash *tx_hash, int32_t reason)
{
    struct rpc_tx_outcome const outcome = {.hash = *tx_hash, .reason = reason};
    tell_tx(hub, &outcome);
}

/* ---- a block ---- */

void rpc__hub_publish(struct rpc_hub *hub, const struct rpc_executed *executed)
{
    const struct rpc_ring_block *block = ring_put(hub, executed);
    if (block == NULL) {
        return; /* no memory: resumed streams will find it missing */
    }
    publish_events(hub, block);
    struct rpc_channel *next = NULL;
    for (struct rpc_channel *channel = hub->channels; channel != NULL; channel = next) {
        next = channel->next;
        publish_channel(hub, channel, block, executed);
    }
    for (uint32_t i = 0; i < executed->tx_count; i++) {
        struct rpc_tx_outcome const outcome = {.hash = executed->txs[i].hash,
                                               .final = true,
                                               .height = executed->head.height,
                                               .index = i,
                                               .receipt = executed->txs[i].receipt};
        tell_tx(hub, &outcome);
    }
}

/* ---- resuming ---- */

static void
replay_block(struct rpc_hub *hub, struct rpc_sub *sub, const struct rpc_ring_block *block)
{
    struct rpc_seq const start = {.height = block->head.height};
    if (sub->channel->topic.kind == RPC_CHANNEL_BLOCKS && rpc__seq_after(start, sub->last)) {
        struct rpc_told const told = tell_block(hub, block);
        rpc__deliver(sub, &told);
        return;
    }
    for (uint32_t i = 0; i < block->event_count; i++) {
        struct vm_event event;
        struct rpc_seq const at = {.height = block->head.height, .index = i};
        struct rpc_seq const after = sub->gap ? sub->gap_to : sub->last;
        if (rpc__seq_after(at, after) && vm_event_decode(&event, block->events[i]) == NV_OK &&
            tells(sub->channel, &event)) {
            struct rpc_told const told = tell_event(hub, block, i, &event);
            rpc__deliver(sub, &told);
        }
    }
}

/* replay_tx tells of a transaction that was executed before anybody listened. */
static void replay_tx(struct rpc_hub *hub, const struct nv_hash *hash)
{
    struct rpc_tx tx = {0};
    if (hub->rpc->port.tx(hub->rpc->port.ctx, hash, &tx) == NV_OK && tx.state == RPC_TX_FINAL) {
        struct rpc_tx_outcome const outcome = {.hash = *hash,
                                               .final = true,
                                               .height = tx.height,
                                               .index = tx.index,
                                               .receipt = tx.receipt};
        tell_tx(hub, &outcome);
    }
}

void rpc__stream_replay(struct rpc_hub *hub, struct rpc_sub *sub)
{
    if (sub->channel->topic.kind == RPC_CHANNEL_TX) {
        struct nv_hash const hash = sub->channel->topic.hash;
        replay_tx(hub, &hash);
        return;
    }
    uint64_t const first = sub->last.height > hub->ring_first ? sub->last.height : hub->ring_first;
    for (uint64_t height = first; height <= hub->rpc->head.height; height++) {
        const struct rpc_ring_block *block = rpc__ring_block(hub, height);
        if (block != NULL) {
            replay_block(hub, sub, block);
        }
    }
}
