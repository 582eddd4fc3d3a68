#include <string.h>

#include "base/assert.h"
#include "base/bug.h"

#include "consensus/emit.h"
#include "consensus/rules.h"
#include "consensus/self.h"
#include "consensus/store.h"

#include "base/pure.h"

bool cs__sign(struct cs *cs,
              struct cs_vote *vote,
              const struct cs_ballot *ballot,
              struct cs__block *block)
{
    struct nv_hash digest;
    struct cs__batch batch;
    if (!cs__votes(cs) || !cs__gate_allows(&cs->gate, ballot, cs->view)) {
        return false;
    }
    memset(vote, 0, sizeof *vote);
    vote->ballot = *ballot;
    vote->signer = (uint16_t)cs->me;
    cs_ballot_digest(&digest, &cs->config.chain_id, ballot);
    nv_signer_sign(&vote->sig, &cs->signer, &digest);
    cs__gate_store(&cs->gate, vote);

    cs__batch_begin(cs, &batch);
    if (block != NULL) {
        cs__batch_block(cs, &batch, block);
    }
    cs__batch_certs(cs, &batch);
    struct cs_record const record = {.type = CS_RECORD_VOTE, .vote = *vote};
    cs__batch_add(cs, &batch, &record);
    cs__batch_end(cs, &batch, !NV_SEEDED(SEND_FIRST));
    cs__trace(cs, CS_TRACE_VOTE, ballot->view, (uint64_t)ballot->kind);
    return true;
}

bool cs__cast(struct cs *cs, const struct cs_ballot *ballot, struct cs__block *block)
{
    struct cs_message message = {.type = CS_MSG_VOTE};
    if (!cs__sign(cs, &message.vote, ballot, block)) {
        return false;
    }
    cs__broadcast(cs, &message);
    cs__vote_take(cs, &message.vote, true);
    return true;
}

/* accuse reports the signer of `vote` if another of its votes in the view
 * conflicts, once per view. */
static void accuse(struct cs *cs, struct cs__tally *tally, const struct cs_vote *vote)
{
    for (uint32_t kind = 1; kind <= CS_VOTE_KINDS; kind++) {
        struct cs_vote first;
        bool verified = false;
        memset(&first, 0, sizeof first);
        if (cs_bitmap_has(&tally->accused, vote->signer) ||
            !cs__tally_vote(tally, &first, &verified, (enum cs_vote_kind)kind, vote->signer)) {
            continue;
        }
        if (cs_vote_offence(&first, vote) == CS_OFFENCE_NONE) {
            continue;
        }
        if (verified || cs_vote_verify(&first, &cs->config.chain_id, &cs->set)) {
            cs__evidence_found(cs, &first, vote);
            cs_bitmap_add(&tally->accused, vote->signer);
        }
    }
}

/* certify makes a certificate if one of that kind has come together. */
static void certify(struct cs *cs, const struct cs__tally *tally, enum cs_vote_kind kind)
{
    struct nv_sig sigs[CS_VALIDATORS_MAX];
    struct cs_certificate certificate = {.sigs = sigs};
    if (tally->view <= cs->fin.view || !cs__tally_quorum(tally, &certificate.ballot, kind)) {
        return;
    }
    certificate.signer_count =
        cs__tally_gather(tally, sigs, &certificate.signers, &certificate.ballot);
    struct cs_certificate held;
    if (cs__contradicting(cs, &held, &certificate.ballot)) {
        cs__fork_found(cs, &held, &certificate, &cs->set);
        return;
    }
    if (cs__cert_add(cs, &certificate)) {
        cs__trace(cs, CS_TRACE_CERTIFICATE, tally->view, (uint64_t)kind);
    }
}

void cs__vote_take(struct cs *cs, const struct cs_vote *vote, bool verified)
{
    struct cs__slot *const slot = cs__slot_take(cs, vote->ballot.view);
    struct cs__tally *const tally = slot != NULL ? cs__slot_tally(cs, slot) : NULL;
    if (tally == NULL) {
        return;
    }
    enum cs__vote_outcome const outcome = cs__tally_add(tally, vote, verified);
    if (verified && (outcome == CS__VOTE_COUNTED || outcome == CS__VOTE_OTHER)) {
        accuse(cs, tally, vote);
    }
    if (outcome == CS__VOTE_COUNTED) {
        certify(cs, tally, vote->ballot.kind);
    }
}

void cs__second_signer(struct cs *cs, const struct cs_ballot *ballot)
{
    if (ballot->view > cs->fin.view && !cs__gate_holds(&cs->gate, ballot) && !cs__sits_out(cs) &&
        !NV_SEEDED(SECOND_SIGNER)) {
        cs__halt(cs, CS_HALT_SECOND_SIGNER, cs->fin.header.height, nv_view_of(NULL, 0));
    }
}
