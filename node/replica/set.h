#ifndef NV_NODE_REPLICA_SET_H
#define NV_NODE_REPLICA_SET_H

/* set.h - a set of validators with the keys by which their nodes are linked.
 *
 * Consensus knows validators by the keys that sign votes, p2p knows nodes by
 * theirs; the state knows both (vm/vm.h). */

#include "consensus/valset.h"

struct replica_set {
    struct cs_valset set;
    struct nv_pubkey node_key[CS_VALIDATORS_MAX]; /* by index; zeros: not known */
};

#endif /* NV_NODE_REPLICA_SET_H */
