#include "base/bytes.h"

#include "base/pure.h"

int nv_view_cmp(struct nv_view a, struct nv_view b)
{
    uint32_t const shorter = a.size < b.size ? a.size : b.size;
    int const order = nv_bytes_cmp(a.bytes, b.bytes, shorter);
    if (order != 0) {
        return order;
    }
    return (a.size > b.size) - (a.size < b.size);
}
