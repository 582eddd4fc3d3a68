#ifndef NV_CONSENSUS_BODIES_H
#define NV_CONSENSUS_BODIES_H

/* bodies.h - how many bodies an engine counts as held, and which when not all can be
 * (docs/spec/consensus.md section 16.9).
 *
 * The shell keeps in memory what is counted here, so it must be little, however many
 * views are given up above fin: of up to two blocks a view the headers are kept.  When
 * more than CS_BODIES_MAX come, those are given up that are needed least.  The order
 * depends on certificates and views alone, not on what is there: bodies that come do
 * not push out each other in turn.
 *
 * It is live.  First come the blocks below the finalization that is worked on, the lowest
 * first.  Those with a body fit: it stands at most CS_BLOCKS_MAX heights above fin, or
 * one that does is found by height (catchup_range.c); or nobody has a finalization
 * between, and then at most CS__LAG_MAX of the blocks may have a body.  So fin goes on
 * whatever else is held.  With fin at the newest final block, the block on which the
 * next one is built, and its ancestors, have at most CS__LAG_MAX bodies, and they
 * and the proposal come before all that was left behind in earlier views. */

#include <stdbool.h>

#include "consensus/state.h"

/* cs__bodies_need finds the blocks whose bodies may be held when not all may. */
void cs__bodies_need(struct cs *cs);

/* cs__body_room returns whether the body of a block may be asked for.  Contract:
 * cs__bodies_need has been called if CS_BODIES_MAX are held. */
bool cs__body_room(const struct cs *cs, const struct cs__block *block);

/* cs__bodies_trim gives up what is above CS_BODIES_MAX: it must come again before
 * any rule counts on it. */
void cs__bodies_trim(struct cs *cs);

#endif /* NV_CONSENSUS_BODIES_H */
