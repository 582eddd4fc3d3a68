#ifndef NV_VM_MARGIN_MARGIN_H
#define NV_VM_MARGIN_MARGIN_H

/* margin.h - risk is a vector.
 *
 * Per instrument and block one vector: the change of value of one lot in each
 * of 40 scenario nodes.  An account's requirement is the worst entry of the sum
 * of its positions times their vectors, open orders counted as if the worse
 * side filled.  docs/spec/margin.md. */

#include "vm/block/exec.h"

struct vm_requirement {
    struct vm_money equity;
    struct vm_money initial;
    struct vm_money maintenance;
    uint8_t worst_node; /* of the maintenance core */
};

/* What-if: a trade or an order assumed on top of the state. */
struct vm_margin_extra {
    uint32_t market;
    struct vm_lots lots; /* signed order quantity joining the open orders */
    struct vm_price price;
};

/* vm_margin_refresh rebuilds the risk vectors whose inputs moved past their
 * threshold; called in open after marks, and by vm_load_end for all. */
void vm_margin_refresh(struct vm_exec *x);
void vm_margin_rebuild(struct vm_state *s, uint32_t market);

/* vm_margin_account computes equity and both requirements; `with_orders` counts
 * open orders at their worst; `extra` may be NULL.  False when a sum leaves
 * 64 bits: the caller treats the account as failing. */
NV_MUST_USE bool vm_margin_account(const struct vm_state *s,
                                   uint32_t account,
                                   bool with_orders,
                                   const struct vm_margin_extra *extra,
                                   struct vm_requirement *out);

/* Every term of the requirement, for risk_margin and for clients that recompute it. */
struct vm_margin_terms {
    struct vm_requirement requirement;
    struct vm_money core_initial, core_maintenance;
    struct vm_money contingency_initial, contingency_maintenance;
    struct vm_money quarantine;
    struct vm_money node_initial[VM_NODES]; /* Σ over underlyings, loss positive */
    struct vm_money node_maintenance[VM_NODES];
};
NV_MUST_USE bool
vm_margin_explain(const struct vm_state *s, uint32_t account, struct vm_margin_terms *out);

/* vm_market_fresh: the index of the market is fresh enough for an action (param *_AGE). */
bool vm_margin_index_age_ok(const struct vm_exec *x, uint32_t market, uint16_t age_param);

#endif /* NV_VM_MARGIN_MARGIN_H */
