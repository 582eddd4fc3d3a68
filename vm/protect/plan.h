#ifndef NV_VM_PROTECT_PLAN_H
#define NV_VM_PROTECT_PLAN_H

/* plan.h - which lots of an unsafe account to close (docs/spec/protection.md
 * section 3). */

#include "vm/margin/margin.h"

struct vm_plan {
    uint32_t count;
    struct vm_margin_close close[VM_POSITIONS_MAX]; /* lots > 0, each market once */
    struct vm_lots before[VM_POSITIONS_MAX];        /* lots held when the plan was placed */
    struct vm_money value;                          /* closed, at the mark */
    bool reaches;                                   /* the target, costs counted */
};

/* vm_plan_greedy makes the protocol's own plan.  `limited`: large legs only
 * up to CLOSE_SHARE. */
void vm_plan_greedy(struct vm_exec *x, uint32_t account, bool limited, struct vm_plan *out);

/* vm_plan_of_keeper reads a keeper's plan; false when it is not admissible
 * in itself (markets, lots held, target). */
NV_MUST_USE bool vm_plan_of_keeper(struct vm_exec *x,
                                   uint32_t account,
                                   const struct vm_keeper_close *keeper,
                                   struct vm_plan *out);

/* vm_plan_target_met returns whether equity >= TARGET × maintenance. */
bool vm_plan_target_met(const struct vm_state *s, const struct vm_requirement *requirement);

/* vm_plan_position_value is |lots| × |mark|: micro, at most INT64_MAX. */
struct vm_money
vm_plan_position_value(const struct vm_state *s, uint32_t market, struct vm_lots lots);

#endif /* NV_VM_PROTECT_PLAN_H */
