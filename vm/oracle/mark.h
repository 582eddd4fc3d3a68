#ifndef NV_VM_ORACLE_MARK_H
#define NV_VM_ORACLE_MARK_H

/* mark.h - the mark of a market (docs/spec/oracle.md sections 3 and 4). */

#include "vm/block/exec.h"

/* vm_oracle_mark updates index value, mid, basis and mark of one market from
 * the index of its feed and the book as the last block left it.  A market that
 * is not open, or whose feed never had an index, keeps what it has. */
void vm_oracle_mark(struct vm_exec *x, uint32_t market);

#endif /* NV_VM_ORACLE_MARK_H */
