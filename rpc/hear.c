/* hear.c - what listeners are told when they can hear it: the beginning, once
 * their request is answered; and what they were left out of, once their output
 * has gone out (docs/spec/rpc.md section 6.5). */

#include "rpc/conn.h"
#include "rpc/hub.h"
#include "rpc/server.h"

static void begin(struct rpc_hub *hub, struct rpc_sub *sub)
{
    switch (rpc__channel_style(sub->channel->topic.kind)) {
    case RPC_STYLE_BOOK: rpc__book_begin(hub, sub); return;
    case RPC_STYLE_REPLACED: rpc__replaced_begin(hub, sub); return;
    case RPC_STYLE_ORDERED: break;
    }
    if (sub->channel->topic.kind == RPC_CHANNEL_ACCOUNT && sub->channel->account == 0) {
        rpc__account_begin(hub, sub);
        return;
    }
    sub->step = RPC_SUB_LIVE;
    rpc__tell_missed(hub, sub);
}

void rpc__hub_answered(struct rpc_conn *conn)
{
    struct rpc_sub *next = NULL;
    for (struct rpc_sub *sub = conn->subs; sub != NULL && !conn->closing; sub = next) {
        next = sub->conn_next;
        if (sub->step == RPC_SUB_NEW) {
            begin(conn->rpc->hub, sub); /* a tx channel may end here, no other */
        }
    }
}

/* catch_up tells one subscription what it was left out of. */
static void catch_up(struct rpc_sub *sub)
{
    if (sub->gap) {
        rpc__deliver_gap(sub);
    }
    if (sub->stale) {
        sub->stale = false;
        if (rpc__channel_style(sub->channel->topic.kind) == RPC_STYLE_BOOK) {
            rpc__book_again(sub->conn->rpc->hub, sub);
        } else {
            rpc__replaced_again(sub);
        }
    }
}

void rpc__hub_drained(struct rpc_conn *conn)
{
    if (!conn->lagging || conn->closing ||
        rpc__conn_pending(conn) > conn->rpc->limits.output_bytes / 4) {
        return;
    }
    conn->lagging = false;
    for (struct rpc_sub *sub = conn->subs; sub != NULL && !conn->closing; sub = sub->conn_next) {
        catch_up(sub);
    }
}
