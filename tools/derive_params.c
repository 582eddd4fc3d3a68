#include <jansson.h>

#include "base/codec.h"

#include "tools/derive_part.h"
#include "tools/shown.h"
#include "vm/params.h"

static json_t *param(const struct vm_param_spec *spec, int64_t value)
{
    json_t *const out = json_object();
    put_count(out, "number", spec->number);
    put_text(out, "name", spec->name);
    put_text(out, "unit", spec->unit);
    put_i64(out, "value", value);
    put_i64(out, "minimum", spec->minimum);
    put_i64(out, "maximum", spec->maximum);
    put_text(out, "text", spec->text);
    return out;
}

enum nv_err derive_params(json_t *out, const struct derive_question *q)
{
    struct nv_row_key const table = {{VM_TABLE_PARAM}};
    struct nv_row_range range;
    struct nv_row row;
    uint32_t cursor = 0;
    NV_TRY(shown_range(&range, q->proof, &table, 1));
    json_t *const list = json_array();
    (void)json_object_set_new(out, "params", list);
    while (shown_next(q->proof, &range, &cursor, &row)) {
        struct vm_param_row value;
        const struct vm_param_spec *const spec = vm_param_spec_of(nv_be16_load(row.key.bytes + 1));
        NV_TRY(vm_param_row_decode(&value, row.value));
        if (spec != NULL) {
            (void)json_array_append_new(list, param(spec, value.value));
        }
    }
    return NV_OK;
}
