#include <string.h>

#include "base/arena.h"
#include "base/assert.h"

#include "consensus/catchup.h"
#include "consensus/chain.h"
#include "consensus/emit.h"
#include "consensus/rules.h"
#include "consensus/self.h"
#include "consensus/store.h"

#include "base/pure.h"

#define TIMEOUT_NOT_BUILT 5u

_Static_assert((CS_PROPOSAL_CERTS_MAX + 1) * CS_CERTIFICATE_SIZE_MAX + CS_HEADER_SIZE +
                       CS_EVIDENCE_MAX * CS_EVIDENCE_SIZE + 128 <=
                   CS_PROPOSAL_SIZE_MAX,
               "a proposal with all its certificates fits");

/* own_free returns whether the own key has not voted in the current view. */
static bool own_free(const struct cs *cs)
{
    const struct cs__own *const own = cs__gate_find(&cs->gate, cs->view);
    return own == NULL || (!own->has[CS_NOTARIZE] && !own->has[CS_NULLIFY]);
}

/* skips_held returns whether every view between the parent's and the current
 * one is nullified, and asks for what is missing. */
static bool skips_held(struct cs *cs, uint64_t parent_view)
{
    for (uint64_t view = parent_view + 1; view < cs->view; view++) {
        const struct cs__slot *const slot = cs__slot_find(cs, view);
        if (slot == NULL || slot->null == NULL) {
            cs__certs_need(cs, view, true);
            return false;
        }
    }
    return true;
}

/* carried_view returns the view of the newest finalization that came with an
 * ancestor of the new block; the path is that of the parent. */
static uint64_t carried_view(const struct cs *cs, const struct cs__walk *walk)
{
    uint64_t view = cs->carried_view;
    for (uint32_t i = 0; i < walk->path_count; i++) {
        const struct cs__block *const block = &cs->block[cs->path[i]];
        view = block->carried_view > view ? block->carried_view : view;
    }
    return view;
}

/* executed_fill names the executed block.
 * SPEC consensus 14: "whose finalization was carried by the proposal of an ancestor" */
static void executed_fill(const struct cs *cs,
                          struct cs_header *header,
                          const struct cs_header *parent,
                          uint64_t carried)
{
    header->executed_height = parent->executed_height;
    header->state_root = parent->state_root;
    for (uint64_t height = cs->executed_height; height > parent->executed_height; height--) {
        struct nv_hash root;
        if (cs->recent[height % CS__RECENT].view <= carried && cs__root_known(cs, &root, height)) {
            header->executed_height = height;
            header->state_root = root;
            return;
        }
    }
}

/* header_begin fills a header but for its body. */
static void header_begin(struct cs *cs,
                         struct cs_header *header,
                         const struct cs_header *parent,
                         uint64_t parent_view)
{
    const struct cs__cert *const justify = cs__cert_parent(cs, parent_view);
    memset(header, 0, sizeof *header);
    header->chain_id = cs->config.chain_id;
    header->epoch = cs->epoch;
    header->height = parent->height + 1;
    header->view = cs->view;
    header->parent_view = parent_view;
    header->parent_hash = justify != NULL ? justify->body.ballot.block_hash : cs->fin.hash;
    header->proposer = (uint16_t)cs->me;
    header->time_ms = cs->wall_ms > parent->time_ms ? cs->wall_ms : parent->time_ms;
    header->body_root = cs->empty_root;
    header->valset_hash = cs->set.hash;
    header->params_hash = cs->config.params_hash;
}

/* block_store completes the header of the own new block and takes it in. */
static struct cs__block *block_store(struct cs *cs, struct cs_header *header)
{
    struct cs_block made;
    struct nv_hash hash;
    const struct cs__cert *const justify = cs__cert_parent(cs, header->parent_view);
    const struct cs__cert *const newest = cs__final_newest(cs);
    memset(&made, 0, sizeof made);
    if (justify != NULL) {
        made.has_justify = true;
        made.justify = justify->body;
        cs_certificate_hash(&header->justify_hash, &justify->body);
    }
    made.evidence = cs__evidence_choose(cs, &header->parent_hash);
    cs_evidence_root(&header->evidence_root, &made.evidence);
    made.header = *header;
    cs_header_hash(&hash, header);
    struct cs__block *const block = cs__block_add(cs, &made, &hash);
    if (block != NULL) {
        cs__block_body(cs, block, CS__BODY_VALID);
        block->carried_view = newest != NULL ? newest->body.ballot.view : 0;
    }
    return block;
}

/* propose casts the own notarize vote of the view, which is the proposal. */
static bool propose(struct cs *cs, const struct cs_ballot *ballot, struct cs__block *block)
{
    struct cs_vote vote;
    struct cs__slot *const slot = cs__slot_take(cs, ballot->view);
    if (slot == NULL || !cs__sign(cs, &vote, ballot, block)) {
        return false;
    }
    slot->proposal = (struct cs__proposal){.set = true,
                                           .again = ballot->view != block->header.view,
                                           .parent_view = ballot->parent_view,
                                           .hash = block->hash,
                                           .sig = vote.sig,
                                           .wall_ms = cs->wall_ms};
    cs__trace(cs, CS_TRACE_PROPOSE, ballot->view, block->header.height);
    cs->proposed_step = cs->step;
    bool const sent = cs__send_proposal(cs, CS_NOBODY);
    NV_ASSERT(sent);
    cs__vote_take(cs, &vote, true);
    return true;
}

/* propose_new makes the block of a finished header public: body first, then the
 * vote's record, then the proposal. */
static bool propose_new(struct cs *cs, struct cs_header *header)
{
    struct cs__block *const block = block_store(cs, header);
    if (block == NULL) {
        cs__timeout(cs, TIMEOUT_NOT_BUILT);
        return false;
    }
    struct cs_ballot const ballot = {
        .kind = CS_NOTARIZE,
        .epoch = header->epoch,
        .view = header->view,
        .parent_view = header->parent_view,
        .block_hash = block->hash,
    };
    if (header->body_size > 0) {
        struct cs_effect *const effect = cs__emit(cs, CS_FX_PUBLISH_BODY);
        effect->body.header = cs__keep_header(cs, header);
        effect->body.block_hash = block->hash;
        effect->body.view = header->view;
    }
    return propose(cs, &ballot, block);
}

/* propose_again proposes a block that closes the epoch once more.
 * SPEC consensus 18: "is proposed again, as it is" */
static bool propose_again(struct cs *cs, struct cs__block *block, uint64_t parent_view)
{
    struct cs_ballot const ballot = {
        .kind = CS_NOTARIZE,
        .epoch = cs->epoch,
        .view = cs->view,
        .parent_view = parent_view,
        .block_hash = block->hash,
    };
    return propose(cs, &ballot, block);
}

/* build asks the shell for a body, or proposes at once when there is nothing to
 * put into one, or it could not be held. */
static bool build(struct cs *cs, struct cs_header *header, uint64_t parent_view)
{
    bool const work = cs__work(cs, cs__block_find(cs, &header->parent_hash));
    if (!work || header->height - header->executed_height > CS__LAG_MAX ||
        cs->bodies >= CS_BODIES_MAX) {
        return propose_new(cs, header);
    }
    cs->build.busy = true;
    cs->build.view = cs->view;
    cs->build.parent_view = parent_view;
    cs->build.header = *header;
    struct cs_effect *const effect = cs__emit(cs, CS_FX_BUILD);
    effect->build.view = cs->view;
    effect->build.height = header->height;
    effect->build.parent_hash = header->parent_hash;
    effect->build.time_ms = header->time_ms;
    effect->build.executed_height = header->executed_height;
    effect->build.body_size_max = cs->config.body_size_max;
    return true;
}

bool cs__try_propose(struct cs *cs)
{
    struct cs__walk walk;
    struct cs_header header;
    if (!cs__votes(cs) || !cs__leads(cs, cs->view) || cs->build.busy || !own_free(cs)) {
        return false;
    }
    /* SPEC consensus 12: "not put off by a later one" */
    uint64_t const due = cs__due_ns(cs, true);
    if (due > cs->now_ns && cs->base_ns > cs->now_ns) {
        cs->timers.due = due < cs->base_ns ? due : cs->base_ns;
        return false;
    }
    if (cs->proposed_step == cs->step) { /* alone in the set: one block a step */
        cs->timers.wake = cs->now_ns;
        return false;
    }
    uint64_t const parent_view = cs__parent_view(cs);
    const struct cs__cert *const justify = cs__cert_parent(cs, parent_view);
    const struct nv_hash *const parent_hash =
        justify != NULL ? &justify->body.ballot.block_hash : &cs->fin.hash;
    if (!skips_held(cs, parent_view) || cs__block_link(cs, parent_hash) != CS__LINK_READY) {
        return false;
    }
    (void)cs__block_walk(cs, parent_hash, &walk);
    struct cs__block *const block = cs__block_find(cs, parent_hash);
    const struct cs_header *const parent =
        parent_view == cs->fin.view || block == NULL ? &cs->fin.header : &block->header;
    if (parent_view > cs->fin.view && cs_header_closes(parent)) {
        return propose_again(cs, block, parent_view);
    }
    header_begin(cs, &header, parent, parent_view);
    if (!cs__next_fill(cs, &header, parent)) {
        return false; /* until it is executed */
    }
    executed_fill(cs, &header, parent, carried_view(cs, &walk));
    return build(cs, &header, parent_view);
}

void cs__built(struct cs *cs, const struct cs_event *event)
{
    if (!cs->build.busy || event->built.view != cs->view || cs->build.view != cs->view) {
        return; /* an answer that comes too late */
    }
    cs->build.busy = false;
    if (event->built.failed || !own_free(cs)) {
        cs__timeout(cs, TIMEOUT_NOT_BUILT);
        return;
    }
    struct cs_header *const header = &cs->build.header;
    NV_ASSERT(event->built.body_size <= cs->config.body_size_max);
    NV_ASSERT((event->built.body_size == 0) == (event->built.tx_count == 0));
    if (event->built.body_size > 0) {
        header->body_root = event->built.body_root;
        header->body_size = event->built.body_size;
        header->tx_count = event->built.tx_count;
    }
    if (cs->build.parent_view < cs->fin.view) {
        cs__timeout(cs, TIMEOUT_NOT_BUILT); /* the chain went on without this parent */
        return;
    }
    (void)propose_new(cs, header);
}
