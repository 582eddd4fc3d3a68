#ifndef NV_NODE_MAIL_AT_ONCE_H
#define NV_NODE_MAIL_AT_ONCE_H

/* at_once.h - whether the thread that has work for another may as well do it
 * itself.
 *
 * To hand work over and to be woken when it is done takes two switches of
 * threads: as long as a small block or a sync of a fast disk.  So while the
 * other thread has nothing to do, and most of what was done last was quick, the
 * one that asks does it at once.  Not all of it need be: where other processes
 * want the cores too, a piece waits now and then for one of them, on whichever
 * thread it is.  What the work touches changes hands as by a mailbox: who finds
 * the other one idle sees all that it did.
 *
 * One thread asks, and calls give and may; one works, and calls done.  Begin and
 * end are for whoever does the work. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct node_at_once {
    _Atomic uint32_t under_way; /* handed over, and not done yet */
    uint32_t quick;             /* which of the last ones were, the newest in bit 0 */
    uint64_t since_ns;          /* begin of what is being done */
};

static inline void node_at_once_give(struct node_at_once *a)
{
    (void)atomic_fetch_add_explicit(&a->under_way, 1, memory_order_relaxed);
}

static inline void node_at_once_done(struct node_at_once *a)
{
    (void)atomic_fetch_sub_explicit(&a->under_way, 1, memory_order_release);
}

/* node_at_once_may returns whether the one that asks may do a piece itself. */
bool node_at_once_may(const struct node_at_once *a);

/* node_at_once_begin and node_at_once_end measure a piece; the latter returns
 * how long it took. */
void node_at_once_begin(struct node_at_once *a);
uint64_t node_at_once_end(struct node_at_once *a);

#endif /* NV_NODE_MAIL_AT_ONCE_H */
