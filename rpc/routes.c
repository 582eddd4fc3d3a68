#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "rpc/conn.h"
#include "rpc/exchange.h"
#include "rpc/http.h"
#include "rpc/metrics.h"
#include "rpc/server.h"
#include "rpc/status.h"

#define TEXT_BYTES (4u << 20)

static const char PLAIN[] = "text/plain; charset=utf-8";

/* ---- who may ask ---- */

/* host_name cuts the port off a Host field: "[::1]:80" is "[::1]". */
static void host_name(char *out, size_t cap, const char *host)
{
    snprintf(out, cap, "%s", host);
    char *end = out[0] == '[' ? strchr(out, ']') : NULL;
    char *colon = strchr(end != NULL ? end : out, ':');
    if (colon != NULL) {
        *colon = '\0';
    }
}

static bool listed(char *const *list, uint32_t count, const char *text)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcasecmp(list[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static bool host_allowed(const struct rpc *rpc, const char *host)
{
    char name[256];
    host_name(name, sizeof name, host);
    if (!rpc->loopback && rpc->host_count == 0) {
        return true;
    }
    return strcasecmp(name, "localhost") == 0 || strcmp(name, "127.0.0.1") == 0 ||
           strcmp(name, "[::1]") == 0 || listed(rpc->hosts, rpc->host_count, name);
}

static bool origin_allowed(const struct rpc *rpc, const struct rpc_http_head *head)
{
    const char *rest = strstr(head->origin, "://");
    bool const web =
        strncmp(head->origin, "http://", 7) == 0 || strncmp(head->origin, "https://", 8) == 0;
    bool const own = web && rest != NULL && strcasecmp(rest + 3, head->host) == 0;
    return own || listed(rpc->origins, rpc->origin_count, head->origin);
}

/* head_allowed returns whether the head's Host and Origin may be answered. */
static bool head_allowed(const struct rpc_conn *conn, const struct rpc_http_head *head)
{
    return host_allowed(conn->rpc, head->host) &&
           (!head->has_origin || origin_allowed(conn->rpc, head));
}

/* ---- answers ---- */

/* text_done finishes an exchange whose answer was written by hand. */
static void text_done(struct rpc_exchange *exchange, uint32_t status, const char *type)
{
    exchange->http_status = status;
    exchange->content_type = type;
    exchange->ready = true;
    if (exchange->answer.failed) {
        exchange->http_status = 500;
        rpc__json_reset(&exchange->answer);
    }
    exchange->finished(exchange);
}

static void text(struct rpc_exchange *exchange, uint32_t status, const char *line)
{
    rpc__json_bytes(&exchange->answer, line, (uint32_t)strlen(line));
    text_done(exchange, status, PLAIN);
}

static void route_ready(struct rpc_exchange *exchange)
{
    char reason[RPC_NAME_CAP];
    char line[RPC_NAME_CAP + 32];
    if (rpc__status_ready(exchange->rpc, reason)) {
        text(exchange, 200, "ready\n");
        return;
    }
    snprintf(line, sizeof line, "not ready: %s\n", reason);
    text(exchange, 503, line);
}

static void route_root(struct rpc_exchange *exchange)
{
    text(exchange,
         200,
         "A Novate node. POST JSON-RPC 2.0 here, or open a WebSocket.\n"
         "GET /livez /readyz /status /metrics\n");
}

static void route_get(struct rpc_conn *conn, struct rpc_exchange *exchange)
{
    const char *path = conn->head.path;
    bool const metrics_only = conn->metrics_only;
    if (strcmp(path, "/livez") == 0) {
        text(exchange, 200, "alive\n");
    } else if (strcmp(path, "/readyz") == 0) {
        route_ready(exchange);
    } else if (strcmp(path, "/metrics") == 0) {
        rpc__metrics_write(exchange->rpc, &exchange->answer);
        text_done(exchange, 200, "text/plain; version=0.0.4; charset=utf-8");
    } else if (strcmp(path, "/status") == 0 && !metrics_only) {
        rpc__json_object(&exchange->answer, NULL);
        rpc__status_write(exchange->rpc, &exchange->answer);
        rpc__json_end(&exchange->answer, '}');
        text_done(exchange, 200, NULL);
    } else {
        rpc__exchange_refuse_with(exchange, RPC_ERROR_NO_SUCH_PATH, NULL);
    }
}

static bool admitted(struct rpc_conn *conn, struct rpc_exchange *exchange)
{
    struct rpc *rpc = conn->rpc;
    uint32_t const wait_ms = rpc__buckets_take(&rpc->buckets, &conn->address, 1, rpc__now(rpc));
    if (wait_ms > 0) {
        rpc__exchange_refuse_with(exchange, RPC_ERROR_RATE_LIMITED, NULL);
    }
    return wait_ms == 0;
}

/* route serves what is not JSON-RPC. False: a WebSocket is asked for. */
static bool route(struct rpc_conn *conn, struct rpc_exchange *exchange, bool root)
{
    const struct rpc_http_head *head = &conn->head;
    if (head->method == RPC_HTTP_OPTIONS && head->has_origin) {
        exchange->silent = true;
        text_done(exchange, 204, PLAIN);
    } else if (head->method != RPC_HTTP_GET) {
        rpc__exchange_refuse_with(exchange, RPC_ERROR_BAD_HTTP_METHOD, NULL);
    } else if (root && head->upgrade) {
        return false;
    } else if (root) {
        route_root(exchange);
    } else {
        route_get(conn, exchange);
    }
    return true;
}

bool rpc__http_route(struct rpc_conn *conn, struct rpc_exchange *exchange, struct nv_view body)
{
    const struct rpc_http_head *head = &conn->head;
    bool const root = strcmp(head->path, "/") == 0 && !conn->metrics_only;
    if (!head_allowed(conn, head)) {
        rpc__exchange_refuse_with(exchange, RPC_ERROR_HOST_REFUSED, NULL);
        return true;
    }
    if (head->has_origin) {
        memcpy(exchange->allow_origin, head->origin, sizeof head->origin);
    }
    if (root && head->method == RPC_HTTP_POST) {
        rpc__exchange_run(exchange, body); /* each call takes its own tokens */
        return true;
    }
    rpc__json_init(&exchange->answer, TEXT_BYTES);
    return !admitted(conn, exchange) || route(conn, exchange, root);
}
