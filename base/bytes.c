#include "base/bytes.h"

#include "base/assert.h"

#include "base/pure.h"

struct nv_view nv_view_of_text(const char *text)
{
    size_t const size = strlen(text);
    NV_ASSERT(size <= UINT32_MAX);
    return nv_view_of(text, (uint32_t)size);
}

int nv_view_cmp(struct nv_view a, struct nv_view b)
{
    uint32_t const shorter = a.size < b.size ? a.size : b.size;
    int const order = nv_bytes_cmp(a.bytes, b.bytes, shorter);
    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}
