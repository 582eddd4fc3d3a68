#ifndef NV_TOOLS_TRUST_H
#define NV_TOOLS_TRUST_H

/* trust.h - which chain is meant, and what is believed of it: where the command
 * line takes the genesis from that all proofs hang on.
 *
 *     1. --genesis FILE
 *     2. the genesis of the devnet at hand ($NOVATE_DEVNET, ./devnet), if the
 *        node says that it is on that chain
 *     3. what was pinned for the node's URL in ~/.novate/known_chains
 *     4. at first contact: what the node says, which is then pinned, and said
 *
 * In 3 and 4 the node gives the text of the genesis, whose hash is the chain
 * id; a node that gives another one is refused.  From the genesis, or from what
 * was seen before (seen.h), one goes epoch by epoch.  When both are too old to
 * be believed, one begins with an epoch that somebody trusted names (pin.h). */

#include "rpc/client.h"
#include "tools/light.h"
#include "tools/say.h"
#include "tools/seen.h"

/* Large: keep it static. */
struct tool_trust {
    bool devnet;
    struct cs_light light;
    struct seen seen;
};

/* tool_trust finds the chain; `genesis` is --genesis or NULL, `pin` is --trust or
 * NULL.  Else it has been said what is wrong. */
enum tool_exit tool_trust(struct tool_trust *out,
                          struct rpc_client *client,
                          const char *url,
                          const char *genesis,
                          const char *pin);

/* tool_trust_file is that without a node: for a genesis file, and with what was
 * seen before. */
enum tool_exit tool_trust_file(struct tool_trust *out, const char *path);

/* tool_trust_walk goes on to an epoch, if that is later than the one believed;
 * the node shows the way. */
enum tool_exit tool_trust_walk(struct tool_trust *trust, struct rpc_client *client, uint64_t epoch);

/* tool_trust_step goes to the next epoch by an answer of chain_epoch. */
NV_MUST_USE enum cs_light_verdict
tool_trust_step(struct cs_light *light, uint64_t now_ms, const struct json_t *answer);

#endif /* NV_TOOLS_TRUST_H */
