#include "vm/clearing/ledger.h"

#include "base/assert.h"

#include "vm/clearing/clearing.h"
#include "vm/params.h"

#include "base/pure.h"

static nv_i128 magnitude(int64_t a)
{
    return a < 0 ? -(nv_i128)a : a;
}

/* A trade that takes the position through zero: all of it is closed, the rest
 * of the trade opens. */
static bool change_through_zero(
    int64_t held, int64_t cost, int64_t lots, int64_t amount, struct ledger_change *out)
{
    nv_i128 closing = 0;
    bool const ok =
        nv_div_i128((nv_i128)amount * magnitude(held), magnitude(lots), NV_ROUND_FLOOR, &closing);
    NV_ASSERT(ok);
    /* SPEC ledger 3: "realised = C + closing; cost becomes amount - closing" */
    return nv_narrow_try_i64((nv_i128)cost + closing, &out->realised) &&
           nv_narrow_try_i64((nv_i128)amount - closing - cost, &out->cost);
}

bool vm__ledger_change(const struct vm_position_row *before,
                       int64_t lots,
                       int64_t amount,
                       struct ledger_change *out)
{
    int64_t const held = vm_lots_raw(before->lots);
    int64_t const cost = vm_money_raw(before->cost);
    if (held == 0 || lots == 0 || (held > 0) == (lots > 0)) {
        *out = (struct ledger_change){.cost = amount, .realised = 0};
        return true;
    }
    if (magnitude(lots) > magnitude(held)) {
        return change_through_zero(held, cost, lots, amount, out);
    }
    /* SPEC ledger 3: "released = floor(C × |t| / |L|)" */
    nv_i128 released = 0;
    bool const ok =
        nv_div_i128((nv_i128)cost * magnitude(lots), magnitude(held), NV_ROUND_FLOOR, &released);
    NV_ASSERT(ok);
    return nv_narrow_try_i64(released + amount, &out->realised) &&
           nv_narrow_try_i64(-released, &out->cost);
}

bool vm__ledger_fee(int64_t value, int64_t rate_ppb, int64_t *out)
{
    /* SPEC ledger 4: "costs ceil(v × rate / 10^9)" */
    nv_i128 fee = 0;
    bool const ok = nv_div_i128(magnitude(value) * rate_ppb, VM_RATIO_ONE_PPB, NV_ROUND_CEIL, &fee);
    return ok && nv_narrow_try_i64(fee, out);
}

/* take_back undoes a change of a position and of the market's realised. */
static void
take_back(struct vm_exec *x, uint32_t position, int64_t lots, struct ledger_change change)
{
    bool const back = vm_position_add(x->state, position, vm_lots(-lots), vm_money(-change.cost));
    NV_ASSERT(back);
}

/* book_change applies a change that was computed; all of it or nothing. */
static bool book_change(struct vm_exec *x,
                        const struct booking *b,
                        uint32_t position,
                        struct ledger_change change)
{
    struct vm_state *const s = x->state;
    int64_t cash = 0;
    if (change.cost == INT64_MIN || b->lots == INT64_MIN || change.realised == INT64_MIN ||
        !nv_sub_i64(change.realised, b->fee, &cash) ||
        !vm_position_add(s, position, vm_lots(b->lots), vm_money(change.cost))) {
        return false;
    }
    if (change.realised != 0 && !vm_realised_add(s, b->market, vm_money(change.realised))) {
        take_back(x, position, b->lots, change);
        return false;
    }
    if (cash != 0 && !vm_cash_add(s, b->account, vm_money(cash))) {
        bool const back =
            change.realised == 0 || vm_realised_add(s, b->market, vm_money(-change.realised));
        NV_ASSERT(back);
        take_back(x, position, b->lots, change);
        return false;
    }
    if (b->fee != 0) {
        vm_exec_fee(x, vm_money(b->fee));
    }
    return true;
}

bool vm__ledger_book(struct vm_exec *x, const struct booking *b, int64_t *realised_out)
{
    struct ledger_change change;
    uint32_t const position = vm_position_open(x->state, b->account, b->market);
    if (position == VM_NONE ||
        !vm__ledger_change(&vm_position(x->state, position)->row, b->lots, b->amount, &change) ||
        !book_change(x, b, position, change)) {
        vm_exec_quarantine(x, b->market, VM_QUARANTINE_OVERFLOW);
        return false;
    }
    *realised_out = change.realised;
    return true;
}

static int64_t fee_rate(const struct vm_state *s, const struct vm_trade *trade)
{
    if (trade->fee_free) {
        return 0;
    }
    return vm_param(s, trade->maker ? VM_PARAM_MAKER_FEE : VM_PARAM_TAKER_FEE);
}

/* booking_of turns a trade at a price into what is booked. */
static bool booking_of(const struct vm_state *s, const struct vm_trade *trade, struct booking *b)
{
    const struct vm_market *const market = vm_market(s, trade->market);
    struct vm_money per_lot;
    struct vm_money value;
    if (!vm_value_of(trade->price, market->listing.tick_value, &per_lot) ||
        !vm_money_times(per_lot, trade->lots, &value)) {
        return false;
    }
    b->account = trade->account;
    b->market = trade->market;
    b->lots = vm_lots_raw(trade->lots);
    /* SPEC ledger 3: "amount = -t × (price × tick_value - carry)" */
    nv_i128 const net = (nv_i128)vm_money_raw(per_lot) - vm_money_raw(market->row.carry);
    return nv_narrow_try_i64(-net * b->lots, &b->amount) &&
           vm__ledger_fee(vm_money_raw(value), fee_rate(s, trade), &b->fee);
}

void vm_clearing_trade(struct vm_exec *x, const struct vm_trade *trade)
{
    struct booking booking;
    int64_t realised = 0;
    if (!booking_of(x->state, trade, &booking)) {
        vm_exec_quarantine(x, trade->market, VM_QUARANTINE_OVERFLOW);
        return;
    }
    if (!vm__ledger_book(x, &booking, &realised)) {
        return;
    }
    bool const buys = booking.lots > 0;
    struct vm_event const event = {
        .kind = VM_EVENT_FILL,
        .fill = {.account = vm_account(x->state, trade->account)->id,
                 .market = trade->market,
                 .order = trade->order,
                 .side = buys ? VM_BUY : VM_SELL,
                 .maker = trade->maker,
                 .price = trade->price,
                 .lots = vm_lots(buys ? booking.lots : -booking.lots),
                 .fee = vm_money(booking.fee),
                 .realised = vm_money(realised)},
    };
    vm_exec_emit(x, &event);
}

void vm_clearing_trade_at(struct vm_exec *x,
                          uint32_t account,
                          uint32_t market,
                          struct vm_lots lots,
                          struct vm_money amount)
{
    struct booking const booking = {.account = account,
                                    .market = market,
                                    .lots = vm_lots_raw(lots),
                                    .amount = vm_money_raw(amount),
                                    .fee = 0};
    int64_t realised = 0;
    (void)vm__ledger_book(x, &booking, &realised);
}
