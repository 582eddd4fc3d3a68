#include "base/err.h"

#include <stdint.h>

#include "base/pure.h"

struct entry {
    const char *name;
    const char *text;
};

static const struct entry entries[] = {{"OK", "success"},
#define ENTRY(name, text) {#name, text},
                                       NV_ERR(ENTRY)
#undef ENTRY
};

#define ENTRY_COUNT (sizeof entries / sizeof entries[0])

const char *nv_err_name(enum nv_err err)
{
    return (uint32_t)err < ENTRY_COUNT ? entries[err].name : "UNKNOWN";
}

const char *nv_err_text(enum nv_err err)
{
    return (uint32_t)err < ENTRY_COUNT ? entries[err].text : "an unknown error";
}
