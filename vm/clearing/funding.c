/* funding.c - the carry of markets with a funding interval.
 * docs/spec/ledger.md section 5. */

#include "base/assert.h"

#include "vm/clearing/clearing.h"
#include "vm/clearing/ledger.h"
#include "vm/params.h"

#include "base/pure.h"

#define BLOCK_MS_MAX 60000u /* time that one block may add */

/* premium_now is the premium in force from this block on: micro per lot. */
static int64_t premium_now(const struct vm_exec *x, const struct vm_market *market)
{
    const struct vm_feed *const feed = vm_feed(x->state, market->listing.feed);
    nv_i128 const premium =
        (nv_i128)vm_money_raw(market->row.mark) - vm_money_raw(market->row.index_value);
    int64_t narrow = 0;
    bool const counts = feed->row.fresh != 0 && nv_narrow_try_i64(premium, &narrow);
    return counts ? narrow : 0;
}

static nv_i128 premium_sum(const struct vm_market_state_row *row)
{
    return vm__wide(row->premium_sum_hi, row->premium_sum_lo);
}

static void premium_sum_set(struct vm_market_state_row *row, nv_i128 sum)
{
    row->premium_sum_hi = vm__wide_hi(sum);
    row->premium_sum_lo = vm__wide_lo(sum);
}

/* carry_delta is what a long lot pays for the interval that ends now. */
static int64_t carry_delta(const struct vm_exec *x, const struct vm_market_state_row *row)
{
    nv_i128 delta = 0;
    nv_i128 cap = 0;
    nv_i128 const index_size = nv_magnitude_i64(vm_money_raw(row->index_value));
    nv_i128 const period = vm_param(x->state, VM_PARAM_FUNDING_PERIOD);
    nv_i128 const rate = vm_param(x->state, VM_PARAM_FUNDING_CAP);
    bool const ok = nv_div_i128(premium_sum(row), period, NV_ROUND_FLOOR, &delta) &&
                    nv_div_i128(index_size * rate, VM_RATIO_ONE_PPB, NV_ROUND_FLOOR, &cap);
    NV_ASSERT(ok);
    delta = delta > cap ? cap : delta;
    delta = delta < -cap ? -cap : delta;
    return nv_narrow_i64(delta); /* |delta| <= |index value| × at most 10 % */
}

static struct vm_ratio rate_of(int64_t delta, struct vm_money index_value)
{
    int64_t const whole = vm_money_raw(index_value);
    int64_t rate = 0;
    bool const ok = nv_muldiv_i64(delta, VM_RATIO_ONE_PPB, whole, NV_ROUND_FLOOR, &rate);
    return vm_ratio(ok ? rate : 0);
}

/* pay ends an interval. */
static void pay(struct vm_exec *x, uint32_t market)
{
    struct vm_market_state_row *const row = &vm_market_mut(x->state, market)->row;
    int64_t const delta = carry_delta(x, row);
    premium_sum_set(row, 0);
    if (!vm_money_add(row->carry, vm_money(delta), &row->carry)) {
        vm_exec_quarantine(x, market, VM_QUARANTINE_OVERFLOW);
        return;
    }
    struct vm_event const event = {
        .kind = VM_EVENT_FUNDING,
        .funding = {.market = market,
                    .carry_delta = vm_money(delta),
                    .rate = rate_of(delta, row->index_value)},
    };
    vm_exec_emit(x, &event);
}

static void advance(struct vm_exec *x, uint32_t market)
{
    struct vm_market *const m = vm_market_mut(x->state, market);
    struct vm_market_state_row *const row = &m->row;
    uint64_t const now_ms = x->block->time_ms;
    uint64_t const interval_ms = m->listing.funding_interval_ms;
    bool const begun = row->funding_next_ms != 0;
    if (begun) {
        uint64_t const passed = now_ms - row->premium_at_ms;
        uint64_t const counted = passed < BLOCK_MS_MAX ? passed : BLOCK_MS_MAX;
        premium_sum_set(row,
                        premium_sum(row) + (nv_i128)vm_money_raw(row->premium) * (int64_t)counted);
    }
    if (begun && now_ms >= row->funding_next_ms) {
        pay(x, market);
    }
    if (!begun || now_ms >= row->funding_next_ms) {
        row->funding_next_ms = (now_ms / interval_ms + 1) * interval_ms;
    }
    row->premium_at_ms = now_ms;
    row->premium = vm_money(premium_now(x, m));
}

void vm_clearing_funding(struct vm_exec *x)
{
    for (uint32_t i = 0; i < vm_market_count(x->state); i++) {
        const struct vm_market *const m = vm_market(x->state, i);
        if (m->listing.funding_interval_ms != 0 && m->row.status == VM_MARKET_OPEN) {
            advance(x, i);
        }
    }
}
