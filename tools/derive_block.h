#ifndef NV_TOOLS_DERIVE_BLOCK_H
#define NV_TOOLS_DERIVE_BLOCK_H

/* derive_block.h - what an answer of chain_block must be, by a header that is
 * final: the header's members, and the transactions whose bytes make up the
 * body that it names.  What became of them is no part of the block. */

#include "base/err.h"

#include "consensus/light_client.h"

struct json_t;

/* derive_block writes the answer, without receipts; the caller's.
 * `transactions` is null when the node gives none.  NV_ERR_MISMATCH: they are
 * not the block's.  NV_ERR_MALFORMED: they are none. */
NV_MUST_USE enum nv_err
derive_block(struct json_t **out, const struct cs_light_final *final, const struct json_t *answer);

#endif /* NV_TOOLS_DERIVE_BLOCK_H */
