#include "rpc/params.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/fmt.h"

struct type_line {
    const char *name;
    const char *expected;
};

static const struct type_line TYPES[] = {
#define XX(symbol, name, expected) {name, expected},
    RPC_PARAM_TYPES(XX)
#undef XX
};

#define TYPE_COUNT (sizeof TYPES / sizeof TYPES[0])

/* One "name:type!" of a spec. */
struct spec_item {
    char name[32];
    enum rpc_param_type type;
    bool required;
};

static enum rpc_param_type type_named(const char *name, size_t size)
{
    uint32_t i = 0;
    while (i < TYPE_COUNT &&
           (strlen(TYPES[i].name) != size || memcmp(TYPES[i].name, name, size) != 0)) {
        i++;
    }
    NV_ASSERT(i < TYPE_COUNT);
    return (enum rpc_param_type)i;
}

/* spec_next reads the item at `*at` and moves on; false at the end. */
static bool spec_next(const char **at, struct spec_item *item)
{
    const char *start = *at + strspn(*at, " ");
    if (*start == '\0') {
        return false;
    }
    size_t const size = strcspn(start, " ");
    size_t const name_size = strcspn(start, ":");
    NV_ASSERT(name_size < size && name_size < sizeof item->name);
    memcpy(item->name, start, name_size);
    item->name[name_size] = '\0';
    item->required = start[size - 1] == '!';
    item->type = type_named(start + name_size + 1, size - name_size - 1 - (item->required ? 1 : 0));
    *at = start + size;
    return true;
}

static bool spec_find(const char *spec, const char *name, struct spec_item *item)
{
    while (spec_next(&spec, item)) {
        if (strcmp(item->name, name) == 0) {
            return true;
        }
    }
    return false;
}

static struct nv_view view_of_json(const struct json_t *value)
{
    return nv_view_of(json_string_value(value), (uint32_t)json_string_length(value));
}

/* text_fits checks the form of a string; `canonical` is set where the right
 * text is known. */
static bool text_fits(enum rpc_param_type type, struct nv_view text, char canonical[64])
{
    struct nv_hash hash;
    struct nv_address address;
    uint64_t number = 0;
    int64_t decimal = 0;
    switch (type) {
    case RPC_PARAM_U64: return nv_u64_parse(&number, text) == NV_OK;
    case RPC_PARAM_DECIMAL:
        return nv_decimal_parse(&decimal, canonical, text, NV_MICRO_PLACES) == NV_OK;
    case RPC_PARAM_HASH: return nv_bytes_parse(hash.bytes, sizeof hash.bytes, text) == NV_OK;
    case RPC_PARAM_BYTES:
        return text.size >= 2 && text.size % 2 == 0 && memcmp(text.bytes, "0x", 2) == 0;
    case RPC_PARAM_ADDRESS: {
        enum nv_err const err = nv_address_parse(&address, text);
        if (err == NV_ERR_MISMATCH) {
            nv_address_format(canonical, &address);
        }
        return err == NV_OK;
    }
    case RPC_PARAM_NAME: return text.size >= 1 && text.size < RPC_NAME_TEXT;
    case RPC_PARAM_BOOL:
    case RPC_PARAM_COUNT:
    case RPC_PARAM_NAMES:
    case RPC_PARAM_SEQS: return false;
    }
    return false;
}

static bool names_fit(const struct json_t *value)
{
    char canonical[64];
    size_t const count = json_array_size(value);
    for (size_t i = 0; i < count; i++) {
        const struct json_t *item = json_array_get(value, i);
        if (!json_is_string(item) || !text_fits(RPC_PARAM_NAME, view_of_json(item), canonical)) {
            return false;
        }
    }
    return count >= 1 && count <= 200;
}

static bool seqs_fit(struct json_t *value)
{
    const char *key = NULL;
    struct json_t *item = NULL;
    json_object_foreach(value, key, item)
    {
        if (!json_is_string(item)) {
            return false;
        }
    }
    return json_is_object(value);
}

static bool value_fits(enum rpc_param_type type, struct json_t *value, char canonical[64])
{
    switch (type) {
    case RPC_PARAM_BOOL: return json_is_boolean(value);
    case RPC_PARAM_COUNT:
        return json_is_integer(value) && json_integer_value(value) >= 0 &&
               json_integer_value(value) <= INT32_MAX;
    case RPC_PARAM_NAMES: return json_is_array(value) && names_fit(value);
    case RPC_PARAM_SEQS: return seqs_fit(value);
    case RPC_PARAM_U64:
    case RPC_PARAM_DECIMAL:
    case RPC_PARAM_HASH:
    case RPC_PARAM_BYTES:
    case RPC_PARAM_ADDRESS:
    case RPC_PARAM_NAME:
        return json_is_string(value) && text_fits(type, view_of_json(value), canonical);
    }
    return false;
}

/* describe puts what the client sent into `got`, shortened. */
static void describe(char *got, size_t cap, const struct json_t *value)
{
    if (json_is_string(value)) {
        snprintf(got, cap, "%.48s", json_string_value(value));
    } else if (json_is_integer(value)) {
        snprintf(got, cap, "%lld", (long long)json_integer_value(value));
    } else {
        const char *kind = json_is_object(value)    ? "an object"
                           : json_is_array(value)   ? "an array"
                           : json_is_boolean(value) ? "true or false"
                           : json_is_null(value)    ? "null"
                                                    : "a number that is not whole";
        snprintf(got, cap, "%s", kind);
    }
}

/* member_check judges one member that the client sent. */
static bool member_check(const char *name,
                         struct json_t *value,
                         const struct spec_item *item,
                         struct rpc_fault *fault)
{
    char canonical[64] = "";
    if (value_fits(item->type, value, canonical)) {
        return true;
    }
    bool const decimal = item->type == RPC_PARAM_DECIMAL;
    int32_t const code =
        decimal && canonical[0] != '\0' ? RPC_ERROR_NON_CANONICAL : RPC_ERROR_INVALID_PARAMS;
    rpc__fault_field(fault, code, name, TYPES[item->type].expected);
    describe(fault->got, sizeof fault->got, value);
    memcpy(fault->canonical, canonical, sizeof canonical);
    return false;
}

static bool required_there(const struct json_t *params, const char *spec, struct rpc_fault *fault)
{
    struct spec_item item;
    while (spec_next(&spec, &item)) {
        if (item.required && json_object_get(params, item.name) == NULL) {
            rpc__fault_field(fault, RPC_ERROR_INVALID_PARAMS, item.name, TYPES[item.type].expected);
            snprintf(fault->got, sizeof fault->got, "nothing");
            return false;
        }
    }
    return true;
}

bool rpc__params_check(const struct json_t *params,
                       const char *spec,
                       const char *common,
                       struct rpc_fault *fault)
{
    const char *name = NULL;
    struct json_t *value = NULL;
    json_object_foreach((struct json_t *)(uintptr_t)params, name, value)
    {
        struct spec_item item;
        if (!spec_find(spec, name, &item) && !spec_find(common, name, &item)) {
            char cut[32];
            snprintf(cut, sizeof cut, "%.31s", name);
            rpc__fault_field(fault, RPC_ERROR_INVALID_PARAMS, cut, "");
            snprintf(
                fault->reason, sizeof fault->reason, "the method has no parameter \"%s\"", cut);
            snprintf(fault->expected,
                     sizeof fault->expected,
                     "%s%s%s",
                     spec,
                     spec[0] != '\0' ? " " : "",
                     common);
            return false;
        }
        if (!member_check(name, value, &item, fault)) {
            return false;
        }
    }
    return required_there(params, spec, fault);
}

bool rpc__param_bool(const struct json_t *params, const char *name)
{
    return json_is_true(json_object_get(params, name));
}

uint32_t rpc__param_count(const struct json_t *params, const char *name, uint32_t otherwise)
{
    const struct json_t *value = json_object_get(params, name);
    return value == NULL ? otherwise : (uint32_t)json_integer_value(value);
}

bool rpc__param_u64(const struct json_t *params, const char *name, uint64_t *out)
{
    const struct json_t *value = json_object_get(params, name);
    return value != NULL && nv_u64_parse(out, view_of_json(value)) == NV_OK;
}

bool rpc__param_text(const struct json_t *params, const char *name, const char **out)
{
    const struct json_t *value = json_object_get(params, name);
    if (value == NULL) {
        return false;
    }
    *out = json_string_value(value);
    return true;
}

bool rpc__param_hash(const struct json_t *params, const char *name, struct nv_hash *out)
{
    const struct json_t *value = json_object_get(params, name);
    return value != NULL &&
           nv_bytes_parse(out->bytes, sizeof out->bytes, view_of_json(value)) == NV_OK;
}

bool rpc__param_address(const struct json_t *params, const char *name, struct nv_address *out)
{
    const struct json_t *value = json_object_get(params, name);
    return value != NULL && nv_address_parse(out, view_of_json(value)) == NV_OK;
}
