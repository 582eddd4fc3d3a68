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

/* vm_margin_refresh rebuilds the risk vectors of markets whose index has moved
 * since they were built; called in open after the oracle.  It notes the index
 * in the market's row. */
void vm_margin_refresh(struct vm_exec *x);

/* vm_margin_rebuild makes a market's vectors from the inputs that its row
 * names; called by vm_load_end for every market. */
void vm_margin_rebuild(struct vm_state *s, uint32_t market);

/* vm_margin_account computes equity and both requirements; `with_orders` counts
 * open orders at their worst; `extra` may be NULL.  False when a sum leaves
 * 64 bits: the caller treats the account as failing. */
NV_MUST_USE bool vm_margin_account(const struct vm_state *s,
                                   uint32_t account,
                                   bool with_orders,
                                   const struct vm_margin_extra *extra,
                                   struct vm_requirement *out);

/* Loss per node under the two ranges, micro. */
struct vm_margin_losses {
    int64_t node[VM_RANGES][VM_NODES];
};

/* Every term of the requirement, for risk_margin and for clients that
 * recompute it.  Losses are positive. */
struct vm_margin_terms {
    struct vm_requirement requirement;
    struct vm_money core_initial;
    struct vm_money core_maintenance;
    struct vm_money contingency_initial;
    struct vm_money contingency_maintenance;
    struct vm_money gross;          /* G: value of the positions, orders at their worst */
    struct vm_money rounding;       /* E */
    struct vm_money quarantine;     /* Q */
    struct vm_margin_losses losses; /* Σ over underlyings */
};

/* vm_margin_explain is vm_margin_account with all its terms. */
NV_MUST_USE bool vm_margin_explain(const struct vm_state *s,
                                   uint32_t account,
                                   bool with_orders,
                                   const struct vm_margin_extra *extra,
                                   struct vm_margin_terms *out);

/* vm_margin_covers returns whether equity covers initial margin with all open
 * orders and `extra` (may be NULL): what vm_margin_account would say, sooner. */
NV_MUST_USE bool
vm_margin_covers(struct vm_state *s, uint32_t account, const struct vm_margin_extra *extra);

/* vm_margin_surely_safe returns true only if equity covers maintenance margin
 * without open orders.  vm_margin_note tells it what a look at an account found:
 * `safe` when it needs no further look until its cushion is used up. */
NV_MUST_USE bool vm_margin_surely_safe(const struct vm_state *s, uint32_t account);
void vm_margin_note(struct vm_state *s, uint32_t account, bool safe);

/* A close assumed on top of the state: `lots` > 0 of the position in `market`. */
struct vm_margin_close {
    uint32_t market;
    struct vm_lots lots;
};

/* vm_margin_after is vm_margin_explain without open orders, as if the closes
 * had been filled at the mark and `cost` had been paid for them. */
NV_MUST_USE bool vm_margin_after(const struct vm_state *s,
                                 uint32_t account,
                                 const struct vm_margin_close *closes,
                                 uint32_t close_count,
                                 struct vm_money cost,
                                 struct vm_margin_terms *out);

/* vm_margin_index_age_ok returns whether the market's feed is fresh and its
 * index not older than the parameter `age_param` says. */
bool vm_margin_index_age_ok(const struct vm_exec *x, uint32_t market, uint16_t age_param);

#endif /* NV_VM_MARGIN_MARGIN_H */
