/* clock.c - the node's two clocks. */

#include <time.h>

#include "base/assert.h"

#include "node/runtime/internal.h"

struct replica_time node_now(void)
{
    struct timespec wall;
    int const result = clock_gettime(CLOCK_REALTIME, &wall);
    NV_ASSERT(result == 0);
    return (struct replica_time){
        .now_ns = uv_hrtime(),
        .wall_ms = (uint64_t)wall.tv_sec * 1000u + (uint64_t)wall.tv_nsec / 1000000u,
    };
}
