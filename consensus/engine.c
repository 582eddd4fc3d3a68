#include "base/arena.h"
#include "base/assert.h"
#include "base/bug.h"

#include "consensus/bodies.h"
#include "consensus/catchup.h"
#include "consensus/chain.h"
#include "consensus/consensus.h"
#include "consensus/emit.h"
#include "consensus/receive.h"
#include "consensus/rules.h"
#include "consensus/self.h"
#include "consensus/state.h"
#include "consensus/store.h"

#include "base/pure.h"

#define SETTLE_MAX 4096u /* far more rounds than a step can need */
#define DIRTY_MAX  16u   /* certificates that wait for the next vote's batch */

void cs_effects_init(struct cs_effects *effects, struct nv_arena *arena)
{
    effects->count = 0;
    effects->arena = arena;
}

/* ---- asking ---- */

struct cs_summary cs_summary(const struct cs *cs)
{
    return (struct cs_summary){
        .epoch = cs->epoch,
        .me = cs->me,
        .view = cs->view,
        .final_height = cs->fin.header.height,
        .final_view = cs->fin.view,
        .final_hash = cs->fin.hash,
        .final_time_ms = cs->fin.header.time_ms,
        .executed_height = cs->executed_height,
        .leader = cs->view > 0 ? cs_leader(cs, cs->view) : CS_NOBODY,
        .views_nullified = cs->nullified,
        .blocks_held = cs->block_live,
        .bodies_held = cs->bodies,
        .certificates_held = cs->cert_live,
        .listening = cs->listening,
        .sits_out = cs__sits_out(cs),
        .halted = cs->halted,
    };
}

bool cs_block_header(const struct cs *cs, const struct nv_hash *hash, struct cs_header *out)
{
    const struct cs__block *const block = cs__block_find(cs, hash);
    if (block == NULL && !nv_hash_eq(hash, &cs->fin.hash)) {
        return false;
    }
    *out = block != NULL ? block->header : cs->fin.header;
    return true;
}

bool cs_body_held(const struct cs *cs, const struct nv_hash *hash)
{
    const struct cs__block *const block = cs__block_find(cs, hash);
    return block != NULL && cs__body_counts(block);
}

const char *cs_trace_name(enum cs_trace_code code)
{
    switch (code) {
    case CS_TRACE_ENTER: return "enter";
    case CS_TRACE_PROPOSE: return "propose";
    case CS_TRACE_VOTE: return "vote";
    case CS_TRACE_CERTIFICATE: return "certificate";
    case CS_TRACE_FINAL: return "final";
    case CS_TRACE_TIMEOUT: return "timeout";
    case CS_TRACE_INVALID: return "invalid";
    case CS_TRACE_BEHIND: return "behind";
    case CS_TRACE_EPOCH: return "epoch";
    case CS_TRACE_PAST_FORK: return "past-fork";
    }
    return "unknown";
}

/* ---- stepping ---- */

static void own_count(struct cs *cs, const struct cs__own *own)
{
    for (uint32_t kind = 1; kind <= CS_VOTE_KINDS; kind++) {
        if (own->has[kind]) {
            cs__vote_take(cs, &own->vote[kind], true);
        }
    }
}

/* own_votes_count puts the recovered votes into the own pool.
 * SPEC consensus 9: "own votes count in the own pool again" */
static void own_votes_count(struct cs *cs)
{
    uint64_t const views = NV_SEEDED(OWN_VOTES_LOST) ? 0 : cs->config.views_max;
    for (uint64_t view = cs->fin.view + 1; view <= cs->fin.view + views; view++) {
        const struct cs__own *const own = cs__gate_find(&cs->gate, view);
        if (own != NULL) {
            own_count(cs, own);
        }
    }
}

/* own_proposals_restore makes the own proposals of views above fin known again,
 * so that they can be sent again. */
static void own_proposals_restore(struct cs *cs)
{
    for (uint64_t view = cs->fin.view + 1; view <= cs->fin.view + cs->config.views_max; view++) {
        const struct cs__own *const own = cs__gate_find(&cs->gate, view);
        if (own == NULL || !own->has[CS_NOTARIZE] || !cs__leads(cs, view)) {
            continue;
        }
        struct cs__slot *const slot = cs__slot_take(cs, view);
        const struct cs_vote *const vote = &own->vote[CS_NOTARIZE];
        const struct cs__block *const block = cs__block_find(cs, &vote->ballot.block_hash);
        slot->proposal = (struct cs__proposal){.set = true,
                                               .again = block != NULL && block->header.view != view,
                                               .parent_view = vote->ballot.parent_view,
                                               .hash = vote->ballot.block_hash,
                                               .sig = vote->sig,
                                               .wall_ms = cs->wall_ms};
    }
}

static void start(struct cs *cs)
{
    NV_ASSERT(!cs->started);
    cs->started = true;
    cs->view = 1;
    cs__view_begin(cs);
    own_proposals_restore(cs);
    own_votes_count(cs);
    bool const listens = (cs->recovered || cs->config.listen_first) && cs->config.listen_ns > 0;
    cs->sat_out = cs__sits_out(cs);
    if (cs->me != CS_NOBODY && listens) {
        cs__listen(cs);
    }
    cs->timers.status = cs->now_ns + cs__status_pace(cs);
    cs__send_status(cs, CS_NOBODY);
}

static void body_take(struct cs *cs, const struct cs_event *event)
{
    struct cs__block *const block = cs__block_find(cs, &event->body.block_hash);
    if (block == NULL || block->body == CS__BODY_VALID || block->body == CS__BODY_INVALID) {
        return;
    }
    switch (event->body.verdict) {
    case CS_BODY_HELD:
        cs__block_body(cs, block, block->judged ? CS__BODY_VALID : CS__BODY_HELD);
        break;
    case CS_BODY_VALID: cs__block_body(cs, block, CS__BODY_VALID); break;
    case CS_BODY_INVALID:
        cs__block_body(cs, block, NV_SEEDED(BODY_VERDICT) ? CS__BODY_VALID : CS__BODY_INVALID);
        break;
    }
}

static void work_take(struct cs *cs, uint32_t waiting)
{
    if (waiting > cs->waiting) {
        cs->work_ns = cs->now_ns;
    }
    cs->waiting = waiting;
}

static void link_take(struct cs *cs, uint32_t peer, bool up)
{
    if (up) {
        cs__send_status(cs, peer);
    } else if (peer < cs->set.count) {
        cs->peer[peer].final_height = 0;
    }
}

static void executed_take(struct cs *cs, const struct cs_event *event)
{
    if (event->executed.height > cs->executed_height || cs->executed_height == 0) {
        cs__told_put(cs, event->executed.height, event->executed.next);
    }
    cs__executed(cs, event->executed.height, &event->executed.root);
}

static void take(struct cs *cs, const struct cs_event *event)
{
    switch (event->kind) {
    case CS_EV_START: start(cs); break;
    case CS_EV_TIMER: /* it is set anew, also when it was early */
        cs->timer_ns = NV_SEEDED(TIMER_LOST) ? cs->timer_ns : CS__NEVER;
        break;
    case CS_EV_MESSAGE: cs__receive(cs, event); break;
    case CS_EV_BUILT: cs__built(cs, event); break;
    case CS_EV_BODY: body_take(cs, event); break;
    case CS_EV_EXECUTED: executed_take(cs, event); break;
    case CS_EV_WORK: work_take(cs, event->work.waiting); break;
    case CS_EV_LINK: link_take(cs, event->link.peer, event->link.up); break;
    }
}

/* settle lets every rule act until none has anything to do. */
static void settle(struct cs *cs)
{
    bool again = true;
    cs__bodies_trim(cs); /* before the rules: none acts on a body that is given up */
    cs->certs_need = 0;
    if (cs->timers.wake <= cs->now_ns) {
        cs->timers.wake = CS__NEVER;
    }
    for (uint32_t round = 0; again && !cs->halted; round++) {
        NV_ASSERT(round < SETTLE_MAX);
        again = cs__try_commit(cs);
        again = cs__try_advance(cs) || again;
        again = cs__try_finalize(cs) || again;
        cs__view_arm(cs);
        again = cs__timers_run(cs) || again;
        again = cs__try_vote(cs) || again;
        again = cs__try_propose(cs) || again;
    }
    cs__fork_run(cs);
    (void)cs__execute(cs);
    cs__catchup_run(cs);
}

/* certs_flush hands certificates to the journal when many wait, so that the
 * batch of the next vote stays small. */
static void certs_flush(struct cs *cs)
{
    struct cs__batch batch;
    if (cs->dirty_count >= DIRTY_MAX && !cs->halted) {
        cs__batch_begin(cs, &batch);
        cs__batch_certs(cs, &batch);
        cs__batch_end(cs, &batch, false);
    }
}

static void timer_set(struct cs *cs)
{
    uint64_t const all[] = {cs->timers.forward,
                            cs->timers.leader,
                            cs->timers.view,
                            cs->timers.retry,
                            cs->timers.due,
                            cs->timers.hold,
                            cs->timers.listen,
                            cs->timers.status,
                            cs->timers.fetch,
                            cs->timers.certs,
                            cs->timers.range,
                            cs->timers.next,
                            cs->timers.split,
                            cs->timers.wake};
    uint64_t next = CS__NEVER;
    for (uint32_t i = 0; i < sizeof all / sizeof *all; i++) {
        next = all[i] < next ? all[i] : next;
    }
    if (next != CS__NEVER && (next != cs->timer_ns || next <= cs->now_ns)) {
        struct cs_effect *const effect = cs__emit(cs, CS_FX_SET_TIMER);
        effect->timer.at_ns = next;
    }
    cs->timer_ns = next;
}

void cs_step(struct cs *cs, const struct cs_event *event, struct cs_effects *effects)
{
    NV_ASSERT(cs->effects == NULL); /* never re-entered */
    NV_ASSERT(event->now_ns >= cs->now_ns);
    effects->count = 0;
    nv_arena_reset(effects->arena);
    if (cs->halted) {
        return;
    }
    cs->effects = effects;
    cs->now_ns = event->now_ns;
    cs->wall_ms = event->wall_ms;
    cs->step++;
    take(cs, event);
    if (cs->started && !cs->halted) {
        settle(cs);
        certs_flush(cs);
        timer_set(cs);
    }
    cs->effects = NULL;
}
