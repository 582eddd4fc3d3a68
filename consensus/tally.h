#ifndef NV_CONSENSUS_TALLY_H
#define NV_CONSENSUS_TALLY_H

/* tally.h - the votes of one view.
 *
 * Per kind and validator the first vote counts, whatever comes later; the
 * order in which different validators' votes arrive makes no difference.
 * Votes whose signature nobody has verified are kept for evidence and weigh
 * nothing.
 *
 * A tally's memory comes from an arena once and is used for one view after
 * another. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/valset.h"
#include "consensus/vote.h"

struct nv_arena;

struct cs__tally_entry {
    uint16_t candidate; /* plus one; 0: no vote */
    bool verified;
    struct nv_sig sig;
};

struct cs__candidate {
    uint64_t parent_view;
    struct nv_hash block_hash;
    uint64_t stake; /* of verified votes */
};

struct cs__tally {
    const struct cs_valset *set; /* borrowed */
    uint64_t epoch;
    uint64_t view;
    struct cs__tally_entry *entry[CS_VOTE_KINDS + 1u];   /* by kind; by validator */
    struct cs__candidate *candidate[CS_VOTE_KINDS + 1u]; /* by kind */
    uint32_t candidate_count[CS_VOTE_KINDS + 1u];
    struct cs_bitmap accused; /* whose offence in this view was reported */
};

/* What adding a vote did.  Only CS__VOTE_COUNTED changed the stake. */
enum cs__vote_outcome {
    CS__VOTE_COUNTED = 1,
    CS__VOTE_STORED,   /* unverified: kept, not counted */
    CS__VOTE_REPEATED, /* known already */
    CS__VOTE_OTHER,    /* another ballot of that kind came first */
};

/* cs__tally_new returns a tally for the votes of `set` in `epoch`.  Both may
 * change before a reset; the set never has more than `members_max` members. */
struct cs__tally *cs__tally_new(struct nv_arena *arena,
                                const struct cs_valset *set,
                                uint32_t members_max,
                                uint64_t epoch);

/* cs__tally_reset empties a tally and gives it to a view. */
void cs__tally_reset(struct cs__tally *tally, uint64_t view);

/* cs__tally_add adds a vote of the tally's view. */
enum cs__vote_outcome
cs__tally_add(struct cs__tally *tally, const struct cs_vote *vote, bool verified);

/* cs__tally_vote writes the first vote of that kind by `signer`.  False when
 * there is none.  `*verified` tells whether its signature was verified. */
bool cs__tally_vote(const struct cs__tally *tally,
                    struct cs_vote *vote,
                    bool *verified,
                    enum cs_vote_kind kind,
                    uint32_t signer);

/* cs__tally_quorum returns whether a ballot of that kind has a quorum and
 * writes it. */
bool cs__tally_quorum(const struct cs__tally *tally,
                      struct cs_ballot *ballot,
                      enum cs_vote_kind kind);

/* cs__tally_gather writes the verified signatures for `ballot`, by index, and
 * their signers; `sigs` has room for all validators.  It returns their number. */
uint32_t cs__tally_gather(const struct cs__tally *tally,
                          struct nv_sig *sigs,
                          struct cs_bitmap *signers,
                          const struct cs_ballot *ballot);

/* cs__tally_knows returns whether this very signature, of this very ballot, was
 * verified before. */
bool cs__tally_knows(const struct cs__tally *tally,
                     const struct cs_ballot *ballot,
                     uint32_t signer,
                     const struct nv_sig *sig);

#endif /* NV_CONSENSUS_TALLY_H */
