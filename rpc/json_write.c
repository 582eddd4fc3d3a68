#include "rpc/json_write.h"

#include "base/assert.h"
#include "base/fmt.h"
#include "base/heap.h"

#define FIRST_CAP 512u

void rpc__json_init(struct rpc_json *json, uint32_t limit)
{
    *json = (struct rpc_json){.limit = limit};
}

void rpc__json_deinit(struct rpc_json *json)
{
    nv_heap_free(json->bytes);
    *json = (struct rpc_json){0};
}

void rpc__json_reset(struct rpc_json *json)
{
    json->size = 0;
    json->failed = false;
    json->comma = false;
}

struct nv_view rpc__json_view(const struct rpc_json *json)
{
    return nv_view_of(json->bytes, json->size);
}

/* room makes space for `size` more bytes, at most doubling each time. */
static bool room(struct rpc_json *json, uint32_t size)
{
    if (json->failed || size > json->limit - json->size) {
        json->failed = true;
        return false;
    }
    if (size <= json->cap - json->size) {
        return true;
    }
    uint64_t cap = json->cap == 0 ? FIRST_CAP : (uint64_t)json->cap * 2;
    cap = cap < (uint64_t)json->size + size ? (uint64_t)json->size + size : cap;
    cap = cap > json->limit ? json->limit : cap;
    uint8_t *bytes = nv_heap_alloc((size_t)cap);
    if (bytes == NULL) {
        json->failed = true;
        return false;
    }
    if (json->size > 0) {
        memcpy(bytes, json->bytes, json->size);
    }
    nv_heap_free(json->bytes);
    json->bytes = bytes;
    json->cap = (uint32_t)cap;
    return true;
}

void rpc__json_bytes(struct rpc_json *json, const void *bytes, uint32_t size)
{
    if (size > 0 && room(json, size)) {
        memcpy(json->bytes + json->size, bytes, size);
        json->size += size;
    }
}

static void put_char(struct rpc_json *json, char c)
{
    rpc__json_bytes(json, &c, 1);
}

static void put_text(struct rpc_json *json, const char *text)
{
    rpc__json_bytes(json, text, (uint32_t)strlen(text));
}

/* utf8_length returns the bytes of the character at `at`, 0 when there is no
 * well-formed one (RFC 3629: no overlong form, no surrogate, at most U+10FFFF). */
static uint32_t utf8_length(struct nv_view text, uint32_t at)
{
    uint8_t const first = text.bytes[at];
    if (first < 0x80) {
        return 1;
    }
    uint32_t const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || size > text.size - at) {
        return 0;
    }
    uint8_t const second = text.bytes[at + 1];
    uint8_t const low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t const high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (second < low || second > high) {
        return 0;
    }
    for (uint32_t i = 2; i < size; i++) {
        if ((text.bytes[at + i] & 0xc0u) != 0x80u) {
            return 0;
        }
    }
    return size;
}

static void put_escaped(struct rpc_json *json, struct nv_view text)
{
    static const char digits[] = "0123456789abcdef";
    put_char(json, '"');
    for (uint32_t i = 0; i < text.size;) {
        uint8_t const c = text.bytes[i];
        uint32_t const size = utf8_length(text, i);
        if (size == 0) {
            put_char(json, '?');
        } else if (c == '"' || c == '\\') {
            put_char(json, '\\');
            put_char(json, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            char const escape[6] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
            rpc__json_bytes(json, escape, sizeof escape);
        } else {
            rpc__json_bytes(json, text.bytes + i, size);
        }
        i += size == 0 ? 1 : size;
    }
    put_char(json, '"');
}

/* value_begin puts the comma and the key that come before a value. */
static void value_begin(struct rpc_json *json, const char *key)
{
    if (json->comma) {
        put_char(json, ',');
    }
    if (key != NULL) {
        put_escaped(json, nv_view_of_text(key));
        put_char(json, ':');
    }
    json->comma = true;
}

void rpc__json_object(struct rpc_json *json, const char *key)
{
    value_begin(json, key);
    put_char(json, '{');
    json->comma = false;
}

void rpc__json_array(struct rpc_json *json, const char *key)
{
    value_begin(json, key);
    put_char(json, '[');
    json->comma = false;
}

void rpc__json_end(struct rpc_json *json, char bracket)
{
    NV_ASSERT(bracket == '}' || bracket == ']');
    put_char(json, bracket);
    json->comma = true;
}

void rpc__json_raw(struct rpc_json *json, const char *key, struct nv_view text)
{
    value_begin(json, key);
    rpc__json_bytes(json, text.bytes, text.size);
}

void rpc__json_string(struct rpc_json *json, const char *key, struct nv_view text)
{
    value_begin(json, key);
    put_escaped(json, text);
}

void rpc__json_text(struct rpc_json *json, const char *key, const char *text)
{
    if (text == NULL) {
        rpc__json_null(json, key);
        return;
    }
    rpc__json_string(json, key, nv_view_of_text(text));
}

void rpc__json_number(struct rpc_json *json, const char *key, int64_t value)
{
    char text[NV_DECIMAL_TEXT];
    nv_decimal_format(text, value, 0);
    value_begin(json, key);
    put_text(json, text);
}

void rpc__json_bool(struct rpc_json *json, const char *key, bool value)
{
    value_begin(json, key);
    put_text(json, value ? "true" : "false");
}

void rpc__json_null(struct rpc_json *json, const char *key)
{
    value_begin(json, key);
    put_text(json, "null");
}

static void put_quoted(struct rpc_json *json, const char *key, const char *text)
{
    value_begin(json, key);
    put_char(json, '"');
    put_text(json, text);
    put_char(json, '"');
}

void rpc__json_u64(struct rpc_json *json, const char *key, uint64_t value)
{
    char text[NV_DECIMAL_TEXT];
    nv_u64_format(text, value);
    put_quoted(json, key, text);
}

void rpc__json_i64(struct rpc_json *json, const char *key, int64_t value)
{
    rpc__json_decimal(json, key, value, 0);
}

void rpc__json_decimal(struct rpc_json *json, const char *key, int64_t value, uint32_t places)
{
    char text[NV_DECIMAL_TEXT];
    nv_decimal_format(text, value, places);
    put_quoted(json, key, text);
}

void rpc__json_micro(struct rpc_json *json, const char *key, int64_t micro)
{
    rpc__json_decimal(json, key, micro, NV_MICRO_PLACES);
}

void rpc__json_hex(struct rpc_json *json, const char *key, struct nv_view bytes)
{
    value_begin(json, key);
    put_text(json, "\"0x");
    for (uint32_t i = 0; i < bytes.size; i += 64) {
        char digits[NV_HEX_TEXT(64)];
        uint32_t const size = bytes.size - i < 64 ? bytes.size - i : 64;
        nv_hex_encode(digits, bytes.bytes + i, size);
        rpc__json_bytes(json, digits, 2 * size);
    }
    put_char(json, '"');
}

void rpc__json_hash(struct rpc_json *json, const char *key, const struct nv_hash *hash)
{
    rpc__json_hex(json, key, nv_hash_view(hash));
}

void rpc__json_pubkey(struct rpc_json *json, const char *key, const struct nv_pubkey *pubkey)
{
    rpc__json_hex(json, key, nv_view_of(pubkey->bytes, sizeof pubkey->bytes));
}

void rpc__json_address(struct rpc_json *json, const char *key, const struct nv_address *address)
{
    char text[NV_ADDRESS_TEXT];
    nv_address_format(text, address);
    put_quoted(json, key, text);
}
