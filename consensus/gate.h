#ifndef NV_CONSENSUS_GATE_H
#define NV_CONSENSUS_GATE_H

/* gate.h - the sign gate: which votes the own key may still sign
 * (docs/spec/consensus.md section 10.1).
 *
 * The gate remembers the own votes of every view above the final one, and
 * nothing else.  What it remembers is what the journal holds: a vote is
 * entered here in the step that writes it, and after a restart from the
 * journal.  Every path that signs goes through cs__gate_allows, first tries,
 * retries and restarts alike. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/vote.h"

struct nv_arena;

/* The own votes of one view.  A ballot counts when its vote is set. */
struct cs__own {
    uint64_t view; /* 0: nothing is known of any view */
    bool has[CS_VOTE_KINDS + 1u];
    struct cs_vote vote[CS_VOTE_KINDS + 1u]; /* by kind */
};

struct cs__gate {
    struct cs__own *own; /* ring by view */
    uint32_t size;
    uint64_t floor; /* the final view: at or below it nothing is signed */
};

/* cs__gate_init makes a gate that holds the votes of `size` views. */
void cs__gate_init(struct cs__gate *gate, struct nv_arena *arena, uint32_t size);

/* cs__gate_find returns the own votes of a view, or NULL when there are none. */
const struct cs__own *cs__gate_find(const struct cs__gate *gate, uint64_t view);

/* cs__gate_allows returns whether the ballot may be signed; `view` is the view
 * that the validator is in. */
bool cs__gate_allows(const struct cs__gate *gate, const struct cs_ballot *ballot, uint64_t view);

/* cs__gate_store enters a vote of a view in (floor, floor + size]. */
void cs__gate_store(struct cs__gate *gate, const struct cs_vote *vote);

/* cs__gate_holds returns whether this very ballot was signed. */
bool cs__gate_holds(const struct cs__gate *gate, const struct cs_ballot *ballot);

/* cs__gate_reset forgets everything, for a new epoch. */
void cs__gate_reset(struct cs__gate *gate);

/* cs__gate_raise forgets the votes of views at or below `final_view`. */
void cs__gate_raise(struct cs__gate *gate, uint64_t final_view);

#endif /* NV_CONSENSUS_GATE_H */
