#ifndef NV_TESTS_LIB_VM_RIG_H
#define NV_TESTS_LIB_VM_RIG_H

/* vm_rig.h - a VM state with one feed, some markets and rich accounts, and
 * blocks of actions whose phases a test calls one by one.
 *
 * A default market has ticks of one unit of money (1,000,000 micro) and one lot
 * a unit; the index stands at 1,000, so the mark is 1,000 ticks; the order band
 * is as wide as the index, the monitoring band half of it.  No fees but those
 * that a test sets. */

#include <stdbool.h>
#include <stdint.h>

#include "vm/block/exec.h"
#include "vm/params.h"

#define RIG_UNIT     INT64_C(1000000) /* micro in a unit of money */
#define RIG_INDEX    1000             /* units of money */
#define RIG_ACTS_MAX 4096u
#define RIG_TIME_MS  UINT64_C(1700000000000)
#define RIG_CASH     (INT64_C(1000000000) * RIG_UNIT)
#define RIG_FEE      0u /* slab index of the fee account; 1 is insurance */
#define RIG_FIRST    2u /* of the first trader */

struct vm_rig {
    void *memory;
    size_t memory_size;
    struct nv_arena arena;       /* the state's */
    struct nv_arena block_arena; /* the block's */
    void *block_memory;
    struct vm_limits limits;
    struct vm_state *state;
    struct vm_block block;
    struct vm_exec x;
    struct vm_tx tx[RIG_ACTS_MAX];
    struct vm_action action[RIG_ACTS_MAX];
    struct vm_act act[RIG_ACTS_MAX];
    uint64_t tx_seed;
};

/* rig_init makes a state with `traders` accounts from RIG_FIRST on. */
void rig_init(struct vm_rig *rig, uint32_t traders);
void rig_deinit(struct vm_rig *rig);

/* rig_listing returns the listing of a default market, rig_market lists one. */
struct vm_market_row rig_listing(void);
uint32_t rig_market(struct vm_rig *rig, const struct vm_market_row *listing);

/* rig_begin starts a block `ms` after the last; the index is accepted anew. */
void rig_begin(struct vm_rig *rig, uint64_t ms);

/* rig_index sets the index, and index value and mark of every open market. */
void rig_index(struct vm_rig *rig, int64_t micro);

/* rig_act adds an action of an account in a transaction of its own. */
struct vm_act *rig_act(struct vm_rig *rig, uint32_t account, const struct vm_action *action);

/* An order as tests write it; `lots` signed, sell < 0. */
struct rig_order {
    uint32_t account;
    uint32_t market;
    int64_t lots;
    int64_t price;
    bool ioc, post_only, reduce_only;
    uint64_t expires_ms;
    uint64_t client_id;
};
struct vm_act *rig_place(struct vm_rig *rig, struct rig_order order);

/* rig_run runs cancel, place and match over the block's actions. */
void rig_run(struct vm_rig *rig);

/* rig_laws checks both conservation laws from the rows, not from running sums. */
void rig_laws(const struct vm_rig *rig);

int64_t rig_lots(const struct vm_rig *rig, uint32_t account, uint32_t market);
int64_t rig_cost(const struct vm_rig *rig, uint32_t account, uint32_t market);
int64_t rig_cash(const struct vm_rig *rig, uint32_t account);

/* rig_event returns the i-th event of a kind in the block; false when there are
 * not so many. */
bool rig_event(const struct vm_rig *rig, uint8_t kind, uint32_t i, struct vm_event *out);

/* rig_resting returns the open lots of an order by handle, 0 when it is gone. */
int64_t rig_resting(const struct vm_rig *rig, uint64_t handle);

#endif /* NV_TESTS_LIB_VM_RIG_H */
