#ifndef NV_CONSENSUS_SELF_H
#define NV_CONSENSUS_SELF_H

/* self.h - the validators of an engine, and its own place among them. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/state.h"

/* cs__set_of returns the validators of an epoch, of which the last three are
 * known, if the journal goes back that far; else NULL. */
const struct cs_valset *cs__set_of(const struct cs *cs, uint64_t epoch);

/* cs__leads returns whether this node leads `view`. */
bool cs__leads(const struct cs *cs, uint64_t view);

/* cs__sits_out returns whether the present epoch is one in which the own key may
 * have signed what this engine does not know. */
bool cs__sits_out(const struct cs *cs);

/* cs__votes returns whether this node is a validator that may sign now. */
bool cs__votes(const struct cs *cs);

#endif /* NV_CONSENSUS_SELF_H */
