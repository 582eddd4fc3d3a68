#include "vm/explain.h"

#include "vm/machine.h"
#include "vm/margin/margin.h"
#include "vm/state/state.h"

#include "base/pure.h"

_Static_assert(VM_EXPLAIN_NODES == VM_NODES, "one entry a node");

static void copy_terms(struct vm_explained *out, const struct vm_margin_terms *terms)
{
    *out = (struct vm_explained){
        .equity = terms->requirement.equity,
        .initial = terms->requirement.initial,
        .maintenance = terms->requirement.maintenance,
        .core_initial = terms->core_initial,
        .core_maintenance = terms->core_maintenance,
        .contingency_initial = terms->contingency_initial,
        .contingency_maintenance = terms->contingency_maintenance,
        .gross = terms->gross,
        .rounding = terms->rounding,
        .quarantine = terms->quarantine,
        .worst_node = terms->requirement.worst_node,
    };
    for (uint32_t i = 0; i < VM_NODES; i++) {
        out->node_initial[i] = vm_money(terms->losses.node[VM_RANGE_INITIAL][i]);
        out->node_maintenance[i] = vm_money(terms->losses.node[VM_RANGE_MAINTENANCE][i]);
    }
}

bool vm_explain_margin(const struct vm *vm, uint64_t id, bool with_orders, struct vm_explained *out)
{
    const struct vm_state *state = vm->state;
    struct vm_margin_terms terms;
    if (id == 0 || id > vm_account_count(state) ||
        !vm_margin_explain(state, (uint32_t)(id - 1), with_orders, NULL, &terms)) {
        return false;
    }
    copy_terms(out, &terms);
    return true;
}

uint32_t vm_explain_unsafe(
    const struct vm *vm, uint64_t *next, uint32_t scan_max, uint64_t *ids, uint32_t cap)
{
    const struct vm_state *state = vm->state;
    uint32_t const end = vm_account_count(state);
    uint32_t count = 0;
    uint64_t id = *next;
    for (uint32_t i = 0; i < scan_max && id >= 1 && id <= end && count < cap; i++) {
        if (vm_account(state, (uint32_t)(id - 1))->row.stage != VM_STAGE_SAFE) {
            ids[count++] = id;
        }
        id++;
    }
    *next = id <= end ? id : 0;
    return count;
}
