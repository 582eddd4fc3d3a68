/* rules_judge.c - what a validator thinks of a proposal. */

#include "base/assert.h"
#include "base/bug.h"
#include "base/int.h"

#include "consensus/catchup.h"
#include "consensus/chain.h"
#include "consensus/rules.h"
#include "consensus/store.h"

#include "base/pure.h"

enum cs__verdict cs__judge_alone(const struct cs *cs, const struct cs_header *header)
{
    bool const empty = header->body_size == 0;
    bool const empty_root = nv_hash_eq(&header->body_root, &cs->empty_root);
    if (!nv_hash_eq(&header->chain_id, &cs->config.chain_id)) {
        return CS__BAD_CHAIN;
    }
    if (header->epoch != cs->epoch) {
        return CS__BAD_EPOCH;
    }
    if (!nv_hash_eq(&header->valset_hash, &cs->set.hash)) {
        return CS__BAD_SET;
    }
    if (!nv_hash_eq(&header->params_hash, &cs->config.params_hash)) {
        return CS__BAD_PARAMS;
    }
    if (header->view < 1 || header->parent_view >= header->view) {
        return CS__BAD_VIEW;
    }
    if (header->proposer != cs_schedule_leader(&cs->schedule, header->view)) {
        return CS__BAD_PROPOSER;
    }
    if (header->height < 1 || header->executed_height >= header->height) {
        return CS__BAD_EXECUTED;
    }
    if (header->body_size > cs->config.body_size_max || empty != (header->tx_count == 0) ||
        empty != empty_root) {
        return CS__BAD_BODY_FIELDS;
    }
    /* SPEC consensus 14: "If height - executed_height is above 64, the body MUST be empty." */
    if (!empty && header->height - header->executed_height > CS__LAG_MAX) {
        return CS__BAD_BODY_FIELDS;
    }
    return CS__GOOD;
}

/* judge_justify judges the certificate of the parent that came with the block:
 * of the epoch, or, on the block that closed the one before, of that one.  Its
 * hash is the header's, or the block would not have been taken. */
static enum cs__verdict judge_justify(const struct cs *cs, const struct cs__block *block)
{
    const struct cs_header *const header = &block->header;
    if (block->justify == NULL) {
        bool const first = header->parent_view == 0 && cs->epoch == CS_FIRST_EPOCH &&
                           nv_hash_eq(&header->parent_hash, &cs->config.chain_id);
        return first ? CS__GOOD : CS__BAD_JUSTIFY;
    }
    const struct cs_ballot *const ballot = &block->justify->body.ballot;
    bool right = ballot->kind != CS_NULLIFY && ballot->epoch == header->epoch &&
                 ballot->view == header->parent_view;
    if (header->parent_view == 0) {
        right = ballot->kind == CS_FINALIZE && ballot->epoch + 1 == header->epoch;
    }
    right = right && nv_hash_eq(&ballot->block_hash, &header->parent_hash);
    return right ? CS__GOOD : CS__BAD_JUSTIFY;
}

/* judge_views judges whether a block certified as `hash` in `parent_view` may be
 * followed in `view`, and asks for the certificates that are missing. */
static enum cs__verdict
judge_views(struct cs *cs, uint64_t parent_view, const struct nv_hash *hash, uint64_t view)
{
    if (NV_SEEDED(PARENT_UNCHECKED)) {
        return CS__GOOD;
    }
    if (parent_view < cs->fin.view) {
        return CS__BAD_PARENT;
    }
    if (parent_view == cs->fin.view) {
        if (!nv_hash_eq(hash, &cs->fin.hash)) {
            return CS__BAD_PARENT;
        }
    } else {
        const struct cs__cert *const cert = cs__cert_parent(cs, parent_view);
        if (cert == NULL) {
            cs__certs_need(cs, parent_view, false);
            return CS__WAIT;
        }
        if (!nv_hash_eq(&cert->body.ballot.block_hash, hash)) {
            return CS__BAD_PARENT;
        }
    }
    for (uint64_t skip = parent_view + 1; skip < view && !NV_SEEDED(SKIPS_UNCHECKED); skip++) {
        const struct cs__slot *const slot = cs__slot_find(cs, skip);
        if (slot == NULL || slot->null == NULL) {
            cs__certs_need(cs, skip, false);
            return CS__WAIT;
        }
    }
    return CS__GOOD;
}

/* judge_executed compares state roots.
 * SPEC consensus 14: "A validator that has executed that height compares roots." */
static enum cs__verdict
judge_executed(const struct cs *cs, const struct cs_header *header, const struct cs_header *parent)
{
    struct nv_hash root;
    if (NV_SEEDED(ROOT_UNCHECKED)) {
        return CS__GOOD;
    }
    if (header->executed_height < parent->executed_height && !NV_SEEDED(EXECUTED_BACK)) {
        return CS__BAD_EXECUTED;
    }
    if (header->executed_height == parent->executed_height) {
        return nv_hash_eq(&header->state_root, &parent->state_root) ? CS__GOOD : CS__BAD_ROOT;
    }
    if (!cs__root_known(cs, &root, header->executed_height)) {
        return NV_SEEDED(ROOT_BLIND) ? CS__GOOD : CS__WAIT;
    }
    return nv_hash_eq(&root, &header->state_root) ? CS__GOOD : CS__BAD_ROOT;
}

/* judge_time judges the header's time against the parent's and the wall clock
 * (docs/spec/consensus.md section 13). */
static enum cs__verdict judge_time(struct cs *cs,
                                   const struct cs_header *header,
                                   const struct cs_header *parent,
                                   uint64_t came_ms)
{
    uint64_t const ahead = cs->wall_ms + cs->config.ahead_ms;
    nv_u128 const behind = (nv_u128)cs->config.behind_ms * cs->delay_ns / cs->config.delay_ns;
    if ((header->time_ms < parent->time_ms && !NV_SEEDED(TIME_BACK)) ||
        (nv_u128)header->time_ms + behind < came_ms) {
        return CS__BAD_TIME;
    }
    if (header->time_ms > ahead && !NV_SEEDED(TIME_AHEAD)) {
        uint64_t const wait_ms = header->time_ms - ahead;
        cs->timers.hold = wait_ms < UINT32_MAX ? cs->now_ns + wait_ms * CS__MS : CS__NEVER;
        return CS__WAIT;
    }
    return CS__GOOD;
}

static enum cs__verdict judge_bodies(struct cs *cs, const struct cs__block *block, bool again)
{
    enum cs__link const link = cs__block_link(cs, &block->hash);
    if (NV_SEEDED(BODY_UNCHECKED)) {
        return CS__GOOD;
    }
    switch (link) {
    case CS__LINK_READY: /* what comes again has been judged by a quorum */
        return block->body == CS__BODY_VALID || again ? CS__GOOD : CS__WAIT;
    case CS__LINK_BODY:
    case CS__LINK_HEADER: return CS__WAIT;
    case CS__LINK_INVALID: return CS__BAD_BODY;
    case CS__LINK_FORK: return CS__BAD_PARENT;
    }
    NV_ASSERT(false);
    return CS__WAIT;
}

enum cs__verdict cs__judge(struct cs *cs, const struct cs__slot *slot)
{
    const struct cs__block *const block = cs__block_find(cs, &slot->proposal.hash);
    const struct cs__proposal *const proposal = &slot->proposal;
    enum cs__verdict verdict[8] = {CS__GOOD};
    if (block == NULL) {
        return CS__WAIT;
    }
    const struct cs_header *const header = &block->header;
    /* All judges are asked before waiting, so that one that says no is heard. */
    verdict[0] = cs__judge_alone(cs, header);
    verdict[1] = judge_justify(cs, block);
    const struct nv_hash *const certified = proposal->again ? &block->hash : &header->parent_hash;
    verdict[2] = judge_views(cs, proposal->parent_view, certified, slot->view);
    const struct cs_header *const parent = cs__header_find(cs, &header->parent_hash);
    if (parent == NULL) {
        verdict[3] = CS__WAIT;
    } else if (header->height != parent->height + 1) {
        verdict[3] = CS__BAD_HEIGHT;
    } else {
        verdict[3] = judge_executed(cs, header, parent);
        verdict[4] = proposal->again ? CS__GOOD : judge_time(cs, header, parent, proposal->wall_ms);
        verdict[5] = cs__judge_epoch(cs, header, parent);
    }
    verdict[6] = judge_bodies(cs, block, proposal->again);
    verdict[7] = cs__judge_evidence(cs, block);
    enum cs__verdict worst = CS__GOOD;
    for (uint32_t i = 0; i < sizeof verdict / sizeof *verdict; i++) {
        bool const first_bad = worst <= CS__WAIT && verdict[i] > worst;
        worst = first_bad ? verdict[i] : worst;
    }
    return worst;
}
