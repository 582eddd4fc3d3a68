#ifndef NV_VM_MACHINE_H
#define NV_VM_MACHINE_H

/* machine.h - what a struct vm is made of.  Private to vm/ (and tests). */

#include "base/arena.h"

#include "vm/state/state.h"
#include "vm/vm.h"

struct vm {
    struct vm_state *state;
    struct vm_limits limits;
    struct nv_arena arena; /* the block at hand and its result; reset by the next */
    bool ready;            /* filled by genesis or by loading */
};

#endif /* NV_VM_MACHINE_H */
