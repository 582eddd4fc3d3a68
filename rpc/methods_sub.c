/* methods_sub.c - sub_*: subscriptions of a WebSocket. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "rpc/call.h"
#include "rpc/conn.h"
#include "rpc/exchange.h"
#include "rpc/hub.h"
#include "rpc/methods.h"

static const char FORMS[] =
#define XX(symbol, prefix, suffix, argument, style) prefix "{" #argument "}" suffix " "
#include "rpc/channels.def"
#undef XX
    ;

/* socket_of returns the WebSocket that the call came by; NULL: the call has
 * failed. */
static struct rpc_conn *socket_of(struct rpc_call *call)
{
    if (call->exchange->conn == NULL || !call->exchange->stream) {
        rpc__call_fail(call, RPC_ERROR_NO_STREAM);
        return NULL;
    }
    return call->exchange->conn;
}

static void channel_fault(struct rpc_call *call, int32_t code, const char *name)
{
    bool const form = code == RPC_ERROR_UNKNOWN_CHANNEL;
    rpc__fault_field(&call->fault, code, "channels", form ? FORMS : "");
    snprintf(call->fault.got, sizeof call->fault.got, "%.60s", name);
}

/* resume_of reads where a channel is to be resumed; false: the call has failed. */
static bool resume_of(struct rpc_call *call,
                      const char *name,
                      const struct rpc_topic *topic,
                      struct rpc_seq *seq)
{
    const struct json_t *value = json_object_get(json_object_get(call->params, "resume"), name);
    if (value == NULL) {
        *seq = rpc__ring_position(call->rpc->hub);
        return true;
    }
    struct nv_view const text =
        nv_view_of(json_string_value(value), (uint32_t)json_string_length(value));
    if (!rpc__seq_parse(text, &seq->height, &seq->index)) {
        rpc__fault_field(&call->fault, RPC_ERROR_INVALID_PARAMS, "resume", "height:index");
        return false;
    }
    bool const ordered = rpc__channel_style(topic->kind) == RPC_STYLE_ORDERED;
    if (ordered && !rpc__ring_holds(call->rpc->hub, *seq)) {
        channel_fault(call, RPC_ERROR_RESUME_TOO_OLD, name);
        return false;
    }
    return true;
}

/* check looks at every channel of the request before any is subscribed to. */
static bool check(struct rpc_call *call, const struct rpc_conn *conn, const struct json_t *names)
{
    size_t const count = json_array_size(names);
    if (count + conn->sub_count > call->rpc->limits.subscriptions) {
        rpc__call_fail(call, RPC_ERROR_TOO_MANY_SUBSCRIPTIONS);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        struct rpc_topic topic;
        struct rpc_seq seq;
        int32_t const code = rpc__topic_read(&topic, &call->rpc->catalogue, name);
        if (code != 0) {
            channel_fault(call, code, name);
            return false;
        }
        if (!resume_of(call, name, &topic, &seq)) {
            return false;
        }
    }
    return true;
}

static bool join(struct rpc_call *call, struct rpc_conn *conn, const char *name)
{
    struct rpc_topic topic;
    struct rpc_seq seq = {0};
    char text[RPC_SEQ_TEXT];
    (void)rpc__topic_read(&topic, &call->rpc->catalogue, name);
    (void)resume_of(call, name, &topic, &seq);
    if (rpc__hub_subscription(conn, name) == NULL) {
        struct rpc_sub *sub = rpc__hub_join(conn, &topic, name);
        if (sub == NULL) {
            rpc__call_fail(call, RPC_ERROR_BUSY);
            return false;
        }
        sub->last = seq;
    }
    rpc__seq_format(text, seq.height, seq.index);
    rpc__json_object(&call->out, NULL);
    rpc__json_text(&call->out, "channel", name);
    rpc__json_text(&call->out, "seq", text);
    rpc__json_end(&call->out, '}');
    return true;
}

void rpc__sub_subscribe(struct rpc_call *call)
{
    const struct json_t *names = json_object_get(call->params, "channels");
    struct rpc_conn *conn = socket_of(call);
    if (conn == NULL || !check(call, conn, names)) {
        return;
    }
    rpc__json_array(&call->out, "channels");
    for (size_t i = 0; i < json_array_size(names); i++) {
        if (!join(call, conn, json_string_value(json_array_get(names, i)))) {
            return;
        }
    }
    rpc__json_end(&call->out, ']');
}

void rpc__sub_unsubscribe(struct rpc_call *call)
{
    const struct json_t *names = json_object_get(call->params, "channels");
    struct rpc_conn *conn = socket_of(call);
    if (conn == NULL) {
        return;
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (rpc__hub_subscription(conn, name) == NULL) {
            channel_fault(call, RPC_ERROR_NOT_SUBSCRIBED, name);
            return;
        }
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        struct rpc_sub *sub =
            rpc__hub_subscription(conn, json_string_value(json_array_get(names, i)));
        if (sub != NULL) {
            rpc__sub_end(call->rpc->hub, sub);
        }
    }
    rpc__json_number(&call->out, "subscriptions", conn->sub_count);
}
