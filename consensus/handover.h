#ifndef NV_CONSENSUS_HANDOVER_H
#define NV_CONSENSUS_HANDOVER_H

/* handover.h - the end of an epoch: the block that closes it, its finalization,
 * and the validators of the next epoch (docs/spec/consensus.md section 18).
 *
 * Who knows the validators of an epoch learns from a handover those of the
 * next, and need believe nobody.  The same bytes are the answer to an epoch
 * request and the journal's epoch record.
 *
 * The signatures and the set are borrowed: a decoded handover points into the
 * bytes it was read from.  Pure; any thread. */

#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/err.h"

#include "consensus/certificate.h"
#include "consensus/header.h"
#include "consensus/valset.h"

#define CS_HANDOVER_SIZE_MAX (CS_HEADER_SIZE + CS_CERTIFICATE_SIZE_MAX + CS_VALSET_SIZE_MAX)

struct cs_handover {
    struct cs_header header;     /* of the block that closes the epoch */
    struct cs_certificate final; /* its finalization; borrowed */
    struct nv_view set;          /* the next epoch's validators, as cs_valset_encode; borrowed */
};

/* cs_handover_put writes the canonical bytes. */
void cs_handover_put(struct nv_writer *w, const struct cs_handover *handover);

/* cs_handover_get reads a handover up to the end of `r`.  NV_ERR_MALFORMED
 * unless the header closes its epoch, the certificate is a finalization of that
 * very block in that epoch, and the set is the one that the header names.  The
 * certificate's signatures are the caller's to verify. */
NV_MUST_USE enum nv_err cs_handover_get(struct nv_reader *r, struct cs_handover *handover);

#endif /* NV_CONSENSUS_HANDOVER_H */
