#include "consensus/self.h"

#include "base/bug.h"

#include "base/pure.h"

const struct cs_valset *cs__set_of(const struct cs *cs, uint64_t epoch)
{
    uint64_t const back = cs->epoch - epoch;
    if (epoch < cs->sets_from || epoch > cs->epoch || back > 2) {
        return NULL;
    }
    return back == 0 ? &cs->set : &cs->before[back - 1];
}

const struct cs_valset *cs_validators(const struct cs *cs)
{
    return &cs->set;
}

bool cs__leads(const struct cs *cs, uint64_t view)
{
    return cs->me != CS_NOBODY && cs_leader(cs, view) == cs->me;
}

bool cs__sits_out(const struct cs *cs)
{
    uint64_t const until_ms = cs->config.sit_out_until_ms;
    uint64_t const early_ms = NV_SEEDED(SIT_OUT_SHORT) ? 60000 : 0;
    return until_ms > 0 && cs->opened.time_ms + early_ms <= until_ms;
}

bool cs__votes(const struct cs *cs)
{
    return cs->me != CS_NOBODY && cs->started && !cs->listening && !cs__sits_out(cs) &&
           !cs->doubt.set && !cs->halted;
}

uint32_t cs_leader(const struct cs *cs, uint64_t view)
{
    return cs_schedule_leader(&cs->schedule, view);
}
