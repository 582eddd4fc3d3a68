#include "rpc/error.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#include "vm/receipt.h"

struct error_line {
    int32_t code;
    uint32_t http;
    const char *name;
    const char *text;
    const char *hint;
};

static const struct error_line LINES[] = {
#define XX(symbol, code, http, name, text, hint) {code, http, name, text, hint},
#include "rpc/errors.def"
#undef XX
};

#define LINE_COUNT (sizeof LINES / sizeof LINES[0])

uint32_t rpc__error_count(void)
{
    return LINE_COUNT;
}

int32_t rpc__error_at(uint32_t index)
{
    NV_ASSERT(index < LINE_COUNT);
    return LINES[index].code;
}

uint32_t rpc__error_index(int32_t code)
{
    uint32_t i = 0;
    while (i < LINE_COUNT && LINES[i].code != code) {
        i++;
    }
    return i;
}

static const struct error_line *line_of(int32_t code)
{
    uint32_t const i = rpc__error_index(code);
    return i < LINE_COUNT ? &LINES[i] : NULL;
}

const char *rpc__error_name(int32_t code)
{
    const struct error_line *line = line_of(code);
    const char *name = line != NULL ? line->name : vm_reject_name((uint16_t)code);
    return name != NULL ? name : "unknown";
}

static const char *error_text(int32_t code)
{
    const struct error_line *line = line_of(code);
    const char *text = line != NULL ? line->text : vm_reject_text((uint16_t)code);
    return text != NULL ? text : "";
}

static const char *error_hint(int32_t code)
{
    const struct error_line *line = line_of(code);
    const char *hint = line != NULL ? line->hint : vm_reject_hint((uint16_t)code);
    return hint != NULL ? hint : "";
}

uint32_t rpc__error_http(int32_t code)
{
    const struct error_line *line = line_of(code);
    return line != NULL ? line->http : 200;
}

void rpc__fault_set(struct rpc_fault *fault, int32_t code, const char *reason)
{
    NV_ASSERT(code != 0);
    memset(fault, 0, sizeof *fault);
    fault->code = code;
    const char *text = reason != NULL ? reason : error_text(code);
    snprintf(fault->reason, sizeof fault->reason, "%s", text);
}

void rpc__fault_field(struct rpc_fault *fault,
                      int32_t code,
                      const char *field,
                      const char *expected)
{
    rpc__fault_set(fault, code, NULL);
    snprintf(fault->field, sizeof fault->field, "%s", field);
    snprintf(fault->expected, sizeof fault->expected, "%s", expected);
}

void rpc__fault_of_err(struct rpc_fault *fault, enum nv_err err)
{
    NV_ASSERT(err != NV_OK);
    if (err == NV_ERR_BUSY || err == NV_ERR_NO_MEMORY) {
        rpc__fault_set(fault, RPC_ERROR_BUSY, NULL);
        fault->retry_after_ms = 100;
    } else if (err == NV_ERR_CLOSED) {
        rpc__fault_set(fault, RPC_ERROR_CLOSING, NULL);
    } else if (err == NV_ERR_NOT_FOUND) {
        rpc__fault_set(fault, RPC_ERROR_PRUNED, NULL);
    } else if (err == NV_ERR_UNSUPPORTED) {
        rpc__fault_set(fault, RPC_ERROR_UNSUPPORTED, NULL);
    } else if (err == NV_ERR_TOO_LARGE) {
        rpc__fault_set(fault, RPC_ERROR_ANSWER_TOO_LARGE, NULL);
    } else {
        rpc__fault_set(fault, RPC_ERROR_INTERNAL, nv_err_text(err));
    }
}

/* text_or_null writes a text, or null where it does not apply. */
static void text_or_null(struct rpc_json *json, const char *key, const char *text)
{
    rpc__json_text(json, key, text[0] != '\0' ? text : NULL);
}

void rpc__fault_write(struct rpc_json *json, const char *key, const struct rpc_fault *fault)
{
    rpc__json_object(json, key);
    rpc__json_number(json, "code", fault->code);
    rpc__json_text(json, "message", rpc__error_name(fault->code));
    rpc__json_object(json, "data");
    text_or_null(json, "reason", fault->reason);
    text_or_null(json, "field", fault->field);
    text_or_null(json, "expected", fault->expected);
    text_or_null(json, "got", fault->got);
    text_or_null(json, "canonical", fault->canonical);
    if (fault->has_tx_hash) {
        rpc__json_hash(json, "tx_hash", &fault->tx_hash);
    } else {
        rpc__json_null(json, "tx_hash");
    }
    if (fault->retry_after_ms > 0) {
        rpc__json_number(json, "retry_after_ms", fault->retry_after_ms);
    } else {
        rpc__json_null(json, "retry_after_ms");
    }
    text_or_null(json, "hint", error_hint(fault->code));
    rpc__json_end(json, '}');
    rpc__json_end(json, '}');
}
