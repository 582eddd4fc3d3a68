#ifndef NV_VM_MARGIN_CUSHION_H
#define NV_VM_MARGIN_CUSHION_H

/* cushion.h - bounds between two looks at an account.  Private to vm/margin.
 *
 * A requirement is made of maxima and sums over a market's vector, mark and
 * orders, so one more lot raises it by at most the market's lot bound, and a
 * change of mark, carry or vector by at most that change times the lots.  The
 * clock counts, block by block, the greatest such change over all markets per
 * unit of exposure (design: the loss clock).  docs/spec/margin.md section 8. */

#include "vm/state/state.h"

/* vm__margin_cushion computes an account's cushion as it stands; false when it
 * cannot have one. */
NV_MUST_USE bool vm__margin_cushion(const struct vm_state *s,
                                    uint32_t account,
                                    bool with_orders,
                                    struct vm_cushion *out);

/* vm__cushion_moved notes how far a market's vector has moved by a rebuild. */
void vm__cushion_moved(struct vm_market *market, const struct vm_risk *before);

/* vm__cushion_clock counts what markets have moved since it was last called. */
void vm__cushion_clock(struct vm_state *s);

/* vm__cushion_restart sets what is derived for one market, and forgets all. */
void vm__cushion_restart(struct vm_state *s, uint32_t market);

#endif /* NV_VM_MARGIN_CUSHION_H */
