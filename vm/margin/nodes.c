#include "vm/margin/nodes.h"

#include "base/assert.h"
#include "base/int.h"

#include "base/pure.h"

#define CORE_NODES   27u
#define TAIL_NODES   8u
#define VOLATILITIES 3u

/* Quarters of the scan range, by price step. */
static const int32_t steps[CORE_NODES / VOLATILITIES] = {0, 1, -1, 2, -2, 3, -3, 4, -4};

/* Moves of the tail nodes in percent. */
static const int32_t tails[TAIL_NODES] = {-66, -33, 50, 100, 200, 300, 400, 500};

static struct vm_node tail_node(int32_t percent, struct vm_ratio range, struct vm_ratio tail_damp)
{
    int64_t const move = (int64_t)percent * (VM_RATIO_ONE_PPB / 100);
    int64_t const size = move < 0 ? -move : move;
    int64_t weight = 0;
    if (!nv_muldiv_i64(
            vm_ratio_raw(tail_damp), vm_ratio_raw(range), size, NV_ROUND_FLOOR, &weight) ||
        weight > VM_RATIO_ONE_PPB) {
        weight = VM_RATIO_ONE_PPB;
    }
    return (struct vm_node){vm_ratio(move), vm_ratio(weight)};
}

struct vm_node vm_node_at(uint32_t index, struct vm_ratio range, struct vm_ratio tail_damp)
{
    NV_ASSERT(index < VM_NODES);
    if (index < CORE_NODES) {
        int64_t const quarters = steps[index / VOLATILITIES];
        return (struct vm_node){vm_ratio(vm_ratio_raw(range) * quarters / 4),
                                vm_ratio(VM_RATIO_ONE_PPB)};
    }
    if (index < CORE_NODES + TAIL_NODES) {
        return tail_node(tails[index - CORE_NODES], range, tail_damp);
    }
    return (struct vm_node){vm_ratio(0), vm_ratio(0)};
}

struct vm_money vm_node_index(const struct vm_node *node, struct vm_money index)
{
    nv_i128 const factor = (nv_i128)VM_RATIO_ONE_PPB + vm_ratio_raw(node->move);
    nv_i128 const product = (nv_i128)vm_money_raw(index) * factor;
    if (product <= 0) {
        return vm_money(0);
    }
    nv_i128 const moved = product / VM_RATIO_ONE_PPB;
    return vm_money(moved > INT64_MAX ? INT64_MAX : (int64_t)moved);
}
