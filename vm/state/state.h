#ifndef NV_VM_STATE_STATE_H
#define NV_VM_STATE_STATE_H

/* state.h - the VM's working state: slabs of structs addressed by 32-bit
 * index, the undo log of the action at hand, and the write set of the block.
 * Private to vm/.
 *
 * The one discipline: read through `const` getters, change only what a
 * `_mut` getter returned.  `_mut` does two things before it hands out the
 * pointer: it saves the element in the undo log (once per action scope) and
 * marks its row dirty (once per block).  So an action that fails half-way is
 * undone byte for byte, and the block's write set is complete by construction.
 *
 *      vm_undo_begin(s);  ... _mut, _mut ...  vm_undo_commit(s) | vm_undo_rollback(s)
 *
 * Rollback also undoes creations and removals made inside the scope.
 * Everything that execution reads is a function of rows: slots are the lowest
 * free, derived fields are rebuilt by vm_load_end.  Indices are invisible
 * outside except an order's slot, which is committed in its handle. */

#include <stdbool.h>
#include <stdint.h>

#include "base/critbit.h"

#include "vm/rows.h"
#include "vm/vm.h"

#define VM_NONE                      UINT32_MAX
#define VM_POSITIONS_MAX             64u /* markets an account may hold */
#define VM_ORDERS_ACCOUNT_MARKET_MAX 256u
#define VM_SESSIONS_ACCOUNT_MAX      16u
#define VM_REPORTERS_MAX             256u
#define VM_SCRUB_SLICES              1024u /* accounts are re-added in so many blocks */
#define VM_NODES                     40u   /* scenario nodes (docs/spec/margin.md) */

/* The scan ranges of the scenarios. */
enum vm_range { VM_RANGE_INITIAL = 0, VM_RANGE_MAINTENANCE, VM_RANGES };

/* One open position or the orders of an account in one market: the row plus
 * what is derived from the account's open orders there. */
struct vm_position {
    struct vm_position_row row;
    uint64_t account;
    uint32_t market;
    uint32_t order_count;
    struct vm_lots bid_lots; /* Σ remaining lots of open bids */
    struct vm_lots ask_lots;
    struct vm_money bid_cost; /* Σ lots × price × tick_value of open bids */
    struct vm_money ask_cost;
    struct vm_price bid_most;  /* no open bid is above, while there are bids */
    struct vm_price ask_least; /* no open ask is below, while there are asks */
    uint64_t ordinals[VM_ORDERS_ACCOUNT_MARKET_MAX / 64]; /* taken order ordinals */
};

/* An account's position in a market: a slab index. */
struct vm_held {
    uint32_t market;
    uint32_t position;
};

struct vm_account {
    struct vm_account_row row;
    uint64_t id;
    uint8_t session_count;
    uint8_t position_count; /* entries used below, ascending market */
    /* An entry that becomes empty (no lots, cost, orders) stays until the end of
     * the block, and vm_position_find does not find it. */
    struct vm_held held[VM_POSITIONS_MAX];
};

struct vm_order {
    struct vm_order_row row;
    uint32_t market;
    uint32_t position;   /* slab index of the owner's vm_position */
    uint8_t ordinal;     /* among the owner's orders in this market */
    uint32_t level_next; /* FIFO of the price level: (placed_height, tie, slot) ascending */
    uint32_t level_prev;
};

/* A page of 64 price ticks of one side of one market's book. */
struct vm_level_page {
    struct vm_level_row row;
    uint32_t market;
    uint8_t side;
    uint64_t page;                  /* vm_page_of */
    uint32_t first[VM_LEVEL_TICKS]; /* order slots, oldest first */
    uint32_t last[VM_LEVEL_TICKS];
    uint32_t next_page, prev_page; /* by price, best first */
    uint64_t unsettled;            /* bit i: see vm_levels_settle */
};

/* Cushions.  For each account a bound of how far its equity is above a
 * requirement, kept up by whatever changes the account (cash, lots, new orders) and
 * worn off by a clock that counts what changes of marks could have cost.  A
 * cushion that holds spares a look at the account; one that does not says
 * nothing.  So it is no state: no decision differs for it, and a VM that was
 * just loaded knows none (vm/margin/cushion.h). */
enum vm_cushion_kind {
    VM_CUSHION_INITIAL = 0, /* initial margin with all open orders */
    VM_CUSHION_MAINTENANCE, /* maintenance margin without them */
    VM_CUSHION_KINDS
};

struct vm_cushion {
    int64_t slack;     /* micro: equity less requirement was at least this */
    int64_t room;      /* how far the sums of the requirement were from their limit, at least */
    uint64_t exposure; /* Σ lots × the market's unit, at least what is open */
    uint64_t at;       /* reading of the clock, 0: not known */
};

/* What one more lot can take from a cushion: micro. */
struct vm_lot_bound {
    int64_t slack;
    int64_t room;
};

/* What the clock last saw of a market. */
struct vm_lot_bound_base {
    int64_t mark, carry;
    int64_t moved; /* largest change of a vector's entry since then: micro per lot */
    uint8_t shift, status;
};

/* The risk vectors of a market: change of value of one lot per node, micro << shift. */
struct vm_risk {
    int32_t node[VM_RANGES][VM_NODES];
    uint8_t shift;
};

struct vm_market {
    struct vm_market_row listing;
    struct vm_market_state_row row;
    uint32_t best_bid_page, best_ask_page;   /* slab indices or VM_NONE */
    uint32_t worst_bid_page, worst_ask_page; /* the other ends of the same lists */
    uint64_t orders_open;
    struct vm_risk risk; /* derived from row.risk_index */
    /* for cushions, below; derived likewise */
    struct vm_lot_bound bound[VM_CUSHION_KINDS];
    int64_t unit; /* micro: what exposure counts a lot as, 0: not set */
    struct vm_lot_bound_base base;
};

struct vm_feed {
    struct vm_feed_row row;
};

struct vm_state; /* fields in vm/state/state_internal.h, for vm/state only */

/* Life. */
size_t vm_state_footprint(const struct vm_limits *limits);
struct vm_state *vm_state_new(struct nv_arena *arena, const struct vm_limits *limits);

/* vm_state_wide is vm_limits.wide. */
bool vm_state_wide(const struct vm_state *s);

/* Action scope.  Scopes do not nest.  Outside a scope changes are final. */
void vm_undo_begin(struct vm_state *s);
void vm_undo_commit(struct vm_state *s);
void vm_undo_rollback(struct vm_state *s);

/* Chain-wide row (totals, safe mode) and parameters. */
const struct vm_chain_row *vm_chain(const struct vm_state *s);
struct vm_chain_row *vm_chain_mut(struct vm_state *s);

/* Accounts.  Ids are assigned 1, 2, 3 …; slab index = id - 1. */
uint32_t
vm_account_find(const struct vm_state *s, const struct nv_address *address); /* or VM_NONE */
/* vm_account_owns says whether the account's address is that of the key. */
bool vm_account_owns(const struct vm_state *s, uint32_t account, const struct nv_pubkey *key);
uint32_t vm_account_count(const struct vm_state *s);
const struct vm_account *vm_account(const struct vm_state *s, uint32_t index);
struct vm_account *vm_account_mut(struct vm_state *s, uint32_t index);
uint32_t
vm_account_create(struct vm_state *s, const struct nv_address *address); /* VM_NONE: full */

/* The only two functions that change cash and wallet: they keep the chain's
 * running sums.  False (nothing changed) on overflow; wallet also below 0. */
NV_MUST_USE bool vm_cash_add(struct vm_state *s, uint32_t account, struct vm_money delta);
NV_MUST_USE bool vm_wallet_add(struct vm_state *s, uint32_t account, struct vm_money delta);

/* Positions.  `find` is VM_NONE when the account has neither lots, cost nor orders there. */
uint32_t vm_position_find(const struct vm_state *s, uint32_t account, uint32_t market);
const struct vm_position *vm_position(const struct vm_state *s, uint32_t index);
struct vm_position *vm_position_mut(struct vm_state *s, uint32_t index);
uint32_t vm_position_open(struct vm_state *s,
                          uint32_t account,
                          uint32_t market); /* find or create; VM_NONE: full */
/* vm_position_prices narrows bid_most and ask_least to what the open orders are. */
void vm_position_prices(struct vm_state *s, uint32_t index);
/* The only function that changes lots and cost: keeps the market's running
 * sums and open interest.  False on overflow, nothing changed. */
NV_MUST_USE bool
vm_position_add(struct vm_state *s, uint32_t index, struct vm_lots lots, struct vm_money cost);
/* The only function that changes a market's `realised`: keeps the chain's sum. */
NV_MUST_USE bool vm_realised_add(struct vm_state *s, uint32_t market, struct vm_money delta);

/* Markets and feeds, by id (0-based, dense). */
uint32_t vm_market_count(const struct vm_state *s);
const struct vm_market *vm_market(const struct vm_state *s, uint32_t market);
struct vm_market *vm_market_mut(struct vm_state *s, uint32_t market);
struct vm_market *vm_market_derived(struct vm_state *s,
                                    uint32_t market); /* derived fields only: no undo, not dirty */
uint32_t vm_feed_count(const struct vm_state *s);
const struct vm_feed *vm_feed(const struct vm_state *s, uint32_t feed);
struct vm_feed *vm_feed_mut(struct vm_state *s, uint32_t feed);
uint32_t vm_reporter_count(const struct vm_state *s);
const struct vm_reporter_row *vm_reporter(const struct vm_state *s, uint32_t reporter);
const struct vm_report_row *vm_report(const struct vm_state *s, uint32_t feed, uint32_t reporter);
struct vm_report_row *vm_report_mut(struct vm_state *s, uint32_t feed, uint32_t reporter);

/* Orders.  Alloc takes the lowest free slot and the market's next generation,
 * links the order into its owner's list (position counters bid/ask included)
 * and into its price level; free undoes both.  reduce changes remaining lots.
 * `slot` and `generation` of the row given to insert are ignored; insert also
 * returns VM_NONE when a counter would leave 64 bits. */
const struct vm_order *vm_order(const struct vm_state *s, uint32_t slot);
uint32_t vm_order_find(const struct vm_state *s, uint64_t handle); /* VM_NONE: no such open order */
uint32_t vm_order_insert(struct vm_state *s,
                         uint32_t position,
                         const struct vm_order_row *row); /* slot; VM_NONE: full */
/* vm_order_first_own and _next_own walk the open orders of a position by ascending
 * ordinal; VM_NONE at the end. */
uint32_t vm_order_first_own(const struct vm_state *s, uint32_t position);
uint32_t vm_order_next_own(const struct vm_state *s, uint32_t slot);
/* vm_order_own_against returns the first open order of a position whose ordinal is
 * not below `from` and that an order of the other side at `price` would meet;
 * VM_NONE: none. */
uint32_t vm_order_own_against(const struct vm_state *s,
                              uint32_t position,
                              uint32_t from,
                              uint8_t side,
                              struct vm_price price);
/* vm_order_find_client returns the slot of the position's open order with that
 * client id (not 0), or VM_NONE. */
uint32_t vm_order_find_client(const struct vm_state *s, uint32_t position, uint64_t client_id);
/* vm_order_expired returns an open order whose expiry is not after now (the
 * earliest, then the lowest slot), or VM_NONE. */
uint32_t vm_order_expired(const struct vm_state *s, uint64_t now_ms);
void vm_order_remove(struct vm_state *s, uint32_t slot);
void vm_order_reduce(struct vm_state *s, uint32_t slot, struct vm_lots by);

/* vm_levels_settle sorts the queues that orders joined since it was last called,
 * which stand at their ends in the order of joining until then: many orders may
 * join one level in a block.  Phase match begins with it; between place and that
 * nobody reads a queue. */
void vm_levels_settle(struct vm_state *s, struct nv_arena *arena);

/* Book pages, best first. */
const struct vm_level_page *vm_level_page(const struct vm_state *s, uint32_t index);
uint32_t vm_book_best_page(const struct vm_state *s, uint32_t market, uint8_t side);

/* Sessions and tombstones. */
const struct vm_session_row *
vm_session_find(const struct vm_state *s, uint32_t account, const struct nv_pubkey *key);
NV_MUST_USE bool
vm_session_put(struct vm_state *s, uint32_t account, const struct vm_session_row *row);
NV_MUST_USE bool
vm_session_remove(struct vm_state *s, uint32_t account, const struct nv_pubkey *key);
/* Removes the account's session keys that are no longer valid; how many. */
uint32_t vm_sessions_drop_expired(struct vm_state *s, uint32_t account, uint64_t now_ms);
bool vm_tombstone_has(const struct vm_state *s,
                      uint32_t market,
                      uint64_t account,
                      uint64_t client_id,
                      uint64_t now_ms); /* and has not expired */
NV_MUST_USE bool vm_tombstone_put(
    struct vm_state *s, uint32_t market, uint64_t account, uint64_t client_id, uint64_t expires_ms);
/* vm_tombstones_expire removes those whose expiry is not after now, the earliest
 * first and of one expiry by their keys, at most `max`. */
void vm_tombstones_expire(struct vm_state *s, uint64_t now_ms, uint32_t max);

/* Hints that something will be read soon: they change nothing.  A loop over many
 * accounts or orders gives them a few turns ahead, each when what the one before
 * it fetched has come. */
void vm_prefetch_address(const struct vm_state *s, const struct nv_address *address);
void vm_prefetch_account(const struct vm_state *s, const struct nv_address *address);
void vm_prefetch_holder(const struct vm_state *s, uint32_t account); /* a known account */
void vm_prefetch_position(const struct vm_state *s, uint32_t account);
void vm_prefetch_positions(const struct vm_state *s, uint32_t account); /* all, of one in memory */
void vm_prefetch_pages(const struct vm_state *s, uint32_t account);
void vm_prefetch_level(const struct vm_state *s,
                       uint32_t market,
                       uint8_t side,
                       struct vm_price price); /* also the slot that an order will take */
void vm_prefetch_order(const struct vm_state *s, uint64_t handle);
void vm_prefetch_around_order(const struct vm_state *s, uint64_t handle);
void vm_prefetch_order_page(const struct vm_state *s, uint64_t handle);
void vm_prefetch_owner(const struct vm_state *s, const struct vm_order *order);
void vm_prefetch_own_orders(const struct vm_state *s, uint32_t position); /* all */

/* Parameters by enum vm_param_number (vm/params.h). */
int64_t vm_param(const struct vm_state *s, uint16_t param);

/* What genesis adds, in order; false or VM_NONE when there is no room.  A
 * market's listing never changes afterwards. */
NV_MUST_USE uint32_t vm_market_create(struct vm_state *s, const struct vm_market_row *row);
NV_MUST_USE uint32_t vm_feed_create(struct vm_state *s, const struct vm_feed_row *row);
NV_MUST_USE uint32_t vm_reporter_create(struct vm_state *s, const struct vm_reporter_row *row);
void vm_param_set(struct vm_state *s, uint16_t param, int64_t value);

/* The rings: one block result and one root each block. */
void vm_block_result_put(struct vm_state *s, const struct vm_block_result_row *row);
void vm_root_put(struct vm_state *s, const struct vm_root_row *row);

/* Loading: rows in ascending key order, then _end, which links what is derived
 * and checks it against the rows.  NV_ERR_CORRUPT and decoders' errors. */
NV_MUST_USE enum nv_err vm_state_load_row(struct vm_state *s, const struct nv_row *row);
NV_MUST_USE enum nv_err vm_state_load_end(struct vm_state *s);

/* vm_cushion_set makes an account's cushion known as of now.  _holds returns
 * whether it is known and more than `need` is left of it for certain. */
void vm_cushion_set(struct vm_state *s,
                    uint32_t account,
                    enum vm_cushion_kind kind,
                    const struct vm_cushion *cushion);
NV_MUST_USE bool vm_cushion_holds(const struct vm_state *s,
                                  uint32_t account,
                                  enum vm_cushion_kind kind,
                                  const struct vm_lot_bound *need);
/* vm_cushion_due returns the first account not below `from` that may have no
 * cushion of maintenance, VM_NONE at the end.  It passes by accounts in groups, so
 * that who is far from danger costs nothing. */
uint32_t vm_cushion_due(struct vm_state *s, uint32_t from);
void vm_cushion_forget(struct vm_state *s, uint32_t account, enum vm_cushion_kind kind);
void vm_cushions_forget(struct vm_state *s);
/* vm_cushions_wear moves the clock: a unit of exposure may have lost `by` / 2^24. */
void vm_cushions_wear(struct vm_state *s, uint64_t by);
/* vm_cushion_order is what an order takes from the cushion of initial margin;
 * false when that does not fit. */
NV_MUST_USE bool vm_cushion_order(const struct vm_state *s,
                                  uint32_t market,
                                  struct vm_lots lots, /* signed as a trade */
                                  struct vm_price price,
                                  struct vm_lot_bound *out);

/* vm_state_writes encodes every dirty row into `arena`, sorted by key, and
 * clears the dirty marks.  A row that is as the block found it is left out. */
uint32_t
vm_state_writes(struct vm_state *s, struct nv_arena *arena, const struct nv_row **writes_out);

#endif /* NV_VM_STATE_STATE_H */
