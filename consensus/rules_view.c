#include "base/assert.h"
#include "base/bug.h"

#include "consensus/emit.h"
#include "consensus/rules.h"
#include "consensus/self.h"
#include "consensus/store.h"

#include "base/pure.h"

#define DELAY_MAX_NS   UINT64_C(10000000000)
#define FINALIZE_AGAIN 16u /* finalize votes sent again in a retry */
#define BACKOFF_FROM   3u  /* lost views in a row that change nothing */
#define SEND_SINGLY    12u /* more receivers than this are served by a broadcast */
#define INACTIVE       10u /* silence in units of D that makes a leader inactive */

enum {
    TIMEOUT_NO_PROPOSAL = 1,
    TIMEOUT_NO_CERTIFICATE = 2,
    TIMEOUT_RETRY = 6,
};

/* working_delay returns D, grown by half for every lost view beyond the
 * third since the last finalization. */
static uint64_t working_delay(const struct cs *cs)
{
    uint64_t delay = cs->config.delay_ns;
    uint32_t const lost = NV_SEEDED(BACKOFF_NONE) ? 0 : cs->nullified;
    for (uint32_t k = BACKOFF_FROM; k < lost && delay < DELAY_MAX_NS; k++) {
        delay += delay / 2;
    }
    uint64_t const cap = cs->config.delay_ns > DELAY_MAX_NS ? cs->config.delay_ns : DELAY_MAX_NS;
    return delay < cap ? delay : cap;
}

void cs__view_begin(struct cs *cs)
{
    cs->entered_ns = cs->now_ns;
    cs->base_ns = CS__NEVER;
    cs->delay_ns = working_delay(cs);
    cs->timed_out = false;
    cs->retries = 0;
    cs->build.busy = false;
    cs->certs_need = 0;
    cs->certs_all = false;
    cs->timers.forward = CS__NEVER;
    cs->timers.leader = CS__NEVER;
    cs->timers.view = CS__NEVER;
    cs->timers.retry = CS__NEVER;
    cs->timers.due = CS__NEVER;
    cs->timers.hold = CS__NEVER;
}

/* SPEC consensus 10: "v is one more than the highest view for which any certificate is held." */
bool cs__try_advance(struct cs *cs)
{
    uint64_t const highest = cs->entry_view > cs->fin.view ? cs->entry_view : cs->fin.view;
    if (highest < cs->view) {
        return false;
    }
    cs->left_view = cs->view;
    cs->left_entered_ns = cs->entered_ns;
    cs->view = highest + 1;
    const struct cs__cert *const entry = cs__cert_entry(cs, cs->view);
    uint64_t const kind = entry != NULL ? (uint64_t)entry->body.ballot.kind : 0;
    /* SPEC consensus 11: "or left after the own timeout" */
    if (kind == CS_NULLIFY || cs->timed_out) {
        cs->nullified++;
    }
    cs__view_begin(cs);
    cs__trace(cs, CS_TRACE_ENTER, cs->view, kind);
    return true;
}

/* leader_inactive returns whether nothing was heard of the leader for long
 * while a quorum was. */
static bool leader_inactive(const struct cs *cs)
{
    uint64_t const silence = INACTIVE * cs->config.delay_ns + 2 * cs->config.idle_ms * CS__MS;
    uint32_t const leader = cs_leader(cs, cs->view);
    struct cs_bitmap heard = {{0}};
    for (uint32_t i = 0; i < cs->set.count; i++) {
        const struct cs__peer *const peer = &cs->peer[i];
        if (i == cs->me || (peer->heard && cs->now_ns - peer->heard_ns < silence)) {
            cs_bitmap_add(&heard, i);
        }
    }
    return !cs_bitmap_has(&heard, leader) &&
           cs_valset_quorum(&cs->set, cs_valset_stake(&cs->set, &heard));
}

void cs__view_arm(struct cs *cs)
{
    if (!cs__votes(cs) || cs->timed_out) {
        return;
    }
    uint64_t const at = cs__due_ns(cs, cs__leads(cs, cs->view));
    if (at >= cs->base_ns) {
        return;
    }
    bool const first = cs->base_ns == CS__NEVER;
    uint64_t const delay = cs->delay_ns;
    uint64_t const margin = cs->config.margin_ns;
    cs->base_ns = at;
    if (leader_inactive(cs)) {
        cs->timers.leader = at + delay / 2;
        cs->timers.view = at + delay / 2;
    } else {
        cs->timers.leader = at + 2 * delay + delay / 4 + margin;
        cs->timers.view = at + 3 * delay + delay / 4 + 2 * margin;
    }
    if (first || cs->timers.forward != CS__NEVER) {
        cs->timers.forward = at + delay / 4;
    }
}

/* resend_votes sends the own votes of the current view, and the newest finalize
 * votes of views that are not final. */
static void resend_votes(struct cs *cs)
{
    uint32_t again = 0;
    const struct cs__own *own = cs__gate_find(&cs->gate, cs->view);
    struct cs_message message = {.type = CS_MSG_VOTE};
    if (own != NULL && own->has[CS_NULLIFY]) {
        message.vote = own->vote[CS_NULLIFY];
        cs__broadcast(cs, &message);
    }
    if (own != NULL && own->has[CS_NOTARIZE] && !cs__send_proposal(cs, CS_NOBODY)) {
        message.vote = own->vote[CS_NOTARIZE];
        cs__broadcast(cs, &message);
    }
    for (uint64_t view = cs->view; view > cs->fin.view && again < FINALIZE_AGAIN; view--) {
        own = cs__gate_find(&cs->gate, view);
        if (own != NULL && own->has[CS_FINALIZE]) {
            message.vote = own->vote[CS_FINALIZE];
            cs__broadcast(cs, &message);
            again++;
        }
    }
}

/* resend_entry sends the entry certificate to those who were not seen in this
 * view, or to all when those are many. */
static void resend_entry(struct cs *cs, bool all)
{
    const struct cs__cert *const entry = cs__cert_entry(cs, cs->view);
    uint32_t behind = 0;
    for (uint32_t i = 0; i < cs->set.count; i++) {
        behind += i != cs->me && cs->peer[i].seen < cs->view ? 1 : 0;
    }
    if (entry == NULL) {
        return;
    }
    if (all || behind > SEND_SINGLY) {
        struct cs_message const message = {.type = CS_MSG_CERTIFICATE, .certificate = entry->body};
        cs__broadcast(cs, &message);
        return;
    }
    for (uint32_t i = 0; i < cs->set.count; i++) {
        if (i != cs->me && cs->peer[i].seen < cs->view) {
            cs__send_cert(cs, i, entry);
        }
    }
}

/* ask_again lets all that is asked for be asked for again at once. */
static void ask_again(struct cs *cs)
{
    if (cs->timers.certs != CS__NEVER) {
        cs->timers.certs = cs->now_ns;
    }
    for (uint32_t i = 0; i < CS__FETCHES; i++) {
        cs->fetch[i].at_ns = cs->now_ns;
    }
}

void cs__resend(struct cs *cs, bool all)
{
    if (!NV_SEEDED(VOTES_NOT_AGAIN)) {
        resend_votes(cs);
    }
    resend_entry(cs, all);
    cs__send_status(cs, CS_NOBODY);
    ask_again(cs);
}

void cs__timeout(struct cs *cs, uint32_t reason)
{
    struct cs_ballot const ballot = {.kind = CS_NULLIFY, .epoch = cs->epoch, .view = cs->view};
    if (!cs__votes(cs)) {
        return;
    }
    cs__trace(cs, CS_TRACE_TIMEOUT, cs->view, reason);
    cs->timers.leader = CS__NEVER;
    cs->timers.view = CS__NEVER;
    if (!cs->timed_out) {
        cs->timed_out = true;
        cs->retry_ns = 4 * cs->delay_ns;
        cs->timers.retry = cs->now_ns + cs->retry_ns;
        (void)cs__cast(cs, &ballot, NULL);
    }
}

static void retry(struct cs *cs)
{
    cs->retries++;
    cs__trace(cs, CS_TRACE_TIMEOUT, cs->view, TIMEOUT_RETRY);
    cs__resend(cs, cs->retries % 4 == 0);
    uint64_t const longer = cs->retry_ns + cs->retry_ns / 2;
    cs->retry_ns = longer < DELAY_MAX_NS ? longer : DELAY_MAX_NS;
    cs->timers.retry = NV_SEEDED(RETRY_ONCE) ? CS__NEVER : cs->now_ns + cs->retry_ns;
}

/* forward tells a leader of whom nothing was heard that its view has begun. */
static void forward(struct cs *cs)
{
    uint32_t const leader = cs_leader(cs, cs->view);
    if (leader != cs->me && cs->peer[leader].seen < cs->view) {
        cs__send_cert(cs, leader, cs__cert_entry(cs, cs->view));
    }
}

/* fired returns whether a timer is due, and stops it. */
static bool fired(const struct cs *cs, uint64_t *timer)
{
    if (*timer > cs->now_ns) {
        return false;
    }
    *timer = CS__NEVER;
    return true;
}

static bool proposal_known(const struct cs *cs)
{
    const struct cs__slot *const slot = cs__slot_find(cs, cs->view);
    return slot != NULL && slot->proposal.set;
}

void cs__listen(struct cs *cs)
{
    cs->listening = true;
    cs->timers.listen = cs->now_ns + cs->config.listen_ns;
}

/* listen_end begins to vote after a restart. */
static void listen_end(struct cs *cs)
{
    cs->listening = false;
    cs__view_begin(cs);
    cs__resend(cs, true);
}

uint64_t cs__status_pace(const struct cs *cs)
{
    bool const follows = cs->me == CS_NOBODY && cs->config.follow_ns > 0;
    return follows ? cs->config.follow_ns : cs->config.status_ns;
}

bool cs__timers_run(struct cs *cs)
{
    struct cs__timers *const timers = &cs->timers;
    bool changed = false;
    if (!cs__room(cs)) {
        timers->wake = cs->now_ns;
        return false;
    }
    if (fired(cs, &timers->listen)) {
        listen_end(cs);
        changed = true;
    }
    if (fired(cs, &timers->forward)) {
        forward(cs);
    }
    if (fired(cs, &timers->leader) && !proposal_known(cs)) {
        cs__timeout(cs, TIMEOUT_NO_PROPOSAL);
        changed = true;
    }
    if (fired(cs, &timers->view) && !(NV_SEEDED(VIEW_TIMER_STOPPED) && proposal_known(cs))) {
        cs__timeout(cs, TIMEOUT_NO_CERTIFICATE);
        changed = true;
    }
    if (fired(cs, &timers->retry)) {
        retry(cs);
    }
    if (fired(cs, &timers->status)) {
        timers->status = cs->now_ns + cs__status_pace(cs);
        cs__send_status(cs, CS_NOBODY);
        cs__evidence_again(cs);
    }
    (void)fired(cs, &timers->due);
    (void)fired(cs, &timers->hold);
    return changed;
}
