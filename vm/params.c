#include "vm/params.h"

#include "base/codec.h"

#include "vm/state/state.h"

#include "base/pure.h"

static const struct vm_param_spec param_specs[] = {
#define XX(number, NAME, unit, min, max, devnet, text)                                             \
    {(number), #NAME, #unit, (min), (max), (devnet), text},
#include "vm/params.def"
#undef XX
};

#define PARAM_COUNT ((uint32_t)(sizeof param_specs / sizeof param_specs[0]))

/* The list is in ascending number, and each value lies in its range. */
#define XX(number, NAME, unit, min, max, devnet, text)                                             \
    _Static_assert((number) >= 1 && (number) <= VM_PARAM_NUMBER_MAX && (min) <= (devnet) &&        \
                       (devnet) <= (max),                                                          \
                   "a parameter's default lies in its range");
#include "vm/params.def"
#undef XX

uint32_t vm_param_count(void)
{
    return PARAM_COUNT;
}

const struct vm_param_spec *vm_param_spec_at(uint32_t i)
{
    NV_ASSERT(i < PARAM_COUNT);
    return &param_specs[i];
}

const struct vm_param_spec *vm_param_spec_of(uint16_t number)
{
    for (uint32_t i = 0; i < PARAM_COUNT; i++) {
        if (param_specs[i].number == number) {
            return &param_specs[i];
        }
    }
    return NULL;
}

void vm_params_hash_of(struct nv_hash *out, const struct vm_state *s)
{
    uint8_t bytes[PARAM_COUNT * 10];
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    for (uint32_t i = 0; i < PARAM_COUNT; i++) {
        nv_put_u16(&w, param_specs[i].number);
        nv_put_i64(&w, vm_param(s, param_specs[i].number));
    }
    struct nv_view const part = nv_writer_view(&w);
    nv_tagged_hash(out, "novate/params/v1", &part, 1);
}
