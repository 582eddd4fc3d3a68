#include "consensus/bodies.h"

#include "base/assert.h"

#include "consensus/chain.h"
#include "consensus/store.h"

#include "base/pure.h"

_Static_assert(CS_BODIES_MAX >= CS_BLOCKS_MAX + CS__LAG_MAX, "what must be held at once, can be");

/* begin clears the marks, and returns how many may be needed: what is final keeps
 * its body until it is executed. */
static uint32_t begin(struct cs *cs)
{
    uint32_t final = 0;
    for (uint32_t i = 0; i < cs->block_used; i++) {
        struct cs__block *const block = &cs->block[i];
        block->mark = false;
        block->needed = false;
        final += block->used && block->final && cs__body_counts(block) ? 1 : 0;
    }
    return final < CS_BODIES_MAX ? CS_BODIES_MAX - final : 0;
}

/* need_chain needs a block and its ancestors above fin, the lowest first, as long as
 * there is room for them; it returns what is left of it. */
static uint32_t need_chain(struct cs *cs, const struct nv_hash *hash, uint32_t room)
{
    uint32_t count = 0;
    enum cs__link const link = cs__block_link(cs, hash);
    if (link == CS__LINK_FORK || link == CS__LINK_INVALID) {
        return room;
    }
    for (struct cs__block *block = cs__block_find(cs, hash);
         block != NULL && !block->mark && !block->final;
         block = cs__block_find(cs, &block->header.parent_hash)) {
        block->mark = true;
        cs->path[count] = (uint32_t)(block - cs->block);
        count++;
    }
    for (uint32_t i = count; i > 0 && room > 0; i--) {
        struct cs__block *const block = &cs->block[cs->path[i - 1]];
        block->needed = block->header.body_size > 0;
        room -= block->needed ? 1 : 0;
    }
    return room;
}

static uint32_t need_cert(struct cs *cs, const struct cs__cert *cert, uint32_t room)
{
    return cert != NULL ? need_chain(cs, &cert->body.ballot.block_hash, room) : room;
}

void cs__bodies_need(struct cs *cs)
{
    uint64_t const top = cs->view + CS__ABOVE;
    uint32_t room = begin(cs);
    room = need_cert(cs, cs->near, room);
    room = need_cert(cs, cs->target, room);
    for (uint64_t view = cs->view; view <= top; view++) {
        const struct cs__slot *const slot = cs__slot_find(cs, view);
        if (slot != NULL && slot->proposal.set && !slot->proposal.dead) {
            room = need_chain(cs, &slot->proposal.hash, room);
        }
    }
    for (uint64_t view = top; view > cs->fin.view && room > 0; view--) {
        const struct cs__slot *const slot = cs__slot_find(cs, view);
        room = need_cert(cs, slot != NULL ? slot->notar : NULL, room);
    }
}

bool cs__body_room(const struct cs *cs, const struct cs__block *block)
{
    return cs->bodies < CS_BODIES_MAX || block->needed;
}

void cs__bodies_trim(struct cs *cs)
{
    if (cs->bodies <= CS_BODIES_MAX) {
        return;
    }
    cs__bodies_need(cs);
    for (uint32_t i = 0; i < cs->block_used && cs->bodies > CS_BODIES_MAX; i++) {
        struct cs__block *const block = &cs->block[i];
        if (block->used && !block->final && !block->needed && cs__body_counts(block)) {
            cs__block_body(cs, block, CS__BODY_NONE);
        }
    }
    NV_ASSERT(cs->bodies <= CS_BODIES_MAX); /* those needed and those final fit */
}
