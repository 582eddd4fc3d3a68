#ifndef NV_CONSENSUS_LIGHT_CLIENT_H
#define NV_CONSENSUS_LIGHT_CLIENT_H

/* light_client.h - believes nobody: what is true of a chain, by bytes that a
 * stranger gives (docs/spec/light.md).
 *
 *     set of epoch e --signs--> finalization --of--> header --names--> state root
 *           |                                           |                  |
 *           |               boundary header: hash of   parent_hash       proof
 *           v               the next set                |                  |
 *     set of epoch e + 1                            its ancestors         rows
 *
 * Begin with the validators of the genesis, or of a later epoch that somebody
 * trusted has named; go from epoch to epoch with cs_light_advance; take headers
 * as final with cs_light_final, and their ancestors with cs_light_parent; look
 * at rows with cs_light_open.  What is not proved is that a header is the
 * newest.
 *
 * Plain data, no pointers; no clock: the caller says what time it is.  All
 * bytes may come from anybody.  Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/proof.h"

#include "consensus/header.h"
#include "consensus/valset.h"

/* What is believed: who signs in one epoch. */
struct cs_light {
    struct nv_hash chain_id;
    uint64_t epoch;
    uint64_t trusting_ms;         /* age of the boundary up to which the set counts; 0: any */
    uint64_t boundary_height;     /* of the block that closed the epoch before; */
    uint64_t boundary_time_ms;    /* in epoch 1 all this is of the genesis, ... */
    struct nv_hash boundary_hash; /* ... whose hash is the chain id */
    struct cs_valset set;
};

/* The first bytes of an encoded cs_light pin the others: who can ask for the
 * set again may keep them alone. */
#define CS_LIGHT_HEAD_SIZE 130u
#define CS_LIGHT_SIZE_MAX  (CS_LIGHT_HEAD_SIZE + CS_VALSET_SIZE_MAX)

/* A header that is final. */
struct cs_light_final {
    struct cs_header header;
    struct nv_hash hash;
    struct cs_bitmap signers; /* of its certificate, or of the descendant's that was gone from */
};

/* What a check found.  Only CS_LIGHT_OK lets anything be believed. */
enum cs_light_verdict {
    CS_LIGHT_OK = 0,
    CS_LIGHT_HEADER,      /* the header's bytes are none */
    CS_LIGHT_CHAIN,       /* the header is of another chain */
    CS_LIGHT_EARLIER,     /* ... of an epoch before the one that is believed */
    CS_LIGHT_LATER,       /* ... of an epoch after it: advance first */
    CS_LIGHT_VALIDATORS,  /* ... made under other validators than those of its epoch */
    CS_LIGHT_ORDER,       /* ... not after the epoch's boundary, in height or time */
    CS_LIGHT_EXPIRED,     /* the epoch is too old to be believed */
    CS_LIGHT_CERTIFICATE, /* the certificate's bytes are none */
    CS_LIGHT_NOT_FINAL,   /* the certificate is of no finalization */
    CS_LIGHT_BLOCK,       /* it is of another block */
    CS_LIGHT_SIGNATURES,  /* a signature is wrong, or they are no quorum */
    CS_LIGHT_PARENT,      /* the header is not the parent of the final one */
    CS_LIGHT_OTHER,       /* the block is not the one that somebody trusted has named */
    CS_LIGHT_NO_BOUNDARY, /* the block does not close its epoch */
    CS_LIGHT_SET,         /* the next set's bytes are none, or not those the boundary names */
    CS_LIGHT_PROOF,       /* the proof's bytes are none */
    CS_LIGHT_ROOT,        /* the proof is of another state */
};

/* cs_light_init begins with the first epoch: what a genesis says.  The genesis
 * is older than its trusting period allows some day; then begin with a later
 * epoch. */
void cs_light_init(struct cs_light *light,
                   const struct nv_hash *chain_id,
                   uint64_t genesis_time_ms,
                   uint64_t trusting_ms,
                   const struct cs_valset *set);

/* cs_light_begin begins with the epoch behind a block whose hash somebody trusted
 * has named: by that block's header, and the bytes of the set that it names.
 * Chain and trusting period are those of `*light`, which stays as it was when
 * it is refused. */
NV_MUST_USE enum cs_light_verdict cs_light_begin(struct cs_light *light,
                                                 const struct nv_hash *named,
                                                 struct nv_view header,
                                                 struct nv_view set);

/* cs_light_encode writes the canonical bytes into `out`, which has room for
 * CS_LIGHT_SIZE_MAX bytes, and returns their size. */
uint32_t cs_light_encode(const struct cs_light *light, uint8_t *out);

/* cs_light_decode reads what cs_light_encode wrote.  NV_ERR_MISMATCH: the set
 * is not the one of the head; other errors: the bytes are none.  After an error
 * `*light` is worth nothing. */
NV_MUST_USE enum nv_err cs_light_decode(struct cs_light *light, struct nv_view bytes);

/* cs_light_expired returns whether the epoch is too old to be believed. */
bool cs_light_expired(const struct cs_light *light, uint64_t now_ms);

/* A header with the certificate that makes it final, as they came. */
struct cs_light_block {
    struct nv_view header;      /* borrowed */
    struct nv_view certificate; /* borrowed */
};

/* cs_light_final decides whether a block of the light state's epoch is final at
 * the time now; `*out` is written when it is.  It verifies the certificate's
 * signatures, at most 128, when all else is right. */
NV_MUST_USE enum cs_light_verdict cs_light_final(struct cs_light_final *out,
                                                 const struct cs_light *light,
                                                 uint64_t now_ms,
                                                 const struct cs_light_block *block);

/* cs_light_parent goes from a final header to its parent, given the parent's
 * bytes: what is before something final is final.  `*final` stays what it was
 * when they are not. */
NV_MUST_USE enum cs_light_verdict
cs_light_parent(struct cs_light_final *final, struct nv_view header);

/* cs_light_advance goes to the next epoch: by the final block that closed this
 * one, and the bytes of the set that it names.  A light state that is refused a
 * step stays as it was. */
NV_MUST_USE enum cs_light_verdict cs_light_advance(struct cs_light *light,
                                                   uint64_t now_ms,
                                                   const struct cs_light_block *boundary,
                                                   struct nv_view next_set);

/* cs_light_open opens a proof against the state after the header's
 * `executed_height`; it borrows `bytes`.  The rows are asked of base/proof.h. */
NV_MUST_USE enum cs_light_verdict
cs_light_open(struct nv_proof *out, const struct cs_light_final *final, struct nv_view bytes);

/* cs_light_fork returns whether two final headers cannot both be of one chain:
 * then validators with more than a third of the stake broke the rules, and
 * neither header is worth anything. */
bool cs_light_fork(const struct cs_light_final *a, const struct cs_light_final *b);

#endif /* NV_CONSENSUS_LIGHT_CLIENT_H */
