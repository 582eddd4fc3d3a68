/* deliver.c - one message to one listener (docs/spec/rpc.md section 6.2, 6.5). */

#include "rpc/conn.h"
#include "rpc/hub.h"
#include "rpc/server.h"
#include "rpc/ws.h"

static void write_seq(struct rpc_json *json, const char *key, struct rpc_seq seq)
{
    char text[RPC_SEQ_TEXT];
    rpc__seq_format(text, seq.height, seq.index);
    rpc__json_text(json, key, text);
}

static void message_begin(struct rpc_json *json, const struct rpc_sub *sub, const char *type)
{
    rpc__json_reset(json);
    rpc__json_object(json, NULL);
    rpc__json_text(json, "jsonrpc", "2.0");
    rpc__json_text(json, "method", "subscription");
    rpc__json_object(json, "params");
    rpc__json_text(json, "channel", sub->channel->name);
    rpc__json_text(json, "type", type);
}

static void message_end(struct rpc_json *json, struct rpc_conn *conn)
{
    rpc__json_end(json, '}');
    rpc__json_end(json, '}');
    if (!json->failed) {
        rpc__ws_send(conn, rpc__json_view(json));
    }
    rpc__conn_flush(conn);
}

static void send_told(struct rpc_sub *sub, const struct rpc_told *told)
{
    struct rpc_json *json = &sub->conn->rpc->hub->message;
    message_begin(json, sub, told->type);
    write_seq(json, "seq", told->seq);
    write_seq(json, "prev_seq", sub->last);
    rpc__json_u64(json, "height", told->seq.height);
    rpc__json_number(json, "block_time_ms", (int64_t)told->time_ms);
    rpc__json_raw(json, "data", told->data);
    message_end(json, sub->conn);
    sub->last = told->seq;
}

void rpc__deliver_gap(struct rpc_sub *sub)
{
    struct rpc_json *json = &sub->conn->rpc->hub->message;
    message_begin(json, sub, "gap");
    write_seq(json, "seq", sub->gap_to);
    write_seq(json, "prev_seq", sub->last);
    rpc__json_null(json, "height");
    rpc__json_null(json, "block_time_ms");
    rpc__json_object(json, "data");
    write_seq(json, "from", sub->last);
    write_seq(json, "to", sub->gap_to);
    rpc__json_end(json, '}');
    message_end(json, sub->conn);
    sub->last = sub->gap_to;
    sub->gap = false;
    sub->conn->rpc->counters.gaps++;
}

static bool slow(const struct rpc_conn *conn)
{
    return rpc__conn_pending(conn) > conn->rpc->limits.output_bytes / 2;
}

void rpc__deliver(struct rpc_sub *sub, const struct rpc_told *told)
{
    struct rpc_conn *conn = sub->conn;
    bool const ordered = rpc__channel_style(sub->channel->topic.kind) == RPC_STYLE_ORDERED;
    if (conn->closing || conn->mode != RPC_CONN_WEBSOCKET) {
        return;
    }
    if (!slow(conn) && !sub->gap && !sub->stale) {
        send_told(sub, told);
        return;
    }
    conn->lagging = true;
    if (ordered) {
        sub->gap = true;
        sub->gap_to = told->seq;
    } else {
        sub->stale = true;
        conn->rpc->counters.messages_conflated++;
    }
}

void rpc__deliver_all(struct rpc_channel *channel, const struct rpc_told *told)
{
    for (struct rpc_sub *sub = channel->subs; sub != NULL; sub = sub->channel_next) {
        if (sub->step == RPC_SUB_LIVE) {
            rpc__deliver(sub, told);
        }
    }
}
