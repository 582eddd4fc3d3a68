#ifndef NV_TOOLS_PATIENCE_H
#define NV_TOOLS_PATIENCE_H

/* patience.h - waiting for a node that is a moment behind.
 *
 * Nodes agree, but not at the same instant: the one that is asked may not have what
 * another has shown already, or what it promised itself.  Then the same is asked
 * again after a pause, until it is there or patience ends:
 *
 *     struct tool_patience patience = {0};
 *     do {
 *         ask
 *     } while (it is not there yet && tool_patience_wait(&patience, MOST_MS)); */

#include <stdbool.h>
#include <stdint.h>

struct tool_patience {
    uint64_t since_ms; /* of the first wait, by a clock that is never set; 0: none yet */
};

/* tool_patience_wait makes a short pause; false, and no pause, when `most_ms` have
 * passed since the first call with this `patience`, or are 0. */
bool tool_patience_wait(struct tool_patience *patience, uint32_t most_ms);

#endif /* NV_TOOLS_PATIENCE_H */
