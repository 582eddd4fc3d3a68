/* place.c - phase place: each order is judged and joins its book.
 * docs/spec/auction.md section 3. */

#include "base/assert.h"
#include "base/sort.h"

#include "vm/execution/orders.h"
#include "vm/execution/reach.h"
#include "vm/margin/margin.h"
#include "vm/params.h"

#include "base/pure.h"

#define AHEAD 4u /* places between a hint and its use */

/* Best prices of a market when the phase began. */
struct tops {
    bool has_bid, has_ask;
    struct vm_price bid, ask;
};

/* One order while it is judged. */
struct placing {
    struct vm_exec *x;
    const struct tops *tops; /* by market */
    uint32_t account;
    uint64_t account_id;
    const struct vm_place *place;
    uint32_t position; /* slab index or VM_NONE */
};

static uint16_t judge_fields(const struct placing *p)
{
    const struct vm_place *const o = p->place;
    bool const side_ok = o->side == VM_BUY || o->side == VM_SELL;
    bool const force_ok = o->time_in_force >= VM_GTC && o->time_in_force <= VM_IOC;
    bool const expiry_ok = (o->time_in_force == VM_GTT) == (o->expires_ms != 0);
    if (!side_ok || !force_ok || !expiry_ok || vm_lots_raw(o->lots) < 1 ||
        (o->post_only && o->time_in_force == VM_IOC)) {
        return VM_REJECT_FIELD_RANGE;
    }
    if (o->market >= vm_market_count(p->x->state)) {
        return VM_REJECT_MARKET_UNKNOWN;
    }
    uint8_t const status = vm_market(p->x->state, o->market)->row.status;
    if (status == VM_MARKET_QUARANTINED) {
        return VM_REJECT_MARKET_QUARANTINED;
    }
    if (status != VM_MARKET_OPEN) {
        return VM_REJECT_MARKET_CLOSED;
    }
    bool const expired = o->expires_ms != 0 && o->expires_ms <= p->x->block->time_ms;
    return expired ? VM_REJECT_EXPIRED_ORDER : VM_OK;
}

static bool in_band(const struct placing *p, const struct vm_market *market)
{
    nv_i128 const value =
        (nv_i128)vm_price_raw(p->place->price) * vm_money_raw(market->listing.tick_value);
    nv_i128 const share = vm_param(p->x->state, VM_PARAM_ORDER_BAND);
    nv_i128 const width =
        (nv_i128)vm__index_per_lot(p->x->state, market) * share / VM_RATIO_ONE_PPB;
    nv_i128 const distance = value - vm_money_raw(market->row.index_value);
    return distance <= width && -distance <= width;
}

static uint16_t judge_market(const struct placing *p)
{
    const struct vm_market *const market = vm_market(p->x->state, p->place->market);
    if (vm_lots_raw(p->place->lots) > vm_lots_raw(market->listing.order_lots_max)) {
        return VM_REJECT_ORDER_SIZE;
    }
    if (!vm_margin_index_age_ok(p->x, p->place->market, VM_PARAM_TRADE_AGE)) {
        return VM_REJECT_INDEX_STALE;
    }
    return in_band(p, market) ? VM_OK : VM_REJECT_PRICE_BAND;
}

static uint16_t judge_client_id(const struct placing *p)
{
    uint64_t const client_id = p->place->client_id;
    if (client_id == 0) {
        return VM_OK;
    }
    const struct vm_state *const s = p->x->state;
    uint64_t const now = p->x->block->time_ms;
    if (vm_tombstone_has(s, p->place->market, p->account_id, client_id, now)) {
        return VM_REJECT_CLIENT_ID_CANCELLED;
    }
    bool const taken =
        p->position != VM_NONE && vm_order_find_client(s, p->position, client_id) != VM_NONE;
    return taken ? VM_REJECT_CLIENT_ID_TAKEN : VM_OK;
}

static uint16_t judge_post_only(const struct placing *p)
{
    const struct tops *const tops = &p->tops[p->place->market];
    int64_t const price = vm_price_raw(p->place->price);
    bool const crosses = p->place->side == VM_BUY
                             ? tops->has_ask && price >= vm_price_raw(tops->ask)
                             : tops->has_bid && price <= vm_price_raw(tops->bid);
    return p->place->post_only && crosses ? VM_REJECT_POST_ONLY_CROSS : VM_OK;
}

/* against returns how many lots of the position the order's side is against. */
static int64_t against(const struct placing *p)
{
    if (p->position == VM_NONE) {
        return 0;
    }
    int64_t const held = vm_lots_raw(vm_position(p->x->state, p->position)->row.lots);
    int64_t const opposed = p->place->side == VM_SELL ? held : -held;
    return opposed > 0 ? opposed : 0;
}

/* grows_too_large returns whether the position could leave its limit if the
 * order and all open ones of its side were filled. */
static bool grows_too_large(const struct placing *p)
{
    int64_t lots = vm_lots_raw(p->place->lots);
    if (p->position != VM_NONE) {
        const struct vm_position *const position = vm_position(p->x->state, p->position);
        bool const buys = p->place->side == VM_BUY;
        int64_t const held = vm_lots_raw(position->row.lots);
        lots += buys ? held : -held;
        lots += vm_lots_raw(buys ? position->bid_lots : position->ask_lots);
    }
    return lots > VM_LOTS_MAX;
}

/* SPEC auction 3: "the order together with the account's open orders of its side would not exceed" */
static bool only_reduces(const struct placing *p)
{
    if (p->position == VM_NONE) {
        return false;
    }
    const struct vm_position *const position = vm_position(p->x->state, p->position);
    struct vm_lots const open = p->place->side == VM_BUY ? position->bid_lots : position->ask_lots;
    int64_t sum = 0;
    return nv_add_i64(vm_lots_raw(open), vm_lots_raw(p->place->lots), &sum) && sum <= against(p);
}

static bool margin_ok(const struct placing *p)
{
    int64_t const lots = vm_lots_raw(p->place->lots);
    struct vm_margin_extra const extra = {
        .market = p->place->market,
        .lots = vm_lots(p->place->side == VM_BUY ? lots : -lots),
        .price = p->place->price,
    };
    return vm_margin_covers(p->x->state, p->account, &extra);
}

static uint16_t judge_risk(const struct placing *p)
{
    const struct vm_state *const s = p->x->state;
    if (p->place->reduce_only) {
        bool const reduces = vm_lots_raw(p->place->lots) <= against(p);
        return reduces ? VM_OK : VM_REJECT_REDUCE_ONLY;
    }
    if (vm_chain(s)->safe_mode != 0) {
        return VM_REJECT_SAFE_MODE;
    }
    if (vm_account(s, p->account)->row.stage != VM_STAGE_SAFE) {
        return VM_REJECT_ACCOUNT_UNSAFE;
    }
    const struct vm_market *const market = vm_market(s, p->place->market);
    bool const full =
        vm_lots_raw(market->row.open_interest) >= vm_lots_raw(market->listing.open_interest_max);
    if (full && !only_reduces(p)) {
        return VM_REJECT_OPEN_INTEREST;
    }
    if (grows_too_large(p)) {
        return VM_REJECT_ORDER_SIZE;
    }
    return margin_ok(p) ? VM_OK : VM_REJECT_MARGIN;
}

static uint16_t judge(const struct placing *p)
{
    uint16_t code = judge_market(p);
    code = code != VM_OK ? code : judge_client_id(p);
    code = code != VM_OK ? code : judge_post_only(p);
    return code != VM_OK ? code : judge_risk(p);
}

static uint8_t flags_of(const struct vm_place *place)
{
    return (uint8_t)((place->post_only ? VM_ORDER_POST_ONLY : 0u) |
                     (place->reduce_only ? VM_ORDER_REDUCE_ONLY : 0u) |
                     (place->time_in_force == VM_IOC ? VM_ORDER_IOC : 0u));
}

/* join opens the order; its handle, or why there is no room. */
static struct vm_outcome join(struct placing *p, const struct vm_act *act)
{
    struct vm_state *const s = p->x->state;
    const struct vm_place *const place = p->place;
    int64_t const orders_max = vm_param(s, VM_PARAM_ORDERS_MAX);
    if (p->position != VM_NONE && vm_position(s, p->position)->order_count >= orders_max) {
        return (struct vm_outcome){VM_REJECT_ORDERS_FULL, 0};
    }
    uint32_t const position =
        p->position != VM_NONE ? p->position : vm_position_open(s, p->account, place->market);
    if (position == VM_NONE) {
        bool const own = vm_account(s, p->account)->position_count == VM_POSITIONS_MAX;
        return (struct vm_outcome){own ? VM_REJECT_POSITIONS_FULL : VM_REJECT_BOOK_FULL, 0};
    }
    struct vm_order_row const row = {
        .side = place->side,
        .flags = flags_of(place),
        .price = place->price,
        .lots = place->lots,
        .placed_height = p->x->block->height,
        .expires_ms = place->expires_ms,
        .client_id = place->client_id,
        .tie = vm__order_tie(act->tx->hash.bytes, act->action_index),
    };
    uint32_t const slot = vm__order_join(p->x, position, &row);
    if (slot == VM_NONE) {
        return (struct vm_outcome){VM_REJECT_BOOK_FULL, 0};
    }
    return (struct vm_outcome){VM_OK, vm__order_handle_of(vm_order(s, slot))};
}

static struct vm_outcome
place_one(struct vm_exec *x, const struct tops *tops, const struct vm_act *act)
{
    struct placing p = {
        .x = x,
        .tops = tops,
        .account = act->account,
        .account_id = vm_account(x->state, act->account)->id,
        .place = &act->action->place,
        .position = VM_NONE,
    };
    uint16_t code = judge_fields(&p);
    if (code == VM_OK) {
        p.position = vm_position_find(x->state, p.account, p.place->market);
        code = judge(&p);
    }
    return code == VM_OK ? join(&p, act) : (struct vm_outcome){code, 0};
}

static struct tops *tops_new(struct vm_exec *x)
{
    uint32_t const markets = vm_market_count(x->state);
    struct tops *const tops = NV_ARENA_NEW(x->arena, struct tops, markets + 1);
    for (uint32_t i = 0; i < markets; i++) {
        tops[i].has_bid = vm__book_best(x, i, VM_BUY, true, &tops[i].bid);
        tops[i].has_ask = vm__book_best(x, i, VM_SELL, true, &tops[i].ask);
    }
    return tops;
}

static int act_cmp(const void *a, const void *b)
{
    return vm__act_cmp(*(struct vm_act *const *)a, *(struct vm_act *const *)b);
}

static void
prefetch(const struct vm_state *s, struct vm_act *const *places, uint32_t count, uint32_t i)
{
    if (i + 3 * AHEAD < count) {
        vm_prefetch_holder(s, places[i + 3 * AHEAD]->account);
    }
    if (i + 2 * AHEAD < count) {
        vm_prefetch_position(s, places[i + 2 * AHEAD]->account);
    }
    if (i + AHEAD < count) {
        const struct vm_place *const next = &places[i + AHEAD]->action->place;
        vm_prefetch_pages(s, places[i + AHEAD]->account);
        vm_prefetch_level(s, next->market, next->side, next->price);
    }
}

void vm_execution_place(struct vm_exec *x)
{
    /* SPEC auction 3: "by ascending (transaction hash, action index)" */
    struct vm_act **const places = NV_ARENA_NEW(x->arena, struct vm_act *, x->act_count + 1);
    uint32_t count = 0;
    bool sorted = true;
    for (uint32_t i = 0; i < x->act_count; i++) {
        if (x->acts[i].kind == VM_ACTION_PLACE) {
            places[count] = &x->acts[i];
            sorted = sorted && (count == 0 || act_cmp(&places[count - 1], &places[count]) < 0);
            count++;
        }
    }
    if (!sorted) {
        void *const scratch = NV_ARENA_NEW(x->arena, struct vm_act *, count);
        nv_sort(places, count, sizeof *places, act_cmp, scratch);
    }
    const struct tops *const tops = tops_new(x);
    for (uint32_t i = 0; i < count; i++) {
        prefetch(x->state, places, count, i);
        places[i]->outcome = place_one(x, tops, places[i]);
    }
}
