#include "rpc/json_read.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

struct vetting {
    uint32_t depth;
    uint32_t values;
    bool quoted;
    bool escaped;
};

static void vet_quoted(struct vetting *v, uint8_t c)
{
    if (v->escaped) {
        v->escaped = false;
    } else if (c == '\\') {
        v->escaped = true;
    } else if (c == '"') {
        v->quoted = false;
    }
}

/* vet_plain counts: every value but the first of its container follows an
 * opening bracket, a comma or a colon. */
static void vet_plain(struct vetting *v, uint8_t c)
{
    if (c == '"') {
        v->quoted = true;
    } else if (c == '[' || c == '{') {
        v->depth++;
        v->values++;
    } else if ((c == ']' || c == '}') && v->depth > 0) {
        v->depth--;
    } else if (c == ',' || c == ':') {
        v->values++;
    }
}

/* vet counts brackets and separators outside strings.
 * SPEC rpc 2: "Depth and values are counted before the text is parsed." */
static enum nv_err vet(struct nv_view text, char *reason)
{
    struct vetting v = {0};
    for (uint32_t i = 0; i < text.size; i++) {
        if (v.quoted) {
            vet_quoted(&v, text.bytes[i]);
        } else {
            vet_plain(&v, text.bytes[i]);
        }
        if (v.depth > RPC_JSON_DEPTH) {
            snprintf(
                reason, RPC_JSON_REASON, "nested deeper than %u at byte %u", RPC_JSON_DEPTH, i);
            return NV_ERR_TOO_LARGE;
        }
        if (v.values > RPC_JSON_VALUES) {
            snprintf(reason, RPC_JSON_REASON, "more than %u values", RPC_JSON_VALUES);
            return NV_ERR_TOO_LARGE;
        }
    }
    return NV_OK;
}

enum nv_err rpc__json_read(struct json_t **root, struct nv_view text, char *reason)
{
    NV_TRY(vet(text, reason));
    json_error_t error = {0};
    *root = json_loadb((const char *)text.bytes, text.size, JSON_REJECT_DUPLICATES, &error);
    if (*root == NULL) {
        snprintf(reason,
                 RPC_JSON_REASON,
                 "%.100s at line %d, column %d",
                 error.text,
                 error.line,
                 error.column);
        return NV_ERR_MALFORMED;
    }
    return NV_OK;
}
