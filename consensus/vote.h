#ifndef NV_CONSENSUS_VOTE_H
#define NV_CONSENSUS_VOTE_H

/* vote.h - the three votes, the only things that a consensus key signs
 * (docs/spec/consensus.md section 4).
 *
 * Two votes conflict by what they say, never by their signature bytes.
 *
 * Plain data, no pointers.  Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

#include "consensus/valset.h"

#define CS_VOTE_SIZE 123u

/* The values are stored and sent. */
enum cs_vote_kind {
    CS_NOTARIZE = 1, /* I have this block and it is valid */
    CS_NULLIFY = 2,  /* this view gives no block, as far as I can see */
    CS_FINALIZE = 3, /* I saw it notarized and did not nullify */
};
#define CS_VOTE_KINDS 3u

/* What is voted for.  A nullify has parent_view 0 and a zero hash. */
struct cs_ballot {
    enum cs_vote_kind kind;
    uint64_t epoch;
    uint64_t view;
    uint64_t parent_view;
    struct nv_hash block_hash;
};

struct cs_vote {
    struct cs_ballot ballot;
    uint16_t signer; /* index in the epoch's validators */
    struct nv_sig sig;
};

/* cs_ballot_eq returns whether two ballots say the same. */
bool cs_ballot_eq(const struct cs_ballot *a, const struct cs_ballot *b);

/* cs_ballot_digest writes the hash that is signed. */
void cs_ballot_digest(struct nv_hash *out,
                      const struct nv_hash *chain_id,
                      const struct cs_ballot *ballot);

/* cs_ballot_put and cs_ballot_get are the first 57 bytes of a vote and of a
 * certificate.  NV_ERR_MALFORMED for an unknown kind or a nullify with a block. */
void cs_ballot_put(struct nv_writer *w, const struct cs_ballot *ballot);
NV_MUST_USE enum nv_err cs_ballot_get(struct nv_reader *r, struct cs_ballot *ballot);

/* cs_vote_put writes the CS_VOTE_SIZE canonical bytes. */
void cs_vote_put(struct nv_writer *w, const struct cs_vote *vote);

/* cs_vote_get reads a vote.  NV_ERR_MALFORMED for an unknown kind, a nullify
 * with a block, or a signer that no set has room for. */
NV_MUST_USE enum nv_err cs_vote_get(struct nv_reader *r, struct cs_vote *vote);

/* cs_vote_verify returns whether the signature is that of its signer. */
NV_MUST_USE bool cs_vote_verify(const struct cs_vote *vote,
                                const struct nv_hash *chain_id,
                                const struct cs_valset *set);

/* Why two votes of one signer are proof of a fault.  The values are stored. */
enum cs_offence {
    CS_OFFENCE_NONE = 0,
    CS_OFFENCE_NOTARIZE_TWICE = 1, /* two blocks notarized in one view */
    CS_OFFENCE_NULLIFY_FINAL = 2,  /* nullified and finalized one view */
    CS_OFFENCE_FINALIZE_TWICE = 3, /* two blocks finalized in one view */
    CS_OFFENCE_SWITCH = 4,         /* notarized one block, finalized another */
};

/* cs_ballot_offence judges two ballots of one signer, in either order, by what
 * they say. */
enum cs_offence cs_ballot_offence(const struct cs_ballot *a, const struct cs_ballot *b);

/* cs_vote_offence judges two votes, in either order, by what they say alone:
 * the signatures are the caller's to verify. */
enum cs_offence cs_vote_offence(const struct cs_vote *a, const struct cs_vote *b);

#endif /* NV_CONSENSUS_VOTE_H */
