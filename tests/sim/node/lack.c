/* A host without memory: an allocation of what it does next fails.  It may lose a
 * message or refuse a transaction; where it may not go on without, it stops by
 * an assertion, which kills this host and not the simulator. */

#include <fcntl.h>
#include <setjmp.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/heap.h"

#include "tests/sim/node/nodesim.h"

static jmp_buf back;
static uint64_t refused_at; /* the request that fails */

static void died(void)
{
    if (nv_heap_taken() >= refused_at) {
        longjmp(back, 1);
    }
}

/* quiet keeps the assertion's report from stderr, and gives that back. */
static int quiet(int kept)
{
    if (kept < 0) {
        int const null = open("/dev/null", O_WRONLY);
        kept = dup(STDERR_FILENO);
        NV_ASSERT(null >= 0 && kept >= 0);
        (void)dup2(null, STDERR_FILENO);
        (void)close(null);
        return kept;
    }
    (void)dup2(kept, STDERR_FILENO);
    (void)close(kept);
    return -1;
}

void ns_lack(struct ns *ns, struct ns_host *host, const struct ns_item *item)
{
    uint32_t const nth = 1 + nv_test_below(&ns->rng, 3);
    uint64_t const before = nv_heap_taken();
    volatile int kept = quiet(-1);
    volatile bool dead = false;
    refused_at = before + nth;
    nv_heap_fail_at(nth);
    nv_assert_last_words(died);
    if (setjmp(back) == 0) {
        ns_host_event(ns, host, item);
    } else {
        dead = true;
    }
    nv_assert_last_words(ns->last_words);
    bool const refused = nv_heap_taken() >= refused_at;
    nv_heap_fail_at(0);
    (void)quiet(kept);
    if (refused) {
        ns_fault(ns, NS_FAULT_MEMORY);
    }
    if (dead) {
        ns_host_sweep(ns, host);
    }
}
