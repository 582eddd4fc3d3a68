#ifndef NV_VM_CLEARING_CLEARING_H
#define NV_VM_CLEARING_CLEARING_H

/* clearing.h - what everyone then owns and owes: the ledger of cash, lots, cost.
 *
 * Every fill, of whatever product, moves lots and cost; reducing moves
 * floor(cost × closed / lots) plus the proceeds from cost to cash and counts it
 * in the market's `realised`.  Funding moves the market's carry, and positions
 * are kept net of it: value = lots × (mark - carry) + cost, so Σ cost + realised
 * = 0 holds to the last micro without touching a position.  docs/spec/ledger.md. */

#include "vm/block/exec.h"

/* A trade of one side, already decided.  lots signed: buy > 0. */
struct vm_trade {
    uint32_t account;
    uint32_t market;
    struct vm_lots lots;
    struct vm_price price;
    uint64_t order; /* handle for the event, 0 none */
    bool maker;
    bool fee_free;
};

/* vm_clearing_trade books one side of a fill: lots, cost, realised, fee, event.
 * It never rejects; an impossible amount quarantines the market. Both sides of
 * a fill are booked at one price, so the market's sums stay zero. */
void vm_clearing_trade(struct vm_exec *x, const struct vm_trade *trade);

/* vm_clearing_trade_at books lots against an amount that need not be a whole
 * price (deleveraging): the account gets `lots` and is paid `amount` for them,
 * negative when it pays, net of the carry.  At a price it would be
 * -lots × (price × tick_value - carry).  The amounts of all sides add up to 0.
 * No fee, no event. */
void vm_clearing_trade_at(struct vm_exec *x,
                          uint32_t account,
                          uint32_t market,
                          struct vm_lots lots,
                          struct vm_money amount);

/* Phase open, in this order after the oracle: funding, then expiries. */
void vm_clearing_funding(struct vm_exec *x);
void vm_clearing_expire(struct vm_exec *x);

/* vm_clearing_listing_ok returns whether a listing keeps the rules of
 * docs/spec/ledger.md section 7, its program included. */
NV_MUST_USE bool vm_clearing_listing_ok(const struct vm_market_row *listing);

#endif /* NV_VM_CLEARING_CLEARING_H */
