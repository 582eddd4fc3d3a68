#ifndef NV_NODE_RUNTIME_RUNTIME_H
#define NV_NODE_RUNTIME_RUNTIME_H

/* runtime.h - a running node: the replica and the world around it.
 *
 *     peers, clients, timer, workers, disk, executor
 *          callbacks copy into bounded inboxes and wake the loop
 *                                 |
 *     tick: results, links, votes, bodies, transactions --> replica
 *           what the replica asks for --> peers, disk, workers, executor
 *
 * One tick follows every turn of the libuv loop; nothing decides outside it.
 * When the disk is behind, messages stay in the inboxes, and full inboxes
 * hold the peers back. */

#include "node/home/config.h"
#include "node/home/fault.h"

/* node_run opens the home of `config`, runs until a signal or a fault, and
 * returns the exit code; *fault tells why it is not 0.  SIGINT and SIGTERM end
 * it cleanly. */
int node_run(struct node_config *config, struct node_fault *fault);

/* node_check opens nothing but reads configuration, genesis and keys.  False:
 * *fault tells. */
NV_MUST_USE bool node_check(struct node_config *config, struct node_fault *fault);

#endif /* NV_NODE_RUNTIME_RUNTIME_H */
