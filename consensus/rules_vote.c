#include "consensus/chain.h"
#include "consensus/emit.h"
#include "consensus/rules.h"
#include "consensus/self.h"
#include "consensus/store.h"

#include "base/pure.h"

#define TIMEOUT_INVALID 3u

bool cs__try_vote(struct cs *cs)
{
    struct cs__slot *const slot = cs__slot_find(cs, cs->view);
    if (slot == NULL || !slot->proposal.set || slot->proposal.dead || !cs__votes(cs)) {
        return false;
    }
    struct cs_ballot const ballot = {
        .kind = CS_NOTARIZE,
        .epoch = cs->epoch,
        .view = cs->view,
        .parent_view = slot->proposal.parent_view,
        .block_hash = slot->proposal.hash,
    };
    if (cs__gate_holds(&cs->gate, &ballot) || !cs__gate_allows(&cs->gate, &ballot, cs->view)) {
        return false;
    }
    enum cs__verdict const verdict = cs__judge(cs, slot);
    if (verdict == CS__WAIT) {
        return false;
    }
    if (verdict != CS__GOOD) {
        slot->proposal.dead = true;
        cs__trace(cs, CS_TRACE_INVALID, cs->view, (uint64_t)verdict);
        cs__timeout(cs, TIMEOUT_INVALID);
        return true;
    }
    return cs__cast(cs, &ballot, cs__block_find(cs, &slot->proposal.hash));
}
