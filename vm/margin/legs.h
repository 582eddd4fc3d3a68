#ifndef NV_VM_MARGIN_LEGS_H
#define NV_VM_MARGIN_LEGS_H

/* legs.h - what an account has at stake, market by market, orders at their worst.
 * Private to vm/margin.  docs/spec/margin.md sections 3 and 4. */

#include "vm/margin/margin.h"

#define MARGIN_LEGS_MAX (VM_POSITIONS_MAX + 1u)

struct margin_leg {
    const struct vm_market *market;
    int64_t lots;     /* L */
    int64_t bid_lots; /* B */
    int64_t ask_lots; /* A */
    int64_t bid_edge; /* micro */
    int64_t ask_edge;
};

struct margin_legs {
    struct vm_money equity;
    uint32_t count;
    bool wide;  /* vm_limits.wide */
    bool upper; /* count orders so that none could add by leaving */
    struct margin_leg leg[MARGIN_LEGS_MAX];
};

/* The sums that do not depend on scenarios. */
struct margin_flat {
    nv_i128 gross;      /* G */
    nv_i128 rounding;   /* E */
    nv_i128 quarantine; /* Q */
};

/* vm__legs_collect fills the legs of an account and its equity; false when one
 * of them leaves 64 bits. */
NV_MUST_USE bool vm__legs_collect(const struct vm_state *s,
                                  uint32_t account,
                                  bool with_orders,
                                  struct margin_legs *legs);

/* vm__legs_order adds an assumed order; false when a sum leaves 64 bits. */
NV_MUST_USE bool vm__legs_order(const struct vm_state *s,
                                const struct vm_margin_extra *order,
                                struct margin_legs *legs);

/* vm__legs_sums writes the flat sums; false when a sum over scenarios could
 * reach 2^62, given that no entry of a vector exceeds 2^29 units of 2^shift. */
NV_MUST_USE bool
vm__legs_sums(const struct vm_state *s, const struct margin_legs *legs, struct margin_flat *sums);

/* Quarantined markets are left out of the scenarios. */
static inline bool vm__leg_in_scenarios(const struct margin_leg *leg)
{
    return leg->market->row.status != VM_MARKET_QUARANTINED;
}

static inline bool vm__leg_has_orders(const struct margin_leg *leg)
{
    return leg->bid_lots != 0 || leg->ask_lots != 0;
}

#endif /* NV_VM_MARGIN_LEGS_H */
