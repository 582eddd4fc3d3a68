#include <string.h>

#include "base/assert.h"

#include "consensus/consensus.h"
#include "consensus/rules.h"
#include "consensus/state.h"
#include "consensus/store.h"

#include "base/pure.h"

/* cert_wanted returns whether a certificate of that ballot would be news. */
static bool cert_wanted(const struct cs *cs, const struct cs_ballot *ballot)
{
    if (ballot->epoch != cs->epoch || ballot->view < 1) {
        return false;
    }
    struct cs_certificate held;
    if (cs__contradicting(cs, &held, ballot)) {
        return true; /* a fork */
    }
    if (ballot->kind == CS_FINALIZE) {
        return ballot->view > cs->fin.view &&
               (cs->target == NULL || cs->target->body.ballot.view < ballot->view);
    }
    if (ballot->view <= cs->fin.view || ballot->view > cs->fin.view + cs->config.views_max) {
        return false;
    }
    const struct cs__slot *const slot = cs__slot_find(cs, ballot->view);
    if (slot == NULL) {
        return true;
    }
    if (ballot->kind == CS_NULLIFY) {
        return slot->null == NULL;
    }
    return slot->notar == NULL || slot->notar->body.ballot.kind == CS_FINALIZE;
}

/* cert_sig returns the signature of `signer` in a certificate, or NULL. */
static const struct nv_sig *cert_sig(const struct cs_certificate *certificate, uint32_t signer)
{
    uint32_t at = 0;
    if (!cs_bitmap_has(&certificate->signers, signer)) {
        return NULL;
    }
    for (uint32_t i = 0; i < signer; i++) {
        at += cs_bitmap_has(&certificate->signers, i) ? 1 : 0;
    }
    return &certificate->sigs[at];
}

/* known_fill names the signers of a certificate whose very signatures were
 * verified before, as votes or in the certificate held. */
static void
known_fill(const struct cs *cs, struct cs_bitmap *known, const struct cs_certificate *certificate)
{
    const struct cs_ballot *const ballot = &certificate->ballot;
    const struct cs__slot *const slot = cs__slot_find(cs, ballot->view);
    const struct cs__cert *held = ballot->view == cs->fin.view ? cs->fin.cert : NULL;
    if (slot != NULL && ballot->view > cs->fin.view) {
        held = ballot->kind == CS_NULLIFY ? slot->null : slot->notar;
    }
    if (held != NULL && !cs_ballot_eq(&held->body.ballot, ballot)) {
        held = NULL;
    }
    for (uint32_t i = 0; i < cs->set.count; i++) {
        const struct nv_sig *const sig = cert_sig(certificate, i);
        if (sig == NULL) {
            continue;
        }
        const struct nv_sig *const same = held != NULL ? cert_sig(&held->body, i) : NULL;
        bool const in_cert = same != NULL && memcmp(same, sig, sizeof *sig) == 0;
        bool const in_tally =
            slot != NULL && slot->tally != NULL && cs__tally_knows(slot->tally, ballot, i, sig);
        if (in_cert || in_tally) {
            cs_bitmap_add(known, i);
        }
    }
}

/* list_plan asks for the certificates of a list that would be news; the first
 * has number `first`. */
static void
list_plan(const struct cs *cs, struct cs_plan *plan, const struct cs_list *list, uint32_t first)
{
    struct nv_reader r;
    nv_reader_init(&r, list->bytes);
    for (uint32_t i = 0; i < list->count; i++) {
        struct cs_certificate certificate;
        cs_list_certificate(&r, &certificate);
        if (cert_wanted(cs, &certificate.ballot)) {
            plan->certificates |= UINT64_C(1) << (first + i);
        }
        if (first + i == 0) {
            known_fill(cs, &plan->known, &certificate);
        }
    }
}

/* ballot_certified returns whether a certificate of that very ballot is held. */
static bool ballot_certified(const struct cs__slot *slot, const struct cs_ballot *ballot)
{
    const struct cs__cert *const cert = ballot->kind == CS_NULLIFY ? slot->null : slot->notar;
    return cert != NULL && cs_ballot_eq(&cert->body.ballot, ballot);
}

/* vote_news returns whether a vote must be verified: it counts, or it is proof
 * of a fault. */
static bool vote_news(const struct cs *cs, const struct cs_vote *vote)
{
    const struct cs__slot *const slot = cs__slot_find(cs, vote->ballot.view);
    if (slot == NULL) {
        return vote->ballot.view > cs->fin.view;
    }
    if (slot->tally == NULL) {
        return vote->ballot.view > cs->fin.view && !ballot_certified(slot, &vote->ballot);
    }
    for (uint32_t kind = 1; kind <= CS_VOTE_KINDS; kind++) {
        struct cs_vote first;
        bool verified = false;
        memset(&first, 0, sizeof first);
        if (!cs__tally_vote(
                slot->tally, &first, &verified, (enum cs_vote_kind)kind, vote->signer)) {
            continue;
        }
        if (cs_vote_offence(&first, vote) != CS_OFFENCE_NONE) {
            return !cs_bitmap_has(&slot->tally->accused, vote->signer);
        }
        if (kind == (uint32_t)vote->ballot.kind && verified) {
            return false;
        }
    }
    return vote->ballot.view > cs->fin.view && !ballot_certified(slot, &vote->ballot);
}

static struct cs_plan vote_plan(const struct cs *cs, uint32_t from, const struct cs_vote *vote)
{
    struct cs_plan plan = {.epoch = cs->epoch, .wanted = from < cs->set.count};
    if (vote->ballot.epoch != cs->epoch) {
        return plan; /* it tells in which epoch its sender is */
    }
    plan.wanted = plan.wanted && vote->signer == from;
    bool const inside =
        vote->ballot.view + CS__BELOW > cs->fin.view && vote->ballot.view <= cs->view + CS__ABOVE;
    if (!plan.wanted || !inside || vote->ballot.view < 1) {
        return plan; /* it tells at most where its sender is */
    }
    if (vote->signer == cs->me) {
        plan.own_sig =
            vote->ballot.view > cs->fin.view && !cs__gate_holds(&cs->gate, &vote->ballot);
        return plan;
    }
    plan.own_sig = vote_news(cs, vote);
    return plan;
}

static struct cs_plan
proposal_plan(const struct cs *cs, uint32_t from, const struct cs_proposal *proposal)
{
    struct cs_plan plan = {.epoch = cs->epoch, .leader = from, .wanted = from < cs->set.count};
    if (proposal->epoch != cs->epoch) {
        return plan; /* it tells in which epoch its sender is */
    }
    bool const own = proposal->again || from == proposal->header.proposer;
    plan.wanted = plan.wanted && own && proposal->view >= 1 &&
                  from == cs_schedule_leader(&cs->schedule, proposal->view);
    if (!plan.wanted) {
        return plan;
    }
    list_plan(cs, &plan, &proposal->certificates, 1);
    if (proposal->has_justify) {
        known_fill(cs, &plan.known, &proposal->justify);
        if (cert_wanted(cs, &proposal->justify.ballot)) {
            plan.certificates |= 1u;
        }
    }
    struct cs_vote const vote = {.ballot = {.kind = CS_NOTARIZE,
                                            .epoch = proposal->epoch,
                                            .view = proposal->view,
                                            .parent_view = proposal->parent_view,
                                            .block_hash = proposal->block_hash},
                                 .signer = (uint16_t)from};
    const struct cs__slot *const slot = cs__slot_find(cs, proposal->view);
    bool const first = proposal->view > cs->fin.view && (slot == NULL || !slot->proposal.set) &&
                       proposal->view <= cs->fin.view + cs->config.views_max;
    bool const inside =
        proposal->view + CS__BELOW > cs->fin.view && proposal->view <= cs->view + CS__ABOVE;
    plan.evidence = first;
    plan.own_sig = first || (inside && vote_news(cs, &vote));
    if (first && proposal->has_justify && proposal->justify.ballot.epoch == cs->epoch) {
        plan.certificates |= 1u; /* its signatures are part of the block */
    }
    return plan;
}

/* past_proof returns whether a certificate of an ended epoch would prove a fork; it
 * is verified when it is taken. */
static bool past_proof(const struct cs *cs, const struct cs_ballot *ballot)
{
    struct cs_certificate held;
    return ballot->epoch < cs->epoch && cs__contradicting(cs, &held, ballot);
}

static struct cs_plan response_plan(const struct cs *cs, const struct cs_list *list)
{
    struct cs_plan plan = {.epoch = cs->epoch};
    struct cs_certificate certificate;
    struct cs_certificate other;
    struct nv_reader r;
    list_plan(cs, &plan, list, 0);
    bool const pair = cs__fork_pair(list, &certificate, &other);
    if (pair && certificate.ballot.epoch == cs->epoch) {
        plan.certificates = 3u;
    }
    plan.wanted = plan.certificates != 0 || (pair && certificate.ballot.epoch < cs->epoch);
    nv_reader_init(&r, list->bytes);
    for (uint32_t i = 0; i < list->count && !plan.wanted; i++) {
        cs_list_certificate(&r, &certificate);
        plan.wanted = past_proof(cs, &certificate.ballot);
    }
    return plan;
}

static struct cs_plan handover_plan(const struct cs *cs, const struct cs_handover *handover)
{
    struct cs_plan plan = {.epoch = cs->epoch};
    bool const due = handover->header.epoch == cs->epoch && !cs->next_known;
    bool const ours = nv_hash_eq(&handover->header.valset_hash, &cs->set.hash);
    plan.wanted = due || cs__past_differs(cs, handover);
    plan.certificates = due && ours ? 1u : 0u;
    return plan;
}

struct cs_plan cs_admit(const struct cs *cs, uint32_t from, const struct cs_message *message)
{
    struct cs_plan plan = {.epoch = cs->epoch, .wanted = false};
    if (cs->halted || !cs->started) {
        return plan;
    }
    bool const validator = from < cs->set.count;
    plan.wanted = true;
    switch (message->type) {
    case CS_MSG_PROPOSAL: return proposal_plan(cs, from, &message->proposal);
    case CS_MSG_VOTE: return vote_plan(cs, from, &message->vote);
    case CS_MSG_CERTIFICATE:
        known_fill(cs, &plan.known, &message->certificate);
        plan.certificates = cert_wanted(cs, &message->certificate.ballot) ? 1u : 0u;
        plan.wanted = validator || past_proof(cs, &message->certificate.ballot);
        break;
    case CS_MSG_STATUS: break;
    case CS_MSG_EVIDENCE:
        plan.wanted = cs__evidence_news(cs, &message->evidence);
        plan.own_sig = plan.wanted;
        break;
    case CS_MSG_CERT_REQUEST: plan.wanted = message->cert_request.epoch <= cs->epoch; break;
    case CS_MSG_CERT_RESPONSE: return response_plan(cs, &message->cert_response.certificates);
    case CS_MSG_BLOCK_RESPONSE:
        if (message->block_response.has_final) {
            const struct cs_ballot *const ballot = &message->block_response.final.ballot;
            bool const asked = cs->timers.range != CS__NEVER && from == cs->range_peer;
            plan.certificates =
                asked && ballot->epoch == cs->epoch && ballot->view > cs->fin.view ? 1u : 0u;
        }
        break;
    case CS_MSG_EPOCH_RESPONSE: return handover_plan(cs, &message->handover);
    case CS_MSG_BODY_CHUNK:
    case CS_MSG_BLOCK_REQUEST:
    case CS_MSG_EPOCH_REQUEST:
    case CS_MSG_BODY_REQUEST: plan.wanted = false; break;
    }
    return plan;
}
