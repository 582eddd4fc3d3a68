/* account_stream.c - an account's channel is named by its address, and events
 * speak of its number: the row of the address tells it, now or when the
 * account is opened. */

#include <string.h>

#include "base/heap.h"

#include "rpc/hub.h"
#include "rpc/server.h"
#include "vm/rows.h"

struct lookup {
    struct rpc_work work; /* first */
    struct rpc *rpc;
    struct rpc_channel *channel;
    struct nv_address address;
    uint64_t account; /* 0: there is none */
};

static void run(struct rpc_job *job, const struct rpc_state *state)
{
    struct lookup *lookup = (struct lookup *)(void *)job;
    struct nv_row_key key;
    struct nv_view value = {0};
    struct vm_address_row row;
    vm_key_address(&key, &lookup->address);
    if (state->ops->get(state->ctx, &value, &key) == NV_OK &&
        vm_address_row_decode(&row, value) == NV_OK) {
        lookup->account = row.account;
    }
}

/* go_live starts everybody who waits for the account. */
static void go_live(struct rpc_hub *hub, struct rpc_channel *channel)
{
    for (struct rpc_sub *sub = channel->subs; sub != NULL; sub = sub->channel_next) {
        if (sub->step == RPC_SUB_WAITING) {
            sub->step = RPC_SUB_LIVE;
            rpc__tell_missed(hub, sub);
        }
    }
}

static void found(struct rpc_hub *hub, struct rpc_channel *channel, uint64_t account)
{
    if (account != 0 && channel->account == 0) {
        channel->account = account;
        rpc__hub_index_account(hub, channel);
    }
    if (channel->account != 0) {
        go_live(hub, channel);
    }
}

static void done(struct rpc_work *work)
{
    struct lookup *lookup = (struct lookup *)(void *)work;
    struct rpc_hub *hub = lookup->rpc->hub;
    struct rpc_channel *channel = lookup->channel;
    channel->refreshing = false;
    found(hub, channel, lookup->account);
    channel->busy--;
    rpc__channel_idle(hub, channel);
    nv_heap_free(lookup);
}

void rpc__account_begin(struct rpc_hub *hub, struct rpc_sub *sub)
{
    struct rpc_channel *channel = sub->channel;
    sub->step = RPC_SUB_WAITING;
    if (channel->refreshing) {
        return;
    }
    struct lookup *lookup = nv_heap_alloc(sizeof *lookup);
    channel->dirty = lookup == NULL;
    if (lookup == NULL) {
        return;
    }
    lookup->rpc = hub->rpc;
    lookup->channel = channel;
    lookup->address = channel->topic.address;
    lookup->work.job.run = run;
    lookup->work.done = done;
    channel->refreshing = true;
    channel->busy++;
    if (rpc__work_start(hub->rpc, &lookup->work) != NV_OK) {
        channel->refreshing = false;
        channel->dirty = true; /* the next block tries again */
        channel->busy--;
        nv_heap_free(lookup);
    }
}

/* written finds a row among the writes, which are sorted. */
static const struct nv_row *written(const struct rpc_executed *block, const struct nv_row_key *key)
{
    uint32_t low = 0;
    uint32_t high = block->write_count;
    while (low < high) {
        uint32_t const middle = low + (high - low) / 2;
        int const order = nv_row_key_cmp(&block->writes[middle].key, key);
        if (order == 0) {
            return &block->writes[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

void rpc__account_block(struct rpc_hub *hub,
                        struct rpc_channel *channel,
                        const struct rpc_executed *block)
{
    struct nv_row_key key;
    struct vm_address_row row;
    if (channel->account != 0) {
        return;
    }
    if (channel->dirty && channel->subs != NULL) {
        rpc__account_begin(hub, channel->subs);
        return;
    }
    vm_key_address(&key, &channel->topic.address);
    const struct nv_row *opened = written(block, &key);
    if (opened != NULL && opened->value.bytes != NULL &&
        vm_address_row_decode(&row, opened->value) == NV_OK) {
        found(hub, channel, row.account);
    }
}
