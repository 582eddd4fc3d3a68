#include "rpc/metrics.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "rpc/error.h"
#include "rpc/json_write.h"
#include "rpc/method.h"
#include "rpc/server.h"

#define NODE_METRICS_MAX 256u

__attribute__((format(printf, 2, 3))) static void
line(struct rpc_json *text, const char *format, ...)
{
    char buffer[512];
    va_list args;
    va_start(args, format);
    int const size = vsnprintf(buffer, sizeof buffer, format, args);
    va_end(args);
    if (size > 0) {
        uint32_t const written = (size_t)size < sizeof buffer ? (uint32_t)size : sizeof buffer - 1;
        rpc__json_bytes(text, buffer, written);
    }
}

static void head(struct rpc_json *text, const char *name, const char *help, bool counter)
{
    line(text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, counter ? "counter" : "gauge");
}

static void single(struct rpc_json *text, const char *name, const char *help, uint64_t value)
{
    size_t const size = strlen(name);
    head(text, name, help, size > 6 && strcmp(name + size - 6, "_total") == 0);
    line(text, "%s %" NV_U64 "\n", name, value);
}

static void write_calls(const struct rpc *rpc, struct rpc_json *text)
{
    const struct rpc_counters *counters = &rpc->counters;
    head(text, "novate_rpc_calls_total", "Calls started, by method.", true);
    for (uint32_t i = 0; i < rpc->method_count; i++) {
        line(text,
             "novate_rpc_calls_total{method=\"%s\"} %" NV_U64 "\n",
             rpc->methods[i].name,
             counters->calls[i]);
    }
    head(text, "novate_rpc_errors_total", "Errors answered, by name.", true);
    for (uint32_t i = 0; i < rpc__error_count(); i++) {
        line(text,
             "novate_rpc_errors_total{error=\"%s\"} %" NV_U64 "\n",
             rpc__error_name(rpc__error_at(i)),
             counters->errors[i]);
    }
    line(text,
         "novate_rpc_errors_total{error=\"vm_reject\"} %" NV_U64 "\n",
         counters->errors[rpc__error_count()]);
}

static void write_server(const struct rpc *rpc, struct rpc_json *text)
{
    const struct rpc_counters *c = &rpc->counters;
    single(text, "novate_rpc_connections", "Open connections.", rpc->conn_count);
    single(text, "novate_rpc_waiting_calls", "Calls that wait for an event.", rpc->waits.count);
    single(text, "novate_rpc_connections_total", "Connections accepted.", c->connections);
    single(text,
           "novate_rpc_connections_refused_total",
           "Connections over a limit.",
           c->connections_refused);
    single(text, "novate_rpc_websockets_total", "WebSockets opened.", c->websockets);
    single(text, "novate_rpc_requests_total", "HTTP requests and WebSocket messages.", c->requests);
    single(
        text, "novate_rpc_requests_refused_total", "Malformed HTTP requests.", c->requests_refused);
    single(text, "novate_rpc_messages_sent_total", "WebSocket messages sent.", c->messages_sent);
    single(text,
           "novate_rpc_messages_conflated_total",
           "Stream messages replaced by a newer one for a slow reader.",
           c->messages_conflated);
    single(text, "novate_rpc_gaps_total", "Gaps told to slow readers.", c->gaps);
    single(text,
           "novate_rpc_slow_closed_total",
           "Connections closed for not reading.",
           c->slow_closed);
    single(text, "novate_rpc_bytes_in_total", "Bytes read.", c->bytes_in);
    single(text, "novate_rpc_bytes_out_total", "Bytes written.", c->bytes_out);
    single(
        text, "novate_executed_height", "Height of the newest published block.", rpc->head.height);
}

/* write_node writes the node's samples; those of one name come together. */
static void write_node(struct rpc *rpc, struct rpc_json *text)
{
    struct rpc_metric metrics[NODE_METRICS_MAX];
    if (rpc->port.metrics == NULL) {
        return;
    }
    uint32_t const count = rpc->port.metrics(rpc->port.ctx, metrics, NODE_METRICS_MAX);
    const char *name = "";
    for (uint32_t i = 0; i < count; i++) {
        const struct rpc_metric *metric = &metrics[i];
        if (strcmp(metric->name, name) != 0) {
            name = metric->name;
            head(text, name, metric->help, metric->counter);
        }
        bool const labelled = metric->labels[0] != '\0';
        line(text,
             "%s%s%s%s %.17g\n",
             name,
             labelled ? "{" : "",
             metric->labels,
             labelled ? "}" : "",
             metric->value);
    }
}

void rpc__metrics_write(struct rpc *rpc, struct rpc_json *text)
{
    write_calls(rpc, text);
    write_server(rpc, text);
    write_node(rpc, text);
}
