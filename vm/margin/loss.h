#ifndef NV_VM_MARGIN_LOSS_H
#define NV_VM_MARGIN_LOSS_H

/* loss.h - losses in each scenario node.  Private to vm/margin.
 * docs/spec/margin.md section 4. */

#include "vm/margin/legs.h"

/* vm__losses_of_feed writes the losses of all legs in scenarios whose market is of
 * the feed.  No sum overflows: vm__legs_sums has bounded them. */
void vm__losses_of_feed(const struct margin_legs *legs,
                        uint32_t feed,
                        struct vm_margin_losses *out);

#endif /* NV_VM_MARGIN_LOSS_H */
