/* loss.c - legs without orders are a sum of products, and most legs are; the
 * others have a maximum at each node. */

#include "vm/margin/loss.h"

#include "base/int.h"
#include "base/weighted.h"

#include "base/pure.h"

_Static_assert(VM_RANGES *VM_NODES % NV_WEIGHTED_STEP == 0, "losses are summed in steps");

/* Legs without orders, as vectors with weights. */
struct held {
    uint32_t count;
    struct nv_weighted item[MARGIN_LEGS_MAX];
};

/* held_add takes a leg if it has no orders and its lots × 2^shift have 31 bits. */
static bool held_add(struct held *held, const struct margin_leg *leg)
{
    uint64_t const size = nv_magnitude_i64(leg->lots);
    uint8_t const shift = leg->market->risk.shift;
    if (vm__leg_has_orders(leg) || size > (uint64_t)INT32_MAX >> shift) {
        return false;
    }
    int32_t const weight = (int32_t)(size << shift);
    held->item[held->count] = (struct nv_weighted){
        .row = leg->market->risk.node[0],           /* both ranges */
        .weight = leg->lots > 0 ? -weight : weight, /* what is held loses when the value falls */
    };
    held->count++;
    return true;
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* add_upper adds a leg's loss with each order counted where it loses and not
 * where it gains: at least the leg's loss, also after orders have left. */
static void
add_upper(const struct margin_leg *leg, const int32_t risk[VM_NODES], int64_t loss[VM_NODES])
{
    int64_t const unit = INT64_C(1) << leg->market->risk.shift;
    for (uint32_t i = 0; i < VM_NODES; i++) {
        int64_t const move = unit * risk[i];
        int64_t const up = leg->bid_edge - (move < 0 ? leg->bid_lots * move : 0);
        int64_t const down = leg->ask_edge + (move > 0 ? leg->ask_lots * move : 0);
        loss[i] += max_i64(up, down) - leg->lots * move;
    }
}

static void
add_worst(const struct margin_leg *leg, const int32_t risk[VM_NODES], int64_t loss[VM_NODES])
{
    int64_t const unit = INT64_C(1) << leg->market->risk.shift;
    int64_t const held = -leg->lots * unit;
    int64_t const bought = held - leg->bid_lots * unit;
    int64_t const sold = held + leg->ask_lots * unit;
    for (uint32_t i = 0; i < VM_NODES; i++) {
        int64_t const up = bought * risk[i] + leg->bid_edge;
        int64_t const down = sold * risk[i] + leg->ask_edge;
        loss[i] += max_i64(held * risk[i], max_i64(up, down));
    }
}

void vm__losses_of_feed(const struct margin_legs *legs, uint32_t feed, struct vm_margin_losses *out)
{
    struct held held; /* the rest of it would be cleared for nothing */
    const struct margin_leg *other[MARGIN_LEGS_MAX];
    uint32_t other_count = 0;
    held.count = 0;
    held.item[0] = (struct nv_weighted){NULL, 0};
    for (uint32_t i = 0; i < legs->count; i++) {
        const struct margin_leg *const leg = &legs->leg[i];
        if (leg->market->listing.feed == feed && vm__leg_in_scenarios(leg) &&
            !held_add(&held, leg)) {
            other[other_count] = leg;
            other_count++;
        }
    }
    nv_weighted_sums(out->node[0], VM_RANGES * VM_NODES, held.item, held.count, legs->wide);
    for (uint32_t i = 0; i < other_count; i++) {
        for (uint32_t range = 0; range < VM_RANGES; range++) {
            if (legs->upper) {
                add_upper(other[i], other[i]->market->risk.node[range], out->node[range]);
            } else {
                add_worst(other[i], other[i]->market->risk.node[range], out->node[range]);
            }
        }
    }
}
