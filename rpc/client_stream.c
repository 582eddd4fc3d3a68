#include "rpc/client_stream.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/heap.h"
#include "base/random.h"
#include "base/websocket.h"

#include "rpc/json_write.h"
#include "rpc/request.h"
#include "rpc/socket.h"

#define MESSAGE_MAX (32u << 20)
#define HEAD_MAX    8192u

static const char KEY[] = "dGhlIHNhbXBsZSBub25jZQ=="; /* its value is of no account */

struct rpc_stream {
    struct rpc_socket socket;
    wslay_event_context_ptr wslay;
    uint64_t deadline_ms;   /* of the reading or writing at hand */
    enum nv_err err;        /* why a callback failed */
    struct json_t *message; /* the newest whole message, not taken yet */
    struct json_t *early;   /* array: messages that came with others */
    struct json_t *error;   /* why the subscription was refused */
};

/* ---- wslay's side ---- */

static ssize_t
recv_bytes(wslay_event_context_ptr wslay, uint8_t *to, size_t cap, int flags, void *user)
{
    struct rpc_stream *stream = user;
    uint32_t size = 0;
    (void)flags;
    if (stream->message != NULL) {
        wslay_event_set_error(wslay, WSLAY_ERR_WOULDBLOCK); /* one at a time */
        return -1;
    }
    stream->err = rpc__socket_recv(&stream->socket, to, (uint32_t)cap, &size, stream->deadline_ms);
    if (stream->err != NV_OK) {
        bool const later = stream->err == NV_ERR_TIMEOUT;
        wslay_event_set_error(wslay, later ? WSLAY_ERR_WOULDBLOCK : WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)size;
}

static ssize_t
send_bytes(wslay_event_context_ptr wslay, const uint8_t *bytes, size_t size, int flags, void *user)
{
    struct rpc_stream *stream = user;
    (void)flags;
    uint64_t const deadline_ms = rpc__socket_now() + 5000;
    stream->err = rpc__socket_send(&stream->socket, nv_view_of(bytes, (uint32_t)size), deadline_ms);
    if (stream->err != NV_OK) {
        wslay_event_set_error(wslay, WSLAY_ERR_CALLBACK_FAILURE);
        return -1;
    }
    return (ssize_t)size;
}

static int mask_bytes(wslay_event_context_ptr wslay, uint8_t *to, size_t size, void *user)
{
    (void)wslay;
    (void)user;
    nv_random_bytes(to, size);
    return 0;
}

static void on_message(wslay_event_context_ptr wslay,
                       const struct wslay_event_on_msg_recv_arg *message,
                       void *user)
{
    struct rpc_stream *stream = user;
    json_error_t error = {0};
    (void)wslay;
    if (message->opcode != WSLAY_TEXT_FRAME) {
        return;
    }
    struct json_t *value = json_loadb((const char *)message->msg, message->msg_length, 0, &error);
    if (value == NULL) {
        stream->err = NV_ERR_MALFORMED;
    } else if (stream->message == NULL) {
        stream->message = value;
    } else {
        json_array_append_new(stream->early, value); /* came in the same bytes */
    }
}

/* ---- the handshake ---- */

static enum nv_err head_send(struct rpc_stream *stream)
{
    char head[RPC_HOST_CAP + 256];
    const char *host = stream->socket.host;
    bool const v6 = strchr(host, ':') != NULL;
    int const size = snprintf(head,
                              sizeof head,
                              "GET / HTTP/1.1\r\nHost: %s%s%s:%s\r\nUpgrade: websocket\r\n"
                              "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Key: %s\r\n\r\n",
                              v6 ? "[" : "",
                              host,
                              v6 ? "]" : "",
                              stream->socket.port,
                              KEY);
    return rpc__socket_send(&stream->socket, nv_view_of(head, (uint32_t)size), stream->deadline_ms);
}

/* head_read reads byte by byte, so that no frame behind the head is taken. */
static enum nv_err head_read(struct rpc_stream *stream)
{
    char head[HEAD_MAX];
    char accept[NV_WEBSOCKET_ACCEPT_TEXT];
    uint32_t size = 0;
    do {
        uint32_t got = 0;
        if (size + 1 >= sizeof head) {
            return NV_ERR_TOO_LARGE;
        }
        NV_TRY(rpc__socket_recv(
            &stream->socket, (uint8_t *)head + size, 1, &got, stream->deadline_ms));
        size += got;
        head[size] = '\0';
    } while (size < 4 || memcmp(head + size - 4, "\r\n\r\n", 4) != 0);
    NV_TRY(nv_websocket_accept(accept, nv_view_of_text(KEY)));
    bool const switched = strncmp(head, "HTTP/1.1 101 ", 13) == 0;
    return switched && strstr(head, accept) != NULL ? NV_OK : NV_ERR_REFUSED;
}

static enum nv_err websocket_open(struct rpc_stream *stream)
{
    static const struct wslay_event_callbacks callbacks = {
        .recv_callback = recv_bytes,
        .send_callback = send_bytes,
        .genmask_callback = mask_bytes,
        .on_msg_recv_callback = on_message,
    };
    NV_TRY(rpc__socket_connect(&stream->socket, stream->deadline_ms));
    NV_TRY(head_send(stream));
    NV_TRY(head_read(stream));
    if (wslay_event_context_client_init(&stream->wslay, &callbacks, stream) != 0) {
        return NV_ERR_NO_MEMORY;
    }
    wslay_event_config_set_max_recv_msg_length(stream->wslay, MESSAGE_MAX);
    return NV_OK;
}

/* ---- messages ---- */

static enum nv_err say(struct rpc_stream *stream, struct nv_view text)
{
    struct wslay_event_msg const message = {
        .opcode = WSLAY_TEXT_FRAME, .msg = text.bytes, .msg_length = text.size};
    if (wslay_event_queue_msg(stream->wslay, &message) != 0) {
        return NV_ERR_NO_MEMORY;
    }
    return wslay_event_send(stream->wslay) == 0 ? NV_OK : NV_ERR_CLOSED;
}

/* hear gives the next message of any kind. */
static enum nv_err hear(struct rpc_stream *stream, struct json_t **message)
{
    if (json_array_size(stream->early) > 0) {
        *message = json_incref(json_array_get(stream->early, 0));
        json_array_remove(stream->early, 0);
        return NV_OK;
    }
    while (stream->message == NULL) {
        stream->err = NV_OK;
        int const result = wslay_event_recv(stream->wslay);
        int const sent = wslay_event_send(stream->wslay); /* answers to pings */
        if (stream->message != NULL) {
            break;
        }
        if (stream->err != NV_OK) {
            return stream->err;
        }
        if (result != 0 || sent != 0 || !wslay_event_want_read(stream->wslay)) {
            return NV_ERR_CLOSED;
        }
    }
    *message = stream->message;
    stream->message = NULL;
    return NV_OK;
}

static enum nv_err request_send(struct rpc_stream *stream, const struct json_t *params)
{
    struct rpc_json request;
    rpc__json_init(&request, MESSAGE_MAX);
    rpc__request_write(&request, 1, "sub_subscribe", params);
    enum nv_err const err =
        request.failed ? NV_ERR_NO_MEMORY : say(stream, rpc__json_view(&request));
    rpc__json_deinit(&request);
    return err;
}

/* answer_await waits for the answer; notifications that come first are kept. */
static enum nv_err answer_await(struct rpc_stream *stream, struct json_t *kept)
{
    for (;;) {
        struct json_t *message = NULL;
        NV_TRY(hear(stream, &message));
        if (json_object_get(message, "id") != NULL) {
            stream->error = json_incref(json_object_get(message, "error"));
            json_decref(message);
            return stream->error != NULL ? NV_ERR_REFUSED : NV_OK;
        }
        json_array_append_new(kept, message);
    }
}

enum nv_err
rpc_stream_subscribe(struct rpc_stream *stream, struct json_t *params, uint32_t timeout_ms)
{
    stream->deadline_ms = rpc__socket_now() + timeout_ms;
    enum nv_err err = websocket_open(stream);
    if (err == NV_OK) {
        err = request_send(stream, params);
    }
    json_decref(params);
    if (err == NV_OK) {
        struct json_t *kept = json_array();
        err = answer_await(stream, kept);
        json_array_extend(kept, stream->early);
        json_decref(stream->early);
        stream->early = kept;
    }
    return err;
}

const struct json_t *rpc_stream_error(const struct rpc_stream *stream)
{
    return stream->error;
}

enum nv_err rpc_stream_new(struct rpc_stream **out, const char *url)
{
    struct rpc_stream *stream = nv_heap_alloc(sizeof *stream);
    if (stream == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    enum nv_err const err = rpc__socket_init(&stream->socket, url);
    if (err != NV_OK) {
        nv_heap_free(stream);
        return err;
    }
    stream->early = json_array();
    *out = stream;
    return NV_OK;
}

void rpc_stream_close(struct rpc_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    if (stream->wslay != NULL) {
        wslay_event_context_free(stream->wslay);
    }
    rpc__socket_close(&stream->socket);
    json_decref(stream->message);
    json_decref(stream->early);
    json_decref(stream->error);
    nv_heap_free(stream);
}

enum nv_err rpc_stream_next(struct rpc_stream *stream, struct json_t **params, uint32_t timeout_ms)
{
    struct json_t *message = NULL;
    stream->deadline_ms = rpc__socket_now() + timeout_ms;
    NV_TRY(hear(stream, &message));
    struct json_t *found = json_object_get(message, "params");
    *params = json_incref(found);
    json_decref(message);
    return found != NULL ? NV_OK : NV_ERR_MALFORMED;
}
