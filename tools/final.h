#ifndef NV_TOOLS_FINAL_H
#define NV_TOOLS_FINAL_H

/* final.h - whether a block that a node gives is final.
 *
 * Most blocks have a finalization of their own; one that has none is final
 * because a descendant is, and then the headers from it to that descendant are
 * asked for. */

#include "rpc/client.h"
#include "tools/trust.h"

struct json_t;

/* tool_final checks `header` and `certificate` of an answer and writes the
 * header that is final by them.  Else it has been said what is wrong. */
enum tool_exit tool_final(struct cs_light_final *out,
                          struct tool_trust *trust,
                          struct rpc_client *client,
                          const struct json_t *answer);

#endif /* NV_TOOLS_FINAL_H */
