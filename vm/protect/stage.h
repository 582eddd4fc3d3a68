#ifndef NV_VM_PROTECT_STAGE_H
#define NV_VM_PROTECT_STAGE_H

/* stage.h - an account's stage of protection, and deleveraging. */

#include "vm/block/exec.h"

/* vm_stage_enter sets the stage and the height at which it began, and tells it. */
void vm_stage_enter(struct vm_exec *x,
                    uint32_t account,
                    uint8_t stage,
                    struct vm_money equity,
                    struct vm_money maintenance);

/* vm_deleverage runs docs/spec/protection.md section 6 over every market. */
void vm_deleverage(struct vm_exec *x);

#endif /* NV_VM_PROTECT_STAGE_H */
