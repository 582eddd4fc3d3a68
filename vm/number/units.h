#ifndef NV_VM_NUMBER_UNITS_H
#define NV_VM_NUMBER_UNITS_H

/* units.h - the quantities of the settlement VM, each a type of its own.
 *
 * Adding a price to a size does not compile.  Raw integers go in and out only
 * through the constructors and vm_*_raw functions below (codecs, tests), and
 * `make lint` refuses a field access outside vm/number.
 *
 *   money   int64, micro-units (1e-6) of the settlement currency
 *   price   int64, ticks of one market
 *   lots    int64, signed; long is positive
 *   ratio   int64, parts per billion (1e-9): ranges, shares, rates
 *   shares  int64, parts of a pool of stake
 *
 * Every operation that can overflow returns false and leaves the output alone;
 * widening products go through 128 bits.  A rounding direction is always named.
 * Implements docs/spec/ledger.md section 1. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/int.h"

struct vm_money {
    int64_t micro;
};
struct vm_price {
    int64_t ticks;
};
struct vm_lots {
    int64_t lots;
};
struct vm_ratio {
    int64_t ppb;
};
struct vm_shares {
    int64_t parts;
};

#define VM_RATIO_ONE_PPB 1000000000

static inline struct vm_money vm_money(int64_t micro)
{
    return (struct vm_money){micro};
}
static inline struct vm_price vm_price(int64_t ticks)
{
    return (struct vm_price){ticks};
}
static inline struct vm_lots vm_lots(int64_t lots)
{
    return (struct vm_lots){lots};
}
static inline struct vm_ratio vm_ratio(int64_t ppb)
{
    return (struct vm_ratio){ppb};
}
static inline struct vm_shares vm_shares(int64_t parts)
{
    return (struct vm_shares){parts};
}
static inline int64_t vm_money_raw(struct vm_money m)
{
    return m.micro;
}
static inline int64_t vm_price_raw(struct vm_price p)
{
    return p.ticks;
}
static inline int64_t vm_lots_raw(struct vm_lots l)
{
    return l.lots;
}
static inline int64_t vm_ratio_raw(struct vm_ratio r)
{
    return r.ppb;
}
static inline int64_t vm_shares_raw(struct vm_shares s)
{
    return s.parts;
}

/* vm_money_add, vm_money_sub: *out = a ± b, or false on overflow. */
NV_MUST_USE bool vm_money_add(struct vm_money a, struct vm_money b, struct vm_money *out);
NV_MUST_USE bool vm_money_sub(struct vm_money a, struct vm_money b, struct vm_money *out);

/* vm_lots_add: *out = a + b, or false on overflow. */
NV_MUST_USE bool vm_lots_add(struct vm_lots a, struct vm_lots b, struct vm_lots *out);

/* vm_shares_add: *out = a + b, or false on overflow. */
NV_MUST_USE bool vm_shares_add(struct vm_shares a, struct vm_shares b, struct vm_shares *out);

/* vm_value_of is price × tick_value: micro per lot at a price.  Exact. */
NV_MUST_USE bool
vm_value_of(struct vm_price price, struct vm_money tick_value, struct vm_money *per_lot_out);

/* vm_money_times is value per lot × lots.  Exact; false beyond int64. */
NV_MUST_USE bool vm_money_times(struct vm_money per_lot, struct vm_lots lots, struct vm_money *out);

/* vm_money_share is money × ratio / 1e9, rounded as named. */
NV_MUST_USE bool vm_money_share(struct vm_money whole,
                                struct vm_ratio share,
                                enum nv_round round,
                                struct vm_money *out);

#endif /* NV_VM_NUMBER_UNITS_H */
