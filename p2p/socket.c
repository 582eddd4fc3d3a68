#include "p2p/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include <uv.h>

#include "base/assert.h"
#include "base/heap.h"

struct p2p__socket {
    uv_tcp_t tcp;
    uv_connect_t connect;
    uv_write_t write;
    uint8_t *rest; /* owned: what the kernel has not taken; NULL when nothing is under way */
    uint8_t *read_buffer;
    const struct p2p__socket_events *events;
    void *owner;
};

struct p2p__socket *p2p__socket_open(struct uv_loop_s *loop,
                                     uint8_t *read_buffer,
                                     const struct p2p__socket_events *events,
                                     void *owner)
{
    struct p2p__socket *socket = nv_heap_alloc(sizeof(*socket));
    if (socket == NULL) {
        return NULL;
    }
    if (uv_tcp_init(loop, &socket->tcp) != 0) {
        nv_heap_free(socket);
        return NULL;
    }
    socket->tcp.data = socket;
    socket->read_buffer = read_buffer;
    socket->events = events;
    socket->owner = owner;
    return socket;
}

static void on_close(uv_handle_t *handle)
{
    struct p2p__socket *socket = handle->data;
    void (*on_closed)(void *owner) = socket->events->on_closed;
    void *owner = socket->owner;
    nv_heap_free(socket->rest);
    nv_heap_free(socket);
    on_closed(owner);
}

void p2p__socket_close(struct p2p__socket *socket)
{
    if (!uv_is_closing((const uv_handle_t *)&socket->tcp)) {
        uv_close((uv_handle_t *)&socket->tcp, on_close);
    }
}

static void on_connect(uv_connect_t *request, int status)
{
    struct p2p__socket *socket = request->handle->data;
    if (!uv_is_closing((const uv_handle_t *)&socket->tcp)) {
        (void)uv_tcp_nodelay(&socket->tcp, 1);
        socket->events->on_connected(socket->owner, status == 0);
    }
}

enum nv_err p2p__socket_connect(struct p2p__socket *socket, const struct sockaddr *address)
{
    int const result = uv_tcp_connect(&socket->connect, &socket->tcp, address, on_connect);
    return result == 0 ? NV_OK : NV_ERR_IO;
}

enum nv_err p2p__socket_accept(struct p2p__socket *socket, struct uv_stream_s *server)
{
    if (uv_accept(server, (uv_stream_t *)&socket->tcp) != 0) {
        return NV_ERR_IO;
    }
    (void)uv_tcp_nodelay(&socket->tcp, 1);
    return NV_OK;
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)suggested;
    struct p2p__socket *socket = handle->data;
    *out = uv_buf_init((char *)socket->read_buffer, P2P__READ_SIZE);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct p2p__socket *socket = stream->data;
    if (count > 0) {
        struct nv_view const bytes = nv_view_of(buffer->base, (uint32_t)count);
        socket->events->on_bytes(socket->owner, bytes);
    } else if (count < 0) {
        socket->events->on_ended(socket->owner);
    }
}

void p2p__socket_pause(struct p2p__socket *socket)
{
    (void)uv_read_stop((uv_stream_t *)&socket->tcp);
}

enum nv_err p2p__socket_read(struct p2p__socket *socket)
{
    int const result = uv_read_start((uv_stream_t *)&socket->tcp, on_alloc, on_read);
    return result == 0 || result == UV_EALREADY ? NV_OK : NV_ERR_IO;
}

static void on_write(uv_write_t *request, int status)
{
    struct p2p__socket *socket = request->handle->data;
    nv_heap_free(socket->rest);
    socket->rest = NULL;
    if (!uv_is_closing((const uv_handle_t *)&socket->tcp)) {
        socket->events->on_written(socket->owner, status == 0);
    }
}

enum nv_err p2p__socket_write(struct p2p__socket *socket, struct nv_view bytes)
{
    NV_ASSERT(socket->rest == NULL);
    union {
        const uint8_t *read;
        char *write;
    } const base = {.read = bytes.bytes}; /* libuv only reads it */
    uv_buf_t buffer = uv_buf_init(base.write, bytes.size);
    int const taken = uv_try_write((uv_stream_t *)&socket->tcp, &buffer, 1);
    if (taken < 0 && taken != UV_EAGAIN) {
        return NV_ERR_CLOSED;
    }
    uint32_t const done = taken > 0 ? (uint32_t)taken : 0;
    if (done == bytes.size) {
        return NV_OK;
    }
    socket->rest = nv_heap_alloc(bytes.size - done);
    if (socket->rest == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    memcpy(socket->rest, bytes.bytes + done, bytes.size - done);
    buffer = uv_buf_init((char *)socket->rest, bytes.size - done);
    if (uv_write(&socket->write, (uv_stream_t *)&socket->tcp, &buffer, 1, on_write) != 0) {
        nv_heap_free(socket->rest);
        socket->rest = NULL;
        return NV_ERR_CLOSED;
    }
    return NV_OK;
}

bool p2p__socket_writing(const struct p2p__socket *socket)
{
    return socket->rest != NULL;
}

uint64_t p2p__socket_unsent(const struct p2p__socket *socket)
{
    return uv_stream_get_write_queue_size((const uv_stream_t *)&socket->tcp);
}

static void text_of(char text[P2P_ADDRESS_SIZE], const struct sockaddr_storage *storage)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (storage->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)storage;
        (void)uv_ip6_name(in6, host, sizeof(host));
        (void)snprintf(text, P2P_ADDRESS_SIZE, "[%s]:%u", host, (unsigned)ntohs(in6->sin6_port));
    } else if (storage->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)storage;
        (void)uv_ip4_name(in, host, sizeof(host));
        (void)snprintf(text, P2P_ADDRESS_SIZE, "%s:%u", host, (unsigned)ntohs(in->sin_port));
    }
}

void p2p__socket_remote(const struct p2p__socket *socket,
                        struct p2p__address *address,
                        char text[P2P_ADDRESS_SIZE])
{
    struct sockaddr_storage storage = {.ss_family = AF_UNSPEC};
    int size = (int)sizeof(storage);
    (void)uv_tcp_getpeername(&socket->tcp, (struct sockaddr *)&storage, &size);
    text[0] = '\0';
    p2p__address_of(address, &storage);
    text_of(text, &storage);
}
