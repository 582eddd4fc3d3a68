#include "node/mail/at_once.h"

#include <time.h>

#include "base/assert.h"

#define QUICK_NS    UINT64_C(500000) /* a few times what handing over takes */
#define LAST        8u               /* so many are looked at ... */
#define QUICK_LEAST 4                /* ... and so many of them must be quick */

static uint64_t now_ns(void)
{
    struct timespec t;
    int const result = clock_gettime(CLOCK_MONOTONIC, &t);
    NV_ASSERT(result == 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

bool node_at_once_may(const struct node_at_once *a)
{
    return atomic_load_explicit(&a->under_way, memory_order_acquire) == 0 &&
           __builtin_popcount(a->quick) >= QUICK_LEAST;
}

void node_at_once_begin(struct node_at_once *a)
{
    a->since_ns = now_ns();
}

uint64_t node_at_once_end(struct node_at_once *a)
{
    uint64_t const took_ns = now_ns() - a->since_ns;
    a->quick = (a->quick << 1 | (took_ns < QUICK_NS ? 1u : 0u)) & ((1u << LAST) - 1);
    return took_ns;
}
