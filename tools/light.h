#ifndef NV_TOOLS_LIGHT_H
#define NV_TOOLS_LIGHT_H

/* light.h - believes nobody: checks what a node says of the state against the
 * genesis that the user knows.
 *
 *     genesis ---> chain id, validators and their stake
 *                     |
 *     header  <--- finality certificate: signatures of more than 2/3 of it
 *        |
 *     state root ---> proof ---> rows
 *
 * Whoever holds the right genesis, or its hash, needs to trust no node: one
 * that is wrong is found out.  What is not proved is that the header is the
 * newest; the height that comes out says how old the rows are.
 *
 * The validators are those of the first epoch; a header that names others is
 * refused.  Any thread; the bytes come from a stranger. */

#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/proof.h"

#include "consensus/valset.h"

struct light_chain {
    struct nv_hash id; /* SHA-256 of the genesis file */
    bool devnet;
    struct cs_valset validators;
};

/* What a check found.  Only LIGHT_OK lets anything be believed. */
enum light_verdict {
    LIGHT_OK = 0,
    LIGHT_HEADER,      /* the header's bytes are none */
    LIGHT_CHAIN,       /* the header is of another chain */
    LIGHT_VALIDATORS,  /* it was made under other validators */
    LIGHT_CERTIFICATE, /* the certificate's bytes are none */
    LIGHT_NOT_FINAL,   /* the certificate is of no finalization */
    LIGHT_BLOCK,       /* it is of another block */
    LIGHT_SIGNATURES,  /* a signature is wrong, or they are no quorum */
    LIGHT_PROOF_FORM,  /* the proof's bytes are none */
    LIGHT_ROOT,        /* the proof is of another state */
};

/* A final header and what it says of the state. */
struct light_final {
    uint64_t block_height;
    uint64_t block_time_ms;
    struct nv_hash block_hash;
    uint64_t height;           /* the block after which ... */
    struct nv_hash state_root; /* ... the state had this root */
    uint32_t signers;
    uint32_t validators;
    uint64_t stake; /* of the signers */
    uint64_t stake_total;
};

/* light_chain_read takes chain id and validators from the text of a genesis
 * file.  NV_ERR_MALFORMED: it is none. */
NV_MUST_USE enum nv_err light_chain_read(struct light_chain *out, struct nv_view genesis);

/* light_check decides whether `header` is that of a final block of the chain;
 * `*out` is written when it is. */
NV_MUST_USE enum light_verdict light_check(struct light_final *out,
                                           const struct light_chain *chain,
                                           struct nv_view header,
                                           struct nv_view certificate);

/* light_open opens a proof against the root of a final header; it borrows
 * `bytes`. */
NV_MUST_USE enum light_verdict
light_open(struct nv_proof *out, const struct light_final *final, struct nv_view bytes);

/* light_text says a verdict in a sentence. */
const char *light_text(enum light_verdict verdict);

#endif /* NV_TOOLS_LIGHT_H */
