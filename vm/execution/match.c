/* match.c - phases match and clear: one call auction a market.
 * docs/spec/auction.md sections 4 to 8. */

#include "base/assert.h"
#include "base/sort.h"

#include "vm/clearing/clearing.h"
#include "vm/execution/check.h"
#include "vm/execution/orders.h"
#include "vm/execution/reach.h"
#include "vm/margin/margin.h"
#include "vm/oracle/oracle.h"
#include "vm/params.h"

#include "base/pure.h"

#define ROUNDS_MAX 64u /* participants are determined at most so often in a block */

/* What happens to a market in this block. */
enum verdict {
    NOTHING_CROSSES,
    MATCHES, /* at a price inside the band */
    EXTENDS, /* waits */
    CLAMPS,  /* matches at the edge of the band */
};

struct decision {
    enum verdict verdict;
    struct auction_price price;
    bool above; /* CLAMPS: the edge is the upper one */
};

struct to_match {
    uint32_t market;
    bool settled; /* nothing had to be removed when it was last looked at */
};

struct matching {
    struct vm_exec *x;
    struct checked checked;
    struct reach reach;       /* of the market that was last decided */
    struct decision decision; /* … */
    uint32_t decided;         /* which; VM_NONE when orders have left since */
    struct to_match *market;  /* those to be looked at, ascending */
    uint32_t market_count;
};

/* --- the band ---------------------------------------------------------------------------- */

static int64_t reference_of(const struct vm_market *market)
{
    int64_t ticks = 0;
    bool const ok = nv_div_i64(vm_money_raw(market->row.mark),
                               vm_money_raw(market->listing.tick_value),
                               NV_ROUND_FLOOR,
                               &ticks);
    NV_ASSERT(ok);
    return ticks;
}

static int64_t ticks_of(nv_i128 value, int64_t tick_value, enum nv_round round)
{
    nv_i128 ticks = 0;
    int64_t narrow = 0;
    bool const ok = nv_div_i128(value, tick_value, round, &ticks);
    NV_ASSERT(ok);
    if (!nv_narrow_try_i64(ticks, &narrow)) {
        narrow = ticks < 0 ? INT64_MIN : INT64_MAX;
    }
    return narrow;
}

static struct reach_window band_of(const struct vm_exec *x, const struct vm_market *market)
{
    nv_i128 const mark = vm_money_raw(market->row.mark);
    nv_i128 const share = vm_param(x->state, VM_PARAM_MONITOR_BAND);
    nv_i128 const half = (nv_i128)vm__index_per_lot(x->state, market) * share / VM_RATIO_ONE_PPB;
    int64_t const tick_value = vm_money_raw(market->listing.tick_value);
    int64_t const reference = reference_of(market);
    struct reach_window band = {
        .lo = ticks_of(mark - half, tick_value, NV_ROUND_CEIL),
        .hi = ticks_of(mark + half, tick_value, NV_ROUND_FLOOR),
    };
    band.lo = band.lo < reference ? band.lo : reference;
    band.hi = band.hi > reference ? band.hi : reference;
    return band;
}

/* outside_band decides what a price outside the band leads to. */
static enum verdict outside_band(const struct vm_exec *x, const struct vm_market_state_row *row)
{
    uint64_t const now = x->block->time_ms;
    uint64_t const longest = (uint64_t)vm_param(x->state, VM_PARAM_EXTENSION);
    uint64_t const pause = (uint64_t)vm_param(x->state, VM_PARAM_EXTENSION_PAUSE);
    if (row->extended_from_ms != 0) {
        return now - row->extended_from_ms >= longest ? CLAMPS : EXTENDS;
    }
    bool const due = row->extension_last_ms == 0 || now - row->extension_last_ms >= pause;
    return longest > 0 && due ? EXTENDS : CLAMPS;
}

static struct decision decide_anew(struct matching *m, uint32_t market)
{
    struct vm_exec *const x = m->x;
    const struct vm_market *const mk = vm_market(x->state, market);
    struct decision d = {.verdict = NOTHING_CROSSES};
    vm__reach_collect(x, market, NULL, &m->reach);
    if (m->reach.matched == 0) {
        return d;
    }
    struct reach_window const band = band_of(x, mk);
    d.price = vm__auction_price(&m->reach.bids.top, &m->reach.asks.top, reference_of(mk));
    if (d.price.price >= band.lo && d.price.price <= band.hi) {
        d.verdict = MATCHES;
        return d;
    }
    d.verdict = outside_band(x, &mk->row);
    if (d.verdict == CLAMPS) {
        d.above = d.price.price > band.hi;
        d.price.price = d.above ? band.hi : band.lo;
        vm__reach_collect(x, market, &band, &m->reach);
    }
    return d;
}

/* decide collects the participants of a market as it stands. */
static struct decision decide(struct matching *m, uint32_t market)
{
    if (m->decided != market) {
        m->decision = decide_anew(m, market);
        m->decided = market;
    }
    return m->decision;
}

/* settle_participants removes what may not take part until nothing is removed
 * any more; false when that does not come to an end. */
static bool settle_participants(struct matching *m, uint32_t market, bool *elsewhere)
{
    for (uint32_t round = 0; round < ROUNDS_MAX; round++) {
        struct decision const d = decide(m, market);
        if (d.verdict == NOTHING_CROSSES ||
            !vm__participants_check(m->x, &m->checked, &m->reach, elsewhere)) {
            return true;
        }
        m->decided = VM_NONE;
    }
    return false;
}

/* --- filling ----------------------------------------------------------------------------- */

static void fill(struct vm_exec *x, const struct auction_order *o, struct vm_price price)
{
    const struct vm_order *const order = vm_order(x->state, o->slot);
    bool const buys = order->row.side == VM_BUY;
    struct vm_trade const trade = {
        .account = vm__order_account(x->state, order),
        .market = order->market,
        .lots = vm_lots(buys ? o->fill : -o->fill),
        .price = price,
        .order = vm__order_handle_of(order),
        .maker = order->row.placed_height != x->block->height,
        .fee_free = (order->row.flags & VM_ORDER_PROTECTIVE) != 0,
    };
    vm_clearing_trade(x, &trade);
    vm__order_filled(x, o->slot, vm_lots(o->fill));
}

static void
fill_side(struct vm_exec *x, struct reach_side *side, int64_t lots, struct vm_price price)
{
    vm__auction_share(side->order, side->count, lots);
    for (uint32_t i = 0; i < side->count; i++) {
        if (side->order[i].fill > 0) {
            fill(x, &side->order[i], price);
        }
    }
}

static void trade(struct matching *m, uint32_t market, const struct decision *d)
{
    struct vm_exec *const x = m->x;
    struct vm_price const price = vm_price(d->price.price);
    struct vm_lots const lots = vm_lots(m->reach.matched);
    struct vm_market_state_row *const row = &vm_market_mut(x->state, market)->row;
    struct vm_event const event = {
        .kind = VM_EVENT_AUCTION,
        .auction = {.market = market,
                    .price = price,
                    .lots = lots,
                    .imbalance = vm_lots(d->price.imbalance),
                    .extended = row->extended_from_ms != 0},
    };
    vm_exec_emit(x, &event);
    row->last_price = price;
    row->last_trade_ms = x->block->time_ms;
    fill_side(x, &m->reach.bids, m->reach.matched, price);
    fill_side(x, &m->reach.asks, m->reach.matched, price);
    vm_oracle_traded(x, market, price, lots);
}

/* SPEC auction 6: "What then still crosses the book, on the side that was priced beyond the edge, leaves." */
static void drop_beyond(struct vm_exec *x, uint32_t market, uint8_t side)
{
    for (;;) {
        uint32_t const bid = vm__book_top(x, market, VM_BUY);
        uint32_t const ask = vm__book_top(x, market, VM_SELL);
        if (bid == VM_NONE || ask == VM_NONE ||
            vm_price_raw(vm_order(x->state, bid)->row.price) <
                vm_price_raw(vm_order(x->state, ask)->row.price)) {
            return;
        }
        vm_execution_cancel_order(x, side == VM_BUY ? bid : ask, VM_ORDER_BEYOND_BAND);
    }
}

static void end_extension(struct vm_exec *x, uint32_t market)
{
    if (vm_market(x->state, market)->row.extended_from_ms != 0) {
        vm_market_mut(x->state, market)->row.extended_from_ms = 0;
    }
}

static void begin_extension(struct vm_exec *x, uint32_t market)
{
    if (vm_market(x->state, market)->row.extended_from_ms == 0) {
        struct vm_market_state_row *const row = &vm_market_mut(x->state, market)->row;
        row->extended_from_ms = x->block->time_ms;
        row->extension_last_ms = x->block->time_ms;
    }
}

/* imbalance_of is what the participants of a clamped auction leave. */
static int64_t imbalance_of(const struct reach *reach)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < reach->bids.count; i++) {
        sum += reach->bids.order[i].lots;
    }
    for (uint32_t i = 0; i < reach->asks.count; i++) {
        sum -= reach->asks.order[i].lots;
    }
    return sum;
}

static void auction(struct matching *m, uint32_t market)
{
    struct decision d = decide(m, market);
    switch (d.verdict) {
    case NOTHING_CROSSES: end_extension(m->x, market); return;
    case EXTENDS: begin_extension(m->x, market); return;
    case MATCHES: trade(m, market, &d); break;
    case CLAMPS:
        if (m->reach.matched > 0) {
            d.price.imbalance = imbalance_of(&m->reach);
            trade(m, market, &d);
        }
        drop_beyond(m->x, market, d.above ? VM_BUY : VM_SELL);
        break;
    }
    end_extension(m->x, market);
}

/* --- which markets ----------------------------------------------------------------------- */

static bool book_crosses(const struct vm_exec *x, uint32_t market)
{
    struct vm_price bid;
    struct vm_price ask;
    return vm__book_best(x, market, VM_BUY, true, &bid) &&
           vm__book_best(x, market, VM_SELL, true, &ask) && vm_price_raw(bid) >= vm_price_raw(ask);
}

/* end_stale ends an extension whose time is over while the index is too old. */
static void end_stale(struct vm_exec *x, uint32_t market)
{
    uint64_t const from = vm_market(x->state, market)->row.extended_from_ms;
    uint64_t const longest = (uint64_t)vm_param(x->state, VM_PARAM_EXTENSION);
    if (from != 0 && x->block->time_ms - from >= longest) {
        end_extension(x, market);
    }
}

static void list_markets(struct matching *m)
{
    struct vm_exec *const x = m->x;
    uint32_t const markets = vm_market_count(x->state);
    m->market = NV_ARENA_NEW(x->arena, struct to_match, markets + 1);
    for (uint32_t i = 0; i < markets; i++) {
        const struct vm_market *const market = vm_market(x->state, i);
        bool const extended = market->row.extended_from_ms != 0;
        if (market->row.status != VM_MARKET_OPEN || (!extended && !book_crosses(x, i))) {
            continue;
        }
        if (!vm_margin_index_age_ok(x, i, VM_PARAM_TRADE_AGE)) {
            end_stale(x, i);
            continue;
        }
        m->market[m->market_count].market = i;
        m->market_count++;
    }
}

/* --- after the auctions ------------------------------------------------------------------ */

/* An order of this block that is still open. */
struct fresh {
    struct vm_act *act;
    uint32_t slot;
};

struct fresh_list {
    struct fresh *item;
    uint32_t count;
};

static int fresh_cmp(const void *a, const void *b)
{
    const struct fresh *const left = a;
    const struct fresh *const right = b;
    return vm__act_cmp(left->act, right->act);
}

/* In the order in which they were placed. */
static struct fresh_list fresh_orders(struct vm_exec *x)
{
    struct fresh_list list = {NV_ARENA_NEW(x->arena, struct fresh, x->act_count + 1), 0};
    bool sorted = true;
    for (uint32_t i = 0; i < x->act_count; i++) {
        struct vm_act *const act = &x->acts[i];
        if (act->kind != VM_ACTION_PLACE || act->outcome.code != VM_OK) {
            continue;
        }
        uint32_t const slot = vm_order_find(x->state, act->outcome.result);
        if (slot != VM_NONE) {
            list.item[list.count] = (struct fresh){act, slot};
            sorted = sorted && (list.count == 0 ||
                                fresh_cmp(&list.item[list.count - 1], &list.item[list.count]) < 0);
            list.count++;
        }
    }
    if (!sorted) {
        void *const scratch = NV_ARENA_NEW(x->arena, struct fresh, list.count);
        nv_sort(list.item, list.count, sizeof *list.item, fresh_cmp, scratch);
    }
    return list;
}

static bool extended(const struct vm_exec *x, uint32_t market)
{
    return vm_market(x->state, market)->row.extended_from_ms != 0;
}

static bool leaves_unfilled(const struct vm_exec *x, uint32_t slot)
{
    const struct vm_order *const order = vm_order(x->state, slot);
    return (order->row.flags & VM_ORDER_IOC) != 0 && !extended(x, order->market);
}

/* sweep_ioc removes what waited in an extension that has ended: from the top of
 * each side, until all are found. */
static void sweep_ioc(struct vm_exec *x, uint32_t market)
{
    uint32_t const wanted = vm_market(x->state, market)->row.waiting_ioc;
    uint32_t *const slot = NV_ARENA_NEW(x->arena, uint32_t, wanted);
    uint32_t const found = vm__book_ioc(x, market, slot, wanted);
    for (uint32_t i = 0; i < found; i++) {
        vm_execution_cancel_order(x, slot[i], VM_ORDER_IOC_REST);
    }
}

static void drop_ioc(struct vm_exec *x, struct fresh_list *fresh)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < fresh->count; i++) {
        if (leaves_unfilled(x, fresh->item[i].slot)) {
            vm_execution_cancel_order(x, fresh->item[i].slot, VM_ORDER_IOC_REST);
        } else {
            fresh->item[kept] = fresh->item[i];
            kept++;
        }
    }
    fresh->count = kept;
    for (uint32_t i = 0; i < vm_market_count(x->state); i++) {
        if (vm_market(x->state, i)->row.waiting_ioc > 0 && !extended(x, i)) {
            sweep_ioc(x, i);
        }
    }
}

/* The best prices of a market without the late orders that are not judged yet. */
struct judged {
    bool known, has_bid, has_ask;
    struct vm_price bid, ask;
};

static void judged_know(struct vm_exec *x, uint32_t market, struct judged *j)
{
    if (!j->known) {
        j->known = true;
        j->has_bid = vm__book_best(x, market, VM_BUY, false, &j->bid);
        j->has_ask = vm__book_best(x, market, VM_SELL, false, &j->ask);
    }
}

/* late_stays judges one late order against what stands, and counts it in. */
static bool late_stays(struct judged *j, const struct vm_order *order)
{
    int64_t const price = vm_price_raw(order->row.price);
    if (order->row.side == VM_BUY) {
        if (j->has_ask && price >= vm_price_raw(j->ask)) {
            return false;
        }
        j->bid = !j->has_bid || price > vm_price_raw(j->bid) ? order->row.price : j->bid;
        j->has_bid = true;
        return true;
    }
    if (j->has_bid && price <= vm_price_raw(j->bid)) {
        return false;
    }
    j->ask = !j->has_ask || price < vm_price_raw(j->ask) ? order->row.price : j->ask;
    j->has_ask = true;
    return true;
}

/* judge_late refuses post-only orders of this block that would cross after all.
 * They were never told to rest, so their going is told by the receipt alone. */
static void judge_late(struct vm_exec *x, struct fresh_list *fresh)
{
    struct judged *judged = NULL;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < fresh->count; i++) {
        struct fresh const f = fresh->item[i];
        const struct vm_order *const order = vm_order(x->state, f.slot);
        if (vm__order_late(x, order)) {
            if (judged == NULL) {
                judged = NV_ARENA_NEW(x->arena, struct judged, vm_market_count(x->state));
            }
            struct judged *const j = &judged[order->market];
            judged_know(x, order->market, j);
            if (!late_stays(j, order)) {
                f.act->outcome = (struct vm_outcome){VM_REJECT_POST_ONLY_CROSS, 0};
                vm_order_remove(x->state, f.slot);
                continue;
            }
        }
        fresh->item[kept] = f;
        kept++;
    }
    fresh->count = kept;
}

void vm_execution_match(struct vm_exec *x)
{
    struct matching m = {.x = x, .decided = VM_NONE};
    vm_levels_settle(x->state, x->arena);
    list_markets(&m);
    if (m.market_count > 0) {
        m.checked = vm__checked_new(x);
    }
    bool again = m.market_count > 0;
    for (uint32_t round = 0; again && round < ROUNDS_MAX; round++) {
        again = false;
        for (uint32_t i = 0; i < m.market_count; i++) {
            m.market[i].settled = settle_participants(&m, m.market[i].market, &again);
        }
    }
    for (uint32_t i = 0; i < m.market_count; i++) {
        if (!again && m.market[i].settled) {
            auction(&m, m.market[i].market);
        }
    }
    struct fresh_list fresh = fresh_orders(x);
    drop_ioc(x, &fresh);
    judge_late(x, &fresh);
    for (uint32_t i = 0; i < fresh.count; i++) {
        vm__order_tell(x,
                       fresh.item[i].slot,
                       VM_ORDER_RESTED,
                       vm_order(x->state, fresh.item[i].slot)->row.lots);
    }
}
