#ifndef NV_TOOLS_BENCH_FLOW_GENERATE_H
#define NV_TOOLS_BENCH_FLOW_GENERATE_H

/* flow_generate.h - makes order flow of one book in the form that flow.h reads.
 *
 * A price walks by one tick in one of 50 messages.  Limit orders lie around it
 * at geometric distances, most of them near; they never cross.  Cancels take
 * recent orders rather than old ones.  Aggressive orders are priced so that
 * they fill whole.  The same recipe gives the same bytes. */

#include <stdbool.h>
#include <stdint.h>

struct flow_recipe {
    uint64_t seed;
    uint32_t count; /* messages */
    uint32_t accounts;
    /* Of 100 messages, the rest being aggressive ones. */
    uint32_t adds;
    uint32_t cancels;
};

/* flow_generate writes the flow to a file; false when it cannot be written. */
bool flow_generate(const char *path, const struct flow_recipe *recipe);

#endif /* NV_TOOLS_BENCH_FLOW_GENERATE_H */
