#include "p2p/backoff.h"

#include "base/assert.h"

uint32_t p2p__backoff_pause(uint32_t first_ms, uint32_t max_ms, uint32_t failures, uint64_t entropy)
{
    NV_ASSERT(failures >= 1);
    NV_ASSERT(first_ms >= 1);
    NV_ASSERT(first_ms <= max_ms);

    uint64_t whole = first_ms;
    for (uint32_t i = 1; i < failures && whole < max_ms; i++) {
        whole *= 2;
    }
    whole = whole < max_ms ? whole : max_ms;
    uint64_t const half = whole / 2;
    return (uint32_t)(whole - half + entropy % (half + 1));
}

bool p2p__backoff_due(const struct p2p__backoff *backoff, uint64_t now_ms)
{
    return now_ms >= backoff->next_at_ms;
}

void p2p__backoff_ended(struct p2p__backoff *backoff,
                        uint64_t now_ms,
                        uint64_t lasted_ms,
                        uint64_t entropy)
{
    if (lasted_ms > backoff->max_ms) {
        backoff->failures = 0;
    }
    if (backoff->failures < UINT32_MAX) {
        backoff->failures++;
    }
    uint32_t const pause =
        p2p__backoff_pause(backoff->first_ms, backoff->max_ms, backoff->failures, entropy);
    backoff->next_at_ms = now_ms + pause;
}
