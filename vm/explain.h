#ifndef NV_VM_EXPLAIN_H
#define NV_VM_EXPLAIN_H

/* explain.h - what the VM would say of an account: its margin with every term,
 * and which accounts protection is at work on.  For those who answer
 * questions; it changes nothing.
 *
 * The numbers are those of the newest executed height and are computed as
 * execution computes them (docs/spec/margin.md).  Pure; the thread that owns
 * the vm, between blocks. */

#include <stdbool.h>
#include <stdint.h>

#include "vm/number/units.h"

struct vm;

#define VM_EXPLAIN_NODES 40u

/* Every term of an account's requirement.  Losses are positive. */
struct vm_explained {
    struct vm_money equity;
    struct vm_money initial;
    struct vm_money maintenance;
    struct vm_money core_initial;
    struct vm_money core_maintenance;
    struct vm_money contingency_initial;
    struct vm_money contingency_maintenance;
    struct vm_money gross;
    struct vm_money rounding;
    struct vm_money quarantine;
    uint8_t worst_node; /* of the maintenance core */
    struct vm_money node_initial[VM_EXPLAIN_NODES];
    struct vm_money node_maintenance[VM_EXPLAIN_NODES];
};

/* vm_explain_margin writes the terms of account `id`, with its open orders at
 * their worst or without them.  False: there is no such account, or a sum
 * leaves 64 bits, and the account counts as failing. */
NV_MUST_USE bool
vm_explain_margin(const struct vm *vm, uint64_t id, bool with_orders, struct vm_explained *out);

/* vm_explain_unsafe writes the ids of accounts whose stage is not safe, in
 * ascending order, looking at accounts from `*next` on (1 at first), at most
 * `scan_max` of them, and returns how many it wrote.  `*next` becomes where to
 * go on, 0 after the last account. */
uint32_t vm_explain_unsafe(
    const struct vm *vm, uint64_t *next, uint32_t scan_max, uint64_t *ids, uint32_t cap);

#endif /* NV_VM_EXPLAIN_H */
