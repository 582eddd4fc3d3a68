#ifndef NV_VM_MARGIN_NODES_H
#define NV_VM_MARGIN_NODES_H

/* nodes.h - the scenario grid (docs/spec/margin.md section 1). */

#include "vm/number/units.h"
#include "vm/state/state.h"

/* A scenario: the index moves by `move`, the loss counts with `weight`. */
struct vm_node {
    struct vm_ratio move;
    struct vm_ratio weight; /* in [0, 1] */
};

/* vm_node_at returns node `index` (below VM_NODES) for a scan range.
 * `tail_damp` is the parameter TAIL_DAMP. */
struct vm_node vm_node_at(uint32_t index, struct vm_ratio range, struct vm_ratio tail_damp);

/* vm_node_index returns the index at a node: max(0, floor(index × (1 + move))),
 * or the largest money when that leaves 64 bits. */
struct vm_money vm_node_index(const struct vm_node *node, struct vm_money index);

#endif /* NV_VM_MARGIN_NODES_H */
