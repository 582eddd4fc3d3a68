/* What the linker sends here besides crypto.c: the leader of a view, which a
 * Twins script may choose, and the alarm of a validator that sees its own key at
 * work elsewhere, which twins do not have. */

#include "consensus/rules.h"
#include "tests/sim/twins.h"

uint32_t __real_cs_schedule_leader(const struct cs_schedule *schedule, uint64_t view);
uint32_t __wrap_cs_schedule_leader(const struct cs_schedule *schedule, uint64_t view);
void __real_cs__second_signer(struct cs *cs, const struct cs_ballot *ballot);
void __wrap_cs__second_signer(struct cs *cs, const struct cs_ballot *ballot);

static const struct sim_twins *script;

void sim_seams(const struct sim_twins *twins)
{
    script = twins;
}

uint32_t __wrap_cs_schedule_leader(const struct cs_schedule *schedule, uint64_t view)
{
    if (script != NULL && view >= 1 && view <= script->rounds) {
        return script->leader[view - 1];
    }
    return __real_cs_schedule_leader(schedule, view);
}

void __wrap_cs__second_signer(struct cs *cs, const struct cs_ballot *ballot)
{
    if (script == NULL || cs->me >= script->twins) {
        __real_cs__second_signer(cs, ballot);
    }
}
