#ifndef NV_CONSENSUS_RULES_H
#define NV_CONSENSUS_RULES_H

/* rules.h - the protocol (docs/spec/consensus.md sections 10 to 14).
 *
 * A try_ function does what its rule allows now, if anything, and returns
 * whether it changed something; the engine calls them until none does. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/emit.h"
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
    CS__BAD_JUSTIFY, /* or what travels beside the header is not what it names */
    CS__BAD_TIME,
    CS__BAD_BODY_FIELDS,
    CS__BAD_BODY,
    CS__BAD_EXECUTED,
    CS__BAD_ROOT,
    CS__BAD_EVIDENCE,
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

/* cs__second_signer stops the engine when it did not make a vote of its own key. */
void cs__second_signer(struct cs *cs, const struct cs_ballot *ballot);

/* ---- rules_view.c ---- */

/* cs__try_advance enters the view that the certificates lead to. */
bool cs__try_advance(struct cs *cs);

/* cs__view_begin resets what belongs to a view. */
void cs__view_begin(struct cs *cs);

/* cs__view_arm starts or moves forward the view's timers. */
void cs__view_arm(struct cs *cs);

/* cs__timeout gives the view up; `reason` as in CS_TRACE_TIMEOUT. */
void cs__timeout(struct cs *cs, uint32_t reason);

/* cs__status_pace returns how often a status goes to everybody. */
uint64_t cs__status_pace(const struct cs *cs);

/* cs__timers_run does what is due, and returns whether that changed anything. */
bool cs__timers_run(struct cs *cs);

/* cs__listen begins a silence in which a second signer would be heard. */
void cs__listen(struct cs *cs);

/* cs__resend sends again what others may have missed; `all` with the entry
 * certificate to everybody. */
void cs__resend(struct cs *cs, bool all);

/* ---- rules_cadence.c ---- */

/* cs__parent_view returns the view of the parent that a new block would have. */
uint64_t cs__parent_view(const struct cs *cs);

/* cs__work returns whether more transactions wait in the mempool than `block` and
 * its ancestors above the final one hold; NULL: the final one itself. */
bool cs__work(const struct cs *cs, const struct cs__block *block);

/* cs__due_ns returns when a block is due: for the leader itself, or for those
 * who wait for it. */
uint64_t cs__due_ns(const struct cs *cs, bool leader);

/* ---- rules_propose.c ---- */

bool cs__try_propose(struct cs *cs);

/* cs__built takes the shell's answer to BUILD. */
void cs__built(struct cs *cs, const struct cs_event *event);

/* ---- rules_send.c ---- */

/* cs__send_proposal sends the own proposal of the current view, once more if
 * need be, to one peer, or with CS_NOBODY to all.  False when there is none. */
bool cs__send_proposal(struct cs *cs, uint32_t peer);

/* ---- rules_judge.c ---- */

/* cs__judge judges the proposal of a slot, and asks for the certificates that it
 * misses. */
enum cs__verdict cs__judge(struct cs *cs, const struct cs__slot *slot);

/* cs__judge_alone judges what a header says without regard to other blocks. */
enum cs__verdict cs__judge_alone(const struct cs *cs, const struct cs_header *header);

/* ---- rules_vote.c ---- */

bool cs__try_vote(struct cs *cs);

/* ---- rules_fork.c ---- */

/* cs__contradict returns whether certificates of two ballots cannot both exist
 * unless more than a third of the stake signed what it must not. */
bool cs__contradict(const struct cs_ballot *a, const struct cs_ballot *b);

/* cs__contradicting returns whether a certificate is held that contradicts a ballot,
 * and borrows it.  Those of views below fin and of ended epochs are held as long as
 * their slots are not used anew. */
bool cs__contradicting(const struct cs *cs,
                       struct cs_certificate *held,
                       const struct cs_ballot *ballot);

/* cs__fork_found stops the engine, having told all others, when two verified
 * certificates of the validators `set` contradict each other. */
void cs__fork_found(struct cs *cs,
                    const struct cs_certificate *a,
                    const struct cs_certificate *b,
                    const struct cs_valset *set);

/* cs__fork_pair returns whether a list is two certificates that contradict each
 * other, and reads them. */
bool cs__fork_pair(const struct cs_list *list, struct cs_certificate *a, struct cs_certificate *b);

/* cs__fork_final acts on a finalization, verified by `set`, of a block that and the
 * own final one do not descend from each other: it stops the engine, or doubts and
 * asks, as below.  It returns whether the doubt is new. */
bool cs__fork_final(struct cs *cs,
                    const struct cs_certificate *own,
                    const struct cs_certificate *other,
                    const struct cs_valset *set);

/* cs__fork_suspect: the target does not descend from fin.  Somebody holds a
 * certificate of fin's view that contradicts fin's: it is asked for, until all
 * patience is gone.  Nothing is signed any more. */
void cs__fork_suspect(struct cs *cs);
void cs__fork_run(struct cs *cs);

/* ---- rules_past.c ---- */

/* cs__past_differs returns whether a handover ends an epoch with another block than
 * the own chain did. */
bool cs__past_differs(const struct cs *cs, const struct cs_handover *handover);

/* What a sender says of an ended epoch: a handover that differs, a certificate, two
 * that contradict each other.  Nothing is verified yet. */
void cs__past_handover(struct cs *cs, uint32_t from, const struct cs_handover *handover);
void cs__past_certificate(struct cs *cs, uint32_t from, const struct cs_certificate *certificate);
void cs__past_pair(struct cs *cs,
                   uint32_t from,
                   const struct cs_certificate *a,
                   const struct cs_certificate *b);

/* cs__past_ask asks a sender for the handover of an epoch, whose chain is another. */
void cs__past_ask(struct cs *cs, uint32_t from, uint64_t epoch);

/* ---- rules_evidence.c ---- */

/* cs__expired returns whether an epoch ended so long ago that its validators' stake
 * may not be bound any more.
 * SPEC consensus 17: "counted from the end of its epoch, by the times of blocks" */
bool cs__expired(const struct cs *cs, uint64_t epoch);

/* cs__evidence_news returns whether an item is worth verifying: about a validator
 * of its epoch, not waiting yet, not final, not expired. */
bool cs__evidence_news(const struct cs *cs, const struct cs_evidence *item);

/* cs__evidence_take lets a verified item wait for a block, durably. */
bool cs__evidence_take(struct cs *cs, const struct cs_evidence *item);

/* cs__evidence_again tells everybody of one item that waits, by turns. */
void cs__evidence_again(struct cs *cs);

/* cs__evidence_turn gives what waits to the journal of a new epoch. */
void cs__evidence_turn(struct cs *cs, struct cs__batch *batch);

/* cs__evidence_found reports two verified votes that conflict, to the shell and to
 * everybody. */
void cs__evidence_found(struct cs *cs, const struct cs_vote *a, const struct cs_vote *b);

/* cs__evidence_final notes the items of a final block. */
void cs__evidence_final(struct cs *cs, const struct cs_list *list);

/* cs__evidence_choose returns the items for a block on that parent. */
struct cs_list cs__evidence_choose(struct cs *cs, const struct nv_hash *parent_hash);

/* cs__judge_evidence judges what a block's items say; their signatures and form
 * are right. */
enum cs__verdict cs__judge_evidence(const struct cs *cs, const struct cs__block *block);

/* ---- rules_epoch.c ---- */

/* cs__told_put notes the set that the state after `height` would give the next
 * epoch; NULL: the one told last.  Before executed_height is raised. */
void cs__told_put(struct cs *cs, uint64_t height, const struct cs_valset *next);

/* cs__next_fill names the next set in a header, if the block closes the epoch.
 * False when it does and the set is not known. */
bool cs__next_fill(const struct cs *cs, struct cs_header *header, const struct cs_header *parent);

/* cs__judge_epoch judges whether a block may stand on its parent, and whether it
 * closes the epoch when it must, and with the right set. */
enum cs__verdict cs__judge_epoch(const struct cs *cs,
                                 const struct cs_header *header,
                                 const struct cs_header *parent);

/* cs__next_set returns the set that a final block names which closes the epoch,
 * or NULL and asks for it.  It halts when the own state gives another one. */
const struct cs_valset *
cs__next_set(struct cs *cs, const struct cs_header *header, const struct cs_header *parent);

/* cs__epoch_found finds the own place and the leaders in a new set. */
void cs__epoch_found(struct cs *cs);

/* cs__epoch_turn leaves the epoch that `header` closes for the next one.  False
 * when the finalization has too many signers. */
NV_MUST_USE bool cs__epoch_turn(struct cs *cs,
                                const struct cs_header *header,
                                const struct cs_certificate *final,
                                const struct cs_valset *set);

/* cs__epoch_begin tells the shell and the peers of the epoch just turned to. */
void cs__epoch_begin(struct cs *cs);

/* ---- rules_final.c ---- */

bool cs__try_finalize(struct cs *cs);
bool cs__try_commit(struct cs *cs);

/* cs__execute gives EXECUTE for committed blocks. */
bool cs__execute(struct cs *cs);

/* cs__executed takes the shell's answer to EXECUTE. */
void cs__executed(struct cs *cs, uint64_t height, const struct nv_hash *root);

/* cs__final_known writes the hash of the final block of a recent height, if known. */
bool cs__final_known(const struct cs *cs, struct nv_hash *hash, uint64_t height);

/* cs__root_known writes the own state root after `height`, if known. */
bool cs__root_known(const struct cs *cs, struct nv_hash *root, uint64_t height);

#endif /* NV_CONSENSUS_RULES_H */
