#ifndef NV_TOOLS_FINAL_H
#define NV_TOOLS_FINAL_H

/* final.h - whether a block that a node gives is final.
 *
 * Most blocks have a finalization of their own, of the epoch that is believed.
 * One that has none, or is of an epoch before, is final because a descendant is:
 *
 *     asked for <-- . <-- . <-- . <-- has a finalization of the believed epoch
 *
 * Then the blocks up to that descendant are asked for, each the parent of the
 * next; where the chain has not come so far yet, that is waited for a moment. */

#include "rpc/client.h"
#include "tools/trust.h"

struct json_t;

/* Blocks that are asked for at most to find that descendant. */
#define TOOL_FINAL_CLIMB_MAX 2000u

/* tool_final_find checks `header` and `certificate` of an answer and writes the
 * header that is final by them if *verdict says so; the signers are those of the
 * finalization that shows it.  Else it has been said what is wrong. */
enum tool_exit tool_final_find(struct cs_light_final *out,
                               enum cs_light_verdict *verdict,
                               struct tool_trust *trust,
                               struct rpc_client *client,
                               const struct json_t *answer);

/* tool_final is that for who needs the block; it is said too when it is not final. */
enum tool_exit tool_final(struct cs_light_final *out,
                          struct tool_trust *trust,
                          struct rpc_client *client,
                          const struct json_t *answer);

#endif /* NV_TOOLS_FINAL_H */
