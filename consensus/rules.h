#ifndef NV_CONSENSUS_RULES_H
#define NV_CONSENSUS_RULES_H

/* rules.h - the protocol (docs/spec/consensus.md sections 10 to 14).
 *
 * A try_ function does what its rule allows now, if anything, and returns
 * whether it changed something; the engine calls them until none does. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/state.h"

/* What the rules think of a proposal.  Above CS__WAIT the view is given up. */
enum cs__verdict {
    CS__GOOD = 0,
    CS__WAIT = 1, /* something can still come that makes it good */
    CS__BAD_CHAIN = 2,
    CS__BAD_EPOCH,
    CS__BAD_SET,
    CS__BAD_PARAMS,
    CS__BAD_VIEW,
    CS__BAD_PROPOSER,
    CS__BAD_PARENT,
    CS__BAD_HEIGHT,
    CS__BAD_JUSTIFY,
    CS__BAD_TIME,
    CS__BAD_BODY_FIELDS,
    CS__BAD_BODY,
    CS__BAD_EXECUTED,
    CS__BAD_ROOT,
};

/* ---- rules_sign.c ---- */

/* cs__sign signs a ballot if the gate allows it, and makes the vote durable
 * with `block` (or NULL) and all certificates.  The caller sends it, and then
 * gives it to cs__vote_take. */
bool cs__sign(struct cs *cs,
              struct cs_vote *vote,
              const struct cs_ballot *ballot,
              struct cs__block *block);

/* cs__cast is that, sends the vote to all and counts it. */
bool cs__cast(struct cs *cs, const struct cs_ballot *ballot, struct cs__block *block);

/* cs__vote_take counts a vote, makes a certificate of a quorum and reports
 * offences. */
void cs__vote_take(struct cs *cs, const struct cs_vote *vote, bool verified);

/* ---- rules_view.c ---- */

/* cs__try_advance enters the view that the certificates lead to. */
bool cs__try_advance(struct cs *cs);

/* cs__view_begin resets what belongs to a view. */
void cs__view_begin(struct cs *cs);

/* cs__view_arm starts or moves forward the view's timers. */
void cs__view_arm(struct cs *cs);

/* cs__timeout gives the view up; `reason` as in CS_TRACE_TIMEOUT. */
void cs__timeout(struct cs *cs, uint32_t reason);

/* cs__timers_run does what is due, and returns whether that changed anything. */
bool cs__timers_run(struct cs *cs);

/* cs__resend sends again what others may have missed; `all` with the entry
 * certificate to everybody. */
void cs__resend(struct cs *cs, bool all);

/* ---- rules_cadence.c ---- */

/* cs__parent_view returns the view of the parent that a new block would have. */
uint64_t cs__parent_view(const struct cs *cs);

/* cs__due_ns returns when a block is due: for the leader itself, or for those
 * who wait for it. */
uint64_t cs__due_ns(const struct cs *cs, bool leader);

/* ---- rules_propose.c ---- */

bool cs__try_propose(struct cs *cs);

/* cs__built takes the shell's answer to BUILD. */
void cs__built(struct cs *cs, const struct cs_event *event);

/* cs__send_proposal sends the own proposal of the current view, once more if
 * need be.  False when there is none. */
bool cs__send_proposal(struct cs *cs);

/* ---- rules_vote.c ---- */

bool cs__try_vote(struct cs *cs);

/* cs__judge_alone judges what a header says without regard to other blocks. */
enum cs__verdict cs__judge_alone(const struct cs *cs, const struct cs_header *header);

/* ---- rules_final.c ---- */

bool cs__try_finalize(struct cs *cs);
bool cs__try_commit(struct cs *cs);

/* cs__execute gives EXECUTE for committed blocks. */
bool cs__execute(struct cs *cs);

/* cs__executed takes the shell's answer to EXECUTE. */
void cs__executed(struct cs *cs, uint64_t height, const struct nv_hash *root);

/* cs__root_known writes the own state root after `height`, if known. */
bool cs__root_known(const struct cs *cs, struct nv_hash *root, uint64_t height);

#endif /* NV_CONSENSUS_RULES_H */
