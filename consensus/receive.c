#include "consensus/receive.h"

#include <string.h>

#include "base/assert.h"
#include "base/bug.h"

#include "consensus/catchup.h"
#include "consensus/chain.h"
#include "consensus/emit.h"
#include "consensus/rules.h"
#include "consensus/self.h"
#include "consensus/store.h"

#include "base/pure.h"

#define TIMEOUT_INVALID 3u
#define TIMEOUT_LEADER  4u
#define SECOND_NS       UINT64_C(1000000000)

/* A message on its way through this file. */
struct mail {
    uint32_t from;
    struct cs__peer *peer; /* NULL when the sender is no validator */
    const struct cs_message *message;
    const struct cs_plan *plan;
};

static void seen_raise(const struct mail *mail, uint64_t view)
{
    if (mail->peer != NULL && view > mail->peer->seen) {
        mail->peer->seen = view;
    }
}

/* lag_reply helps a sender that is behind, at most once in D/2. */
static void lag_reply(struct cs *cs, const struct mail *mail)
{
    if (mail->peer == NULL || mail->peer->lag_ns > cs->now_ns) {
        return;
    }
    mail->peer->lag_ns = cs->now_ns + cs->config.delay_ns / 2;
    cs__send_cert(cs, mail->from, cs__cert_entry(cs, cs->view));
    if (cs->fin.view > 0 && cs->fin.view + 1 != cs->view) {
        cs__send_cert(cs, mail->from, cs->fin.cert);
    }
}

/* ask_ahead tells a sender that is ahead where this node stands, so that it
 * helps; at most once in D/2. */
static void ask_ahead(struct cs *cs, const struct mail *mail)
{
    if (mail->peer != NULL && mail->peer->ask_ns <= cs->now_ns) {
        mail->peer->ask_ns = cs->now_ns + cs->config.delay_ns / 2;
        cs__send_status(cs, mail->from);
    }
}

/* epoch_behind helps a sender that is in an earlier epoch: with the end of that
 * epoch, or at least with where this node stands. */
static void epoch_behind(struct cs *cs, const struct mail *mail, uint64_t epoch)
{
    if (mail->peer != NULL) {
        if (mail->peer->lag_ns > cs->now_ns) {
            return;
        }
        mail->peer->lag_ns = cs->now_ns + cs->config.delay_ns / 2;
    }
    if (epoch + 1 == cs->epoch) {
        cs__handover_send(cs, mail->from);
    } else {
        cs__send_status(cs, mail->from);
    }
}

/* elsewhere returns whether the sender speaks of another epoch, and helps it or
 * asks for help. */
static bool elsewhere(struct cs *cs, const struct mail *mail, uint64_t epoch)
{
    if (epoch < cs->epoch) {
        epoch_behind(cs, mail, epoch);
    } else if (epoch > cs->epoch) {
        ask_ahead(cs, mail);
        cs__handover_need(cs, mail->from);
    }
    return epoch != cs->epoch;
}

/* certificate_take takes a certificate, if it was verified. */
static void certificate_take(struct cs *cs, const struct cs_certificate *certificate, bool verified)
{
    const struct cs_ballot *const ballot = &certificate->ballot;
    if (!verified || cs->halted || ballot->epoch != cs->epoch || ballot->view < 1) {
        return;
    }
    if (cs->me != CS_NOBODY && cs_bitmap_has(&certificate->signers, cs->me)) {
        cs__second_signer(cs, ballot);
    }
    struct cs_certificate held;
    if (cs__contradicting(cs, &held, ballot)) {
        cs__fork_found(cs, &held, certificate, &cs->set);
        return;
    }
    (void)cs__cert_add(cs, certificate);
}

static void vote_receive(struct cs *cs, const struct mail *mail)
{
    const struct cs_vote *const vote = &mail->message->vote;
    const struct cs_ballot *const ballot = &vote->ballot;
    if (mail->peer == NULL || elsewhere(cs, mail, ballot->epoch) || vote->signer != mail->from) {
        return;
    }
    seen_raise(mail, ballot->kind == CS_FINALIZE ? ballot->view + 1 : ballot->view);
    bool const behind = (ballot->kind == CS_NOTARIZE && ballot->view + 1 < cs->view) ||
                        (ballot->kind == CS_NULLIFY && ballot->view < cs->view);
    if (behind) {
        lag_reply(cs, mail);
    }
    if (ballot->view > cs->view + 1) {
        ask_ahead(cs, mail);
    }
    if (ballot->view + CS__BELOW <= cs->fin.view ||
        (ballot->view > cs->view + CS__ABOVE && !NV_SEEDED(WINDOW_OPEN))) {
        return;
    }
    if (vote->signer == cs->me) {
        if (mail->plan->own_sig) {
            cs__second_signer(cs, ballot);
        }
        return;
    }
    cs__vote_take(cs, vote, mail->plan->own_sig);
    if (mail->plan->own_sig && ballot->kind == CS_NULLIFY && ballot->view == cs->view &&
        vote->signer == cs_leader(cs, cs->view) && !cs->timed_out) {
        cs__timeout(cs, TIMEOUT_LEADER);
    }
}

/* certificates_take takes the verified ones of a list, of which the first has
 * number `first` in the plan. */
static void certificates_take(struct cs *cs,
                              const struct mail *mail,
                              const struct cs_list *list,
                              uint32_t first)
{
    struct nv_reader r;
    nv_reader_init(&r, list->bytes);
    for (uint32_t i = 0; i < list->count; i++) {
        struct cs_certificate certificate;
        cs_list_certificate(&r, &certificate);
        certificate_take(cs, &certificate, ((mail->plan->certificates >> (first + i)) & 1u) != 0);
        if (certificate.ballot.epoch < cs->epoch) {
            cs__past_certificate(cs, mail->from, &certificate);
        }
    }
}

/* pair_take takes two certificates that prove a fork. */
static void pair_take(struct cs *cs, const struct mail *mail)
{
    struct cs_certificate a;
    struct cs_certificate b;
    bool const both = (mail->plan->certificates & 3u) == 3u;
    if (!cs__fork_pair(&mail->message->cert_response.certificates, &a, &b)) {
        return;
    }
    if (both && a.ballot.epoch == cs->epoch) {
        cs__fork_found(cs, &a, &b, &cs->set);
    } else if (a.ballot.epoch < cs->epoch) {
        cs__past_pair(cs, mail->from, &a, &b);
    }
}

static void certificate_receive(struct cs *cs, const struct mail *mail)
{
    const struct cs_certificate *const certificate = &mail->message->certificate;
    if (certificate->ballot.epoch < cs->epoch) {
        cs__past_certificate(cs, mail->from, certificate);
    }
    if (certificate->ballot.epoch == cs->epoch) {
        seen_raise(mail, certificate->ballot.view + 1);
        certificate_take(cs, certificate, (mail->plan->certificates & 1u) != 0);
    }
}

static void handover_receive(struct cs *cs, const struct mail *mail)
{
    const struct cs_handover *const handover = &mail->message->handover;
    if (handover->header.epoch < cs->epoch) {
        cs__past_handover(cs, mail->from, handover);
    } else if ((mail->plan->certificates & 1u) != 0) {
        cs__handover_take(cs, handover);
    } else if (handover->header.epoch == cs->epoch) { /* by others: the chains have parted */
        cs__past_ask(cs, mail->from, cs->epoch - 1);
    }
}

/* carried_newest returns the view of the newest finalization in a proposal. */
static uint64_t carried_newest(const struct cs_proposal *proposal)
{
    uint64_t view = 0;
    struct nv_reader r;
    if (proposal->has_justify && proposal->justify.ballot.kind == CS_FINALIZE) {
        view = proposal->justify.ballot.view;
    }
    nv_reader_init(&r, proposal->certificates.bytes);
    for (uint32_t i = 0; i < proposal->certificates.count; i++) {
        struct cs_certificate certificate;
        cs_list_certificate(&r, &certificate);
        bool const newer = certificate.ballot.kind == CS_FINALIZE && certificate.ballot.view > view;
        view = newer ? certificate.ballot.view : view;
    }
    return view;
}

/* opened_right returns whether the certificate by which an epoch's first block
 * stands on the last of the epoch before is right.  Workers know the set of one
 * epoch only, so it is verified here: once an epoch, unless it is the own one. */
static bool opened_right(const struct cs *cs, const struct cs_certificate *certificate)
{
    struct nv_hash hash;
    struct nv_hash own;
    if (cs->opened_cert == NULL || certificate->ballot.kind != CS_FINALIZE ||
        certificate->ballot.epoch + 1 != cs->epoch ||
        !nv_hash_eq(&certificate->ballot.block_hash, &cs->opened_hash)) {
        return false;
    }
    cs_certificate_hash(&hash, certificate);
    cs_certificate_hash(&own, &cs->opened_cert->body);
    const struct cs_valset *const before = cs__set_of(cs, cs->epoch - 1);
    return nv_hash_eq(&hash, &own) || before == NULL || /* what it would prove is believed */
           cs_certificate_verify(certificate, &cs->config.chain_id, before, NULL);
}

/* block_right returns whether a proposed block brings what its header names. */
static bool block_right(const struct cs *cs, const struct cs_block *block)
{
    bool const old = block->has_justify && block->justify.ballot.epoch != cs->epoch;
    return cs_block_sound(block) && (!old || opened_right(cs, &block->justify));
}

/* proposal_store keeps the first proposal of a view. */
static void proposal_store(struct cs *cs, const struct cs_proposal *proposal)
{
    struct cs_block block;
    struct cs__slot *const slot = cs__slot_take(cs, proposal->view);
    bool const taken = slot != NULL && slot->proposal.set && !NV_SEEDED(NOTARIZE_TWICE);
    if (slot == NULL || taken || proposal->view <= cs->fin.view) {
        return;
    }
    memset(&block, 0, sizeof block);
    block.header = proposal->header;
    block.has_justify = proposal->has_justify;
    block.justify = proposal->justify;
    block.evidence = proposal->evidence;
    if (!block_right(cs, &block)) {
        if (proposal->view == cs->view) {
            cs__trace(cs, CS_TRACE_INVALID, proposal->view, (uint64_t)CS__BAD_JUSTIFY);
            cs__timeout(cs, TIMEOUT_INVALID);
        }
        return;
    }
    struct cs__block *const place = cs__block_add(cs, &block, &proposal->block_hash);
    if (place == NULL) {
        return;
    }
    uint64_t const carried = carried_newest(proposal);
    place->carried_view = carried > place->carried_view ? carried : place->carried_view;
    slot->proposal.set = true;
    slot->proposal.again = proposal->again;
    slot->proposal.parent_view = proposal->parent_view;
    slot->proposal.hash = proposal->block_hash;
    slot->proposal.sig = proposal->sig;
    slot->proposal.wall_ms = cs->wall_ms;
}

static void proposal_receive(struct cs *cs, const struct mail *mail)
{
    const struct cs_proposal *const proposal = &mail->message->proposal;
    struct cs_vote const vote = {
        .ballot = {.kind = CS_NOTARIZE,
                   .epoch = proposal->epoch,
                   .view = proposal->view,
                   .parent_view = proposal->parent_view,
                   .block_hash = proposal->block_hash},
        .signer = (uint16_t)mail->plan->leader,
        .sig = proposal->sig,
    };
    if (elsewhere(cs, mail, proposal->epoch)) {
        return;
    }
    seen_raise(mail, proposal->view);
    if (proposal->has_justify) {
        certificate_take(cs, &proposal->justify, (mail->plan->certificates & 1u) != 0);
    }
    certificates_take(cs, mail, &proposal->certificates, 1);
    (void)cs__try_advance(cs);
    if (proposal->view + 1 < cs->view) {
        lag_reply(cs, mail);
    }
    if (!mail->plan->own_sig || cs->halted) {
        return;
    }
    if (vote.signer == cs->me) {
        cs__second_signer(cs, &vote.ballot);
        return;
    }
    proposal_store(cs, proposal);
    if (proposal->view <= cs->view + CS__ABOVE) {
        cs__vote_take(cs, &vote, true);
    }
}

/* welcome sends the own votes of the view to one who has just come to it, and
 * may have come too late for them. */
static void welcome(struct cs *cs, uint32_t peer)
{
    struct cs_message message = {.type = CS_MSG_VOTE};
    const struct cs__own *const own = cs__gate_find(&cs->gate, cs->view);
    if (own == NULL || !cs__votes(cs)) {
        return;
    }
    if (own->has[CS_NOTARIZE] && !cs__send_proposal(cs, peer)) {
        message.vote = own->vote[CS_NOTARIZE];
        cs__send(cs, peer, &message);
    }
    if (own->has[CS_NULLIFY]) {
        message.vote = own->vote[CS_NULLIFY];
        cs__send(cs, peer, &message);
    }
}

/* parted_ask asks a sender whose final block is another for the end of the last epoch
 * that both have behind them.
 * SPEC consensus 17: "another hash, shows that the chains have parted" */
static void parted_ask(struct cs *cs, const struct mail *mail)
{
    const struct cs_status *const status = &mail->message->status;
    uint64_t const epoch = status->epoch < cs->epoch ? status->epoch : cs->epoch;
    struct nv_hash own;
    if (cs__final_known(cs, &own, status->final_height) && !nv_hash_eq(&own, &status->final_hash)) {
        cs__past_ask(cs, mail->from, epoch - 1);
    }
}

static void status_receive(struct cs *cs, const struct mail *mail)
{
    const struct cs_status *const status = &mail->message->status;
    parted_ask(cs, mail);
    if (mail->peer != NULL && status->epoch != cs->epoch) {
        mail->peer->final_height = status->final_height;
    }
    if (elsewhere(cs, mail, status->epoch)) {
        return;
    }
    if (mail->peer == NULL) { /* an observer: it wants to hear of finality */
        if (cs->me == CS_NOBODY && status->final_view >= cs->fin.view) {
            return; /* two observers would answer each other for ever */
        }
        cs__send_status(cs, mail->from);
        if (status->final_view < cs->fin.view) {
            cs__send_cert(cs, mail->from, cs->fin.cert);
        }
        return;
    }
    if (status->view == cs->view && mail->peer->seen < cs->view) {
        welcome(cs, mail->from);
    }
    mail->peer->seen = status->view;
    mail->peer->final_height = status->final_height;
    if (status->view < cs->view || status->final_view < cs->fin.view) {
        lag_reply(cs, mail);
    }
    bool const newer_final = status->final_view > cs->fin.view;
    bool const newer_view = status->view > cs->view && status->view > 1;
    if ((!newer_final && !newer_view) || mail->peer->ask_ns > cs->now_ns) {
        return;
    }
    struct cs_message request = {.type = CS_MSG_CERT_REQUEST};
    mail->peer->ask_ns = cs->now_ns + cs->config.delay_ns / 2;
    request.cert_request.epoch = cs->epoch;
    if (newer_final) {
        request.cert_request.view[request.cert_request.count++] = status->final_view;
    }
    if (newer_view && (!newer_final || status->view - 1 > status->final_view)) {
        request.cert_request.view[request.cert_request.count++] = status->view - 1;
    }
    cs__send(cs, mail->from, &request);
}

/* request_allowed counts a request against its sender's share. */
static bool request_allowed(struct cs *cs, const struct mail *mail)
{
    if (mail->peer == NULL) {
        return true; /* the shell limits those who are not validators */
    }
    struct cs__share *const share = &mail->peer->requests;
    if (cs->now_ns - share->start_ns >= SECOND_NS) {
        *share = (struct cs__share){.start_ns = cs->now_ns};
    }
    share->count++;
    return share->count <= CS__REQUESTS;
}

void cs__receive(struct cs *cs, const struct cs_event *event)
{
    const struct cs_message *const message = event->message.message;
    if (event->message.plan->epoch != cs->epoch) {
        return; /* it was checked by other validators, and its sender's number was another's */
    }
    struct mail mail = {
        .from = event->message.from,
        .peer = NULL,
        .message = message,
        .plan = event->message.plan,
    };
    if (mail.from < cs->set.count) {
        mail.peer = &cs->peer[mail.from];
        mail.peer->heard = true;
        mail.peer->heard_ns = cs->now_ns;
    }
    switch (message->type) {
    case CS_MSG_PROPOSAL: proposal_receive(cs, &mail); break;
    case CS_MSG_VOTE: vote_receive(cs, &mail); break;
    case CS_MSG_CERTIFICATE: certificate_receive(cs, &mail); break;
    case CS_MSG_STATUS: status_receive(cs, &mail); break;
    case CS_MSG_EVIDENCE:
        if (mail.plan->own_sig) {
            (void)cs__evidence_take(cs, &message->evidence);
        }
        break;
    case CS_MSG_CERT_REQUEST:
        if (request_allowed(cs, &mail)) {
            cs__certs_answer(cs, mail.from, &message->cert_request);
        }
        break;
    case CS_MSG_CERT_RESPONSE:
        pair_take(cs, &mail);
        certificates_take(cs, &mail, &message->cert_response.certificates, 0);
        break;
    case CS_MSG_BLOCK_RESPONSE:
        cs__blocks_take(cs, &message->block_response, (mail.plan->certificates & 1u) != 0);
        break;
    case CS_MSG_EPOCH_RESPONSE: handover_receive(cs, &mail); break;
    case CS_MSG_BODY_CHUNK:
    case CS_MSG_BLOCK_REQUEST:
    case CS_MSG_EPOCH_REQUEST:
    case CS_MSG_BODY_REQUEST: break;
    }
}
