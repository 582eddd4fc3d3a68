#include <llhttp.h>
#include <strings.h>

#include "rpc/error.h"
#include "rpc/http.h"

/* What the parser tells, piece by piece. */
struct collector {
    llhttp_t parser; /* first: the callbacks get a pointer to it */
    struct rpc_http_head *head;
    char name[64];
    char value[512];
    uint32_t name_size;
    uint32_t value_size; /* may exceed the room: then the value is cut */
    char url[512];
    uint32_t url_size;
    uint32_t fields;
    bool has_coding;
    bool complete;
    bool connection_upgrade;
    bool upgrade_websocket;
    struct rpc_http_fault fault;
};

static struct collector *collector_of(llhttp_t *parser)
{
    return (struct collector *)(void *)parser;
}

/* append copies a piece as far as it fits, and counts all of it. */
static void append(char *to, uint32_t cap, uint32_t *size, struct nv_view piece)
{
    if (*size < cap - 1) {
        uint32_t const room = cap - 1 - *size;
        uint32_t const copied = piece.size < room ? piece.size : room;
        memcpy(to + *size, piece.bytes, copied);
        to[*size + copied] = '\0';
    }
    *size += piece.size;
}

static int on_url(llhttp_t *parser, const char *at, size_t size)
{
    struct collector *c = collector_of(parser);
    append(c->url, sizeof c->url, &c->url_size, nv_view_of(at, (uint32_t)size));
    return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t size)
{
    struct collector *c = collector_of(parser);
    append(c->name, sizeof c->name, &c->name_size, nv_view_of(at, (uint32_t)size));
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t size)
{
    struct collector *c = collector_of(parser);
    append(c->value, sizeof c->value, &c->value_size, nv_view_of(at, (uint32_t)size));
    return 0;
}

static void fail(struct collector *c, int32_t code, const char *reason)
{
    if (c->fault.code == 0) {
        c->fault = (struct rpc_http_fault){code, reason};
    }
}

/* has_token returns whether a comma-separated list names `token`. */
static bool has_token(const char *list, const char *token)
{
    size_t const size = strlen(token);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        size_t const item = strcspn(list, " \t,");
        if (item == size && strncasecmp(list, token, size) == 0) {
            return true;
        }
        list += item;
    }
    return false;
}

static void keep(struct collector *c, char *to, uint32_t cap)
{
    if (c->value_size >= cap) {
        fail(c, RPC_ERROR_HEAD_TOO_LARGE, "the value of a field is too long");
        return;
    }
    memcpy(to, c->value, c->value_size + 1);
}

static void field_host(struct collector *c)
{
    if (c->head->has_host) {
        fail(c, RPC_ERROR_BAD_HTTP, "the field Host occurs twice");
    }
    c->head->has_host = true;
    keep(c, c->head->host, sizeof c->head->host);
}

static void field_origin(struct collector *c)
{
    if (c->head->has_origin) {
        fail(c, RPC_ERROR_BAD_HTTP, "the field Origin occurs twice");
    }
    c->head->has_origin = true;
    keep(c, c->head->origin, sizeof c->head->origin);
}

static void field_length(struct collector *c)
{
    if (c->head->has_length) {
        fail(c, RPC_ERROR_BAD_HTTP, "the field Content-Length occurs twice");
    }
    c->head->has_length = true;
}

/* take_field uses the field that is complete now. */
static void take_field(struct collector *c)
{
    struct rpc_http_head *head = c->head;
    if (strcasecmp(c->name, "host") == 0) {
        field_host(c);
    } else if (strcasecmp(c->name, "origin") == 0) {
        field_origin(c);
    } else if (strcasecmp(c->name, "content-length") == 0) {
        field_length(c);
    } else if (strcasecmp(c->name, "transfer-encoding") == 0) {
        c->has_coding = true;
    } else if (strcasecmp(c->name, "expect") == 0) {
        head->expects_continue = strcasecmp(c->value, "100-continue") == 0;
    } else if (strcasecmp(c->name, "connection") == 0) {
        c->connection_upgrade |= has_token(c->value, "upgrade");
    } else if (strcasecmp(c->name, "upgrade") == 0) {
        c->upgrade_websocket |= has_token(c->value, "websocket");
    } else if (strcasecmp(c->name, "sec-websocket-version") == 0) {
        head->websocket_version_right = strcmp(c->value, "13") == 0;
    } else if (strcasecmp(c->name, "sec-websocket-key") == 0) {
        keep(c, head->websocket_key, sizeof head->websocket_key);
    }
}

static int on_value_complete(llhttp_t *parser)
{
    struct collector *c = collector_of(parser);
    c->fields++;
    if (c->name_size == 0) {
        fail(c, RPC_ERROR_BAD_HTTP, "a field has no name");
    }
    if (c->fields > RPC_HTTP_FIELDS_MAX) {
        fail(c, RPC_ERROR_HEAD_TOO_LARGE, "the head has too many fields");
    }
    take_field(c);
    c->name_size = 0;
    c->value_size = 0;
    c->name[0] = '\0';
    c->value[0] = '\0';
    return 0;
}

/* on_head ends the parsing: the body is not the parser's business.
 * SPEC rpc 1: "A body is framed by `Content-Length` alone: any `Transfer-Encoding` is refused" */
static int on_head(llhttp_t *parser)
{
    struct collector *c = collector_of(parser);
    c->complete = true;
    c->head->keep_alive = llhttp_should_keep_alive(parser) != 0;
    return HPE_PAUSED;
}

uint32_t rpc__http_head_size(struct nv_view bytes, uint32_t from)
{
    for (uint32_t i = from < 3 ? 0 : from - 3; i + 4 <= bytes.size; i++) {
        if (memcmp(bytes.bytes + i, "\r\n\r\n", 4) == 0) {
            return i + 4;
        }
    }
    return 0;
}

/* request_line_spaced returns whether the first line has two spaces, one after
 * the method and one before the version. */
static bool request_line_spaced(struct nv_view bytes)
{
    uint32_t spaces = 0;
    for (uint32_t i = 0; i < bytes.size && bytes.bytes[i] != '\r'; i++) {
        spaces += bytes.bytes[i] == ' ' ? 1 : 0;
    }
    return spaces == 2;
}

/* vet refuses what the parser would let pass: line ends that are not CR LF,
 * folded fields, NUL, more spaces than two in the request line. */
static const char *vet(struct nv_view bytes)
{
    if (!request_line_spaced(bytes)) {
        return "the request line is not a method, a path and a version";
    }
    for (uint32_t i = 0; i < bytes.size; i++) {
        uint8_t const c = bytes.bytes[i];
        if (c == '\0') {
            return "the head holds a NUL";
        }
        if (c == '\r' && (i + 1 == bytes.size || bytes.bytes[i + 1] != '\n')) {
            return "a CR is not followed by LF";
        }
        if (c == '\n' && (i == 0 || bytes.bytes[i - 1] != '\r')) {
            return "an LF is not preceded by CR";
        }
        if ((c == ' ' || c == '\t') && i > 0 && bytes.bytes[i - 1] == '\n') {
            return "a field is folded over two lines";
        }
    }
    return NULL;
}

static void take_method(struct collector *c)
{
    struct rpc_http_head *head = c->head;
    switch (llhttp_get_method(&c->parser)) {
    case HTTP_GET: head->method = RPC_HTTP_GET; break;
    case HTTP_POST: head->method = RPC_HTTP_POST; break;
    case HTTP_OPTIONS: head->method = RPC_HTTP_OPTIONS; break;
    default: head->method = RPC_HTTP_OTHER; break;
    }
    c->url[strcspn(c->url, "?")] = '\0';
    if (c->url_size >= sizeof c->url || strlen(c->url) >= sizeof head->path) {
        fail(c, RPC_ERROR_NO_SUCH_PATH, NULL);
        return;
    }
    memcpy(head->path, c->url, strlen(c->url) + 1);
}

/* judge holds the complete head against the rules about fields. */
static void judge(struct collector *c)
{
    struct rpc_http_head *head = c->head;
    bool const version_right = c->parser.http_major == 1 && c->parser.http_minor <= 1;
    if (!version_right) {
        fail(c, RPC_ERROR_BAD_HTTP, "the version is not HTTP/1.1 or HTTP/1.0");
    } else if (!head->has_host) {
        fail(c, RPC_ERROR_BAD_HTTP, "the field Host is missing");
    } else if (c->has_coding && head->has_length) {
        fail(c, RPC_ERROR_BAD_HTTP, "both Content-Length and Transfer-Encoding are given");
    } else if (c->has_coding) {
        fail(c, RPC_ERROR_LENGTH_REQUIRED, NULL);
    } else if (head->has_length && c->parser.content_length > UINT32_MAX) {
        fail(c, RPC_ERROR_BODY_TOO_LARGE, NULL);
    }
    head->content_length =
        head->has_length && c->fault.code == 0 ? (uint32_t)c->parser.content_length : 0;
    head->upgrade = c->connection_upgrade && c->upgrade_websocket;
    take_method(c);
}

struct rpc_http_fault rpc__http_head(struct rpc_http_head *head, struct nv_view bytes)
{
    static const llhttp_settings_t settings = {
        .on_url = on_url,
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_header_value_complete = on_value_complete,
        .on_headers_complete = on_head,
    };
    struct collector c = {.head = head};
    memset(head, 0, sizeof *head);
    const char *reason = vet(bytes);
    if (reason != NULL) {
        return (struct rpc_http_fault){RPC_ERROR_BAD_HTTP, reason};
    }
    llhttp_init(&c.parser, HTTP_REQUEST, &settings);
    llhttp_execute(&c.parser, (const char *)bytes.bytes, bytes.size);
    if (!c.complete) {
        /* Both framings at once is what the parser itself objects to. */
        const char *said = c.has_coding && head->has_length
                               ? "both Content-Length and Transfer-Encoding are given"
                               : "the request line or a field is malformed";
        return (struct rpc_http_fault){RPC_ERROR_BAD_HTTP, said};
    }
    judge(&c);
    return c.fault;
}
