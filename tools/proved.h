#ifndef NV_TOOLS_PROVED_H
#define NV_TOOLS_PROVED_H

/* proved.h - an answer that has been checked: asked for with its proof, and
 * worked out anew from the rows that the proof shows. */

#include <jansson.h>
#include <stdint.h>

#include "tools/derive.h"
#include "tools/light.h"
#include "tools/say.h"

struct tool_proved {
    struct light_final final; /* the block that the proof hangs on */
    struct nv_proof proof;    /* borrows `bytes` */
    uint8_t *bytes;           /* owned */
    json_t *derived;          /* the answer by the proof; owned, NULL where none is derived */
};

/* tool_proved_check checks an answer to `method` and `params` against the
 * chain.  TOOL_REFUSED: it has been said why it is not to be believed.
 * Whatever comes back, end with tool_proved_deinit. */
enum tool_exit tool_proved_check(struct tool_proved *out,
                                 const struct light_chain *chain,
                                 const char *method,
                                 const json_t *params,
                                 const json_t *answer);
void tool_proved_deinit(struct tool_proved *proved);

/* tool_proved_summary returns {height, block_height, block_time_ms, state_root,
 * chain_id, signers, validators, checked}: what a proof hangs on; the
 * caller's. */
json_t *tool_proved_summary(const struct tool_proved *proved, const struct light_chain *chain);

#endif /* NV_TOOLS_PROVED_H */
