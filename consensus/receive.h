#ifndef NV_CONSENSUS_RECEIVE_H
#define NV_CONSENSUS_RECEIVE_H

/* receive.h - taking in one message that was admitted and checked. */

#include "consensus/state.h"

/* cs__receive takes the message of a MESSAGE event. */
void cs__receive(struct cs *cs, const struct cs_event *event);

#endif /* NV_CONSENSUS_RECEIVE_H */
