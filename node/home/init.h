#ifndef NV_NODE_HOME_INIT_H
#define NV_NODE_HOME_INIT_H

/* init.h - makes the home of a new node: folders, novate.conf, keys.
 *
 * Start-up only. */

#include "node/home/config.h"

/* node_init makes the home of `config`; settings that came from flags are
 * written into novate.conf.  A home that is there already is a fault, and
 * nothing is ever overwritten. */
NV_MUST_USE bool node_init(const struct node_config *config, struct node_fault *fault);

#endif /* NV_NODE_HOME_INIT_H */
