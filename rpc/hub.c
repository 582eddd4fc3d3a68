#include "rpc/hub.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "rpc/book.h"
#include "rpc/conn.h"
#include "rpc/server.h"

#define CHANNELS_MAX  65536u
#define MESSAGE_BYTES (8u << 20)

/* Beside the kinds: an account's channel is also found by its number. */
#define KEY_ACCOUNT_NUMBER RPC_CHANNEL_KINDS

struct rpc_hub *rpc__hub_new(struct rpc *rpc)
{
    struct rpc_hub *hub = nv_heap_alloc(sizeof *hub);
    if (hub == NULL) {
        return NULL;
    }
    hub->rpc = rpc;
    hub->slot_cap = CHANNELS_MAX;
    hub->index_size = nv_critbit_footprint(2 * CHANNELS_MAX);
    hub->ring_cap = rpc->limits.resume_blocks;
    void *memory = nv_heap_reserve(hub->index_size);
    hub->slots = nv_heap_reserve(CHANNELS_MAX * sizeof *hub->slots);
    hub->ring = nv_heap_alloc(hub->ring_cap * sizeof *hub->ring);
    rpc__json_init(&hub->message, MESSAGE_BYTES);
    rpc__json_init(&hub->data, MESSAGE_BYTES);
    hub->ring_first = 1;
    if (memory != NULL) {
        hub->index = nv_critbit_init(memory, 2 * CHANNELS_MAX);
    }
    if (memory == NULL || hub->slots == NULL || hub->ring == NULL) {
        rpc__hub_free(hub);
        return NULL;
    }
    return hub;
}

static void channel_free(struct rpc_channel *channel)
{
    rpc__json_deinit(&channel->latest);
    rpc__book_free(channel->book);
    nv_heap_free(channel);
}

void rpc__hub_free(struct rpc_hub *hub)
{
    if (hub == NULL) {
        return;
    }
    while (hub->channels != NULL) {
        struct rpc_channel *channel = hub->channels;
        NV_ASSERT(channel->subs == NULL);
        hub->channels = channel->next;
        channel_free(channel);
    }
    rpc__ring_free(hub);
    if (hub->index != NULL) {
        nv_heap_unreserve(hub->index, hub->index_size);
    }
    if (hub->slots != NULL) {
        nv_heap_unreserve(hub->slots, CHANNELS_MAX * sizeof *hub->slots);
    }
    rpc__json_deinit(&hub->message);
    rpc__json_deinit(&hub->data);
    nv_heap_free(hub);
}

/* ---- channels ---- */

void rpc__account_key(struct nv_row_key *key, uint64_t account)
{
    memset(key->bytes, 0, sizeof key->bytes);
    key->bytes[0] = KEY_ACCOUNT_NUMBER;
    nv_be64_store(key->bytes + 1, account);
}

struct rpc_channel *rpc__hub_find(struct rpc_hub *hub, const struct nv_row_key *key)
{
    uint32_t slot = 0;
    return nv_critbit_lookup(hub->index, key->bytes, &slot) ? hub->slots[slot] : NULL;
}

void rpc__hub_index_account(struct rpc_hub *hub, struct rpc_channel *channel)
{
    struct nv_row_key key;
    rpc__account_key(&key, channel->account);
    channel->id_indexed = nv_critbit_insert(hub->index, key.bytes, channel->slot) == NV_OK;
}

static bool slot_take(struct rpc_hub *hub, uint32_t *slot)
{
    for (uint32_t i = 0; i < hub->slot_cap; i++) {
        *slot = (hub->slot_next + i) % hub->slot_cap;
        if (hub->slots[*slot] == NULL) {
            hub->slot_next = *slot + 1;
            return true;
        }
    }
    return false;
}

static struct rpc_channel *
channel_new(struct rpc_hub *hub, const struct rpc_topic *topic, const char *name)
{
    struct rpc_channel *channel = nv_heap_alloc(sizeof *channel);
    if (channel == NULL || !slot_take(hub, &channel->slot)) {
        nv_heap_free(channel);
        return NULL;
    }
    channel->topic = *topic;
    rpc__topic_key(&channel->key, topic);
    memcpy(channel->name, name, strlen(name) + 1);
    rpc__json_init(&channel->latest, MESSAGE_BYTES);
    if (nv_critbit_insert(hub->index, channel->key.bytes, channel->slot) != NV_OK) {
        channel_free(channel);
        return NULL;
    }
    hub->slots[channel->slot] = channel;
    channel->next = hub->channels;
    hub->channels = channel;
    return channel;
}

void rpc__channel_idle(struct rpc_hub *hub, struct rpc_channel *channel)
{
    if (channel->subs != NULL || channel->busy > 0) {
        return;
    }
    struct rpc_channel **at = &hub->channels;
    while (*at != channel) {
        at = &(*at)->next;
    }
    *at = channel->next;
    nv_critbit_remove(hub->index, channel->key.bytes, NULL);
    if (channel->id_indexed) {
        struct nv_row_key key;
        rpc__account_key(&key, channel->account);
        nv_critbit_remove(hub->index, key.bytes, NULL);
    }
    hub->slots[channel->slot] = NULL;
    channel_free(channel);
}

/* ---- subscriptions ---- */

struct rpc_sub *rpc__hub_subscription(struct rpc_conn *conn, const char *name)
{
    struct rpc_sub *sub = conn->subs;
    while (sub != NULL && strcmp(sub->channel->name, name) != 0) {
        sub = sub->conn_next;
    }
    return sub;
}

struct rpc_sub *
rpc__hub_join(struct rpc_conn *conn, const struct rpc_topic *topic, const char *name)
{
    struct rpc_hub *hub = conn->rpc->hub;
    struct nv_row_key key;
    rpc__topic_key(&key, topic);
    struct rpc_channel *channel = rpc__hub_find(hub, &key);
    if (channel == NULL) {
        channel = channel_new(hub, topic, name);
    }
    struct rpc_sub *sub = nv_heap_alloc(sizeof *sub);
    if (channel == NULL || sub == NULL) {
        nv_heap_free(sub);
        if (channel != NULL) {
            rpc__channel_idle(hub, channel);
        }
        return NULL;
    }
    sub->conn = conn;
    sub->channel = channel;
    sub->step = RPC_SUB_NEW;
    sub->last = rpc__ring_position(hub);
    sub->conn_next = conn->subs;
    conn->subs = sub;
    conn->sub_count++;
    sub->channel_next = channel->subs;
    channel->subs = sub;
    return sub;
}

void rpc__sub_end(struct rpc_hub *hub, struct rpc_sub *sub)
{
    struct rpc_sub **at = &sub->conn->subs;
    while (*at != sub) {
        at = &(*at)->conn_next;
    }
    *at = sub->conn_next;
    sub->conn->sub_count--;
    at = &sub->channel->subs;
    while (*at != sub) {
        at = &(*at)->channel_next;
    }
    *at = sub->channel_next;
    rpc__channel_idle(hub, sub->channel);
    nv_heap_free(sub);
}

void rpc__hub_leave(struct rpc_conn *conn)
{
    while (conn->subs != NULL) {
        rpc__sub_end(conn->rpc->hub, conn->subs);
    }
}
