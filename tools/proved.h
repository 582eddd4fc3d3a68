#ifndef NV_TOOLS_PROVED_H
#define NV_TOOLS_PROVED_H

/* proved.h - an answer that has been checked: asked for with its proof, and
 * worked out anew from the rows that the proof shows. */

#include <jansson.h>
#include <stdint.h>

#include "tools/derive.h"
#include "tools/say.h"
#include "tools/trust.h"

struct tool_proved {
    struct cs_light_final final; /* the block that the proof hangs on */
    struct nv_proof proof;       /* borrows `bytes` */
    uint8_t *bytes;              /* owned */
    json_t *derived;             /* the answer by the proof; owned, NULL where none is derived */
};

/* tool_proved_check checks an answer to `method` and `params` by what is
 * believed; `client` (NULL: none) shows the way to later epochs.  TOOL_REFUSED:
 * it has been said why the answer is not to be believed.  Whatever comes back,
 * end with tool_proved_deinit. */
enum tool_exit tool_proved_check(struct tool_proved *out,
                                 struct tool_trust *trust,
                                 struct rpc_client *client,
                                 const char *method,
                                 const json_t *params,
                                 const json_t *answer);
void tool_proved_deinit(struct tool_proved *proved);

/* tool_proved_summary returns {height, block_height, block_time_ms, state_root,
 * chain_id, epoch, signers, validators, checked}: what a proof hangs on; the
 * caller's. */
json_t *tool_proved_summary(const struct tool_proved *proved, const struct tool_trust *trust);

#endif /* NV_TOOLS_PROVED_H */
