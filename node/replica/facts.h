#ifndef NV_NODE_REPLICA_FACTS_H
#define NV_NODE_REPLICA_FACTS_H

/* facts.h - what consensus has proved of a final block beside its transactions
 * (docs/spec/stake.md section 4.1), for the VM.
 *
 * A function of the block and its parent alone: a block that comes live and the
 * same block read from the journal give the same, and so the same state. */

#include <stdint.h>

#include "consensus/message.h"
#include "vm/vm.h"

/* replica_facts writes the facts of a block.  `parent_executed` is the
 * executed_height of its parent's header, 0 for block 1.  The offences go to
 * `offences`, to which *out points. */
void replica_facts(struct vm_consensus *out,
                   struct vm_offence offences[CS_EVIDENCE_MAX],
                   const struct cs_block *block,
                   uint64_t parent_executed);

#endif /* NV_NODE_REPLICA_FACTS_H */
