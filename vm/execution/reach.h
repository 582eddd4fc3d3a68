#ifndef NV_VM_EXECUTION_REACH_H
#define NV_VM_EXECUTION_REACH_H

/* reach.h - the orders of a book that an auction would fill.  Private to
 * vm/execution.  docs/spec/auction.md section 4.
 *
 * Costs as much as there is to fill: levels and orders behind the last one that
 * is filled are not looked at, but for the next two levels. */

#include "vm/block/exec.h"
#include "vm/execution/auction.h"

/* Most orders of one side that one auction takes in.  What lies behind waits for
 * the next block. */
#define VM_REACH_MAX 8192u

/* Prices outside which nothing matches: a clamped auction.  Orders priced
 * beyond the edge of their own side stand at the edge, older than all others. */
struct reach_window {
    int64_t lo;
    int64_t hi;
};

struct reach_side {
    struct auction_order *order; /* in book order; in the block's arena */
    uint32_t count;
    uint32_t cap;           /* kept from one use to the next */
    struct auction_top top; /* set when matched > 0 and there is no window */
};

/* Zeroed before its first use. */
struct reach {
    uint32_t market;
    int64_t matched; /* lots; 0: nothing crosses */
    struct reach_side bids;
    struct reach_side asks;
};

/* vm__reach_collect fills *reach anew; `window` may be NULL. */
void vm__reach_collect(struct vm_exec *x,
                       uint32_t market,
                       const struct reach_window *window,
                       struct reach *reach);

/* The best price of a side; `late` orders (post-only and of this block) count
 * only if `with_late`.  False when there is none. */
bool vm__book_best(
    const struct vm_exec *x, uint32_t market, uint8_t side, bool with_late, struct vm_price *out);

/* vm__book_top returns the best, oldest order of a side that is not late, or
 * VM_NONE. */
uint32_t vm__book_top(const struct vm_exec *x, uint32_t market, uint8_t side);

/* vm__book_ioc lists up to `max` immediate-or-cancel orders of a market, from the
 * top of each side; returns how many. */
uint32_t vm__book_ioc(const struct vm_exec *x, uint32_t market, uint32_t *slots, uint32_t max);

/* vm__order_late returns whether an order is post-only and of this block. */
bool vm__order_late(const struct vm_exec *x, const struct vm_order *order);

#endif /* NV_VM_EXECUTION_REACH_H */
