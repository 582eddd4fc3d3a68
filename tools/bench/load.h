#ifndef NV_TOOLS_BENCH_LOAD_H
#define NV_TOOLS_BENCH_LOAD_H

/* load.h - puts signed transactions into a network, in two ways: as fast as
 * they are taken, or at a steady pace with each answer timed. */

#include <stdbool.h>
#include <stdint.h>

#include "tools/bench/net.h"

/* What became of a flood. */
struct bench_flood {
    uint32_t taken;
    uint32_t refused;
    bool broken; /* a connection closed or kept silent */
};

/* bench_flood_run sends all calls, in batches, spread over connections to
 * every node, until all are sent or `seconds` have passed. */
void bench_flood_run(const struct bench_net *net,
                     const struct bench_call *calls,
                     uint32_t count,
                     double seconds,
                     struct bench_flood *out);

/* bench_pace_run sends calls that wait for their receipt, each on a connection
 * of its own to the nodes in turn: one every `gap_s`, or, when it is 0, two clients
 * at two nodes, each as soon as its last one is answered.  It writes the time from
 * sending to the answer, in seconds, and returns how many came within `seconds`. */
uint32_t bench_pace_run(const struct bench_net *net,
                        const struct bench_call *calls,
                        uint32_t count,
                        double gap_s,
                        double seconds,
                        double *took);

#endif /* NV_TOOLS_BENCH_LOAD_H */
