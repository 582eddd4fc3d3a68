/* listing.c - which listings are accepted.  docs/spec/ledger.md section 7. */

#include "base/int.h"

#include "vm/clearing/clearing.h"
#include "vm/payoff/payoff.h"

#include "base/pure.h"

#define SECOND_MS      UINT64_C(1000)
#define DAY_MS         UINT64_C(86400000)
#define ORDER_LOTS_MAX INT64_C(0x7fffffff)

static bool tick_ok(const struct vm_market_row *listing)
{
    int64_t const tick_value = vm_money_raw(listing->tick_value);
    if (listing->lots_per_unit < 1 || tick_value < 1 || listing->tick_micro > INT64_MAX) {
        return false;
    }
    return (nv_i128)tick_value * listing->lots_per_unit == (nv_i128)listing->tick_micro;
}

static bool schedule_ok(const struct vm_market_row *listing)
{
    uint64_t const window = listing->settle_window_ms;
    uint64_t const funding = listing->funding_interval_ms;
    bool const window_ok = listing->expires_ms == 0 ? window == 0
                                                    : window >= SECOND_MS && window <= DAY_MS &&
                                                          window <= listing->expires_ms;
    return window_ok && (funding == 0 || (funding >= SECOND_MS && funding <= 7 * DAY_MS));
}

static bool limits_ok(const struct vm_market_row *listing)
{
    int64_t const order_max = vm_lots_raw(listing->order_lots_max);
    return order_max >= 1 && order_max <= ORDER_LOTS_MAX &&
           vm_lots_raw(listing->open_interest_max) >= 1;
}

bool vm_clearing_listing_ok(const struct vm_market_row *listing)
{
    uint32_t at = 0;
    if (listing->program_size > VM_PROGRAM_SIZE_MAX) {
        return false;
    }
    struct nv_view const program = nv_view_of(listing->program, listing->program_size);
    return tick_ok(listing) && schedule_ok(listing) && limits_ok(listing) &&
           vm_payoff_check(program, &at) == VM_PAYOFF_OK;
}
