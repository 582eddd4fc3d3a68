#include "rpc/client.h"

#include <errno.h>
#include <jansson.h>
#include <llhttp.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/heap.h"

#define HOST_SIZE  128u
#define PORT_SIZE  8u
#define ANSWER_MAX (16u << 20)
#define HEAD_SIZE  512u

struct rpc_client {
    char host[HOST_SIZE];
    char port[PORT_SIZE];
    uint32_t timeout_ms;
    int fd; /* -1 while not connected */
    uint64_t id;
    json_t *error;
    /* the answer under way */
    char *body;
    size_t body_size;
    size_t body_cap;
    bool done;
    bool keep_alive;
    bool too_large;
};

enum nv_err rpc_client_open(struct rpc_client **out, const char *url, uint32_t timeout_ms)
{
    static const char scheme[] = "http://";
    const char *at = strncmp(url, scheme, sizeof scheme - 1) == 0 ? url + sizeof scheme - 1 : url;
    size_t length = strlen(at);
    if (length > 0 && at[length - 1] == '/') {
        length--;
    }
    const char *const colon = memchr(at, ':', length);
    if (colon == NULL || colon == at || (size_t)(colon - at) >= HOST_SIZE ||
        length - (size_t)(colon - at) - 1 >= PORT_SIZE || length - (size_t)(colon - at) == 1) {
        return NV_ERR_CONFIG;
    }
    struct rpc_client *const client = nv_heap_alloc(sizeof *client);
    if (client == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    memset(client, 0, sizeof *client);
    memcpy(client->host, at, (size_t)(colon - at));
    memcpy(client->port, colon + 1, length - (size_t)(colon - at) - 1);
    client->timeout_ms = timeout_ms;
    client->fd = -1;
    *out = client;
    return NV_OK;
}

static void hang_up(struct rpc_client *client)
{
    if (client->fd >= 0) {
        (void)close(client->fd);
        client->fd = -1;
    }
}

void rpc_client_close(struct rpc_client *client)
{
    if (client != NULL) {
        hang_up(client);
        json_decref(client->error);
        nv_heap_free(client->body);
        nv_heap_free(client);
    }
}

static int try_address(const struct rpc_client *client, const struct addrinfo *address)
{
    int const fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    struct timeval const limit = {
        .tv_sec = (time_t)(client->timeout_ms / 1000),
        .tv_usec = (suseconds_t)(client->timeout_ms % 1000 * 1000),
    };
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
        connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static enum nv_err dial(struct rpc_client *client)
{
    struct addrinfo const hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    if (getaddrinfo(client->host, client->port, &hints, &list) != 0) {
        return NV_ERR_CLOSED;
    }
    for (const struct addrinfo *a = list; a != NULL && client->fd < 0; a = a->ai_next) {
        client->fd = try_address(client, a);
    }
    freeaddrinfo(list);
    return client->fd >= 0 ? NV_OK : NV_ERR_CLOSED;
}

static enum nv_err send_all(struct rpc_client *client, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t const sent = send(client->fd, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return sent < 0 && errno == EAGAIN ? NV_ERR_TIMEOUT : NV_ERR_CLOSED;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
    return NV_OK;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
    struct rpc_client *const client = parser->data;
    if (client->body_size + length > ANSWER_MAX) {
        client->too_large = true;
        return -1;
    }
    if (client->body_size + length > client->body_cap) {
        size_t const cap = 2 * (client->body_size + length);
        char *const larger = nv_heap_alloc(cap);
        if (larger == NULL) {
            return -1;
        }
        if (client->body_size > 0) {
            memcpy(larger, client->body, client->body_size);
        }
        nv_heap_free(client->body);
        client->body = larger;
        client->body_cap = cap;
    }
    memcpy(client->body + client->body_size, at, length);
    client->body_size += length;
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    struct rpc_client *const client = parser->data;
    client->done = true;
    client->keep_alive = llhttp_should_keep_alive(parser) != 0;
    return 0;
}

static enum nv_err receive(struct rpc_client *client)
{
    llhttp_settings_t settings;
    llhttp_t parser;
    llhttp_settings_init(&settings);
    settings.on_body = on_body;
    settings.on_message_complete = on_complete;
    llhttp_init(&parser, HTTP_RESPONSE, &settings);
    parser.data = client;
    client->body_size = 0;
    client->done = false;
    while (!client->done) {
        char bytes[16384];
        ssize_t const got = recv(client->fd, bytes, sizeof bytes, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno == EAGAIN) {
            return NV_ERR_TIMEOUT;
        }
        if (got <= 0) {
            return NV_ERR_CLOSED;
        }
        if (llhttp_execute(&parser, bytes, (size_t)got) != HPE_OK) {
            return client->too_large ? NV_ERR_TOO_LARGE : NV_ERR_MALFORMED;
        }
    }
    return NV_OK;
}

/* exchange sends one request and reads its answer. */
static enum nv_err exchange(struct rpc_client *client, const char *text, size_t size)
{
    char head[HEAD_SIZE];
    int const head_size = snprintf(head,
                                   sizeof head,
                                   "POST / HTTP/1.1\r\nHost: %s:%s\r\n"
                                   "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
                                   client->host,
                                   client->port,
                                   size);
    enum nv_err err = client->fd >= 0 ? NV_OK : dial(client);
    if (err == NV_OK) {
        err = send_all(client, head, (size_t)head_size);
    }
    if (err == NV_OK) {
        err = send_all(client, text, size);
    }
    if (err == NV_OK) {
        err = receive(client);
    }
    if (err != NV_OK || !client->keep_alive) {
        hang_up(client);
    }
    return err;
}

/* take reads result or error out of the answer. */
static enum nv_err take(struct rpc_client *client, json_t **result)
{
    json_t *const answer =
        json_loadb(client->body, client->body_size, JSON_REJECT_DUPLICATES, NULL);
    json_t *const good = json_object_get(answer, "result");
    json_t *const bad = json_object_get(answer, "error");
    enum nv_err err = NV_ERR_MALFORMED;
    if (good != NULL) {
        *result = json_incref(good);
        err = NV_OK;
    } else if (json_is_object(bad)) {
        client->error = json_incref(bad);
        err = NV_ERR_REFUSED;
    }
    json_decref(answer);
    return err;
}

enum nv_err
rpc_client_call(struct rpc_client *client, json_t **result, const char *method, json_t *params)
{
    json_decref(client->error);
    client->error = NULL;
    client->id++;
    json_t *const request = json_pack("{s:s, s:I, s:s, s:o}",
                                      "jsonrpc",
                                      "2.0",
                                      "id",
                                      (json_int_t)client->id,
                                      "method",
                                      method,
                                      "params",
                                      params != NULL ? params : json_object());
    char *const text = request == NULL ? NULL : json_dumps(request, JSON_COMPACT);
    json_decref(request);
    if (text == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    bool const reused = client->fd >= 0;
    enum nv_err err = exchange(client, text, strlen(text));
    if (err == NV_ERR_CLOSED && reused) {
        err = exchange(client, text, strlen(text)); /* the node had closed an idle connection */
    }
    json_free_t release = NULL;
    json_get_alloc_funcs(NULL, &release);
    release(text);
    return err == NV_OK ? take(client, result) : err;
}

const json_t *rpc_client_error(const struct rpc_client *client)
{
    return client->error;
}
