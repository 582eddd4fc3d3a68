#include "rpc/client.h"

#include <jansson.h>
#include <llhttp.h>
#include <stdio.h>
#include <string.h>

#include "base/heap.h"

#include "rpc/json_write.h"
#include "rpc/request.h"
#include "rpc/socket.h"

#define BODY_MAX   (32u << 20)
#define READ_BYTES 65536u

struct rpc_client {
    llhttp_t parser; /* first: the callbacks get a pointer to it */
    struct rpc_socket socket;
    uint32_t timeout_ms;
    uint64_t id;
    struct json_t *error; /* of the last refused call */
    struct rpc_json body; /* a buffer: the answer's body */
    bool complete;
    bool keep_alive;
    uint8_t read[READ_BYTES];
};

enum nv_err rpc_client_open(struct rpc_client **out, const char *url, uint32_t timeout_ms)
{
    struct rpc_client *client = nv_heap_alloc(sizeof *client);
    if (client == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    enum nv_err const err = rpc__socket_init(&client->socket, url);
    if (err != NV_OK) {
        nv_heap_free(client);
        return err;
    }
    client->timeout_ms = timeout_ms;
    rpc__json_init(&client->body, BODY_MAX);
    *out = client;
    return NV_OK;
}

void rpc_client_close(struct rpc_client *client)
{
    if (client != NULL) {
        rpc__socket_close(&client->socket);
        rpc__json_deinit(&client->body);
        json_decref(client->error);
        nv_heap_free(client);
    }
}

const struct json_t *rpc_client_error(const struct rpc_client *client)
{
    return client->error;
}

/* ---- the answer's HTTP ---- */

static int on_body(llhttp_t *parser, const char *at, size_t size)
{
    struct rpc_client *client = (struct rpc_client *)(void *)parser;
    rpc__json_bytes(&client->body, at, (uint32_t)size);
    return client->body.failed ? HPE_USER : 0;
}

static int on_complete(llhttp_t *parser)
{
    struct rpc_client *client = (struct rpc_client *)(void *)parser;
    client->keep_alive = llhttp_should_keep_alive(parser) != 0;
    client->complete = parser->status_code != 100;
    return 0;
}

static enum nv_err answer_read(struct rpc_client *client, uint64_t deadline_ms, bool *any)
{
    static const llhttp_settings_t settings = {.on_body = on_body,
                                               .on_message_complete = on_complete};
    client->complete = false;
    rpc__json_reset(&client->body);
    llhttp_init(&client->parser, HTTP_RESPONSE, &settings);
    while (!client->complete) {
        uint32_t size = 0;
        NV_TRY(rpc__socket_recv(
            &client->socket, client->read, sizeof client->read, &size, deadline_ms));
        *any = true;
        if (llhttp_execute(&client->parser, (const char *)client->read, size) != HPE_OK) {
            return NV_ERR_MALFORMED;
        }
    }
    return NV_OK;
}

/* ---- one exchange ---- */

static enum nv_err
attempt(struct rpc_client *client, struct nv_view request, uint64_t deadline_ms, bool *any)
{
    NV_TRY(rpc__socket_send(&client->socket, request, deadline_ms));
    return answer_read(client, deadline_ms, any);
}

/* exchange sends a request and reads the answer. A connection that was kept
 * open may turn out to be closed: then once more on a new one. The node has not
 * said a word, and a transaction sent twice is executed once. */
static enum nv_err exchange(struct rpc_client *client, struct nv_view request)
{
    uint64_t const deadline_ms = rpc__socket_now() + client->timeout_ms;
    bool any = false;
    enum nv_err err = NV_ERR_CLOSED;
    if (client->socket.fd >= 0) {
        err = attempt(client, request, deadline_ms, &any);
    }
    if (err == NV_ERR_CLOSED && !any) {
        err = rpc__socket_connect(&client->socket, deadline_ms);
        if (err == NV_OK) {
            err = attempt(client, request, deadline_ms, &any);
        }
    }
    if (err != NV_OK || !client->keep_alive) {
        rpc__socket_close(&client->socket);
    }
    return err;
}

static int append(const char *bytes, size_t size, void *to)
{
    rpc__json_bytes(to, bytes, (uint32_t)size);
    return 0;
}

void rpc__request_write(struct rpc_json *out,
                        uint64_t id,
                        const char *method,
                        const struct json_t *params)
{
    rpc__json_object(out, NULL);
    rpc__json_text(out, "jsonrpc", "2.0");
    rpc__json_number(out, "id", (int64_t)id);
    rpc__json_text(out, "method", method);
    if (params != NULL) {
        rpc__json_raw(out, "params", nv_view_of(NULL, 0));
        json_dump_callback(params, append, out, JSON_COMPACT);
    }
    rpc__json_end(out, '}');
}

static void request_write(struct rpc_client *client,
                          struct rpc_json *out,
                          const char *method,
                          const struct json_t *params)
{
    char head[RPC_HOST_CAP + 256];
    struct rpc_json body;
    rpc__json_init(&body, BODY_MAX);
    rpc__request_write(&body, ++client->id, method, params);
    bool const v6 = strchr(client->socket.host, ':') != NULL;
    int const size =
        snprintf(head,
                 sizeof head,
                 "POST / HTTP/1.1\r\nHost: %s%s%s:%s\r\nContent-Type: application/json\r\n"
                 "Content-Length: %u\r\n\r\n",
                 v6 ? "[" : "",
                 client->socket.host,
                 v6 ? "]" : "",
                 client->socket.port,
                 body.size);
    rpc__json_bytes(out, head, (uint32_t)size);
    rpc__json_bytes(out, body.bytes, body.size);
    out->failed |= body.failed;
    rpc__json_deinit(&body);
}

/* answer_take gives the result, or keeps the error. */
static enum nv_err answer_take(struct rpc_client *client, struct json_t **result)
{
    json_error_t error = {0};
    struct json_t *answer = json_loadb(
        (const char *)client->body.bytes, client->body.size, JSON_REJECT_DUPLICATES, &error);
    struct json_t *found = json_object_get(answer, "result");
    client->error = json_incref(json_object_get(answer, "error"));
    *result = json_incref(found);
    json_decref(answer);
    if (found == NULL && client->error == NULL) {
        return NV_ERR_MALFORMED;
    }
    return client->error != NULL ? NV_ERR_REFUSED : NV_OK;
}

enum nv_err rpc_client_call(struct rpc_client *client,
                            struct json_t **result,
                            const char *method,
                            struct json_t *params)
{
    struct rpc_json request;
    *result = NULL;
    json_decref(client->error);
    client->error = NULL;
    rpc__json_init(&request, BODY_MAX);
    request_write(client, &request, method, params);
    json_decref(params);
    enum nv_err err =
        request.failed ? NV_ERR_NO_MEMORY : exchange(client, rpc__json_view(&request));
    rpc__json_deinit(&request);
    return err == NV_OK ? answer_take(client, result) : err;
}
