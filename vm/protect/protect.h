#ifndef NV_VM_PROTECT_PROTECT_H
#define NV_VM_PROTECT_PROTECT_H

/* protect.h - what happens to an account below maintenance, by timetable:
 * found in open, orders cancelled in cancel, closes placed in place, matched in
 * the same block; what remains advances in protect: insurance, deleveraging.
 * docs/spec/protection.md. */

#include "vm/block/exec.h"

void vm_protect_find(struct vm_exec *x);   /* open: fills x->unsafe */
void vm_protect_cancel(struct vm_exec *x); /* cancel: risk-increasing orders of unsafe accounts */
void vm_protect_keepers(
    struct vm_exec *x); /* place: judges the block's keeper plans, sets outcomes */
void vm_protect_place(struct vm_exec *x);   /* place: protective orders */
void vm_protect_advance(struct vm_exec *x); /* protect: stages, fees, insurance, deleveraging */

#endif /* NV_VM_PROTECT_PROTECT_H */
