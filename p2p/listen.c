#include "p2p/listen.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <uv.h>

#include "base/heap.h"

#include "p2p/endpoint.h"
#include "p2p/session.h"
#include "p2p/state.h"

#define BACKLOG 128
/* SPEC p2p 7.6: "At most 100 connections are accepted in 100 ms" */
#define ACCEPTS_A_TICK 100u

struct p2p__listener {
    uv_tcp_t tcp;
    struct p2p *p2p;
    uint16_t port;
    uint32_t taken; /* since the last tick */
    bool waits;     /* a connection that was not taken: too many, or no memory */
};

static void on_close(uv_handle_t *handle)
{
    struct p2p__listener *listener = handle->data;
    struct p2p *p2p = listener->p2p;
    nv_heap_free(listener);
    p2p__handle_gone(p2p);
}

void p2p__listener_close(struct p2p__listener *listener)
{
    uv_close((uv_handle_t *)&listener->tcp, on_close);
}

/* take takes the next connection, or leaves it, and all after it, to the next tick. */
static void take(struct p2p__listener *listener, uv_stream_t *server)
{
    listener->waits =
        listener->taken >= ACCEPTS_A_TICK || !p2p__session_accept(listener->p2p, server);
    listener->taken += listener->waits ? 0 : 1;
}

static void on_connection(uv_stream_t *server, int status)
{
    struct p2p__listener *listener = server->data;
    if (status == 0) {
        take(listener, server);
    }
}

void p2p__listener_tick(struct p2p__listener *listener)
{
    listener->taken = 0;
    if (listener->waits) {
        take(listener, (uv_stream_t *)&listener->tcp);
    }
}

static enum nv_err bind_and_listen(struct p2p__listener *listener, const struct sockaddr *address)
{
    int result = uv_tcp_bind(&listener->tcp, address, 0);
    if (result == 0) {
        result = uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection);
    }
    struct sockaddr_storage bound = {.ss_family = AF_UNSPEC};
    int size = (int)sizeof(bound);
    if (result == 0) {
        result = uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&bound, &size);
    }
    if (result != 0) {
        return result == UV_EADDRINUSE ? NV_ERR_BUSY : NV_ERR_IO;
    }
    listener->port =
        ntohs(bound.ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)&bound)->sin6_port
                                          : ((const struct sockaddr_in *)&bound)->sin_port);
    return NV_OK;
}

enum nv_err p2p__listener_open(struct p2p__listener **out, struct p2p *p2p, const char *endpoint)
{
    struct p2p__endpoint parsed;
    struct sockaddr_storage address;
    if (p2p__endpoint_parse(&parsed, endpoint) != NV_OK ||
        p2p__endpoint_numeric(&address, &parsed) != NV_OK) {
        return NV_ERR_CONFIG;
    }
    struct p2p__listener *listener = nv_heap_alloc(sizeof(*listener));
    if (listener == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    if (uv_tcp_init(p2p->loop, &listener->tcp) != 0) {
        nv_heap_free(listener);
        return NV_ERR_IO;
    }
    listener->tcp.data = listener;
    listener->p2p = p2p;
    p2p->handles++;
    enum nv_err const err = bind_and_listen(listener, (const struct sockaddr *)&address);
    if (err != NV_OK) {
        p2p__listener_close(listener);
        return err;
    }
    *out = listener;
    return NV_OK;
}

uint16_t p2p__listener_port(const struct p2p__listener *listener)
{
    return listener->port;
}
