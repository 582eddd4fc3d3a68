#include "consensus/tally.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/bug.h"

#include "base/pure.h"

struct cs__tally *cs__tally_new(struct nv_arena *arena,
                                const struct cs_valset *set,
                                uint32_t members_max,
                                uint64_t epoch)
{
    struct cs__tally *const tally = NV_ARENA_NEW(arena, struct cs__tally, 1);
    tally->set = set;
    tally->epoch = epoch;
    for (uint32_t kind = 1; kind <= CS_VOTE_KINDS; kind++) {
        tally->entry[kind] = NV_ARENA_NEW(arena, struct cs__tally_entry, members_max);
        tally->candidate[kind] = NV_ARENA_NEW(arena, struct cs__candidate, members_max);
    }
    return tally;
}

void cs__tally_reset(struct cs__tally *tally, uint64_t view)
{
    uint32_t const count = tally->set->count;
    tally->view = view;
    memset(&tally->accused, 0, sizeof tally->accused);
    memset(tally->candidate_count, 0, sizeof tally->candidate_count);
    for (uint32_t kind = 1; kind <= CS_VOTE_KINDS; kind++) {
        memset(tally->entry[kind], 0, count * sizeof *tally->entry[kind]);
    }
}

static bool candidate_is(const struct cs__candidate *candidate, const struct cs_ballot *ballot)
{
    return candidate->parent_view == ballot->parent_view &&
           (NV_SEEDED(BLOCKS_MIXED) || nv_hash_eq(&candidate->block_hash, &ballot->block_hash));
}

/* candidate_index finds the ballot among those of its kind, adding it at the
 * end if it is new.  A linear scan: there is seldom more than one. */
static uint32_t candidate_index(struct cs__tally *tally, const struct cs_ballot *ballot)
{
    struct cs__candidate *const list = tally->candidate[ballot->kind];
    uint32_t const count = tally->candidate_count[ballot->kind];
    for (uint32_t i = 0; i < count; i++) {
        if (candidate_is(&list[i], ballot)) {
            return i;
        }
    }
    NV_ASSERT(count < tally->set->count); /* each came with somebody's first vote */
    list[count].parent_view = ballot->parent_view;
    list[count].block_hash = ballot->block_hash;
    list[count].stake = 0;
    tally->candidate_count[ballot->kind]++;
    return count;
}

enum cs__vote_outcome
cs__tally_add(struct cs__tally *tally, const struct cs_vote *vote, bool verified)
{
    NV_ASSERT(vote->signer < tally->set->count);
    NV_ASSERT(vote->ballot.view == tally->view);
    struct cs__tally_entry *const entry = &tally->entry[vote->ballot.kind][vote->signer];
    struct cs__candidate *const list = tally->candidate[vote->ballot.kind];
    if (entry->candidate != 0) {
        bool const same = candidate_is(&list[entry->candidate - 1u], &vote->ballot);
        if (!same) {
            return CS__VOTE_OTHER;
        }
        if (entry->verified || !verified) {
            return CS__VOTE_REPEATED;
        }
    } else {
        entry->candidate = (uint16_t)(candidate_index(tally, &vote->ballot) + 1);
    }
    entry->sig = vote->sig;
    entry->verified = verified;
    if (!verified) {
        return CS__VOTE_STORED;
    }
    list[entry->candidate - 1u].stake += tally->set->member[vote->signer].stake;
    NV_ASSERT(list[entry->candidate - 1u].stake <= tally->set->stake_total);
    return CS__VOTE_COUNTED;
}

bool cs__tally_vote(const struct cs__tally *tally,
                    struct cs_vote *vote,
                    bool *verified,
                    enum cs_vote_kind kind,
                    uint32_t signer)
{
    const struct cs__tally_entry *const entry = &tally->entry[kind][signer];
    if (entry->candidate == 0) {
        return false;
    }
    const struct cs__candidate *const candidate = &tally->candidate[kind][entry->candidate - 1u];
    vote->ballot.kind = kind;
    vote->ballot.epoch = tally->epoch;
    vote->ballot.view = tally->view;
    vote->ballot.parent_view = candidate->parent_view;
    vote->ballot.block_hash = candidate->block_hash;
    vote->signer = (uint16_t)signer;
    vote->sig = entry->sig;
    *verified = entry->verified;
    return true;
}

bool cs__tally_quorum(const struct cs__tally *tally,
                      struct cs_ballot *ballot,
                      enum cs_vote_kind kind)
{
    for (uint32_t i = 0; i < tally->candidate_count[kind]; i++) {
        const struct cs__candidate *const candidate = &tally->candidate[kind][i];
        if (cs_valset_quorum(tally->set, candidate->stake)) {
            ballot->kind = kind;
            ballot->epoch = tally->epoch;
            ballot->view = tally->view;
            ballot->parent_view = candidate->parent_view;
            ballot->block_hash = candidate->block_hash;
            return true;
        }
    }
    return false;
}

uint32_t cs__tally_gather(const struct cs__tally *tally,
                          struct nv_sig *sigs,
                          struct cs_bitmap *signers,
                          const struct cs_ballot *ballot)
{
    uint32_t count = 0;
    memset(signers, 0, sizeof *signers);
    for (uint32_t i = 0; i < tally->set->count; i++) {
        const struct cs__tally_entry *const entry = &tally->entry[ballot->kind][i];
        if (entry->verified &&
            candidate_is(&tally->candidate[ballot->kind][entry->candidate - 1u], ballot)) {
            cs_bitmap_add(signers, i);
            sigs[count] = entry->sig;
            count++;
        }
    }
    return count;
}

bool cs__tally_knows(const struct cs__tally *tally,
                     const struct cs_ballot *ballot,
                     uint32_t signer,
                     const struct nv_sig *sig)
{
    const struct cs__tally_entry *const entry = &tally->entry[ballot->kind][signer];
    return entry->verified && ballot->epoch == tally->epoch && ballot->view == tally->view &&
           candidate_is(&tally->candidate[ballot->kind][entry->candidate - 1u], ballot) &&
           (NV_SEEDED(SIGNERS_TRUSTED) || memcmp(&entry->sig, sig, sizeof *sig) == 0);
}
