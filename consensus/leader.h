#ifndef NV_CONSENSUS_LEADER_H
#define NV_CONSENSUS_LEADER_H

/* leader.h - who leads which view (docs/spec/consensus.md section 6).
 *
 * A cycle of slots is laid out once per epoch, each validator as often as its
 * stake deserves and as evenly spread as that allows.  A view's leader depends
 * on nothing but the view.  Pure. */

#include <stdint.h>

#include "base/hash.h"

#include "consensus/valset.h"

#define CS_SLOTS_MAX (17u * CS_VALIDATORS_MAX)

struct cs_schedule {
    uint16_t slot[CS_SLOTS_MAX]; /* validator, by place in the cycle */
    uint32_t length;
    uint32_t offset;
};

/* cs_schedule_init lays out the cycle of `epoch`; `boundary` is the hash of the
 * block that closed the epoch before, or of the genesis. */
void cs_schedule_init(struct cs_schedule *schedule,
                      const struct cs_valset *set,
                      const struct nv_hash *chain_id,
                      uint64_t epoch,
                      const struct nv_hash *boundary);

/* cs_schedule_leader returns the leader of `view`. */
uint32_t cs_schedule_leader(const struct cs_schedule *schedule, uint64_t view);

#endif /* NV_CONSENSUS_LEADER_H */
