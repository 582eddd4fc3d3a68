#ifndef NV_VM_CLEARING_LEDGER_H
#define NV_VM_CLEARING_LEDGER_H

/* ledger.h - what a trade does to one position.  Private to vm/clearing.
 *
 * docs/spec/ledger.md section 3, over plain numbers. */

#include <stdbool.h>
#include <stdint.h>

#include "base/int.h"

#include "vm/block/exec.h"

/* What a trade changes.  cost + realised = the trade's amount, always. */
struct ledger_change {
    int64_t cost;
    int64_t realised;
};

/* vm__ledger_change computes the change that `lots` against `amount` make to a
 * position.  False when a number does not fit 64 bits. */
NV_MUST_USE bool vm__ledger_change(const struct vm_position_row *before,
                                   int64_t lots,
                                   int64_t amount,
                                   struct ledger_change *out);

/* vm__ledger_fee is ceil(|value| × rate / 1e9): micro. */
NV_MUST_USE bool vm__ledger_fee(int64_t value, int64_t rate_ppb, int64_t *out);

/* What is booked for one account. */
struct booking {
    uint32_t account; /* slab index */
    uint32_t market;
    int64_t lots;
    int64_t amount;
    int64_t fee; /* >= 0 */
};

/* vm__ledger_book books all of it or, when something does not fit, nothing: then
 * it quarantines the market and returns false. */
bool vm__ledger_book(struct vm_exec *x, const struct booking *b, int64_t *realised_out);

/* A sum of 128 bits as rows keep it. */
static inline nv_i128 vm__wide(int64_t hi, uint64_t lo)
{
    return (nv_i128)((nv_u128)(uint64_t)hi << 64 | lo);
}
static inline int64_t vm__wide_hi(nv_i128 sum)
{
    return (int64_t)(uint64_t)((nv_u128)sum >> 64);
}
static inline uint64_t vm__wide_lo(nv_i128 sum)
{
    return (uint64_t)(nv_u128)sum;
}

#endif /* NV_VM_CLEARING_LEDGER_H */
