#include <string.h>

#include "base/assert.h"
#include "base/int.h"

#include "vm/margin/cushion.h"
#include "vm/margin/margin.h"
#include "vm/params.h"

#include "base/pure.h"

#define LEGS_MAX (VM_POSITIONS_MAX + 1u)

/* A cushion keeps all sums below this, a sixteenth of what they may be. */
#define CUSHION_ROOM ((nv_i128)1 << 58)
#define ROUNDINGS    16 /* micro: what the roundings of a requirement can differ by */

/* docs/spec/margin.md section 4: an account's stake in one market, orders at their worst. */
struct leg {
    const struct vm_market *market;
    int64_t lots;     /* L */
    int64_t bid_lots; /* B */
    int64_t ask_lots; /* A */
    int64_t bid_edge; /* micro */
    int64_t ask_edge;
    bool done;  /* its underlying has been counted */
    bool upper; /* count orders so that none could add by leaving */
};

struct book {
    struct leg leg[LEGS_MAX];
    uint32_t count;
};

/* Loss per node under the two ranges, micro. */
struct losses {
    int64_t initial[VM_NODES];
    int64_t maintenance[VM_NODES];
};

/* What a price is above (sign 1) or below (sign -1) the mark, never negative. */
static nv_i128 edge_of(const struct vm_market *market, struct vm_price price, int sign)
{
    nv_i128 const value = (nv_i128)vm_price_raw(price) * vm_money_raw(market->listing.tick_value);
    nv_i128 const edge = (value - vm_money_raw(market->row.mark)) * sign;
    return edge > 0 ? edge : 0;
}

/* add_edge adds edge × lots to one side of a leg; false beyond 64 bits. */
static bool add_edge(struct leg *leg, struct vm_price price, int64_t lots, bool bid)
{
    nv_i128 const edge = edge_of(leg->market, price, bid ? 1 : -1);
    int64_t *const sum = bid ? &leg->bid_edge : &leg->ask_edge;
    return nv_narrow_try_i64(*sum + edge * lots, sum);
}

static bool
order_edges(const struct vm_state *s, const struct vm_position *position, struct leg *leg)
{
    uint32_t slot = position->order_first;
    for (uint32_t i = 0; i < position->order_count; i++) {
        const struct vm_order *const order = vm_order(s, slot);
        bool const bid = order->row.side == VM_BUY;
        if (!add_edge(leg, order->row.price, vm_lots_raw(order->row.lots), bid)) {
            return false;
        }
        slot = order->owner_next;
    }
    return true;
}

static bool
add_position(const struct vm_state *s, uint32_t index, bool with_orders, struct book *book)
{
    const struct vm_position *const position = vm_position(s, index);
    struct leg *const leg = &book->leg[book->count];
    *leg = (struct leg){.market = vm_market(s, position->market),
                        .lots = vm_lots_raw(position->row.lots)};
    if (with_orders && position->order_count > 0) {
        leg->bid_lots = vm_lots_raw(position->bid_lots);
        leg->ask_lots = vm_lots_raw(position->ask_lots);
        if (!order_edges(s, position, leg)) {
            return false;
        }
    }
    book->count++;
    return true;
}

static bool
add_extra(const struct vm_state *s, const struct vm_margin_extra *extra, struct book *book)
{
    const struct vm_market *const market = vm_market(s, extra->market);
    uint32_t i = 0;
    while (i < book->count && book->leg[i].market != market) {
        i++;
    }
    if (i == book->count) {
        book->leg[i] = (struct leg){.market = market};
        book->count++;
    }
    struct leg *const leg = &book->leg[i];
    int64_t const lots = vm_lots_raw(extra->lots);
    bool const bid = lots > 0;
    int64_t *const sum = bid ? &leg->bid_lots : &leg->ask_lots;
    int64_t const size = bid ? lots : -lots;
    return nv_add_i64(*sum, size, sum) && add_edge(leg, extra->price, size, bid);
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* worst_lots is max(|L|, |L + B|, |L - A|). */
static nv_i128 worst_lots(const struct leg *leg)
{
    nv_i128 const held = leg->lots;
    nv_i128 const bought = held + leg->bid_lots;
    nv_i128 const sold = held - leg->ask_lots;
    nv_i128 worst = held < 0 ? -held : held;
    worst = bought > worst ? bought : worst;
    worst = -sold > worst ? -sold : worst;
    return worst;
}

/* add_upper adds a leg's loss with each order counted where it loses and not
 * where it gains: at least the leg's loss, also after orders have left. */
static void add_upper(const struct leg *leg, const int32_t risk[VM_NODES], int64_t loss[VM_NODES])
{
    int64_t const unit = INT64_C(1) << leg->market->risk_shift;
    for (uint32_t i = 0; i < VM_NODES; i++) {
        int64_t const move = unit * risk[i];
        int64_t const up = leg->bid_edge - (move < 0 ? leg->bid_lots * move : 0);
        int64_t const down = leg->ask_edge + (move > 0 ? leg->ask_lots * move : 0);
        loss[i] += max_i64(up, down) - leg->lots * move;
    }
}

/* add_leg adds a leg's loss at each node.  No sum can overflow: fits() has
 * bounded Σ worst lots × largest entry and the edges. */
static void add_leg(const struct leg *leg, const int32_t risk[VM_NODES], int64_t loss[VM_NODES])
{
    if (leg->upper) {
        add_upper(leg, risk, loss);
        return;
    }
    int64_t const unit = INT64_C(1) << leg->market->risk_shift;
    int64_t const held = -leg->lots * unit;
    if (leg->bid_lots == 0 && leg->ask_lots == 0) {
        for (uint32_t i = 0; i < VM_NODES; i++) {
            loss[i] += held * risk[i];
        }
        return;
    }
    int64_t const bought = held - leg->bid_lots * unit;
    int64_t const sold = held + leg->ask_lots * unit;
    for (uint32_t i = 0; i < VM_NODES; i++) {
        int64_t const up = bought * risk[i] + leg->bid_edge;
        int64_t const down = sold * risk[i] + leg->ask_edge;
        loss[i] += max_i64(held * risk[i], max_i64(up, down));
    }
}

/* fits returns whether every sum over the legs stays below 2^62, given that
 * no entry of a vector exceeds 2^29 units of 2^shift. */
static bool fits(const struct book *book)
{
    nv_i128 bound = 0;
    for (uint32_t i = 0; i < book->count; i++) {
        const struct leg *const leg = &book->leg[i];
        nv_i128 const lots = worst_lots(leg);
        if (lots > INT64_MAX) {
            return false;
        }
        bound += (lots << 30) << leg->market->risk_shift;
        bound += (nv_i128)leg->bid_edge + leg->ask_edge;
        if (bound >= (nv_i128)1 << 62) {
            return false;
        }
    }
    return true;
}

static bool in_scenarios(const struct leg *leg)
{
    return leg->market->row.status != VM_MARKET_QUARANTINED;
}

static void add_maximum(nv_i128 *gross, const int64_t loss[VM_NODES])
{
    int64_t worst = 0;
    for (uint32_t i = 0; i < VM_NODES; i++) {
        worst = max_i64(worst, loss[i]);
    }
    *gross += worst;
}

/* scenarios sums the losses underlying by underlying into `total` and the
 * worst of each underlying into the two gross sums. */
static void scenarios(struct book *book,
                      struct losses *total,
                      nv_i128 *gross_initial,
                      nv_i128 *gross_maintenance)
{
    for (uint32_t first = 0; first < book->count; first++) {
        if (book->leg[first].done || !in_scenarios(&book->leg[first])) {
            continue;
        }
        struct losses feed = {{0}, {0}};
        for (uint32_t i = first; i < book->count; i++) {
            struct leg *const leg = &book->leg[i];
            if (leg->market->listing.feed == book->leg[first].market->listing.feed &&
                in_scenarios(leg)) {
                add_leg(leg, leg->market->risk_initial, feed.initial);
                add_leg(leg, leg->market->risk_maintenance, feed.maintenance);
                leg->done = true;
            }
        }
        for (uint32_t i = 0; i < VM_NODES; i++) {
            total->initial[i] += feed.initial[i];
            total->maintenance[i] += feed.maintenance[i];
        }
        add_maximum(gross_initial, feed.initial);
        add_maximum(gross_maintenance, feed.maintenance);
    }
}

/* share_up is ceil(value × ratio / 1e9) for value >= 0. */
static nv_i128 share_up(nv_i128 value, int64_t ppb)
{
    return (value * ppb + (VM_RATIO_ONE_PPB - 1)) / VM_RATIO_ONE_PPB;
}

/* core is common + ceil((gross - common) × theta); the worst node comes out. */
static nv_i128 core(const int64_t loss[VM_NODES], nv_i128 gross, int64_t theta, uint8_t *worst_node)
{
    nv_i128 common = 0;
    *worst_node = 0;
    for (uint32_t i = 0; i < VM_NODES; i++) {
        if (loss[i] > common) {
            common = loss[i];
            *worst_node = (uint8_t)i;
        }
    }
    return common + share_up(gross - common, theta);
}

static bool
equity_of(const struct vm_state *s, const struct vm_account *account, struct vm_money *out)
{
    nv_i128 equity = vm_money_raw(account->row.cash);
    for (uint32_t i = 0; i < account->position_count; i++) {
        const struct vm_position *const position = vm_position(s, account->position[i]);
        const struct vm_market *const market = vm_market(s, position->market);
        nv_i128 const per_lot =
            (nv_i128)vm_money_raw(market->row.mark) - vm_money_raw(market->row.carry);
        equity += per_lot * vm_lots_raw(position->row.lots) + vm_money_raw(position->row.cost);
    }
    int64_t micro = 0;
    if (!nv_narrow_try_i64(equity, &micro)) {
        return false;
    }
    *out = vm_money(micro);
    return true;
}

/* The three sums that do not depend on scenarios. */
struct flat {
    nv_i128 gross;      /* G */
    nv_i128 rounding;   /* E */
    nv_i128 quarantine; /* Q */
};

static struct flat flat_sums(const struct vm_state *s, const struct book *book)
{
    struct flat sums = {0, 0, 0};
    int64_t const quarantine_range = vm_param(s, VM_PARAM_QUARANTINE_RANGE);
    for (uint32_t i = 0; i < book->count; i++) {
        const struct leg *const leg = &book->leg[i];
        nv_i128 const mark = nv_magnitude_i64(vm_money_raw(leg->market->row.mark));
        if (in_scenarios(leg)) {
            sums.gross += worst_lots(leg) * mark;
            sums.rounding += worst_lots(leg) << leg->market->risk_shift;
        } else {
            nv_i128 const held = nv_magnitude_i64(leg->lots);
            sums.quarantine += share_up(held * mark, quarantine_range);
        }
    }
    return sums;
}

static bool money_of(nv_i128 micro, struct vm_money *out)
{
    int64_t narrow = 0;
    bool const ok = nv_narrow_try_i64(micro, &narrow);
    *out = vm_money(narrow);
    return ok;
}

static bool requirement(const struct vm_state *s, struct book *book, struct vm_margin_terms *out)
{
    struct losses total = {{0}, {0}};
    nv_i128 gross_initial = 0;
    nv_i128 gross_maintenance = 0;
    scenarios(book, &total, &gross_initial, &gross_maintenance);
    memcpy(out->node_initial, total.initial, sizeof total.initial);
    memcpy(out->node_maintenance, total.maintenance, sizeof total.maintenance);

    int64_t const theta = vm_param(s, VM_PARAM_THETA);
    uint8_t unused = 0;
    nv_i128 const core_initial = core(total.initial, gross_initial, theta, &unused);
    nv_i128 const core_maintenance =
        core(total.maintenance, gross_maintenance, theta, &out->requirement.worst_node);
    struct flat const flat = flat_sums(s, book);
    nv_i128 const charge_initial = share_up(flat.gross, vm_param(s, VM_PARAM_CONTINGENCY_INITIAL));
    nv_i128 const charge_maintenance =
        share_up(flat.gross, vm_param(s, VM_PARAM_CONTINGENCY_MAINTENANCE));
    nv_i128 const fixed = flat.rounding + flat.quarantine;
    nv_i128 const maintenance = core_maintenance + charge_maintenance + fixed;
    nv_i128 initial = core_initial + charge_initial + fixed;
    nv_i128 const least = share_up(maintenance, vm_param(s, VM_PARAM_INITIAL_FLOOR));
    initial = initial > least ? initial : least;
    return money_of(core_initial, &out->core_initial) &&
           money_of(core_maintenance, &out->core_maintenance) &&
           money_of(charge_initial, &out->contingency_initial) &&
           money_of(charge_maintenance, &out->contingency_maintenance) &&
           money_of(flat.gross, &out->gross) && money_of(flat.rounding, &out->rounding) &&
           money_of(flat.quarantine, &out->quarantine) &&
           money_of(maintenance, &out->requirement.maintenance) &&
           money_of(initial, &out->requirement.initial);
}

static bool collect(const struct vm_state *s, uint32_t account, bool with_orders, struct book *book)
{
    const struct vm_account *const a = vm_account(s, account);
    book->count = 0;
    for (uint32_t i = 0; i < a->position_count; i++) {
        if (!add_position(s, a->position[i], with_orders, book)) {
            return false;
        }
    }
    return true;
}

bool vm_margin_explain(const struct vm_state *s,
                       uint32_t account,
                       bool with_orders,
                       const struct vm_margin_extra *extra,
                       struct vm_margin_terms *out)
{
    struct book book;
    if (!equity_of(s, vm_account(s, account), &out->requirement.equity) ||
        !collect(s, account, with_orders, &book)) {
        return false;
    }
    if (extra != NULL && !add_extra(s, extra, &book)) {
        return false;
    }
    return fits(&book) && requirement(s, &book, out);
}

/* sums_bound is what fits() and the gross value leave below 2^62, counted so
 * that orders which leave add nothing. */
static nv_i128 sums_bound(const struct book *book)
{
    nv_i128 bound = 0;
    for (uint32_t i = 0; i < book->count; i++) {
        const struct leg *const leg = &book->leg[i];
        nv_i128 const held = leg->lots < 0 ? -(nv_i128)leg->lots : leg->lots;
        nv_i128 const lots = held + leg->bid_lots + leg->ask_lots;
        nv_i128 const entry = (nv_i128)1 << (30 + leg->market->risk_shift);
        nv_i128 const mark = nv_magnitude_i64(vm_money_raw(leg->market->row.mark));
        bound += lots * (entry > mark ? entry : mark) + leg->bid_edge + leg->ask_edge;
    }
    return bound;
}

static nv_i128 exposure_of(const struct book *book)
{
    nv_i128 sum = 0;
    for (uint32_t i = 0; i < book->count; i++) {
        const struct leg *const leg = &book->leg[i];
        nv_i128 const held = leg->lots < 0 ? -(nv_i128)leg->lots : leg->lots;
        sum += (held + leg->bid_lots + leg->ask_lots) * leg->market->unit;
    }
    return sum;
}

bool vm__margin_cushion(const struct vm_state *s,
                        uint32_t account,
                        bool with_orders,
                        struct vm_cushion *out)
{
    struct book book;
    struct vm_margin_terms terms;
    if (!equity_of(s, vm_account(s, account), &terms.requirement.equity) ||
        !collect(s, account, with_orders, &book)) {
        return false;
    }
    for (uint32_t i = 0; i < book.count; i++) {
        book.leg[i].upper = true;
    }
    nv_i128 const room = CUSHION_ROOM - sums_bound(&book);
    if (room < 0 || !fits(&book) || !requirement(s, &book, &terms)) {
        return false;
    }
    int64_t const needed =
        vm_money_raw(with_orders ? terms.requirement.initial : terms.requirement.maintenance);
    nv_i128 const exposure = exposure_of(&book);
    nv_i128 const slack = (nv_i128)vm_money_raw(terms.requirement.equity) - needed - ROUNDINGS;
    out->room = (int64_t)room;
    out->exposure = exposure > (nv_i128)UINT64_MAX ? UINT64_MAX : (uint64_t)exposure;
    return exposure <= (nv_i128)UINT64_MAX && nv_narrow_try_i64(slack, &out->slack);
}

/* close_leg moves a leg's lots towards zero; never past it. */
static void close_leg(struct leg *leg, int64_t lots)
{
    NV_ASSERT(lots >= 0);
    NV_ASSERT((uint64_t)lots <= nv_magnitude_i64(leg->lots));
    leg->lots += leg->lots < 0 ? lots : -lots;
}

bool vm_margin_after(const struct vm_state *s,
                     uint32_t account,
                     const struct vm_margin_close *closes,
                     uint32_t close_count,
                     struct vm_money cost,
                     struct vm_margin_terms *out)
{
    struct book book;
    struct vm_money equity;
    if (!equity_of(s, vm_account(s, account), &equity) ||
        !vm_money_sub(equity, cost, &out->requirement.equity) ||
        !collect(s, account, false, &book)) {
        return false;
    }
    for (uint32_t i = 0; i < close_count; i++) {
        const struct vm_market *const market = vm_market(s, closes[i].market);
        for (uint32_t j = 0; j < book.count; j++) {
            if (book.leg[j].market == market) {
                close_leg(&book.leg[j], vm_lots_raw(closes[i].lots));
            }
        }
    }
    return fits(&book) && requirement(s, &book, out);
}

bool vm_margin_account(const struct vm_state *s,
                       uint32_t account,
                       bool with_orders,
                       const struct vm_margin_extra *extra,
                       struct vm_requirement *out)
{
    struct vm_margin_terms terms;
    if (!vm_margin_explain(s, account, with_orders, extra, &terms)) {
        return false;
    }
    *out = terms.requirement;
    return true;
}
