#ifndef NV_CONSENSUS_CATCHUP_H
#define NV_CONSENSUS_CATCHUP_H

/* catchup.h - asking peers for what is missing (docs/spec/consensus.md section 15).
 *
 *     certificates        by view     catchup_certs.c, answered by catchup_answer.c
 *     headers and bodies  by hash     catchup_wants.c says which, catchup_fetch.c asks
 *     final blocks        by height   catchup_range.c
 *     the epoch's end                 catchup_handover.c
 *
 * Requests for blocks and bodies are answered by the shell, which keeps them. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/state.h"

/* cs__catchup_run asks for what is missing now and was not asked for yet, or
 * too long ago. */
void cs__catchup_run(struct cs *cs);

/* cs__blocks_take takes blocks that were asked for. */
void cs__blocks_take(struct cs *cs, const struct cs_block_response *response, bool final_checked);

/* ---- catchup_certs.c ---- */

/* cs__certs_need notes that a rule waits for a certificate of `view`; `all`
 * asks everybody instead of the leader first. */
void cs__certs_need(struct cs *cs, uint64_t view, bool all);

/* cs__certs_run asks for the certificates that are missing. */
void cs__certs_run(struct cs *cs);

/* ---- catchup_answer.c ---- */

/* cs__certs_answer answers a certificate request. */
void cs__certs_answer(struct cs *cs, uint32_t from, const struct cs_cert_request *request);

/* ---- catchup_wants.c ---- */

/* cs__wants_mark marks, in cs->fetch, the headers and bodies that are missing now, the
 * most wanted first, as many as there is room for. */
void cs__wants_mark(struct cs *cs);

/* ---- catchup_fetch.c ---- */

/* cs__fetches_run asks for those that are marked, and drops the others. */
void cs__fetches_run(struct cs *cs);

/* cs__fetch_asked returns whether the header of that hash is asked for. */
bool cs__fetch_asked(const struct cs *cs, const struct nv_hash *hash);

/* ---- catchup_range.c ---- */

/* cs__range_run asks for the next final blocks when there are many to come. */
void cs__range_run(struct cs *cs);

/* ---- catchup_handover.c ---- */

/* cs__handover_fill makes the end of the last epoch, with the present set in
 * `set_bytes`, of CS_VALSET_SIZE_MAX bytes. */
void cs__handover_fill(const struct cs *cs, struct cs_handover *handover, uint8_t *set_bytes);

/* cs__handover_send sends the end of the last epoch to one that is still in it. */
void cs__handover_send(struct cs *cs, uint32_t peer);

/* cs__handover_need notes that the epoch's end is missing; `peer` (or
 * CS_NOBODY) is known to have it. */
void cs__handover_need(struct cs *cs, uint32_t peer);

/* cs__handover_take takes a verified one. */
void cs__handover_take(struct cs *cs, const struct cs_handover *handover);

/* cs__handover_run asks for it, if needed, and not too often. */
void cs__handover_run(struct cs *cs);

#endif /* NV_CONSENSUS_CATCHUP_H */
