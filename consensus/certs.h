#ifndef NV_CONSENSUS_CERTS_H
#define NV_CONSENSUS_CERTS_H

/* certs.h - the memory of the certificates of an engine. */

#include "consensus/state.h"

/* cs__cert_copy returns a copy, or NULL when all memory for certificates is in
 * use, or when it has more signers than there are validators. */
struct cs__cert *cs__cert_copy(struct cs *cs, const struct cs_certificate *certificate);
void cs__cert_drop(struct cs *cs, struct cs__cert *cert);

/* cs__cert_give puts a certificate into a place and drops the one there. */
void cs__cert_give(struct cs *cs, struct cs__cert **place, struct cs__cert *cert);

#endif /* NV_CONSENSUS_CERTS_H */
