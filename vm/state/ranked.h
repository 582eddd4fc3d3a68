#ifndef NV_VM_STATE_RANKED_H
#define NV_VM_STATE_RANKED_H

/* ranked.h - sorting indices by a 64-bit rank: the write set's inner loop.
 * Private to vm/state.  Pure. */

#include <stdint.h>

struct vm_ranked {
    uint64_t rank;
    uint32_t index;
};

/* vm_ranked_sort sorts by ascending rank, equal ranks in the order they came.
 * `scratch` holds as many again. */
void vm_ranked_sort(struct vm_ranked *items, struct vm_ranked *scratch, uint32_t count);

#endif /* NV_VM_STATE_RANKED_H */
