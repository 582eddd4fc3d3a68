/* What is missing of the blocks that matter: headers and bodies, by hash. */

#include "consensus/bodies.h"
#include "consensus/catchup.h"
#include "consensus/chain.h"
#include "consensus/rules.h"
#include "consensus/store.h"

#include "base/pure.h"

#define SENDING_PART 10u  /* of D: until a block is asked for that may be under way */
#define FAR_VIEWS    256u /* beyond this a missing header is asked for alone */

/* One thing that is wanted, and who probably has it. */
struct want {
    struct nv_hash hash;
    bool body;
    bool streaming;
    uint32_t count;
    uint32_t hint;
    uint64_t at_ns;
};

static void want_add(struct cs *cs, const struct want *want)
{
    struct cs__fetch *empty = NULL;
    for (uint32_t i = 0; i < CS__FETCHES; i++) {
        struct cs__fetch *const fetch = &cs->fetch[i];
        if (fetch->used && fetch->body == want->body && nv_hash_eq(&fetch->hash, &want->hash)) {
            cs->fetch_marks += fetch->mark ? 0 : 1;
            fetch->mark = true;
            return;
        }
        empty = !fetch->used && empty == NULL ? fetch : empty;
    }
    if (empty != NULL) {
        *empty = (struct cs__fetch){.used = true,
                                    .mark = true,
                                    .body = want->body,
                                    .hash = want->hash,
                                    .count = want->count,
                                    .hint = want->hint,
                                    .streaming = want->streaming,
                                    .at_ns = want->at_ns};
        cs->fetch_marks++;
    }
}

/* count_for returns how many blocks to ask for when the header of a block of
 * about `view` is missing: as many as may be missing, if those are few. */
static uint32_t count_for(const struct cs *cs, uint64_t view)
{
    uint64_t const gap = view > cs->fin.view ? view - cs->fin.view : 1;
    if (gap > FAR_VIEWS) {
        return 1;
    }
    return gap < CS_BLOCKS_MAX ? (uint32_t)gap : CS_BLOCKS_MAX;
}

/* want_chain wants what is missing of a block and its ancestors, the lowest
 * first; the block's own header from `from_ns` on. */
static void want_chain(
    struct cs *cs, const struct nv_hash *hash, uint32_t hint, bool streaming, uint64_t from_ns)
{
    struct cs__walk walk;
    enum cs__link const link = cs__block_link(cs, hash);
    if (link == CS__LINK_FORK || link == CS__LINK_READY || cs->fetch_marks == CS__FETCHES) {
        return;
    }
    (void)cs__block_walk(cs, hash, &walk);
    const struct cs__block *const top = walk.path_count > 0 ? &cs->block[cs->path[0]] : NULL;
    bool const far = top != NULL && top->header.height > cs->fin.header.height + CS_BLOCKS_MAX;
    if (link == CS__LINK_HEADER && !far) {
        struct want const want = {.hash = walk.no_header,
                                  .count = count_for(cs, walk.no_header_view),
                                  .hint = hint,
                                  .at_ns = walk.path_count == 0 ? from_ns : cs->now_ns};
        want_add(cs, &want);
    }
    if (link == CS__LINK_HEADER && far) {
        return; /* its ancestors come by height */
    }
    for (uint32_t i = walk.path_count; i > 0 && cs->fetch_marks < CS__FETCHES; i--) {
        const struct cs__block *const block = &cs->block[cs->path[i - 1]];
        struct want const want = {.hash = block->hash,
                                  .body = true,
                                  .hint = hint,
                                  .streaming = streaming && i == 1,
                                  .at_ns = cs->now_ns};
        if (block->body == CS__BODY_NONE && cs__body_room(cs, block)) {
            want_add(cs, &want);
        }
    }
}

/* signer_after returns a signer of the certificate, another for every node. */
static uint32_t signer_after(const struct cs *cs, const struct cs__cert *cert)
{
    uint32_t const start = cs->me < cs->set.count ? cs->me : 0;
    for (uint32_t i = 1; i <= cs->set.count; i++) {
        uint32_t const index = (start + i) % cs->set.count;
        if (index != cs->me && cs_bitmap_has(&cert->body.signers, index)) {
            return index;
        }
    }
    return CS_NOBODY;
}

static void want_cert(struct cs *cs, const struct cs__cert *cert)
{
    if (cert == NULL) {
        return;
    }
    /* SPEC consensus 15: "its leader may still be sending it" */
    const struct cs_ballot *const ballot = &cert->body.ballot;
    bool const fresh = ballot->kind == CS_NOTARIZE && ballot->view + 1 >= cs->view;
    uint64_t const patience = fresh ? cs->config.delay_ns / SENDING_PART : 0;
    want_chain(cs, &ballot->block_hash, signer_after(cs, cert), false, cs->now_ns + patience);
}

/* proposal_useful returns whether the proposal's body is worth asking for. */
static bool proposal_useful(const struct cs *cs, const struct cs__slot *slot)
{
    if (!slot->proposal.set || slot->proposal.dead || slot->view < cs->view) {
        return false;
    }
    const struct cs__block *const block = cs__block_find(cs, &slot->proposal.hash);
    return block != NULL && cs__judge_alone(cs, &block->header) == CS__GOOD;
}

void cs__wants_mark(struct cs *cs)
{
    for (uint32_t i = 0; i < CS__FETCHES; i++) {
        cs->fetch[i].mark = false;
    }
    cs->fetch_marks = 0;
    if (cs->near == NULL && cs->target != NULL) {
        cs__near_put(cs, &cs->target->body);
    }
    if (cs->bodies >= CS_BODIES_MAX) {
        cs__bodies_need(cs);
    }
    want_cert(cs, cs->near);
    want_cert(cs, cs->target);
    for (uint64_t view = cs->fin.view + 1; view <= cs->view + CS__ABOVE; view++) {
        const struct cs__slot *const slot = cs__slot_find(cs, view);
        if (slot == NULL) {
            continue;
        }
        want_cert(cs, slot->notar);
        if (proposal_useful(cs, slot)) {
            want_chain(cs, &slot->proposal.hash, cs_leader(cs, view), true, cs->now_ns);
        }
    }
}
