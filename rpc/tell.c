/* tell.c - what channels tell of blocks, events and transactions: the messages,
 * and those that a new listener has missed (docs/spec/rpc.md sections 6.3 and
 * 6.4). */

#include "rpc/error.h"
#include "rpc/hub.h"
#include "rpc/server.h"
#include "rpc/tx.h"

/* ---- blocks and events ---- */

bool rpc__channel_tells(const struct rpc_channel *channel, const struct vm_event *event)
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

struct rpc_told rpc__told_block(struct rpc_hub *hub, const struct rpc_ring_block *block)
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

struct rpc_told rpc__told_event(struct rpc_hub *hub,
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

/* ---- transactions ---- */

void rpc__tell_tx(struct rpc_hub *hub, const struct rpc_tx_outcome *outcome)
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

/* ---- what was missed ---- */

static void
replay_block(struct rpc_hub *hub, struct rpc_sub *sub, const struct rpc_ring_block *block)
{
    struct rpc_seq const start = {.height = block->head.height};
    if (sub->channel->topic.kind == RPC_CHANNEL_BLOCKS && rpc__seq_after(start, sub->last)) {
        struct rpc_told const told = rpc__told_block(hub, block);
        rpc__deliver(sub, &told);
        return;
    }
    for (uint32_t i = 0; i < block->event_count; i++) {
        struct vm_event event;
        struct rpc_seq const at = {.height = block->head.height, .index = i};
        struct rpc_seq const after = sub->gap ? sub->gap_to : sub->last;
        if (rpc__seq_after(at, after) && vm_event_decode(&event, block->events[i]) == NV_OK &&
            rpc__channel_tells(sub->channel, &event)) {
            struct rpc_told const told = rpc__told_event(hub, block, i, &event);
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
        rpc__tell_tx(hub, &outcome);
    }
}

void rpc__tell_missed(struct rpc_hub *hub, struct rpc_sub *sub)
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
