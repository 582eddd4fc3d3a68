/* stream.c - executed blocks as streams of events (docs/spec/rpc.md section
 * 6.3). */

#include "rpc/hub.h"
#include "rpc/recent.h"
#include "rpc/server.h"
#include "rpc/tx.h"

/* ---- events to channels ---- */

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
        if (channel != NULL && rpc__channel_tells(channel, event)) {
            struct rpc_told const told = rpc__told_event(hub, block, index, event);
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
        struct rpc_told const told = rpc__told_block(hub, block);
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

void rpc__hub_dropped(struct rpc_hub *hub, const struct nv_hash *tx_hash, int32_t reason)
{
    struct rpc_tx_outcome const outcome = {.hash = *tx_hash, .reason = reason};
    rpc__tell_tx(hub, &outcome);
}

/* ---- a block ---- */

void rpc__hub_publish(struct rpc_hub *hub, const struct rpc_executed *executed)
{
    const struct rpc_ring_block *block = rpc__ring_put(hub, executed);
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
        rpc__tell_tx(hub, &outcome);
    }
}
