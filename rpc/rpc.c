#include "rpc/rpc.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/random.h"

#include "rpc/conn.h"
#include "rpc/methods.h"
#include "rpc/net.h"
#include "rpc/recent.h"
#include "rpc/server.h"
#include "rpc/subscribe.h"

#define SWEEP_MS 250u
#define BACKLOG  128

static const char LISTEN_DEFAULT[] = "127.0.0.1:27657";

uint16_t rpc_listen_port(const struct rpc *rpc)
{
    return rpc->net->port;
}

uint16_t rpc_metrics_port(const struct rpc *rpc)
{
    return rpc->net->metrics_port;
}

/* ---- addresses ---- */

static bool is_loopback(const struct sockaddr_storage *address)
{
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)address;
        return (ntohl(in->sin_addr.s_addr) >> 24) == 127;
    }
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)address;
    return IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr) != 0;
}

/* address_read reads "host:port" with a numeric host, IPv6 in brackets. */
static enum nv_err address_read(struct sockaddr_storage *out, const char *text)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    if (colon == NULL || (size_t)(colon - text) >= sizeof host) {
        return NV_ERR_CONFIG;
    }
    int port = 0;
    char rest = '\0';
    if (sscanf(colon + 1, "%5d%c", &port, &rest) != 1 || port < 0 || port > UINT16_MAX) {
        return NV_ERR_CONFIG;
    }
    size_t size = (size_t)(colon - text);
    bool const bracketed = size >= 2 && text[0] == '[' && text[size - 1] == ']';
    text += bracketed ? 1 : 0;
    size -= bracketed ? 2 : 0;
    memcpy(host, text, size);
    host[size] = '\0';
    memset(out, 0, sizeof *out);
    int const result = bracketed ? uv_ip6_addr(host, port, (struct sockaddr_in6 *)(void *)out)
                                 : uv_ip4_addr(host, port, (struct sockaddr_in *)(void *)out);
    return result == 0 ? NV_OK : NV_ERR_CONFIG;
}

static uint16_t port_of(const uv_tcp_t *tcp)
{
    struct sockaddr_storage address;
    int size = sizeof address;
    if (uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &size) != 0) {
        return 0;
    }
    return address.ss_family == AF_INET
               ? ntohs(((struct sockaddr_in *)(void *)&address)->sin_port)
               : ntohs(((struct sockaddr_in6 *)(void *)&address)->sin6_port);
}

/* ---- opening ---- */

/* accept_on takes a connection, or leaves it for the timer to try again. */
static void accept_on(struct rpc *rpc, struct rpc_listener *listener)
{
    bool const metrics_only = listener == &rpc->net->metrics;
    listener->pending = !rpc__conn_accept(rpc, (uv_stream_t *)&listener->tcp, metrics_only);
}

static void on_connection(uv_stream_t *stream, int status)
{
    if (status == 0) {
        accept_on(stream->data, (struct rpc_listener *)(void *)stream);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct rpc *rpc = timer->data;
    struct rpc_net *net = rpc->net;
    uint64_t const now_ms = rpc__now(rpc);
    struct rpc_conn *next = NULL;
    for (struct rpc_conn *conn = rpc->conns; conn != NULL; conn = next) {
        next = conn->next;
        rpc__conn_sweep(conn, now_ms);
    }
    rpc__waits_expire(&rpc->waits, now_ms);
    if (net->listener.pending) {
        accept_on(rpc, &net->listener);
    }
    if (net->metrics.pending) {
        accept_on(rpc, &net->metrics);
    }
}

static enum nv_err err_of_uv(int result, const char *address)
{
    nv_log(NV_LOG_ERROR,
           "event=rpc_listen_failed address=%s reason=\"%s\"",
           address,
           uv_strerror(result));
    return result == UV_EADDRINUSE ? NV_ERR_BUSY
           : result == UV_EACCES   ? NV_ERR_PERMISSION
                                   : NV_ERR_IO;
}

static enum nv_err listen_on(struct rpc *rpc, uv_tcp_t *tcp, const char *text, bool *loopback)
{
    struct rpc_net *net = rpc->net;
    struct sockaddr_storage address;
    NV_TRY(address_read(&address, text));
    int result = uv_tcp_init(net->loop, tcp);
    if (result != 0) {
        return err_of_uv(result, text);
    }
    net->handles++;
    tcp->data = rpc;
    *loopback = is_loopback(&address);
    result = uv_tcp_bind(tcp, (const struct sockaddr *)&address, 0);
    if (result == 0) {
        result = uv_listen((uv_stream_t *)tcp, BACKLOG, on_connection);
    }
    return result == 0 ? NV_OK : err_of_uv(result, text);
}

static enum nv_err start(struct rpc *rpc, const struct rpc_config *config)
{
    struct rpc_net *net = rpc->net;
    bool metrics_loopback = true;
    const char *listen = config->listen != NULL ? config->listen : LISTEN_DEFAULT;
    int const result = uv_timer_init(net->loop, &net->timer);
    if (result != 0) {
        return err_of_uv(result, listen);
    }
    net->handles++;
    net->timer.data = rpc;
    uv_timer_start(&net->timer, on_timer, SWEEP_MS, SWEEP_MS);
    NV_TRY(listen_on(rpc, &net->listener.tcp, listen, &rpc->loopback));
    net->port = port_of(&net->listener.tcp);
    if (config->metrics != NULL) {
        NV_TRY(listen_on(rpc, &net->metrics.tcp, config->metrics, &metrics_loopback));
        net->metrics_port = port_of(&net->metrics.tcp);
    }
    return NV_OK;
}

static enum nv_err copy_texts(char **to, uint32_t *count, const char *const *from, uint32_t size)
{
    if (size > RPC_HOSTS_MAX) {
        return NV_ERR_CONFIG;
    }
    for (uint32_t i = 0; i < size; i++) {
        size_t const length = strlen(from[i]) + 1;
        to[i] = nv_heap_alloc(length);
        if (to[i] == NULL) {
            return NV_ERR_NO_MEMORY;
        }
        memcpy(to[i], from[i], length);
        *count = i + 1;
    }
    return NV_OK;
}

static enum nv_err
create(struct rpc **out, const struct rpc_config *config, const struct rpc_port *port)
{
    struct rpc *rpc = nv_heap_alloc(sizeof *rpc);
    *out = rpc;
    if (rpc == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    rpc->port = *port;
    rpc->limits = config->limits;
    rpc->devnet = config->devnet;
    rpc->methods = rpc__methods(&rpc->method_count);
    rpc__limits_fill(&rpc->limits);
    rpc__waits_init(&rpc->waits);
    uint64_t seed = 0;
    nv_random_bytes(&seed, sizeof seed);
    rpc__buckets_init(&rpc->buckets, &rpc->limits, seed);
    rpc->net = nv_heap_alloc(sizeof *rpc->net);
    rpc->hub = rpc__hub_new(rpc);
    rpc->recent = rpc__recent_new();
    if (rpc->net == NULL || rpc->hub == NULL || rpc->recent == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    rpc->net->loop = config->loop;
    NV_TRY(copy_texts(rpc->hosts, &rpc->host_count, config->hosts, config->host_count));
    return copy_texts(rpc->origins, &rpc->origin_count, config->origins, config->origin_count);
}

enum nv_err rpc_open(struct rpc **out, const struct rpc_config *config, const struct rpc_port *port)
{
    struct rpc *rpc = NULL;
    json_object_seed(0);
    enum nv_err err = create(&rpc, config, port);
    if (err == NV_OK) {
        err = start(rpc, config);
        if (err == NV_OK) {
            *out = rpc;
            return NV_OK;
        }
        rpc_close(rpc, NULL, NULL); /* the loop has handles to close first */
        return err;
    }
    if (rpc != NULL) {
        rpc__server_free(rpc);
    }
    return err;
}

/* ---- closing ---- */

static void on_handle_closed(uv_handle_t *handle)
{
    struct rpc *rpc = handle->data;
    rpc->net->handles--;
    rpc__close_step(rpc);
}

static void close_handle(uv_handle_t *handle)
{
    if (handle->data != NULL) { /* it was opened */
        uv_close(handle, on_handle_closed);
    }
}

void rpc_close(struct rpc *rpc, void (*closed)(void *ctx), void *ctx)
{
    NV_ASSERT(!rpc->closing);
    rpc->closing = true;
    rpc->net->closed = closed;
    rpc->net->closed_ctx = ctx;
    for (struct rpc_conn *conn = rpc->conns; conn != NULL; conn = conn->next) {
        rpc__conn_close(conn);
    }
    close_handle((uv_handle_t *)&rpc->net->listener);
    close_handle((uv_handle_t *)&rpc->net->metrics);
    close_handle((uv_handle_t *)&rpc->net->timer);
    rpc__close_step(rpc);
}

/* ---- what the node gives back ---- */

void rpc_job_done(struct rpc *rpc, struct rpc_job *job)
{
    struct rpc_work *work = (struct rpc_work *)(void *)job;
    NV_ASSERT(rpc->borrowed > 0);
    work->done(work);
    rpc->borrowed--;
    rpc__close_step(rpc);
}
