#ifndef NV_RPC_READ_H
#define NV_RPC_READ_H

/* read.h - rows by their meaning, for methods that run on the state.
 *
 * Every function reads through proof.h, so what it read is proved where that
 * was asked for. Executor thread. */

#include <stdbool.h>
#include <stdint.h>

#include "rpc/call.h"
#include "rpc/proof.h"
#include "vm/read_stake.h"
#include "vm/rows.h"

/* A market: its listing, what moves, its feed. */
struct rpc_market {
    struct rpc_listing listing;
    struct vm_market_row row;
    struct vm_market_state_row state;
    struct vm_feed_row feed;
};

NV_MUST_USE enum nv_err
rpc__read_market(struct rpc_call *call, uint32_t market, struct rpc_market *out);
/* rpc__read_no_market reads the market after the last, so that a proof shows
 * that there is none and that nothing was left out. */
NV_MUST_USE enum nv_err rpc__read_no_market(struct rpc_call *call, uint32_t markets);
NV_MUST_USE enum nv_err
rpc__read_feed(struct rpc_call *call, uint32_t feed, struct vm_feed_row *out);
NV_MUST_USE enum nv_err rpc__read_chain(struct rpc_call *call, struct vm_chain_row *out);
NV_MUST_USE enum nv_err
rpc__read_account(struct rpc_call *call, uint64_t id, struct vm_account_row *out);

/* An account by its address. */
struct rpc_account {
    struct nv_address address;
    uint64_t id;
    struct vm_account_row row;
};

/* rpc__find_account finds the account of the parameter `address`. False: the
 * call has failed. */
bool rpc__find_account(struct rpc_call *call, struct rpc_account *out);

/* A position with what it is worth now. */
struct rpc_position {
    uint32_t market;
    struct vm_position_row row;
};

/* rpc__read_positions walks the positions of an account; `each` is given them
 * in order of their market and may fail. */
typedef enum nv_err (*rpc_position_fn)(struct rpc_call *call,
                                       const struct rpc_position *position,
                                       void *ctx);
NV_MUST_USE enum nv_err
rpc__read_positions(struct rpc_call *call, uint64_t account, rpc_position_fn each, void *ctx);

/* rpc__position_value writes lots x (mark - carry) + cost in micro. False when
 * it leaves 64 bits. */
bool rpc__position_value(const struct rpc_market *market,
                         const struct vm_position_row *row,
                         int64_t *micro);

/* One price of a book with all lots that rest there. */
struct rpc_level {
    int64_t price; /* in ticks */
    int64_t lots;
};

/* rpc__read_book writes the best `cap` levels of a side, best first. */
NV_MUST_USE enum nv_err rpc__read_book(struct rpc_call *call,
                                       uint32_t market,
                                       uint8_t side,
                                       struct rpc_level *levels,
                                       uint32_t cap,
                                       uint32_t *count);

/* rpc__row_source is the state as vm/read_stake.h reads it. */
struct vm_row_source rpc__row_source(struct rpc_call *call);

/* rpc__end turns the end of a walk into success. */
static inline enum nv_err rpc__end(enum nv_err err)
{
    return err == NV_ERR_NOT_FOUND ? NV_OK : err;
}

/* rpc__done makes the call fail if there was an error. */
void rpc__done(struct rpc_call *call, enum nv_err err);

#endif /* NV_RPC_READ_H */
