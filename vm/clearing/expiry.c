/* expiry.c - the settlement average, and what it is worth to whom.
 * docs/spec/ledger.md section 6. */

#include "base/assert.h"

#include "vm/clearing/clearing.h"
#include "vm/clearing/ledger.h"
#include "vm/params.h"
#include "vm/payoff/payoff.h"

#include "base/pure.h"

#define WINDOW_MIN_MS    1000u
#define GAP_MAX_MS       60000u
#define GAP_MIN_MS       1000u
#define COVERAGE_PERCENT 80u

static uint64_t window_of(const struct vm_market_row *listing)
{
    uint64_t const window = listing->settle_window_ms;
    return window < WINDOW_MIN_MS ? WINDOW_MIN_MS : window;
}

/* SPEC ledger 6: "g = min(60 s, max(1 s, w / 10))" */
static uint64_t gap_of(uint64_t window)
{
    uint64_t const tenth = window / 10;
    uint64_t const wide = tenth < GAP_MIN_MS ? GAP_MIN_MS : tenth;
    return wide < GAP_MAX_MS ? wide : GAP_MAX_MS;
}

/* A span of time, and the longest gap between two samples that counts. */
struct span {
    uint64_t from_ms;
    uint64_t to_ms;
    uint64_t gap_ms;
};

/* count adds the last sample for as long as it was in force within the span. */
static void count(struct vm_market_state_row *row, struct span span)
{
    uint64_t const at = row->average_at_ms;
    if (at == 0 || span.to_ms <= at || span.to_ms - at > span.gap_ms) {
        return;
    }
    uint64_t const from = span.from_ms > at ? span.from_ms : at;
    if (span.to_ms <= from) {
        return;
    }
    uint64_t const ms = span.to_ms - from;
    nv_i128 const sum = vm__wide(row->average_sum_hi, row->average_sum_lo) +
                        (nv_i128)vm_money_raw(row->average_last) * (nv_i128)ms;
    row->average_sum_hi = vm__wide_hi(sum);
    row->average_sum_lo = vm__wide_lo(sum);
    row->average_ms += ms;
}

static bool covered(const struct vm_market_state_row *row, uint64_t window)
{
    return row->average_ms >= 1 && row->average_ms * 100 >= window * COVERAGE_PERCENT;
}

/* fresh_sample returns whether the feed's index was accepted in this block. */
static bool fresh_sample(const struct vm_exec *x, const struct vm_market *m, struct vm_money *out)
{
    const struct vm_feed_row *const feed = &vm_feed(x->state, m->listing.feed)->row;
    *out = feed->index;
    return feed->index_ms == x->block->time_ms && vm_money_raw(feed->index) > 0;
}

static void emit_status(struct vm_exec *x, uint32_t market, uint8_t status)
{
    struct vm_event const event = {
        .kind = VM_EVENT_MARKET,
        .market = {.market = market, .status = status, .reason = 0},
    };
    vm_exec_emit(x, &event);
}

static void enter(struct vm_exec *x, uint32_t market, uint8_t status)
{
    struct vm_market_state_row *const row = &vm_market_mut(x->state, market)->row;
    row->status = status;
    row->status_ms = x->block->time_ms;
    emit_status(x, market, status);
}

/* settle_position closes what one account holds at `value` micro per lot. */
static bool
settle_position(struct vm_exec *x, uint32_t account, uint32_t market, struct vm_money value)
{
    uint32_t const position = vm_position_find(x->state, account, market);
    if (position == VM_NONE || vm_lots_raw(vm_position(x->state, position)->row.lots) == 0) {
        return true;
    }
    struct vm_lots const lots = vm_position(x->state, position)->row.lots;
    nv_i128 const net =
        (nv_i128)vm_money_raw(value) - vm_money_raw(vm_market(x->state, market)->row.carry);
    struct booking booking = {.account = account, .market = market, .lots = -vm_lots_raw(lots)};
    if (!nv_narrow_try_i64(net * vm_lots_raw(lots), &booking.amount)) {
        vm_exec_quarantine(x, market, VM_QUARANTINE_OVERFLOW);
        return false;
    }
    int64_t realised = 0;
    if (!vm__ledger_book(x, &booking, &realised)) {
        return false;
    }
    struct vm_event const event = {
        .kind = VM_EVENT_SETTLEMENT,
        .settlement = {.account = vm_account(x->state, account)->id,
                       .market = market,
                       .lots = lots,
                       .value = value,
                       .realised = vm_money(realised)},
    };
    vm_exec_emit(x, &event);
    return true;
}

/* settle closes every position of a market at `value` micro per lot.  What does
 * not fit 64 bits stays, in a market that is quarantined. */
static void settle(struct vm_exec *x, uint32_t market, struct vm_money value)
{
    bool all = true;
    for (uint32_t i = 0; i < vm_account_count(x->state); i++) {
        all = settle_position(x, i, market, value) && all;
    }
    if (!all) {
        return;
    }
    struct vm_market_state_row *const row = &vm_market_mut(x->state, market)->row;
    row->settlement = value;
    row->mark = value;
    row->index_value = value;
    enter(x, market, VM_MARKET_SETTLED);
}

static void settle_by_average(struct vm_exec *x, uint32_t market)
{
    const struct vm_market *const m = vm_market(x->state, market);
    nv_i128 average = 0;
    bool const ok = nv_div_i128(vm__wide(m->row.average_sum_hi, m->row.average_sum_lo),
                                (nv_i128)m->row.average_ms,
                                NV_ROUND_FLOOR,
                                &average);
    NV_ASSERT(ok);
    struct vm_payoff_inputs const inputs = {vm_money(nv_narrow_i64(average))};
    struct nv_view const program = nv_view_of(m->listing.program, m->listing.program_size);
    settle(x, market, vm_payoff_per_lot(program, m->listing.lots_per_unit, &inputs));
}

/* take_sample closes the time of the last sample and begins that of a new one. */
static void take_sample(struct vm_exec *x, uint32_t market, uint64_t from_ms, uint64_t gap_ms)
{
    struct vm_money index;
    if (fresh_sample(x, vm_market(x->state, market), &index)) {
        struct vm_market_state_row *const row = &vm_market_mut(x->state, market)->row;
        count(row, (struct span){from_ms, x->block->time_ms, gap_ms});
        row->average_at_ms = x->block->time_ms;
        row->average_last = index;
    }
}

static void expire(struct vm_exec *x, uint32_t market)
{
    const struct vm_market *const m = vm_market(x->state, market);
    uint64_t const end = m->listing.expires_ms;
    uint64_t const window = window_of(&m->listing);
    uint64_t const gap = gap_of(window);
    uint64_t const begin = end > window ? end - window : 0;
    uint64_t const now = x->block->time_ms;
    if (now + gap < begin) {
        return;
    }
    if (m->row.status == VM_MARKET_OPEN && now < end) {
        take_sample(x, market, begin, gap);
        return;
    }
    if (m->row.status == VM_MARKET_OPEN) {
        count(&vm_market_mut(x->state, market)->row, (struct span){begin, end, gap});
        if (!covered(&m->row, window)) {
            enter(x, market, VM_MARKET_SETTLING);
        }
    }
    if (m->row.status == VM_MARKET_SETTLING) {
        take_sample(x, market, end, gap);
    }
    if (covered(&m->row, window)) {
        settle_by_average(x, market);
    }
}

void vm_clearing_expire(struct vm_exec *x)
{
    uint64_t const rest = (uint64_t)vm_param(x->state, VM_PARAM_QUARANTINE_SETTLE);
    for (uint32_t i = 0; i < vm_market_count(x->state); i++) {
        const struct vm_market *const m = vm_market(x->state, i);
        bool const live = m->row.status == VM_MARKET_OPEN || m->row.status == VM_MARKET_SETTLING;
        if (live && m->listing.expires_ms != 0) {
            expire(x, i);
        } else if (m->row.status == VM_MARKET_QUARANTINED &&
                   x->block->time_ms - m->row.status_ms >= rest) {
            settle(x, i, m->row.mark);
        }
    }
}
