#include "base/assert.h"
#include "base/bug.h"

#include "consensus/certs.h"
#include "consensus/chain.h"
#include "consensus/emit.h"
#include "consensus/rules.h"
#include "consensus/self.h"
#include "consensus/store.h"

#include "base/pure.h"

#define EXECUTE_AT_ONCE 32u /* in one step */

bool cs__root_known(const struct cs *cs, struct nv_hash *root, uint64_t height)
{
    uint32_t const index = (uint32_t)(height % CS__RECENT);
    if (cs->recent[index].height != height || !cs->recent[index].known) {
        return false;
    }
    *root = cs->recent[index].root;
    return true;
}

bool cs__final_known(const struct cs *cs, struct nv_hash *hash, uint64_t height)
{
    uint32_t const index = (uint32_t)(height % CS__RECENT);
    bool const fin = height == cs->fin.header.height;
    bool const recent = cs->recent[index].height == height && cs->recent[index].final;
    if (fin || recent) {
        *hash = fin ? cs->fin.hash : cs->recent[index].hash;
    }
    return fin || recent;
}

/* recent_begin gives a height its place among the recent ones. */
static uint32_t recent_begin(struct cs *cs, uint64_t height)
{
    uint32_t const index = (uint32_t)(height % CS__RECENT);
    if (cs->recent[index].height != height) {
        cs->recent[index].height = height;
        cs->recent[index].known = false;
        cs->recent[index].claimed = false;
        cs->recent[index].final = false;
        cs->recent[index].view = 0;
    }
    return index;
}

/* roots_compare stops the engine when the own root of a height is not that of a
 * final header.
 * SPEC consensus 14: "A validator whose own root differs from that in a final header" */
static void roots_compare(struct cs *cs, uint32_t index)
{
    if (cs->recent[index].known && cs->recent[index].claimed && !NV_SEEDED(ROOT_UNCHECKED) &&
        !nv_hash_eq(&cs->recent[index].root, &cs->recent[index].claim) && !cs->halted) {
        cs__halt(cs, CS_HALT_STATE, cs->recent[index].height, nv_view_of(NULL, 0));
    }
}

void cs__executed(struct cs *cs, uint64_t height, const struct nv_hash *root)
{
    if (height < cs->executed_height && cs->executed_height - height >= CS__RECENT) {
        return;
    }
    uint32_t const index = recent_begin(cs, height);
    cs->recent[index].known = true;
    cs->recent[index].root = *root;
    if (height > cs->executed_height) {
        cs->executed_height = height;
        cs->executed_ns = cs->now_ns;
    }
    roots_compare(cs, index);
}

/* claim notes the state root that a final header names. */
static void claim(struct cs *cs, const struct cs_header *header)
{
    uint64_t const height = header->executed_height;
    if (header->height - height >= CS__RECENT) {
        return;
    }
    uint32_t const index = recent_begin(cs, height);
    cs->recent[index].claimed = true;
    cs->recent[index].claim = header->state_root;
    roots_compare(cs, index);
}

/* finalizable returns the block for which F(u) may be voted, or NULL. */
static struct cs__block *finalizable(struct cs *cs, const struct cs__slot *slot)
{
    if (slot == NULL || slot->notar == NULL || slot->notar->body.ballot.kind != CS_NOTARIZE) {
        return NULL;
    }
    struct cs_ballot ballot = slot->notar->body.ballot;
    ballot.kind = CS_FINALIZE;
    if (!cs__gate_allows(&cs->gate, &ballot, cs->view)) {
        return NULL;
    }
    struct cs__block *const block = cs__block_find(cs, &ballot.block_hash);
    /* SPEC consensus 10: "It need not have judged c's transactions" */
    if (block == NULL || !cs__body_there(block)) {
        return NULL;
    }
    return cs__block_link(cs, &block->hash) == CS__LINK_READY ? block : NULL;
}

bool cs__try_finalize(struct cs *cs)
{
    if (!cs__votes(cs)) {
        return false;
    }
    for (uint64_t view = cs->fin.view + 1; view <= cs->entry_view; view++) {
        const struct cs__slot *const slot = cs__slot_find(cs, view);
        struct cs__block *const block = finalizable(cs, slot);
        if (block == NULL) {
            continue;
        }
        if (!cs__room(cs)) {
            cs->timers.wake = cs->now_ns;
            return false;
        }
        struct cs_ballot ballot = slot->notar->body.ballot;
        ballot.kind = CS_FINALIZE;
        if (cs__cast(cs, &ballot, block)) {
            return true;
        }
    }
    return false;
}

/* commit_path gives the blocks of the path to the journal and marks them, from
 * the lowest up. */
static void commit_path(struct cs *cs, struct cs__batch *batch, uint32_t count)
{
    for (uint32_t i = count; i > 0 && !cs->halted; i--) {
        struct cs__block *const block = &cs->block[cs->path[i - 1]];
        const struct cs_header *const header = &block->header;
        cs__batch_block(cs, batch, block);
        block->final = true;
        cs__evidence_final(cs, &block->evidence);
        uint32_t const index = recent_begin(cs, header->height);
        cs->recent[index].view = header->view;
        cs->recent[index].hash = block->hash;
        cs->recent[index].final = true;
        if (header->tx_count > 0) {
            cs->nonempty_height = header->height;
        }
        /* They leave the mempool, which the shell will tell. */
        cs->waiting -= header->tx_count < cs->waiting ? header->tx_count : cs->waiting;
        if (block->carried_view > cs->carried_view) {
            cs->carried_view = block->carried_view;
        }
    }
}

static void claims_check(struct cs *cs, uint32_t count)
{
    for (uint32_t i = count; i > 0; i--) {
        claim(cs, &cs->block[cs->path[i - 1]].header);
    }
}

/* commit makes the block of a finalization final; its path to fin is in
 * cs->path. */
static void commit(struct cs *cs, struct cs__cert **place, uint32_t path_count)
{
    struct cs__batch batch;
    uint64_t const from = cs->fin.view;
    struct cs__cert *const cert = *place;
    const struct cs__block *const block = cs__block_find(cs, &cert->body.ballot.block_hash);
    NV_ASSERT(block != NULL);
    cs__batch_begin(cs, &batch);
    commit_path(cs, &batch, path_count);
    struct cs_record record = {.type = CS_RECORD_FINAL};
    record.final.header = block->header;
    record.final.certificate = cert->body;
    cs__batch_add(cs, &batch, &record);
    cs__batch_end(cs, &batch, false);
    claims_check(cs, path_count);
    cs__cert_give(cs, &cs->fin.cert, cert);
    *place = NULL;
    cs->fin.header = block->header;
    cs->fin.hash = block->hash;
    cs->fin.view = cert->body.ballot.view;
    cs->nullified = NV_SEEDED(BACKOFF_STAYS) ? cs->nullified : 0;
    cs__trace(cs, CS_TRACE_FINAL, cs->fin.view, cs->fin.header.height);
    cs__gate_raise(&cs->gate, cs->fin.view);
    cs__store_prune(cs, from);
}

/* close commits a block that closes the epoch, and turns to the next one.  Blocks
 * of the epoch before must be on their way to execution by then: only two sets
 * of the past are remembered. */
static bool
close(struct cs *cs, struct cs__cert **place, const struct cs__block *block, uint32_t path_count)
{
    const struct cs_header *const parent = cs__header_find(cs, &block->header.parent_hash);
    const struct cs_valset *const set = cs__next_set(cs, &block->header, parent);
    if (set == NULL) {
        return false;
    }
    if (cs->executing_height < cs->opened.height) {
        cs->timers.wake = cs->now_ns;
        return false;
    }
    const struct cs_header header = block->header;
    struct cs_certificate const final = (*place)->body;
    commit(cs, place, path_count);
    if (!cs->halted) {
        bool const turned = cs__epoch_turn(cs, &header, &final, set);
        NV_ASSERT(turned); /* it was verified, so its signers fit */
        cs__epoch_begin(cs);
    }
    return true;
}

/* reach commits the block of a finalization; all that it needs is there. */
static bool reach(struct cs *cs, struct cs__cert **place)
{
    struct cs__walk walk;
    const struct nv_hash *const hash = &(*place)->body.ballot.block_hash;
    const struct cs__block *const block = cs__block_find(cs, hash);
    if (!cs__room(cs)) {
        cs->timers.wake = cs->now_ns;
        return false;
    }
    (void)cs__block_walk(cs, hash, &walk);
    if (block == NULL || walk.path_count == 0) { /* it is final already */
        cs__cert_give(cs, place, NULL);
        return true;
    }
    if (cs_header_closes(&block->header)) {
        return close(cs, place, block, walk.path_count);
    }
    commit(cs, place, walk.path_count);
    return true;
}

static bool try_target(struct cs *cs, struct cs__cert **place)
{
    if (*place == NULL || cs->halted || cs->doubt.set) {
        return false;
    }
    switch (cs__block_link(cs, &(*place)->body.ballot.block_hash)) {
    case CS__LINK_READY: return reach(cs, place);
    case CS__LINK_INVALID:
        cs__halt(cs, CS_HALT_STATE, cs->fin.header.height + 1, nv_view_of(NULL, 0));
        return false;
    case CS__LINK_FORK: cs__fork_suspect(cs); return false;
    case CS__LINK_BODY:
    case CS__LINK_HEADER: return false;
    }
    NV_ASSERT(false);
    return false;
}

bool cs__try_commit(struct cs *cs)
{
    bool const near = try_target(cs, &cs->near);
    return try_target(cs, &cs->target) || near;
}

/* committed_next returns the committed block of a height, or NULL. */
static struct cs__block *committed_next(const struct cs *cs, uint64_t height)
{
    for (uint32_t i = 0; i < cs->block_used; i++) {
        struct cs__block *const block = &cs->block[i];
        if (block->used && block->final && block->header.height == height) {
            return block;
        }
    }
    return NULL;
}

bool cs__execute(struct cs *cs)
{
    uint32_t given = 0;
    while (cs->executing_height < cs->fin.header.height && !cs->halted) {
        if (given == EXECUTE_AT_ONCE || !cs__room(cs)) {
            cs->timers.wake = cs->now_ns;
            break;
        }
        struct cs__block *const block = committed_next(cs, cs->executing_height + 1);
        NV_ASSERT(block != NULL);
        struct cs_effect *const effect = cs__emit(cs, CS_FX_EXECUTE);
        effect->execute.header = cs__keep_header(cs, &block->header);
        effect->execute.block_hash = block->hash;
        effect->execute.final = cs__keep_certificate(cs, cs->fin.cert);
        effect->execute.justify = cs__keep_certificate(cs, block->justify);
        effect->execute.evidence.count = block->evidence.count;
        effect->execute.evidence.bytes = cs__keep(cs, block->evidence.bytes);
        if (block->justify != NULL) {
            effect->execute.signers = cs__set_of(cs, block->justify->body.ballot.epoch);
        }
        cs->executing_height++;
        block->final = false;
        cs__block_drop(cs, block);
        given++;
    }
    return given > 0;
}
