#ifndef NV_CONSENSUS_CATCHUP_H
#define NV_CONSENSUS_CATCHUP_H

/* catchup.h - asking peers for what is missing (docs/spec/consensus.md section
 * 15): certificates by view, headers and bodies by hash, final blocks by
 * height. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/state.h"

/* cs__certs_need notes that a rule waits for a certificate of `view`; `all`
 * asks everybody instead of the leader first. */
void cs__certs_need(struct cs *cs, uint64_t view, bool all);

/* cs__catchup_run asks for what is missing now and was not asked for yet, or
 * too long ago. */
void cs__catchup_run(struct cs *cs);

/* cs__catchup_again makes it ask again at once. */
void cs__catchup_again(struct cs *cs);

/* cs__blocks_take takes blocks that were asked for. */
void cs__blocks_take(struct cs *cs, const struct cs_block_response *response, bool final_checked);

/* cs__certs_answer answers a certificate request. */
void cs__certs_answer(struct cs *cs, uint32_t from, const struct cs_cert_request *request);

#endif /* NV_CONSENSUS_CATCHUP_H */
