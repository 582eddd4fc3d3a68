#ifndef NV_VM_PROTECT_CLOCK_H
#define NV_VM_PROTECT_CLOCK_H

/* clock.h - the loss clock: how much a block's changes may have cost.
 *
 * Per market the loss of one lot since the last block is at most
 *
 *     |Δ mark| + |Δ carry| + max over nodes |Δ risk| + the contingency on |Δ mark|
 *
 * in equity and maintenance together. Divided by a reference value of the lot,
 * which never changes while the process runs, the greatest of it over all
 * markets is how far the clock advances. It only says whom to look at: the
 * reference may be anything positive without changing what is found. */

#include "vm/margin/margin.h"

/* vm_clock_run advances the clock by what the open phase changed; after marks,
 * funding and risk vectors, before accounts are looked at. */
void vm_clock_run(struct vm_exec *x);

/* vm_clock_safe returns whether an account cannot have become unsafe since it
 * was last margined. */
bool vm_clock_safe(const struct vm_state *s, uint32_t account);

/* vm_clock_note remembers that an account was found safe with these figures. */
void vm_clock_note(struct vm_state *s, uint32_t account, const struct vm_requirement *r);

#endif /* NV_VM_PROTECT_CLOCK_H */
