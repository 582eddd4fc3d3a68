#ifndef NV_TOOLS_TRUST_H
#define NV_TOOLS_TRUST_H

/* trust.h - which chain is meant: where the command line takes the genesis
 * from that all proofs hang on.
 *
 *     1. --genesis FILE
 *     2. the genesis of the devnet at hand ($NOVATE_DEVNET, ./devnet), if the
 *        node says that it is on that chain
 *     3. what was pinned for the node's URL in ~/.novate/known_chains
 *     4. at first contact: what the node says, which is then pinned, and said
 *
 * In 3 and 4 the node gives the text of the genesis, whose hash is the chain
 * id; a node that gives another one is refused. */

#include "rpc/client.h"
#include "tools/light.h"
#include "tools/say.h"

/* tool_trust finds the chain; `genesis` is --genesis or NULL.  Else it has been
 * said what is wrong. */
enum tool_exit tool_trust(struct light_chain *out,
                          struct rpc_client *client,
                          const char *url,
                          const char *genesis);

/* tool_trust_file reads a genesis file. */
enum tool_exit tool_trust_file(struct light_chain *out, const char *path);

#endif /* NV_TOOLS_TRUST_H */
