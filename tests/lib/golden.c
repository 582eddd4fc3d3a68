#include "tests/lib/golden.h"

#include <stdio.h>

#include "base/fmt.h"

#include "tests/lib/nv_test.h"

json_t *golden_load(const char *name)
{
    char path[128];
    json_error_t error;
    (void)snprintf(path, sizeof path, "tests/golden/%s.json", name);
    json_t *const document = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (document == NULL) {
        (void)fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
    }
    return document;
}

json_t *golden_member(const json_t *object, const char *name)
{
    json_t *const value = json_object_get(object, name);
    assert_non_null(value);
    return value;
}

json_t *golden_list(const json_t *object, const char *name)
{
    json_t *const list = golden_member(object, name);
    assert_true(json_array_size(list) > 0);
    return list;
}

const char *golden_text(const json_t *object, const char *name)
{
    const char *const text = json_string_value(golden_member(object, name));
    assert_non_null(text);
    return text;
}

struct nv_hash golden_hash(const json_t *object, const char *name)
{
    struct nv_hash hash;
    assert_int_equal(golden_bytes(hash.bytes, NV_HASH_SIZE, object, name).size, NV_HASH_SIZE);
    return hash;
}

uint32_t golden_small(const json_t *object, const char *name)
{
    const json_t *const value = golden_member(object, name);
    assert_true(json_is_integer(value));
    return (uint32_t)json_integer_value(value);
}

uint64_t golden_number(const json_t *object, const char *name)
{
    const char *const text = golden_text(object, name);
    bool const negative = text[0] == '-';
    uint64_t value = 0;
    assert_int_equal(nv_u64_parse(&value, nv_view_of_text(text + negative)), NV_OK);
    return negative ? 0 - value : value;
}

struct nv_view golden_bytes(uint8_t *out, uint32_t cap, const json_t *object, const char *name)
{
    return golden_parse(out, cap, golden_text(object, name));
}

struct nv_view golden_parse(uint8_t *out, uint32_t cap, const char *text)
{
    uint32_t size = 0;
    assert_non_null(text);
    assert_int_equal(nv_bytes_parse_up_to(out, &size, cap, nv_view_of_text(text)), NV_OK);
    return nv_view_of(out, size);
}
