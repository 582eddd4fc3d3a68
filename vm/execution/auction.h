#ifndef NV_VM_EXECUTION_AUCTION_H
#define NV_VM_EXECUTION_AUCTION_H

/* auction.h - the price of a call auction and who gets how much, over plain
 * numbers.  Private to vm/execution.  docs/spec/auction.md section 5.
 *
 * The greatest volume is found by matching bids and asks in thought, best
 * first, until they no longer cross.  Every price between the last ask and the
 * last bid so touched has that volume, so the price depends on those two levels
 * and the next two of each side alone, however deep the book is. */

#include <stdbool.h>
#include <stdint.h>

/* Prices are ticks, lots are lots.  A side is sorted best price first, then by
 * (height, tie, slot). */
struct auction_order {
    int64_t price;
    int64_t lots; /* > 0 */
    int64_t fill; /* 0..lots: what vm__auction_share gave it */
    uint64_t height;
    uint64_t tie;
    uint32_t slot;
};

/* Where the matching in thought stopped on one side. */
struct auction_top {
    int64_t price; /* of the last level touched */
    int64_t rest;  /* lots of that level that were not matched */
    bool has_next; /* the level behind it */
    int64_t next_price;
    int64_t next_lots; /* > 0 */
    bool has_after;    /* the level behind that */
    int64_t after_price;
};

struct auction_price {
    int64_t price;
    int64_t imbalance; /* D - S: bids at the price or better less asks */
};

/* vm__auction_price chooses the price.  At least one lot was matched, and at
 * most one side has a rest, unless the sides were cut off. */
struct auction_price vm__auction_price(const struct auction_top *bids,
                                       const struct auction_top *asks,
                                       int64_t reference);

/* vm__auction_share gives `lots` to the orders of one side: whole groups of one
 * price and height first, the last group pro rata.  `lots` is at most the sum of
 * theirs. */
void vm__auction_share(struct auction_order *orders, uint32_t count, int64_t lots);

#endif /* NV_VM_EXECUTION_AUCTION_H */
