#include "consensus/store.h"

#include <string.h>

#include "base/assert.h"
#include "base/bug.h"

#include "consensus/certs.h"
#include "consensus/chain.h"

#include "base/pure.h"

/* ---- slots ---- */

/* slot_at returns the slot that a view of this epoch has, or would have.  An epoch's
 * views go on in the ring where those of the last one ended. */
static struct cs__slot *slot_at(const struct cs *cs, uint64_t view)
{
    return &cs->slot[(cs->slot_base + view) % cs->slot_count];
}

static bool in_window(const struct cs *cs, uint64_t view)
{
    return view >= 1 && view + CS__BELOW > cs->fin.view &&
           view <= cs->fin.view + cs->config.views_max;
}

struct cs__slot *cs__slot_find(const struct cs *cs, uint64_t view)
{
    struct cs__slot *const slot = slot_at(cs, view);
    return in_window(cs, view) && slot->view == view && slot->epoch == cs->epoch ? slot : NULL;
}

const struct cs__slot *cs__slot_kept(const struct cs *cs, uint64_t epoch, uint64_t view)
{
    const struct cs__slot *const here = slot_at(cs, view);
    if (epoch == cs->epoch) {
        return here->view == view && here->epoch == epoch ? here : NULL;
    }
    for (uint32_t i = 0; i < cs->slot_count; i++) {
        if (cs->slot[i].view == view && cs->slot[i].epoch == epoch) {
            return &cs->slot[i];
        }
    }
    return NULL;
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
    struct cs__slot *const slot = slot_at(cs, view);
    if (!in_window(cs, view)) {
        return NULL;
    }
    if (slot->view != view || slot->epoch != cs->epoch) {
        struct cs__tally *const tally = slot->tally;
        slot_release(cs, slot);
        memset(slot, 0, sizeof *slot);
        slot->view = view;
        slot->epoch = cs->epoch;
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

/* ---- in time ---- */

/* tally_return takes the tally of a view that has become too old. */
static void tally_return(struct cs *cs, uint64_t view)
{
    struct cs__slot *const slot = slot_at(cs, view);
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
        struct cs__slot *const slot = slot_at(cs, view);
        if (slot->view <= to) { /* what it holds may yet prove a fork */
            cert_settle(cs, slot->notar);
            cert_settle(cs, slot->null);
        }
        tally_return(cs, view - (view < CS__BELOW ? view : CS__BELOW)); /* a little longer */
    }
    cs__blocks_prune(cs);
    target_prune(cs, &cs->target);
    target_prune(cs, &cs->near);
}

void cs__store_forget(struct cs *cs, uint64_t last)
{
    cs->version++;
    cs->slot_base = (cs->slot_base + last) % cs->slot_count;
    for (uint32_t i = 0; i < cs->slot_count; i++) {
        struct cs__slot *const slot = &cs->slot[i];
        cert_settle(cs, slot->notar); /* what they hold may yet prove a fork */
        cert_settle(cs, slot->null);
        if (slot->tally != NULL) {
            cs->tally[cs->tally_count] = slot->tally;
            cs->tally_count++;
            slot->tally = NULL;
        }
        slot->proposal.set = false;
    }
    NV_ASSERT(cs->tally_count == CS__TALLIES);
    for (uint32_t i = 0; i < CS__TALLIES; i++) {
        cs->tally[i]->epoch = cs->epoch;
    }
    cs__blocks_forget(cs);
    cs__cert_give(cs, &cs->target, NULL);
    cs__cert_give(cs, &cs->near, NULL);
}
