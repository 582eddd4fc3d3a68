#include "vm/oracle/mark.h"

#include "base/assert.h"
#include "base/int.h"

#include "vm/oracle/oracle.h"
#include "vm/params.h"
#include "vm/payoff/payoff.h"

#include "base/pure.h"

#define BUCKET_MS 5000u
#define WINDOW_MS 30000u
/* 1 / ln 2 in units of 1e-4: a half-life becomes a time constant. */
#define E_FOLDING 14427

/* A sample that may be absent. */
struct sample {
    bool present;
    int64_t value; /* micro per lot */
};

/* toward moves `from` to `to` by the share part / whole, towards zero. */
static int64_t toward(int64_t from, int64_t to, uint64_t part, uint64_t whole)
{
    nv_i128 const distance = (nv_i128)to - from;
    nv_i128 const step = distance * (nv_i128)part / (nv_i128)whole;
    return nv_narrow_i64(from + step);
}

static struct sample vwap(const struct vm_exec *x, const struct vm_market *market)
{
    nv_i128 lots = 0;
    nv_i128 value = 0;
    for (uint32_t i = 0; i < VM_VWAP_BUCKETS; i++) {
        const struct vm_vwap_bucket *const bucket = &market->row.vwap[i];
        if (vm_lots_raw(bucket->lots) > 0 && bucket->start_ms + WINDOW_MS > x->block->time_ms) {
            lots += vm_lots_raw(bucket->lots);
            value += vm_money_raw(bucket->value);
        }
    }
    if (lots == 0 || lots < vm_param(x->state, VM_PARAM_VWAP_FLOOR)) {
        return (struct sample){false, 0};
    }
    nv_i128 mean = 0;
    bool const ok = nv_div_i128(value, lots, NV_ROUND_FLOOR, &mean);
    NV_ASSERT(ok);
    return (struct sample){true, nv_narrow_i64(mean)};
}

static struct sample best_price(const struct vm_state *s, uint32_t market, uint8_t side)
{
    uint32_t const index = vm_book_best_page(s, market, side);
    if (index == VM_NONE) {
        return (struct sample){false, 0};
    }
    const struct vm_level_page *const page = vm_level_page(s, index);
    NV_ASSERT(page->row.occupied != 0);
    uint32_t const tick = side == VM_BUY ? 63u - (uint32_t)__builtin_clzll(page->row.occupied)
                                         : (uint32_t)__builtin_ctzll(page->row.occupied);
    return (struct sample){true, (int64_t)(page->page * VM_LEVEL_TICKS + tick)};
}

/* resting_mid is the middle of the best bid and ask now: micro per lot. */
static struct sample resting_mid(const struct vm_state *s, uint32_t market)
{
    struct sample const bid = best_price(s, market, VM_BUY);
    struct sample const ask = best_price(s, market, VM_SELL);
    if (!bid.present || !ask.present) {
        return (struct sample){false, 0};
    }
    nv_i128 const tick_value = vm_money_raw(vm_market(s, market)->listing.tick_value);
    nv_i128 const twice = ((nv_i128)bid.value + ask.value) * tick_value;
    int64_t middle = 0;
    bool const fits = nv_narrow_try_i64(twice / 2, &middle);
    return (struct sample){fits, middle};
}

/* SPEC oracle 4: "the time-weighted middle of best bid and best ask at the close of a block" */
static struct sample update_mid(struct vm_exec *x, uint32_t market)
{
    struct vm_market_state_row *const row = &vm_market_mut(x->state, market)->row;
    struct sample const now = resting_mid(x->state, market);
    uint64_t const time_ms = x->block->time_ms;
    if (!now.present) {
        bool const recent = row->mid_rested_ms != 0 && row->mid_rested_ms + WINDOW_MS > time_ms;
        return (struct sample){recent, vm_money_raw(row->mid)};
    }
    uint64_t const weight = x->elapsed_ms < WINDOW_MS ? x->elapsed_ms : WINDOW_MS;
    bool const first = row->mid_rested_ms == 0 || row->mid_rested_ms + WINDOW_MS <= time_ms;
    int64_t const old = first ? now.value : vm_money_raw(row->mid);
    row->mid = vm_money(toward(old, now.value, weight, WINDOW_MS));
    row->mid_rested_ms = time_ms;
    return (struct sample){true, vm_money_raw(row->mid)};
}

static int64_t
update_basis(struct vm_exec *x, struct vm_market_state_row *row, struct sample sample)
{
    uint64_t const half_life = (uint64_t)vm_param(x->state, VM_PARAM_BASIS_HALF_LIFE);
    uint64_t const constant = half_life * E_FOLDING / 10000;
    uint64_t const part = x->elapsed_ms < constant ? x->elapsed_ms : constant;
    int64_t const index_value = vm_money_raw(row->index_value);
    nv_i128 const target = sample.present ? (nv_i128)sample.value - index_value : 0;
    int64_t narrow = 0;
    if (!nv_narrow_try_i64(target, &narrow)) {
        narrow = 0;
    }
    row->basis = vm_money(toward(vm_money_raw(row->basis), narrow, part, constant));
    return vm_money_raw(row->basis);
}

static int64_t middle_of(int64_t a, int64_t b, int64_t c)
{
    int64_t const low = a < b ? a : b;
    int64_t const high = a < b ? b : a;
    return c < low ? low : c > high ? high : c;
}

/* band returns how far the mark may be from the index value. */
static int64_t band(const struct vm_exec *x, const struct vm_market *market)
{
    const struct vm_feed *const feed = vm_feed(x->state, market->listing.feed);
    int64_t const quarter = vm_ratio_raw(feed->row.range_maintenance) / 4;
    int64_t const wanted = vm_param(x->state, VM_PARAM_MARK_BAND);
    nv_i128 const size = nv_magnitude_i64(vm_money_raw(market->row.index_value));
    return nv_narrow_i64(size * (wanted < quarter ? wanted : quarter) / VM_RATIO_ONE_PPB);
}

static struct vm_money
clamp_to_band(const struct vm_exec *x, const struct vm_market *market, int64_t mark)
{
    nv_i128 const width = band(x, market);
    nv_i128 const centre = vm_money_raw(market->row.index_value);
    nv_i128 value = mark;
    value = value < centre - width ? centre - width : value;
    value = value > centre + width ? centre + width : value;
    return vm_money(nv_narrow_i64(value));
}

static struct vm_money index_value(const struct vm_exec *x, const struct vm_market *market)
{
    struct vm_payoff_inputs const inputs = {vm_feed(x->state, market->listing.feed)->row.index};
    struct nv_view const program = {market->listing.program, market->listing.program_size};
    return vm_payoff_per_lot(program, market->listing.lots_per_unit, &inputs);
}

void vm_oracle_mark(struct vm_exec *x, uint32_t market)
{
    const struct vm_market *const m = vm_market(x->state, market);
    const struct vm_feed *const feed = vm_feed(x->state, m->listing.feed);
    if (m->row.status != VM_MARKET_OPEN || vm_money_raw(feed->row.index) == 0) {
        return;
    }
    struct vm_money const old_mark = m->row.mark;
    struct vm_market_state_row *const row = &vm_market_mut(x->state, market)->row;
    row->index_value = index_value(x, m);
    struct sample const traded = vwap(x, m);
    struct sample const rested = update_mid(x, market);
    int64_t const basis = update_basis(x, row, traded.present ? traded : rested);
    int64_t fair = 0;
    if (!nv_add_i64(vm_money_raw(row->index_value), basis, &fair)) {
        fair = vm_money_raw(row->index_value);
    }
    int64_t const mark =
        middle_of(fair, traded.present ? traded.value : fair, rested.present ? rested.value : fair);
    row->mark = clamp_to_band(x, m, mark);
    if (vm_money_raw(row->mark) != vm_money_raw(old_mark)) {
        vm_exec_emit(
            x,
            &(struct vm_event){
                .kind = VM_EVENT_MARK,
                .mark = {.market = market, .mark = row->mark, .index_value = row->index_value}});
    }
}

void vm_oracle_traded(struct vm_exec *x,
                      uint32_t market,
                      struct vm_price price,
                      struct vm_lots lots)
{
    struct vm_market *const m = vm_market_mut(x->state, market);
    uint64_t const number = x->block->time_ms / BUCKET_MS;
    struct vm_vwap_bucket *const bucket = &m->row.vwap[number % VM_VWAP_BUCKETS];
    if (bucket->start_ms != number * BUCKET_MS) {
        *bucket = (struct vm_vwap_bucket){.start_ms = number * BUCKET_MS};
    }
    struct vm_money per_lot;
    struct vm_money value;
    struct vm_lots lots_sum;
    struct vm_money value_sum;
    /* An average that no longer fits 64 bits keeps the bucket as it is. */
    if (vm_value_of(price, m->listing.tick_value, &per_lot) &&
        vm_money_times(per_lot, lots, &value) && vm_lots_add(bucket->lots, lots, &lots_sum) &&
        vm_money_add(bucket->value, value, &value_sum)) {
        bucket->lots = lots_sum;
        bucket->value = value_sum;
    }
}
