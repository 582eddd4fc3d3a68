#include "node/home/genesis_fields.h"

#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"
#include "base/log.h"

void node_fields_fail(const struct node_fields *f, const char *key, const char *expected)
{
    if (!*f->failed) {
        nv_log(NV_LOG_ERROR,
               "event=genesis_refused key=%s%s expected=\"%s\"",
               f->where,
               key,
               expected);
        *f->failed = true;
    }
}

void node_fields_only(const struct node_fields *f, const char *const *keys, uint32_t key_count)
{
    if (*f->failed) {
        return;
    }
    void *iter = json_object_iter((json_t *)(uintptr_t)f->object);
    while (iter != NULL) {
        const char *const key = json_object_iter_key(iter);
        bool known = false;
        for (uint32_t i = 0; i < key_count && !known; i++) {
            known = strcmp(key, keys[i]) == 0;
        }
        if (!known) {
            node_fields_fail(f, key, "no such key: see docs/spec/genesis.md");
            return;
        }
        iter = json_object_iter_next((json_t *)(uintptr_t)f->object, iter);
    }
}

static const json_t *
field(const struct node_fields *f, const char *key, json_type type, const char *expected)
{
    if (*f->failed) {
        return NULL;
    }
    const json_t *const value = json_object_get(f->object, key);
    if (value == NULL || json_typeof(value) != type) {
        node_fields_fail(f, key, expected);
        return NULL;
    }
    return value;
}

const char *node_field_text(const struct node_fields *f, const char *key)
{
    const json_t *const value = field(f, key, JSON_STRING, "a string");
    if (value == NULL) {
        return "";
    }
    if (strlen(json_string_value(value)) != json_string_length(value)) {
        node_fields_fail(f, key, "a string without NUL");
        return "";
    }
    return json_string_value(value);
}

bool node_field_flag(const struct node_fields *f, const char *key)
{
    if (*f->failed) {
        return false;
    }
    const json_t *const value = json_object_get(f->object, key);
    if (!json_is_boolean(value)) {
        node_fields_fail(f, key, "true or false");
        return false;
    }
    return json_is_true(value);
}

uint64_t node_field_number(const struct node_fields *f, const char *key, uint64_t min, uint64_t max)
{
    const json_t *const value = field(f, key, JSON_INTEGER, "a whole number");
    if (value == NULL) {
        return 0;
    }
    json_int_t const number = json_integer_value(value);
    if (number < 0 || (uint64_t)number < min || (uint64_t)number > max) {
        node_fields_fail(f, key, "a whole number within its range: see docs/spec/genesis.md");
        return 0;
    }
    return (uint64_t)number;
}

int64_t node_field_decimal(
    const struct node_fields *f, const char *key, uint32_t places, int64_t min, int64_t max)
{
    const char *const text = node_field_text(f, key);
    if (*f->failed) {
        return 0;
    }
    int64_t value = 0;
    char canonical[NV_DECIMAL_TEXT];
    if (nv_decimal_parse(&value, canonical, nv_view_of(text, (uint32_t)strlen(text)), places) !=
        NV_OK) {
        node_fields_fail(f,
                         key,
                         canonical[0] != '\0' ? canonical
                                              : "a decimal number as a string, such as \"0.5\"");
        return 0;
    }
    if (value < min || value > max) {
        node_fields_fail(f, key, "a number within its range: see docs/spec/genesis.md");
        return 0;
    }
    return value;
}

void node_field_bytes(const struct node_fields *f, const char *key, void *out, uint32_t size)
{
    const char *const text = node_field_text(f, key);
    if (!*f->failed &&
        nv_bytes_parse(out, size, nv_view_of(text, (uint32_t)strlen(text))) != NV_OK) {
        node_fields_fail(f, key, "0x and lower-case hex digits of the right length");
    }
}

void node_field_address(const struct node_fields *f, const char *key, struct nv_address *out)
{
    const char *const text = node_field_text(f, key);
    if (*f->failed) {
        return;
    }
    enum nv_err const err = nv_address_parse(out, nv_view_of(text, (uint32_t)strlen(text)));
    char right[NV_ADDRESS_TEXT];
    if (err == NV_ERR_MISMATCH) {
        nv_address_format(right, out);
        node_fields_fail(f, key, right);
    } else if (err != NV_OK) {
        node_fields_fail(f, key, "an address: 0x and 40 hex digits in EIP-55 case");
    }
}

const json_t *
node_field_array(const struct node_fields *f, const char *key, uint32_t min, uint32_t max)
{
    const json_t *const value = field(f, key, JSON_ARRAY, "an array");
    if (value == NULL) {
        return NULL;
    }
    size_t const count = json_array_size(value);
    if (count < min || count > max) {
        node_fields_fail(f, key, "an array of a size within its range");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (!json_is_object(json_array_get(value, i))) {
            node_fields_fail(f, key, "an array of objects");
            return NULL;
        }
    }
    return value;
}
