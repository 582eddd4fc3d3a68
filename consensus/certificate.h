#ifndef NV_CONSENSUS_CERTIFICATE_H
#define NV_CONSENSUS_CERTIFICATE_H

/* certificate.h - a quorum's votes for one ballot (docs/spec/consensus.md
 * section 5).
 *
 * A notarization (kind CS_NOTARIZE) says that one block had a quorum in its
 * view; a nullification that the view may be skipped; a finalization that the
 * block and all its ancestors stand for ever.
 *
 * The signatures are borrowed: a decoded certificate points into the bytes it
 * was read from and lives as long as they do.  Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"

#include "consensus/valset.h"
#include "consensus/vote.h"

/* Bytes of a certificate with `signers` of a set of `count` validators. */
#define CS_CERTIFICATE_SIZE(count, signers) (57u + ((count) + 7u) / 8u + 64u * (signers))
#define CS_CERTIFICATE_SIZE_MAX             CS_CERTIFICATE_SIZE(CS_VALIDATORS_MAX, CS_VALIDATORS_MAX)

struct cs_certificate {
    struct cs_ballot ballot;
    struct cs_bitmap signers;
    uint32_t signer_count;
    const struct nv_sig *sigs; /* borrowed; signer_count of them, by index */
};

/* cs_certificate_put writes the canonical bytes.  `validator_count` is that of
 * the certificate's epoch. */
void cs_certificate_put(struct nv_writer *w,
                        const struct cs_certificate *certificate,
                        uint32_t validator_count);

/* cs_certificate_get reads a certificate in place.  NV_ERR_MALFORMED for an
 * unknown kind, a nullification with a block, no signer, or a signer at or
 * above `validator_count`.  It does not verify. */
NV_MUST_USE enum nv_err cs_certificate_get(struct nv_reader *r,
                                           struct cs_certificate *certificate,
                                           uint32_t validator_count);

/* cs_certificate_hash writes what a header's justify_hash is of the parent's
 * certificate. */
void cs_certificate_hash(struct nv_hash *out,
                         const struct cs_certificate *certificate,
                         uint32_t validator_count);

/* cs_certificate_verify returns whether the signers are a quorum and every
 * signature is right.  `known` (may be NULL) names signers whose signature
 * the caller has already found to be right, byte for byte. */
NV_MUST_USE bool cs_certificate_verify(const struct cs_certificate *certificate,
                                       const struct nv_hash *chain_id,
                                       const struct cs_valset *set,
                                       const struct cs_bitmap *known);

#endif /* NV_CONSENSUS_CERTIFICATE_H */
