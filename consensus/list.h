#ifndef NV_CONSENSUS_LIST_H
#define NV_CONSENSUS_LIST_H

/* list.h - a checked run of items of one kind, in place. */

#include <stdint.h>

#include "base/bytes.h"

struct cs_list {
    struct nv_view bytes; /* borrowed; each item decodes */
    uint32_t count;
};

#endif /* NV_CONSENSUS_LIST_H */
