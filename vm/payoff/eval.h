#ifndef NV_VM_PAYOFF_EVAL_H
#define NV_VM_PAYOFF_EVAL_H

/* eval.h - what the two evaluators share.  Private to vm/payoff. */

#include "base/int.h"

#include "vm/number/units.h"
#include "vm/payoff/program.h"

/* vm__payoff_input clamps a settlement price to the range the check proved. */
int64_t vm__payoff_input(struct vm_money settle);

/* vm__payoff_floor is floor(product / divisor), for a quotient that the check
 * bounded.  Most products fit 64 bits, where division is five times cheaper. */
static inline int64_t vm__payoff_floor(nv_i128 product, int64_t divisor)
{
    if (product == (int64_t)product) {
        int64_t const narrow = (int64_t)product;
        int64_t const quotient = narrow / divisor;
        return quotient - (narrow % divisor != 0 && (narrow < 0) != (divisor < 0));
    }
    nv_i128 const quotient = product / divisor;
    return (int64_t)(quotient - (product % divisor != 0 && (product < 0) != (divisor < 0)));
}

static inline int64_t vm__payoff_mulr(int64_t a, int64_t b)
{
    return vm__payoff_floor((nv_i128)a * b, PAYOFF_RATIO_ONE);
}

static inline int64_t vm__payoff_div(int64_t a, int64_t b)
{
    return vm__payoff_floor((nv_i128)a * PAYOFF_RATIO_ONE, b);
}

#endif /* NV_VM_PAYOFF_EVAL_H */
