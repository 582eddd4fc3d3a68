#include "base/bytes.h"

#include "base/assert.h"

#include "base/pure.h"

struct nv_view nv_view_of_text(const char *text)
{
    size_t const size = strlen(text);
    NV_ASSERT(size <= UINT32_MAX);
    return nv_view_of(text, (uint32_t)size);
}
