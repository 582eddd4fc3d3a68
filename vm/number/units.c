#include "vm/number/units.h"

#include "base/pure.h"

bool vm_money_add(struct vm_money a, struct vm_money b, struct vm_money *out)
{
    return nv_add_i64(a.micro, b.micro, &out->micro);
}

bool vm_money_sub(struct vm_money a, struct vm_money b, struct vm_money *out)
{
    return nv_sub_i64(a.micro, b.micro, &out->micro);
}

bool vm_lots_add(struct vm_lots a, struct vm_lots b, struct vm_lots *out)
{
    return nv_add_i64(a.lots, b.lots, &out->lots);
}

bool vm_shares_add(struct vm_shares a, struct vm_shares b, struct vm_shares *out)
{
    return nv_add_i64(a.parts, b.parts, &out->parts);
}

bool vm_value_of(struct vm_price price, struct vm_money tick_value, struct vm_money *per_lot_out)
{
    return nv_mul_i64(price.ticks, tick_value.micro, &per_lot_out->micro);
}

bool vm_money_times(struct vm_money per_lot, struct vm_lots lots, struct vm_money *out)
{
    return nv_mul_i64(per_lot.micro, lots.lots, &out->micro);
}

bool vm_money_share(struct vm_money whole,
                    struct vm_ratio share,
                    enum nv_round round,
                    struct vm_money *out)
{
    return nv_muldiv_i64(whole.micro, share.ppb, VM_RATIO_ONE_PPB, round, &out->micro);
}
