#include "consensus/store.h"

#include <string.h>

#include "base/assert.h"
#include "base/bug.h"
#include "base/critbit.h"

#include "base/pure.h"

/* ---- slots ---- */

static bool in_window(const struct cs *cs, uint64_t view)
{
    return view >= 1 && view + CS__BELOW > cs->fin.view &&
           view <= cs->fin.view + cs->config.views_max;
}

struct cs__slot *cs__slot_find(const struct cs *cs, uint64_t view)
{
    struct cs__slot *const slot = &cs->slot[view % cs->slot_count];
    return in_window(cs, view) && slot->view == view ? slot : NULL;
}

static void slot_release(struct cs *cs, struct cs__slot *slot)
{
    if (slot->notar != NULL) {
        cs__cert_drop(cs, slot->notar);
    }
    if (slot->null != NULL && !NV_SEEDED(CERTS_LEAK)) {
        cs__cert_drop(cs, slot->null);
    }
    slot->notar = NULL;
    slot->null = NULL;
}

struct cs__slot *cs__slot_take(struct cs *cs, uint64_t view)
{
    struct cs__slot *const slot = &cs->slot[view % cs->slot_count];
    if (!in_window(cs, view)) {
        return NULL;
    }
    if (slot->view != view) {
        struct cs__tally *const tally = slot->tally;
        slot_release(cs, slot);
        memset(slot, 0, sizeof *slot);
        slot->view = view;
        if (tally != NULL) {
            slot->tally = tally;
            cs__tally_reset(tally, view);
        }
    }
    return slot;
}

/* tally_steal takes the tally of the lowest view that has one, if that is below
 * `view`. */
static struct cs__tally *tally_steal(struct cs *cs, uint64_t view)
{
    struct cs__slot *lowest = NULL;
    for (uint32_t i = 0; i < cs->slot_count; i++) {
        struct cs__slot *const slot = &cs->slot[i];
        if (slot->tally != NULL && (lowest == NULL || slot->view < lowest->view)) {
            lowest = slot;
        }
    }
    NV_ASSERT(lowest != NULL);
    if (lowest->view >= view) {
        return NULL;
    }
    struct cs__tally *const tally = lowest->tally;
    lowest->tally = NULL;
    return tally;
}

struct cs__tally *cs__slot_tally(struct cs *cs, struct cs__slot *slot)
{
    if (slot->tally == NULL) {
        if (cs->tally_count > 0) {
            cs->tally_count--;
            slot->tally = cs->tally[cs->tally_count];
        } else {
            slot->tally = tally_steal(cs, slot->view);
        }
        if (slot->tally != NULL) {
            cs__tally_reset(slot->tally, slot->view);
        }
    }
    return slot->tally;
}

/* ---- certificates ---- */

struct cs__cert *cs__cert_copy(struct cs *cs, const struct cs_certificate *certificate)
{
    struct cs__cert *cert = cs->cert_spare;
    if (certificate->signer_count > cs->config.validators_max) {
        return NULL;
    }
    if (cert != NULL) {
        cs->cert_spare = cert->next;
    } else if (cs->cert_used < cs->cert_count) {
        cert = &cs->cert[cs->cert_used];
        cert->sigs = cs->sigs + (size_t)cs->cert_used * cs->config.validators_max;
        cs->cert_used++;
    } else {
        return NULL;
    }
    cs->cert_live++;
    cert->body = *certificate;
    cert->dirty = false;
    cert->next = NULL;
    memcpy(cert->sigs, certificate->sigs, certificate->signer_count * sizeof *cert->sigs);
    cert->body.sigs = cert->sigs;
    return cert;
}

void cs__cert_drop(struct cs *cs, struct cs__cert *cert)
{
    NV_ASSERT(cs->cert_live > 0);
    cs->cert_live--;
    if (cert->dirty) {
        cs->dirty_count--;
    }
    cert->dirty = false;
    cert->next = cs->cert_spare;
    cs->cert_spare = cert;
}

void cs__cert_give(struct cs *cs, struct cs__cert **place, struct cs__cert *cert)
{
    if (*place != NULL) {
        cs__cert_drop(cs, *place);
    }
    *place = cert;
}

/* place_put stores a certificate in one place of a slot.  A finalization takes
 * the place of a notarization only where there is none: a notarization is what
 * the sign gate wants to see. */
static bool
place_put(struct cs *cs, struct cs__cert **place, const struct cs_certificate *certificate)
{
    bool const better = *place != NULL && (*place)->body.ballot.kind == CS_FINALIZE &&
                        certificate->ballot.kind == CS_NOTARIZE;
    if (*place != NULL && !better) {
        return false;
    }
    struct cs__cert *const cert = cs__cert_copy(cs, certificate);
    if (cert == NULL) {
        return false;
    }
    if (*place != NULL) {
        cs__cert_drop(cs, *place);
    }
    *place = cert;
    cert->dirty = true;
    cs->dirty_count++;
    return true;
}

static bool target_put(struct cs *cs, const struct cs_certificate *certificate)
{
    if (cs->target != NULL && cs->target->body.ballot.view >= certificate->ballot.view) {
        return false;
    }
    struct cs__cert *const cert = cs__cert_copy(cs, certificate);
    if (cert == NULL) {
        return false;
    }
    if (cs->target != NULL) {
        cs__cert_drop(cs, cs->target);
    }
    cs->target = cert;
    return true;
}

void cs__near_put(struct cs *cs, const struct cs_certificate *certificate)
{
    if (cs->near != NULL && cs->near->body.ballot.view <= certificate->ballot.view) {
        return;
    }
    struct cs__cert *const cert = cs__cert_copy(cs, certificate);
    if (cert != NULL && cs->near != NULL) {
        cs__cert_drop(cs, cs->near);
    }
    cs->near = cert != NULL ? cert : cs->near;
}

bool cs__cert_add(struct cs *cs, const struct cs_certificate *certificate)
{
    const struct cs_ballot *const ballot = &certificate->ballot;
    bool news = false;
    if (ballot->view <= cs->fin.view) {
        return false;
    }
    if (ballot->kind == CS_FINALIZE) {
        news = target_put(cs, certificate);
    }
    struct cs__slot *const slot = cs__slot_take(cs, ballot->view);
    if (slot == NULL) {
        return news;
    }
    struct cs__cert **const place = ballot->kind == CS_NULLIFY ? &slot->null : &slot->notar;
    if (place_put(cs, place, certificate)) {
        news = true;
        if (ballot->view > cs->entry_view) {
            cs->entry_view = ballot->view;
        }
    }
    return news;
}

const struct cs__cert *cs__cert_parent(const struct cs *cs, uint64_t view)
{
    if (view == cs->fin.view) {
        return cs->fin.cert;
    }
    const struct cs__slot *const slot = view > cs->fin.view ? cs__slot_find(cs, view) : NULL;
    return slot != NULL ? slot->notar : NULL;
}

const struct cs__cert *cs__cert_entry(const struct cs *cs, uint64_t view)
{
    if (view <= 1) {
        return NULL;
    }
    if (view - 1 == cs->fin.view) {
        return cs->fin.cert;
    }
    const struct cs__slot *const slot =
        view - 1 > cs->fin.view ? cs__slot_find(cs, view - 1) : NULL;
    if (slot == NULL) {
        return NULL;
    }
    bool const final = slot->notar != NULL && slot->notar->body.ballot.kind == CS_FINALIZE;
    return !final && slot->null != NULL ? slot->null : slot->notar;
}

const struct cs__cert *cs__final_newest(const struct cs *cs)
{
    if (cs->target != NULL) {
        return cs->target;
    }
    return cs->fin.view > 0 ? cs->fin.cert : NULL;
}

/* ---- blocks ---- */

struct cs__block *cs__block_find(const struct cs *cs, const struct nv_hash *hash)
{
    uint32_t index = 0;
    return nv_critbit_lookup(cs->block_index, hash->bytes, &index) ? &cs->block[index] : NULL;
}

const struct cs_header *cs__header_find(const struct cs *cs, const struct nv_hash *hash)
{
    const struct cs__block *const block = cs__block_find(cs, hash);
    if (block != NULL) {
        return &block->header;
    }
    return nv_hash_eq(hash, &cs->fin.hash) ? &cs->fin.header : NULL;
}

static void mark_chain(struct cs *cs, const struct nv_hash *hash)
{
    struct cs__block *block = cs__block_find(cs, hash);
    while (block != NULL && !block->mark && !block->final) {
        block->mark = true;
        block = cs__block_find(cs, &block->header.parent_hash);
    }
}

/* blocks_sweep drops the blocks that no proposal, certificate or target leads
 * to. */
static void blocks_sweep(struct cs *cs)
{
    for (uint32_t i = 0; i < cs->block_used; i++) {
        cs->block[i].mark = false;
    }
    for (uint32_t i = 0; i < cs->slot_count; i++) {
        const struct cs__slot *const slot = &cs->slot[i];
        if (slot->view > cs->fin.view && slot->proposal.set) {
            mark_chain(cs, &slot->proposal.hash);
        }
        if (slot->view > cs->fin.view && slot->notar != NULL) {
            mark_chain(cs, &slot->notar->body.ballot.block_hash);
        }
    }
    if (cs->target != NULL) {
        mark_chain(cs, &cs->target->body.ballot.block_hash);
    }
    if (cs->near != NULL) {
        mark_chain(cs, &cs->near->body.ballot.block_hash);
    }
    for (uint32_t i = 0; i < cs->block_used; i++) {
        struct cs__block *const block = &cs->block[i];
        if (block->used && !block->mark && !block->final) {
            cs__block_drop(cs, block);
        }
    }
}

/* block_place returns a place for a new block, or NULL. */
static struct cs__block *block_place(struct cs *cs)
{
    if (cs->block_live == cs->block_count) {
        blocks_sweep(cs);
    }
    if (cs->block_live == cs->block_count) {
        return NULL;
    }
    if (cs->block_spare != 0) {
        struct cs__block *const block = &cs->block[cs->block_spare - 1];
        cs->block_spare = block->next;
        return block;
    }
    NV_ASSERT(cs->block_used < cs->block_count);
    cs->block_used++;
    return &cs->block[cs->block_used - 1];
}

static void evidence_keep(struct cs *cs, struct cs__block *place, const struct cs_list *list)
{
    uint8_t *const bytes = cs->evidence + (size_t)(place - cs->block) * CS__EVIDENCE_SIZE;
    NV_ASSERT(list->bytes.size <= CS__EVIDENCE_SIZE);
    if (list->count > 0) {
        memcpy(bytes, list->bytes.bytes, list->bytes.size);
    }
    place->evidence.count = list->count;
    place->evidence.bytes = nv_view_of(bytes, list->bytes.size);
}

struct cs__block *
cs__block_add(struct cs *cs, const struct cs_block *block, const struct nv_hash *hash)
{
    struct cs__block *place = cs__block_find(cs, hash);
    if (place != NULL) {
        return place;
    }
    struct cs__cert *const justify = block->has_justify ? cs__cert_copy(cs, &block->justify) : NULL;
    if (block->has_justify && justify == NULL) {
        return NULL;
    }
    place = block_place(cs);
    if (place == NULL) {
        if (justify != NULL) {
            cs__cert_drop(cs, justify);
        }
        return NULL;
    }
    memset(place, 0, sizeof *place);
    place->header = block->header;
    place->hash = *hash;
    place->justify = justify;
    evidence_keep(cs, place, &block->evidence);
    place->used = true;
    if (block->header.body_size == 0) {
        bool const empty =
            block->header.tx_count == 0 && nv_hash_eq(&block->header.body_root, &cs->empty_root);
        place->body = empty ? CS__BODY_VALID : CS__BODY_INVALID;
    }
    enum nv_err const err =
        nv_critbit_insert(cs->block_index, hash->bytes, (uint32_t)(place - cs->block));
    NV_ASSERT(err == NV_OK);
    cs->block_live++;
    cs->version++;
    return place;
}

void cs__block_drop(struct cs *cs, struct cs__block *block)
{
    bool const there = nv_critbit_remove(cs->block_index, block->hash.bytes, NULL);
    NV_ASSERT(there);
    if (block->justify != NULL) {
        cs__cert_drop(cs, block->justify);
    }
    cs->version++;
    block->used = false;
    block->justify = NULL;
    block->next = cs->block_spare;
    cs->block_spare = (uint32_t)(block - cs->block) + 1;
    cs->block_live--;
}

static enum cs__link walk_end(const struct cs__walk *walk, bool invalid)
{
    if (invalid) {
        return CS__LINK_INVALID;
    }
    return walk->no_body != NULL ? CS__LINK_BODY : CS__LINK_READY;
}

enum cs__link cs__block_walk(const struct cs *cs, const struct nv_hash *hash, struct cs__walk *walk)
{
    const struct cs__block *block = cs__block_find(cs, hash);
    uint64_t view = cs->view;
    bool invalid = false;
    memset(walk, 0, sizeof *walk);
    if (nv_hash_eq(hash, &cs->fin.hash)) {
        return CS__LINK_READY;
    }
    walk->no_header = *hash;
    while (block != NULL) {
        if (block->header.height <= cs->fin.header.height) {
            return CS__LINK_FORK;
        }
        NV_ASSERT(walk->path_count < cs->block_count);
        cs->path[walk->path_count] = (uint32_t)(block - cs->block);
        walk->path_count++;
        invalid = invalid || block->body == CS__BODY_INVALID;
        walk->no_body = block->body == CS__BODY_NONE ? block : walk->no_body;
        if (nv_hash_eq(&block->header.parent_hash, &cs->fin.hash)) {
            bool const next = block->header.height == cs->fin.header.height + 1;
            return next ? walk_end(walk, invalid) : CS__LINK_FORK;
        }
        const struct cs__block *const parent = cs__block_find(cs, &block->header.parent_hash);
        if (parent != NULL && parent->header.height + 1 != block->header.height) {
            return CS__LINK_FORK;
        }
        walk->no_header = block->header.parent_hash;
        view = block->header.parent_view;
        block = parent;
    }
    const struct cs__block *const lowest =
        walk->path_count > 0 ? &cs->block[cs->path[walk->path_count - 1]] : NULL;
    if (lowest != NULL && lowest->header.height <= cs->fin.header.height + 1) {
        return CS__LINK_FORK; /* its parent would stand at or below fin, and is not fin */
    }
    walk->no_header_view = view;
    return CS__LINK_HEADER;
}

/* tally_return takes the tally of a view that has become too old. */
static void tally_return(struct cs *cs, uint64_t view)
{
    struct cs__slot *const slot = &cs->slot[view % cs->slot_count];
    if (slot->tally != NULL && slot->view <= view) {
        cs->tally[cs->tally_count] = slot->tally;
        cs->tally_count++;
        slot->tally = NULL;
    }
}

static void target_prune(struct cs *cs, struct cs__cert **target)
{
    if (*target != NULL && (*target)->body.ballot.view <= cs->fin.view) {
        cs__cert_drop(cs, *target);
        *target = NULL;
    }
}

/* link_above returns how a block hangs together with fin, given its parent. */
static enum cs__link link_above(const struct cs__block *block, enum cs__link parent)
{
    if (parent == CS__LINK_FORK || parent == CS__LINK_HEADER || parent == CS__LINK_INVALID) {
        return parent;
    }
    if (block->body == CS__BODY_INVALID) {
        return CS__LINK_INVALID;
    }
    return block->body == CS__BODY_NONE ? CS__LINK_BODY : parent;
}

/* link_fresh returns whether a block's link was found after the last change. */
static bool link_fresh(const struct cs *cs, const struct cs__block *block)
{
    return block->link_version == cs->version;
}

/* link_base judges a block by its height and its parent alone: READY when the
 * parent is fin, BODY when the parent must be asked, HEADER when it is missing. */
static enum cs__link link_base(const struct cs *cs, const struct cs__block *block)
{
    bool const on_fin = nv_hash_eq(&block->header.parent_hash, &cs->fin.hash);
    uint64_t const height = block->header.height;
    if (height <= cs->fin.header.height || on_fin != (height == cs->fin.header.height + 1)) {
        return CS__LINK_FORK;
    }
    if (on_fin) {
        return CS__LINK_READY;
    }
    const struct cs__block *const parent = cs__block_find(cs, &block->header.parent_hash);
    if (parent == NULL) {
        return CS__LINK_HEADER;
    }
    return parent->header.height + 1 == height ? CS__LINK_BODY : CS__LINK_FORK;
}

enum cs__link cs__block_link(struct cs *cs, const struct nv_hash *hash)
{
    struct cs__block *block = cs__block_find(cs, hash);
    enum cs__link link = CS__LINK_BODY;
    uint32_t count = 0;
    if (nv_hash_eq(hash, &cs->fin.hash)) {
        return CS__LINK_READY;
    }
    if (block == NULL) {
        return CS__LINK_HEADER;
    }
    while (link == CS__LINK_BODY && !link_fresh(cs, block)) {
        cs->path[count] = (uint32_t)(block - cs->block);
        count++;
        link = link_base(cs, block);
        if (link == CS__LINK_BODY) {
            block = cs__block_find(cs, &block->header.parent_hash);
        }
    }
    if (link == CS__LINK_BODY) { /* the walk ended at a block that was judged before */
        link = (enum cs__link)block->link;
    }
    for (uint32_t i = count; i > 0; i--) {
        struct cs__block *const above = &cs->block[cs->path[i - 1]];
        link = link_above(above, link);
        above->link = (uint32_t)link;
        above->link_version = cs->version;
    }
    return link;
}

void cs__block_body(struct cs *cs, struct cs__block *block, enum cs__body_state body)
{
    block->body = body;
    cs->version++;
}

/* cert_settle takes a certificate from those that the journal needs. */
static void cert_settle(struct cs *cs, struct cs__cert *cert)
{
    if (cert != NULL && cert->dirty) {
        cert->dirty = false;
        cs->dirty_count--;
    }
}

void cs__store_prune(struct cs *cs, uint64_t from)
{
    cs->version++;
    uint64_t const to = cs->fin.view;
    uint64_t const span = to - from < cs->slot_count ? to - from : cs->slot_count;
    for (uint64_t view = to + 1 - span; view <= to; view++) {
        struct cs__slot *const slot = &cs->slot[view % cs->slot_count];
        if (slot->view <= to) { /* what it holds may yet prove a fork */
            cert_settle(cs, slot->notar);
            cert_settle(cs, slot->null);
        }
        tally_return(cs, view - (view < CS__BELOW ? view : CS__BELOW)); /* a little longer */
    }
    for (uint32_t i = 0; i < cs->block_used; i++) {
        struct cs__block *const block = &cs->block[i];
        if (block->used && !block->final && block->header.height <= cs->fin.header.height) {
            cs__block_drop(cs, block);
        }
    }
    target_prune(cs, &cs->target);
    target_prune(cs, &cs->near);
}

void cs__store_forget(struct cs *cs)
{
    cs->version++;
    for (uint32_t i = 0; i < cs->slot_count; i++) {
        struct cs__slot *const slot = &cs->slot[i];
        slot_release(cs, slot);
        if (slot->tally != NULL) {
            cs->tally[cs->tally_count] = slot->tally;
            cs->tally_count++;
        }
        memset(slot, 0, sizeof *slot);
    }
    NV_ASSERT(cs->tally_count == CS__TALLIES);
    for (uint32_t i = 0; i < CS__TALLIES; i++) {
        cs->tally[i]->epoch = cs->epoch;
    }
    for (uint32_t i = 0; i < cs->block_used; i++) {
        if (cs->block[i].used && !cs->block[i].final) {
            cs__block_drop(cs, &cs->block[i]);
        }
    }
    cs__cert_give(cs, &cs->target, NULL);
    cs__cert_give(cs, &cs->near, NULL);
}
