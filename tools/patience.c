#include "tools/patience.h"

#include <poll.h>
#include <time.h>

#define PAUSE_MS 100 /* what nodes themselves advise (retry_after_ms) */

static uint64_t clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

bool tool_patience_wait(struct tool_patience *patience, uint32_t most_ms)
{
    uint64_t const now_ms = clock_ms();
    if (patience->since_ms == 0) {
        patience->since_ms = now_ms;
    }
    if (now_ms - patience->since_ms >= most_ms) {
        return false;
    }
    (void)poll(NULL, 0, PAUSE_MS);
    return true;
}
