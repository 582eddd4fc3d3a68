#include "p2p/budget.h"

#include "base/assert.h"

#define MILLI     1000u
#define SECOND_MS 1000u

/* SPEC p2p 7.4: "of those that were not used a quarter of a second's at once" */
static uint64_t full(const struct p2p__budget *budget)
{
    uint64_t const milli = (uint64_t)budget->per_second * MILLI / 4;
    return milli > MILLI ? milli : MILLI;
}

void p2p__budget_init(struct p2p__budget *budget, uint32_t per_second)
{
    NV_ASSERT(per_second >= 1);
    *budget = (struct p2p__budget){.per_second = per_second};
    budget->milli = full(budget);
}

bool p2p__budget_has(struct p2p__budget *budget, uint64_t now_ms)
{
    NV_ASSERT(now_ms >= budget->time_ms);
    uint64_t const waited_ms = now_ms - budget->time_ms;
    /* In a second the bucket has filled, whatever its rate: one token at least. */
    uint64_t const counted_ms = waited_ms < SECOND_MS ? waited_ms : SECOND_MS;
    uint64_t const milli = budget->milli + counted_ms * budget->per_second;
    budget->milli = milli < full(budget) ? milli : full(budget);
    budget->time_ms = now_ms;
    return budget->milli >= MILLI;
}

uint64_t p2p__budget_take(struct p2p__budget *budget, const struct p2p__network *network)
{
    NV_ASSERT(budget->milli >= MILLI);
    budget->milli -= MILLI;
    budget->begun++;
    struct p2p__served *place = &budget->served[0];
    for (uint32_t i = 0; i < P2P__SERVED_MAX; i++) {
        struct p2p__served *served = &budget->served[i];
        if (served->at != 0 && p2p__network_eq(&served->network, network)) {
            place = served;
            break;
        }
        place = served->at < place->at ? served : place; /* the longest ago */
    }
    *place = (struct p2p__served){.network = *network, .at = budget->begun};
    return budget->begun;
}

uint64_t p2p__budget_served(const struct p2p__budget *budget, const struct p2p__network *network)
{
    for (uint32_t i = 0; i < P2P__SERVED_MAX; i++) {
        const struct p2p__served *served = &budget->served[i];
        if (served->at != 0 && p2p__network_eq(&served->network, network)) {
            return served->at;
        }
    }
    return 0;
}
