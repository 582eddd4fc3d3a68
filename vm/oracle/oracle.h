#ifndef NV_VM_ORACLE_ORACLE_H
#define NV_VM_ORACLE_ORACLE_H

/* oracle.h - reports become an index, the index becomes marks.
 * docs/spec/oracle.md. */

#include "vm/block/exec.h"

/* Phase open: takes the block's reports (sets their outcomes), computes each
 * feed's stake-weighted median over the fresh reports if they hold more than two thirds of the
 * stake, applies the step rule, updates marks, averages and mid of each market. */
void vm_oracle_open(struct vm_exec *x);

/* Phase close of execution feeds the mark: called by match for each auction
 * that traded, and for the resting mid after it. */
void vm_oracle_traded(struct vm_exec *x,
                      uint32_t market,
                      struct vm_price price,
                      struct vm_lots lots);

#endif /* NV_VM_ORACLE_ORACLE_H */
