/* Goal: the losses of a feed are those of margin.md section 4, whichever way a leg
 * is counted: as a sum of products, or node by node.
 * Method: random legs, with orders and without, of few lots and of more than the
 * quick way takes, in both forms of it; the formula in 128 bits as the model. */

#include <string.h>

#include "base/cpu.h"

#include "tests/lib/nv_test.h"
#include "vm/margin/loss.h"

#define MARKETS 9u
#define FEEDS   3u

static struct vm_market market[MARKETS];
static struct margin_legs legs;

static nv_i128 greater(nv_i128 a, nv_i128 b)
{
    return a > b ? a : b;
}

static nv_i128 model_leg(const struct margin_leg *leg, uint32_t range, uint32_t node)
{
    nv_i128 const unit = (nv_i128)1 << leg->market->risk.shift;
    nv_i128 const risk = (nv_i128)leg->market->risk.node[range][node] * unit;
    nv_i128 const bought = -((nv_i128)leg->lots + leg->bid_lots) * risk + leg->bid_edge;
    nv_i128 const sold = -((nv_i128)leg->lots - leg->ask_lots) * risk + leg->ask_edge;
    return greater(-(nv_i128)leg->lots * risk, greater(bought, sold));
}

static nv_i128 model(uint32_t feed, uint32_t range, uint32_t node)
{
    nv_i128 sum = 0;
    for (uint32_t i = 0; i < legs.count; i++) {
        const struct vm_market *const m = legs.leg[i].market;
        if (m->listing.feed == feed && m->row.status != VM_MARKET_QUARANTINED) {
            sum += model_leg(&legs.leg[i], range, node);
        }
    }
    return sum;
}

static void draw_markets(struct nv_test_rng *rng)
{
    memset(market, 0, sizeof market);
    for (uint32_t i = 0; i < MARKETS; i++) {
        market[i].listing.feed = nv_test_below(rng, FEEDS);
        market[i].row.status = nv_test_below(rng, 8) == 0 ? VM_MARKET_QUARANTINED : VM_MARKET_OPEN;
        market[i].risk.shift = (uint8_t)nv_test_below(rng, 5);
        for (uint32_t node = 0; node < VM_RANGES * VM_NODES; node++) {
            int32_t const entry = (int32_t)nv_test_below(rng, 1u << 23) - (1 << 22);
            market[i].risk.node[node / VM_NODES][node % VM_NODES] = entry;
        }
    }
}

/* Lots below 2^33: beyond what the quick way takes, below what overflows. */
static int64_t draw_lots(struct nv_test_rng *rng)
{
    int64_t const size = (int64_t)(nv_test_next(rng) >> (31 + nv_test_below(rng, 33)));
    return nv_test_below(rng, 2) != 0 ? size : -size;
}

static void draw_legs(struct nv_test_rng *rng)
{
    legs.count = MARKETS;
    for (uint32_t i = 0; i < MARKETS; i++) {
        legs.leg[i] = (struct margin_leg){.market = &market[i], .lots = draw_lots(rng)};
        if (nv_test_below(rng, 3) == 0) {
            legs.leg[i].bid_lots = nv_test_below(rng, 100000);
            legs.leg[i].ask_lots = nv_test_below(rng, 100000);
            legs.leg[i].bid_edge = legs.leg[i].bid_lots > 0 ? nv_test_below(rng, 1u << 30) : 0;
            legs.leg[i].ask_edge = legs.leg[i].ask_lots > 0 ? nv_test_below(rng, 1u << 30) : 0;
        }
    }
}

static void losses_are_those_of_the_formula(void **state)
{
    (void)state;
    struct nv_test_rng rng = {.state = 11};
    for (uint32_t round = 0; round < 300; round++) {
        draw_markets(&rng);
        draw_legs(&rng);
        legs.wide = round % 2 != 0 && nv_cpu_wide();
        for (uint32_t feed = 0; feed < FEEDS; feed++) {
            struct vm_margin_losses got;
            vm__losses_of_feed(&legs, feed, &got);
            for (uint32_t at = 0; at < VM_RANGES * VM_NODES; at++) {
                nv_i128 const want = model(feed, at / VM_NODES, at % VM_NODES);
                assert_true(got.node[at / VM_NODES][at % VM_NODES] == want);
            }
        }
    }
}

/* Counted so that none could add by leaving, orders never lower a loss. */
static void counted_above_orders_only_add(void **state)
{
    (void)state;
    struct nv_test_rng rng = {.state = 12};
    for (uint32_t round = 0; round < 300; round++) {
        struct vm_margin_losses exact, above;
        draw_markets(&rng);
        draw_legs(&rng);
        legs.upper = false;
        vm__losses_of_feed(&legs, 0, &exact);
        legs.upper = true;
        vm__losses_of_feed(&legs, 0, &above);
        legs.upper = false;
        for (uint32_t at = 0; at < VM_RANGES * VM_NODES; at++) {
            assert_true(above.node[at / VM_NODES][at % VM_NODES] >=
                        exact.node[at / VM_NODES][at % VM_NODES]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_those_of_the_formula),
        cmocka_unit_test(counted_above_orders_only_add),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
