#ifndef NV_TOOLS_ASK_H
#define NV_TOOLS_ASK_H

/* ask.h - calls to a node, with what to say when they fail. */

#include <jansson.h>
#include <stdint.h>

#include "rpc/client.h"
#include "tools/say.h"

/* tool_ask calls a method.  On TOOL_OK *result is the caller's; else it has been
 * said what is wrong, in the node's own words where it gave any. */
enum tool_exit tool_ask(struct rpc_client *client,
                        const char *url,
                        json_t **result,
                        const char *method,
                        json_t *params);

/* tool_url returns the given node's URL, $NOVATE_NODE, that of the first node that
 * runs of the devnet at hand ($NOVATE_DEVNET or its usual folder), or that of a
 * local node.  It lives as long as the process. */
const char *tool_url(const char *given);

#endif /* NV_TOOLS_ASK_H */
