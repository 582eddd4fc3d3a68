#ifndef NV_VM_MARGIN_SHARE_H
#define NV_VM_MARGIN_SHARE_H

/* share.h - shares, rounded against the account.  Private to vm/margin. */

#include "vm/number/units.h"

/* vm__share_up is ceil(value × ppb / 1e9) for value and ppb >= 0.  A look at an
 * account takes several; where whole and remainder have 64 bits each, which is
 * about always, dividing them by a constant is multiplying. */
static inline nv_i128 vm__share_up(nv_i128 value, int64_t ppb)
{
    uint64_t const one = VM_RATIO_ONE_PPB;
    if (value > INT64_MAX || ppb > (INT64_C(1) << 33)) {
        return (value * ppb + VM_RATIO_ONE_PPB - 1) / VM_RATIO_ONE_PPB;
    }
    uint64_t const whole = (uint64_t)value / one;
    uint64_t const rest = (uint64_t)value % one; /* × ppb is below 2^63 */
    return (nv_i128)whole * ppb + (nv_i128)((rest * (uint64_t)ppb + one - 1) / one);
}

#endif /* NV_VM_MARGIN_SHARE_H */
