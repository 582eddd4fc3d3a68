#include "consensus/chain.h"

#include <string.h>

#include "base/assert.h"
#include "base/critbit.h"

#include "consensus/bodies.h"
#include "consensus/certs.h"

#include "base/pure.h"

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
        bool const above = slot->view > cs->fin.view && slot->epoch == cs->epoch;
        if (above && slot->proposal.set) {
            mark_chain(cs, &slot->proposal.hash);
        }
        if (above && slot->notar != NULL) {
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
    cs->bodies -= cs__body_counts(block) ? 1 : 0;
    block->used = false;
    block->justify = NULL;
    block->next = cs->block_spare;
    cs->block_spare = (uint32_t)(block - cs->block) + 1;
    cs->block_live--;
}

void cs__blocks_prune(struct cs *cs)
{
    for (uint32_t i = 0; i < cs->block_used; i++) {
        struct cs__block *const block = &cs->block[i];
        if (block->used && !block->final && block->header.height <= cs->fin.header.height) {
            cs__block_drop(cs, block);
        }
    }
}

void cs__blocks_forget(struct cs *cs)
{
    for (uint32_t i = 0; i < cs->block_used; i++) {
        if (cs->block[i].used && !cs->block[i].final) {
            cs__block_drop(cs, &cs->block[i]);
        }
    }
}

/* ---- how they hang together ---- */

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

bool cs__body_there(const struct cs__block *block)
{
    return block->body == CS__BODY_HELD || block->body == CS__BODY_VALID;
}

bool cs__body_counts(const struct cs__block *block)
{
    return block->header.body_size > 0 && cs__body_there(block);
}

void cs__block_body(struct cs *cs, struct cs__block *block, enum cs__body_state body)
{
    cs->bodies -= cs__body_counts(block) ? 1 : 0;
    block->body = body;
    block->judged = block->judged || body == CS__BODY_VALID;
    cs->bodies += cs__body_counts(block) ? 1 : 0;
    cs->version++;
}
