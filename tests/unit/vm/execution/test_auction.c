/* Goal: the price and the shares of a call auction are those of
 * docs/spec/auction.md section 5, for any book.
 * Method: random books over few prices; a model that tries every tick and every
 * order in turn; cases worked out by hand. */

#include <string.h>

#include "tests/lib/nv_test.h"
#include "vm/execution/auction.h"

#define PRICES 12

/* Lots at each price; 0: no level. */
struct book {
    int64_t bid[PRICES];
    int64_t ask[PRICES];
};

static int64_t demand(const struct book *b, int64_t p)
{
    int64_t sum = 0;
    for (int64_t i = p < 0 ? 0 : p; i < PRICES; i++) {
        sum += b->bid[i];
    }
    return sum;
}

static int64_t supply(const struct book *b, int64_t p)
{
    int64_t sum = 0;
    for (int64_t i = 0; i <= p && i < PRICES; i++) {
        sum += b->ask[i];
    }
    return sum;
}

static int64_t size_of(int64_t x)
{
    return x < 0 ? -x : x;
}

static int64_t matched(const struct book *b, int64_t p)
{
    int64_t const d = demand(b, p);
    int64_t const s = supply(b, p);
    return d < s ? d : s;
}

/* model_price tries every tick in the rules' order; ties go to the lower, which
 * comes first. */
static struct auction_price model_price(const struct book *b, int64_t reference)
{
    struct auction_price best = {-1, 0};
    for (int64_t p = 0; p < PRICES; p++) {
        int64_t const imbalance = demand(b, p) - supply(b, p);
        if (matched(b, p) == 0) {
            continue;
        }
        bool better = best.price < 0 || matched(b, p) > matched(b, best.price);
        if (!better && matched(b, p) == matched(b, best.price)) {
            bool const same = size_of(imbalance) == size_of(best.imbalance);
            better = size_of(imbalance) < size_of(best.imbalance) ||
                     (same && size_of(p - reference) < size_of(best.price - reference));
        }
        if (better) {
            best = (struct auction_price){p, imbalance};
        }
    }
    return best;
}

static int64_t most_matched(const struct book *b)
{
    int64_t most = 0;
    for (int64_t p = 0; p < PRICES; p++) {
        most = matched(b, p) > most ? matched(b, p) : most;
    }
    return most;
}

static void top_behind(struct auction_top *top, const int64_t *lots, int64_t step)
{
    for (int64_t p = top->price + step; p >= 0 && p < PRICES && !top->has_after; p += step) {
        if (lots[p] == 0) {
            continue;
        }
        if (!top->has_next) {
            top->has_next = true;
            top->next_price = p;
            top->next_lots = lots[p];
        } else {
            top->has_after = true;
            top->after_price = p;
        }
    }
}

/* The last level of a side that the greatest volume needs: from its definition. */
static struct auction_top bid_top(const struct book *b, int64_t most)
{
    int64_t p = PRICES - 1;
    while (demand(b, p) < most) {
        p--;
    }
    struct auction_top top = {.price = p, .rest = demand(b, p) - most};
    top_behind(&top, b->bid, -1);
    return top;
}

static struct auction_top ask_top(const struct book *b, int64_t most)
{
    int64_t p = 0;
    while (supply(b, p) < most) {
        p++;
    }
    struct auction_top top = {.price = p, .rest = supply(b, p) - most};
    top_behind(&top, b->ask, 1);
    return top;
}

static void price_is_the_models(void **state)
{
    (void)state;
    struct nv_test_rng rng = {11};
    uint32_t crossed = 0;
    for (uint32_t round = 0; round < 300000; round++) {
        struct book b = {{0}, {0}};
        uint32_t const levels = 1 + nv_test_below(&rng, 10);
        uint32_t const size = 1 + nv_test_below(&rng, 6);
        for (uint32_t i = 0; i < levels; i++) {
            b.bid[nv_test_below(&rng, PRICES)] += 1 + nv_test_below(&rng, size);
            b.ask[nv_test_below(&rng, PRICES)] += 1 + nv_test_below(&rng, size);
        }
        int64_t const most = most_matched(&b);
        if (most == 0) {
            continue;
        }
        int64_t const reference = (int64_t)nv_test_below(&rng, PRICES + 6) - 3;
        struct auction_top const bids = bid_top(&b, most);
        struct auction_top const asks = ask_top(&b, most);
        struct auction_price const got = vm__auction_price(&bids, &asks, reference);
        struct auction_price const expected = model_price(&b, reference);
        assert_int_equal(got.price, expected.price);
        assert_int_equal(got.imbalance, expected.imbalance);
        crossed++;
    }
    assert_true(crossed > 200000);
}

/* Bids at 105 and 102, asks at 100 and 103: 10 lots match at any price of 103 and
 * 102 at the least imbalance that there is. */
static void neighbours_are_weighed(void **state)
{
    (void)state;
    struct auction_top bids = {105, 0, true, 102, 4, false, 0};
    struct auction_top asks = {100, 0, true, 103, 7, false, 0};
    struct auction_price price = vm__auction_price(&bids, &asks, 104);
    assert_int_equal(price.price, 102);
    assert_int_equal(price.imbalance, 4);
    asks.next_lots = 4; /* alike: the nearer to the reference */
    price = vm__auction_price(&bids, &asks, 104);
    assert_int_equal(price.price, 104);
    assert_int_equal(price.imbalance, -4);
    price = vm__auction_price(&bids, &asks, 101);
    assert_int_equal(price.price, 101);
    bids.next_price = 101; /* a gap: nothing unbalanced at 102 */
    price = vm__auction_price(&bids, &asks, 104);
    assert_int_equal(price.price, 102);
    assert_int_equal(price.imbalance, 0);
}

/* A side that was cut off may leave levels behind that still cross. */
static void cut_off_sides(void **state)
{
    (void)state;
    struct auction_top bids = {105, 0, true, 104, 9, true, 103};
    struct auction_top asks = {100, 0, true, 101, 9, true, 102};
    struct auction_price price = vm__auction_price(&bids, &asks, 102);
    assert_int_equal(price.price, 102);
    bids.rest = 3;
    asks.rest = 5;
    price = vm__auction_price(&bids, &asks, 200);
    assert_int_equal(price.price, 105);
    assert_int_equal(price.imbalance, -2);
}

static void extremes_do_no_harm(void **state)
{
    (void)state;
    struct auction_top const bids = {INT64_MAX, 1, true, INT64_MIN, 1, false, 0};
    struct auction_top const asks = {INT64_MIN, 0, true, INT64_MAX, 1, false, 0};
    assert_int_equal(vm__auction_price(&bids, &asks, INT64_MIN).price, INT64_MIN + 1);
    assert_int_equal(vm__auction_price(&bids, &asks, INT64_MAX).price, INT64_MAX);
}

#define ORDERS 24u

/* model_share from the rules: price, then height, then pro rata with remainders
 * by tie. */
static void model_share(struct auction_order *o, uint32_t count, int64_t lots)
{
    for (uint32_t i = 0; i < count; i++) {
        int64_t before = 0;
        int64_t group = 0;
        uint32_t rank = 0;
        for (uint32_t j = 0; j < count; j++) {
            bool const same = o[j].price == o[i].price && o[j].height == o[i].height;
            bool const first =
                o[j].price > o[i].price || (o[j].price == o[i].price && o[j].height < o[i].height);
            before += first ? o[j].lots : 0;
            group += same ? o[j].lots : 0;
            rank +=
                same && (o[j].tie < o[i].tie || (o[j].tie == o[i].tie && o[j].slot < o[i].slot));
        }
        int64_t const rest = lots - before;
        if (rest <= 0) {
            o[i].fill = 0;
        } else if (rest >= group) {
            o[i].fill = o[i].lots;
        } else {
            int64_t floors = 0;
            for (uint32_t j = 0; j < count; j++) {
                bool const same = o[j].price == o[i].price && o[j].height == o[i].height;
                floors += same ? o[j].lots * rest / group : 0;
            }
            o[i].fill = o[i].lots * rest / group + (rank < rest - floors ? 1 : 0);
        }
    }
}

static int book_order(const struct auction_order *a, const struct auction_order *b)
{
    if (a->price != b->price) {
        return a->price > b->price ? -1 : 1;
    }
    if (a->height != b->height) {
        return a->height < b->height ? -1 : 1;
    }
    if (a->tie != b->tie) {
        return a->tie < b->tie ? -1 : 1;
    }
    return a->slot < b->slot ? -1 : 1;
}

static void shares_are_the_models(void **state)
{
    (void)state;
    struct nv_test_rng rng = {12};
    for (uint32_t round = 0; round < 30000; round++) {
        struct auction_order got[ORDERS];
        struct auction_order expected[ORDERS];
        uint32_t const count = 1 + nv_test_below(&rng, ORDERS);
        int64_t total = 0;
        for (uint32_t i = 0; i < count; i++) {
            struct auction_order const o = {
                .price = nv_test_below(&rng, 3),
                .lots = 1 + nv_test_below(&rng, 9),
                .height = nv_test_below(&rng, 2),
                .tie = nv_test_below(&rng, 5),
                .slot = i,
            };
            uint32_t at = i;
            while (at > 0 && book_order(&o, &got[at - 1]) < 0) {
                got[at] = got[at - 1];
                at--;
            }
            got[at] = o;
            total += o.lots;
        }
        int64_t const lots = nv_test_below(&rng, (uint32_t)total + 1);
        memcpy(expected, got, sizeof got);
        vm__auction_share(got, count, lots);
        model_share(expected, count, lots);
        for (uint32_t i = 0; i < count; i++) {
            assert_int_equal(got[i].fill, expected[i].fill);
        }
    }
}

/* 10 lots over 7, 7 and 7: 3 each, and the one that is left to the lowest tie. */
static void remainder_goes_by_tie(void **state)
{
    (void)state;
    struct auction_order o[3] = {
        {.lots = 7, .tie = 1}, {.lots = 7, .tie = 2}, {.lots = 7, .tie = 9}};
    vm__auction_share(o, 3, 10);
    assert_int_equal(o[0].fill, 4);
    assert_int_equal(o[1].fill, 3);
    assert_int_equal(o[2].fill, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(price_is_the_models),
        cmocka_unit_test(neighbours_are_weighed),
        cmocka_unit_test(cut_off_sides),
        cmocka_unit_test(extremes_do_no_harm),
        cmocka_unit_test(shares_are_the_models),
        cmocka_unit_test(remainder_goes_by_tie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
