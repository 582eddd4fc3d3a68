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

/* Bytes of the longest certificate. */
#define CS_CERTIFICATE_SIZE_MAX (58u + CS_BITMAP_SIZE + 64u * CS_VALIDATORS_MAX)

struct cs_certificate {
    struct cs_ballot ballot;
    struct cs_bitmap signers;
    uint32_t signer_count;
    const struct nv_sig *sigs; /* borrowed; signer_count of them, by index */
};

/* cs_certificate_size returns how many bytes cs_certificate_put writes. */
uint32_t cs_certificate_size(const struct cs_certificate *certificate);

/* cs_certificate_put writes the canonical bytes. */
void cs_certificate_put(struct nv_writer *w, const struct cs_certificate *certificate);

/* cs_certificate_get reads a certificate in place.  NV_ERR_MALFORMED for an
 * unknown kind, a nullification with a block, no signer, or a bitmap that is
 * longer than its highest bit needs.  It does not verify, and it does not know
 * the set: signers may stand above its last member until it is verified. */
NV_MUST_USE enum nv_err cs_certificate_get(struct nv_reader *r, struct cs_certificate *certificate);

/* cs_certificate_hash writes what a header's justify_hash is of the parent's
 * certificate. */
void cs_certificate_hash(struct nv_hash *out, const struct cs_certificate *certificate);

/* cs_certificate_verify returns whether the signers are a quorum and every
 * signature is right.  `known` (may be NULL) names signers whose signature
 * the caller has already found to be right, byte for byte. */
NV_MUST_USE bool cs_certificate_verify(const struct cs_certificate *certificate,
                                       const struct nv_hash *chain_id,
                                       const struct cs_valset *set,
                                       const struct cs_bitmap *known);

#endif /* NV_CONSENSUS_CERTIFICATE_H */
