#ifndef NV_BASE_PORT_WEIGHTED_H
#define NV_BASE_PORT_WEIGHTED_H

/* port_weighted.h - the form of nv_weighted_sums that needs AVX2.  Private to base. */

#include "base/weighted.h"

void nv__weighted_sums_wide(int64_t *sums,
                            uint32_t width,
                            const struct nv_weighted *items,
                            uint32_t count);

#endif /* NV_BASE_PORT_WEIGHTED_H */
