/* replaced.c - channels of state that is replaced: tickers, oracle, funding,
 * consensus. What they tell is the result of the method that reads the same;
 * it is read anew when a block has touched it, and told when it differs. */

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "rpc/call.h"
#include "rpc/hub.h"

/* One reading on the state. */
struct refresh {
    struct rpc_call call; /* first */
    struct rpc_channel *channel;
};

static const char *method_of(enum rpc_channel_kind kind)
{
    return kind == RPC_CHANNEL_TICKER    ? "market_ticker"
           : kind == RPC_CHANNEL_ORACLE  ? "market_oracle"
           : kind == RPC_CHANNEL_FUNDING ? "market_funding"
                                         : NULL;
}

static struct rpc_told told_of(const struct rpc_channel *channel, const char *type)
{
    return (struct rpc_told){.type = type,
                             .seq = {.height = channel->latest_head.height},
                             .time_ms = channel->latest_head.time_ms,
                             .data = rpc__json_view(&channel->latest)};
}

void rpc__replaced_again(struct rpc_sub *sub)
{
    if (sub->channel->has_latest) {
        struct rpc_told const told = told_of(sub->channel, "update");
        rpc__deliver(sub, &told);
    }
}

static void replace(struct rpc_channel *channel, const struct rpc_head *head, struct nv_view data)
{
    bool const same = channel->has_latest && nv_view_eq(rpc__json_view(&channel->latest), data);
    if (!same) {
        rpc__json_reset(&channel->latest);
        rpc__json_bytes(&channel->latest, data.bytes, data.size);
        channel->latest_head = *head;
        channel->has_latest = !channel->latest.failed;
    }
    for (struct rpc_sub *sub = channel->subs; sub != NULL && channel->has_latest;
         sub = sub->channel_next) {
        if (sub->step == RPC_SUB_WAITING) {
            sub->step = RPC_SUB_LIVE;
            struct rpc_told const told = told_of(channel, "snapshot");
            rpc__deliver(sub, &told);
        } else if (sub->step == RPC_SUB_LIVE && !same) {
            struct rpc_told const told = told_of(channel, "update");
            rpc__deliver(sub, &told);
        }
    }
}

static void refreshed(struct rpc_work *work)
{
    struct refresh *refresh = (struct refresh *)(void *)work;
    struct rpc_channel *channel = refresh->channel;
    struct rpc_call *call = &refresh->call;
    struct rpc_hub *hub = call->rpc->hub;
    bool const good = work->job.err == NV_OK && call->fault.code == 0;
    channel->refreshing = false;
    if (good) {
        rpc__json_end(&call->out, '}');
        replace(channel, &call->head, rpc__json_view(&call->out));
    }
    channel->dirty |= !good; /* then the next block tries again */
    channel->busy--;
    call->step = RPC_CALL_DONE;
    rpc__call_deinit(call);
    nv_heap_free(refresh);
    if (channel->dirty && good && channel->subs != NULL) {
        rpc__replaced_refresh(hub, channel);
    }
    rpc__channel_idle(hub, channel);
}

void rpc__replaced_refresh(struct rpc_hub *hub, struct rpc_channel *channel)
{
    const char *method = method_of(channel->topic.kind);
    if (method == NULL || channel->refreshing || channel->subs == NULL) {
        return;
    }
    struct refresh *refresh = nv_heap_alloc(sizeof *refresh);
    if (refresh == NULL) {
        return; /* it stays dirty: the next block tries again */
    }
    struct rpc_call *call = &refresh->call;
    refresh->channel = channel;
    call->rpc = hub->rpc;
    call->method = rpc__method_find(hub->rpc, method);
    call->listing = channel->topic.listing;
    call->feed = channel->topic.feed;
    call->work.job.run = rpc__call_run_on_state;
    call->work.done = refreshed;
    rpc__json_init(&call->out, channel->latest.limit);
    channel->refreshing = true;
    channel->dirty = false;
    channel->busy++;
    if (rpc__work_start(hub->rpc, &call->work) != NV_OK) {
        channel->refreshing = false;
        channel->dirty = true;
        channel->busy--;
        rpc__call_deinit(call);
        nv_heap_free(refresh);
    }
}

void rpc__replaced_begin(struct rpc_hub *hub, struct rpc_sub *sub)
{
    struct rpc_channel *channel = sub->channel;
    if (channel->has_latest && !channel->dirty && !channel->refreshing) {
        sub->step = RPC_SUB_LIVE;
        struct rpc_told const told = told_of(channel, "snapshot");
        rpc__deliver(sub, &told);
        return;
    }
    sub->step = RPC_SUB_WAITING;
    channel->dirty = true;
    rpc__replaced_refresh(hub, channel);
}

/* ---- consensus ---- */

static const char *step_name(enum rpc_round_step step)
{
    switch (step) {
    case RPC_ROUND_ENTERED: return "entered";
    case RPC_ROUND_PROPOSED: return "proposed";
    case RPC_ROUND_NOTARISED: return "notarised";
    case RPC_ROUND_NULLIFIED: return "nullified";
    case RPC_ROUND_FINALISED: return "finalised";
    }
    return "unknown";
}

void rpc__hub_round(struct rpc_hub *hub, const struct rpc_round *round)
{
    struct rpc_topic const topic = {.kind = RPC_CHANNEL_CONSENSUS};
    struct nv_row_key key;
    rpc__topic_key(&key, &topic);
    struct rpc_channel *channel = rpc__hub_find(hub, &key);
    if (channel == NULL) {
        return;
    }
    struct rpc_json *data = &hub->data;
    rpc__json_reset(data);
    rpc__json_object(data, NULL);
    rpc__json_text(data, "step", step_name(round->step));
    rpc__json_u64(data, "view", round->view);
    if (round->height != 0) {
        rpc__json_u64(data, "height", round->height);
    } else {
        rpc__json_null(data, "height");
    }
    rpc__json_number(data, "leader", round->leader);
    rpc__json_number(data, "time_ms", (int64_t)round->time_ms);
    rpc__json_end(data, '}');
    replace(channel, &hub->rpc->head, rpc__json_view(data));
}
