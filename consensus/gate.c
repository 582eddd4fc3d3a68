#include "consensus/gate.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/bug.h"

#include "base/pure.h"

void cs__gate_init(struct cs__gate *gate, struct nv_arena *arena, uint32_t size)
{
    NV_ASSERT(size >= 1);
    gate->own = NV_ARENA_NEW(arena, struct cs__own, size);
    gate->size = size;
    gate->floor = 0;
}

const struct cs__own *cs__gate_find(const struct cs__gate *gate, uint64_t view)
{
    const struct cs__own *const own = &gate->own[view % gate->size];
    return view > gate->floor && own->view == view ? own : NULL;
}

static bool allows_notarize(const struct cs__own *own)
{
    return NV_SEEDED(NOTARIZE_TWICE) || own == NULL ||
           (!own->has[CS_NOTARIZE] && !own->has[CS_FINALIZE]);
}

static bool allows_nullify(const struct cs__own *own)
{
    return own == NULL || (!own->has[CS_NULLIFY] && !own->has[CS_FINALIZE]);
}

static bool allows_finalize(const struct cs__own *own, const struct cs_ballot *ballot)
{
    if (own == NULL) {
        return true;
    }
    if (own->has[CS_FINALIZE] || (!NV_SEEDED(FINALIZE_NULLIFIED) && own->has[CS_NULLIFY])) {
        return false;
    }
    const struct cs_ballot *const notarized = &own->vote[CS_NOTARIZE].ballot;
    return NV_SEEDED(FINALIZE_OTHER) || !own->has[CS_NOTARIZE] ||
           (notarized->parent_view == ballot->parent_view &&
            nv_hash_eq(&notarized->block_hash, &ballot->block_hash));
}

/* SPEC consensus 10: "One function signs, and it reads the durable votes only." */
bool cs__gate_allows(const struct cs__gate *gate, const struct cs_ballot *ballot, uint64_t view)
{
    const struct cs__own *const own = cs__gate_find(gate, ballot->view);
    if (ballot->view <= gate->floor || ballot->view > gate->floor + gate->size) {
        return false;
    }
    switch (ballot->kind) {
    case CS_NOTARIZE: return ballot->view == view && allows_notarize(own);
    case CS_NULLIFY: return allows_nullify(own);
    case CS_FINALIZE: return allows_finalize(own, ballot);
    }
    NV_ASSERT(false);
    return false;
}

void cs__gate_store(struct cs__gate *gate, const struct cs_vote *vote)
{
    uint64_t const view = vote->ballot.view;
    NV_ASSERT(view > gate->floor);
    NV_ASSERT(view <= gate->floor + gate->size);
    struct cs__own *const own = &gate->own[view % gate->size];
    if (own->view != view && !NV_SEEDED(GATE_STALE)) {
        memset(own, 0, sizeof *own);
    }
    own->view = view;
    own->has[vote->ballot.kind] = true;
    own->vote[vote->ballot.kind] = *vote;
}

bool cs__gate_holds(const struct cs__gate *gate, const struct cs_ballot *ballot)
{
    const struct cs__own *const own = cs__gate_find(gate, ballot->view);
    return own != NULL && own->has[ballot->kind] &&
           cs_ballot_eq(&own->vote[ballot->kind].ballot, ballot);
}

void cs__gate_reset(struct cs__gate *gate)
{
    memset(gate->own, 0, gate->size * sizeof *gate->own);
    gate->floor = 0;
}

void cs__gate_raise(struct cs__gate *gate, uint64_t final_view)
{
    NV_ASSERT(final_view >= gate->floor);
    gate->floor = final_view;
}
