#include "vm/execution/auction.h"

#include "base/assert.h"
#include "base/int.h"

#include "base/pure.h"

/* Prices with one imbalance, both ends included. */
struct stretch {
    int64_t lo;
    int64_t hi;
    int64_t imbalance;
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t clamp(int64_t x, struct stretch s)
{
    return most(s.lo, least(x, s.hi));
}

/* better decides between two stretches by rules 2 to 4 of section 5. */
static struct stretch better(struct stretch lower, struct stretch upper, int64_t reference)
{
    uint64_t const low_size = nv_magnitude_i64(lower.imbalance);
    uint64_t const high_size = nv_magnitude_i64(upper.imbalance);
    if (low_size != high_size) {
        return low_size < high_size ? lower : upper;
    }
    nv_i128 const below = (nv_i128)reference - clamp(reference, lower);
    nv_i128 const above = (nv_i128)clamp(reference, upper) - reference;
    nv_i128 const below_size = below < 0 ? -below : below;
    nv_i128 const above_size = above < 0 ? -above : above;
    return below_size <= above_size ? lower : upper;
}

/* Nothing of either last level is left.  Between the next bid and the next ask
 * nothing is unbalanced; when they are neighbours there is no such price, and the
 * price is at one of them.  (lo > hi implies that both have a next level, since
 * each is behind the last one of its side.) */
static struct stretch
balanced(const struct auction_top *bids, const struct auction_top *asks, int64_t reference)
{
    int64_t const lo = bids->has_next ? most(asks->price, bids->next_price + 1) : asks->price;
    int64_t const hi = asks->has_next ? least(bids->price, asks->next_price - 1) : bids->price;
    if (lo <= hi) {
        return (struct stretch){lo, hi, 0};
    }
    if (bids->next_price >= asks->next_price) { /* cut off: what is behind still crosses */
        return (struct stretch){asks->price, bids->price, 0};
    }
    struct stretch lower = {asks->price, bids->next_price, bids->next_lots};
    struct stretch upper = {asks->next_price, bids->price, -asks->next_lots};
    if (bids->has_after) {
        lower.lo = most(lower.lo, bids->after_price + 1);
    }
    if (asks->has_after) {
        upper.hi = least(upper.hi, asks->after_price - 1);
    }
    return better(lower, upper, reference);
}

struct auction_price
vm__auction_price(const struct auction_top *bids, const struct auction_top *asks, int64_t reference)
{
    NV_ASSERT(bids->price >= asks->price);
    struct stretch best;
    if (bids->rest > 0 && asks->rest > 0) {
        best = (struct stretch){asks->price, bids->price, bids->rest - asks->rest};
    } else if (bids->rest > 0) {
        best = (struct stretch){asks->price, bids->price, bids->rest};
        if (bids->has_next) {
            best.lo = most(best.lo, bids->next_price + 1);
        }
    } else if (asks->rest > 0) {
        best = (struct stretch){asks->price, bids->price, -asks->rest};
        if (asks->has_next) {
            best.hi = least(best.hi, asks->next_price - 1);
        }
    } else {
        best = balanced(bids, asks, reference);
    }
    return (struct auction_price){clamp(reference, best), best.imbalance};
}

static bool same_group(const struct auction_order *a, const struct auction_order *b)
{
    return a->price == b->price && a->height == b->height;
}

/* share_group gives `lots`, less than the group holds, pro rata.
 * SPEC auction 5: "order i of lots q_i out of Q gets floor(q_i × rest / Q)" */
static void share_group(struct auction_order *group, uint32_t count, int64_t total, int64_t lots)
{
    int64_t left = lots;
    for (uint32_t i = 0; i < count; i++) {
        bool const ok = nv_muldiv_i64(group[i].lots, lots, total, NV_ROUND_FLOOR, &group[i].fill);
        NV_ASSERT(ok);
        left -= group[i].fill;
    }
    for (uint32_t i = 0; i < count && left > 0; i++) {
        group[i].fill++;
        left--;
    }
    NV_ASSERT(left == 0);
}

void vm__auction_share(struct auction_order *orders, uint32_t count, int64_t lots)
{
    int64_t left = lots;
    for (uint32_t begin = 0; begin < count;) {
        uint32_t end = begin;
        int64_t total = 0;
        while (end < count && same_group(&orders[end], &orders[begin])) {
            total += orders[end].lots;
            end++;
        }
        if (left < total) {
            share_group(orders + begin, end - begin, total, left);
            left = 0;
        } else {
            for (uint32_t i = begin; i < end; i++) {
                orders[i].fill = orders[i].lots;
            }
            left -= total;
        }
        begin = end;
    }
    NV_ASSERT(left == 0);
}
