#include "rpc/read.h"

#include <string.h>

#include "base/fmt.h"
#include "base/int.h"

#include "vm/receipt.h"
#include "vm/tx.h"

/* READ reads the row at `key` and decodes it as table `x` into `out`. */
#define READ(x)                                                                                    \
    static enum nv_err read_##x(                                                                   \
        struct rpc_call *call, const struct nv_row_key *key, struct vm_##x##_row *out)             \
    {                                                                                              \
        struct nv_view value = {0};                                                                \
        NV_TRY(rpc__row_get(call, &value, key));                                                   \
        return vm_##x##_row_decode(out, value);                                                    \
    }

READ(account)
READ(address)
READ(chain)
READ(feed)
READ(market)
READ(market_state)

void rpc__done(struct rpc_call *call, enum nv_err err)
{
    if (err != NV_OK && call->fault.code == 0) {
        rpc__call_fail_err(call, err);
    }
}

static enum nv_err source_get(void *ctx, struct nv_view *value, const struct nv_row_key *key)
{
    return rpc__row_get(ctx, value, key);
}

static enum nv_err
source_walk(void *ctx, const struct nv_row_range *range, vm_row_fn visit, void *visit_ctx)
{
    struct rpc_walk walk;
    struct nv_row row;
    bool enough = false;
    NV_TRY(rpc__walk_init(&walk, ctx, range));
    enum nv_err err = NV_OK;
    while (!enough && (err = rpc__walk_next(&walk, &row)) == NV_OK) {
        NV_TRY(visit(visit_ctx, &row, &enough));
    }
    if (enough) {
        rpc__walk_stop(&walk, &row);
    }
    return rpc__end(err);
}

struct vm_row_source rpc__row_source(struct rpc_call *call)
{
    return (struct vm_row_source){.ctx = call, .get = source_get, .walk = source_walk};
}

enum nv_err rpc__read_feed(struct rpc_call *call, uint32_t feed, struct vm_feed_row *out)
{
    struct nv_row_key key;
    vm_key_feed(&key, feed);
    return read_feed(call, &key, out);
}

enum nv_err rpc__read_chain(struct rpc_call *call, struct vm_chain_row *out)
{
    struct nv_row_key key;
    vm_key_chain(&key);
    return read_chain(call, &key, out);
}

enum nv_err rpc__read_account(struct rpc_call *call, uint64_t id, struct vm_account_row *out)
{
    struct nv_row_key key;
    vm_key_account(&key, id);
    return read_account(call, &key, out);
}

enum nv_err rpc__read_market(struct rpc_call *call, uint32_t market, struct rpc_market *out)
{
    struct nv_row_key key;
    vm_key_market(&key, market);
    NV_TRY(read_market(call, &key, &out->row));
    NV_TRY(rpc__listing_make(&out->listing, market, &out->row));
    vm_key_market_state(&key, market);
    NV_TRY(read_market_state(call, &key, &out->state));
    NV_TRY(rpc__read_feed(call, out->row.feed, &out->feed));
    memcpy(out->listing.feed, out->feed.symbol, VM_SYMBOL_SIZE);
    return NV_OK;
}

enum nv_err rpc__read_no_market(struct rpc_call *call, uint32_t markets)
{
    struct nv_row_key key;
    struct nv_view value = {0};
    vm_key_market(&key, markets);
    return rpc__end(rpc__row_get(call, &value, &key));
}

static enum nv_err find_account(struct rpc_call *call, struct rpc_account *out)
{
    struct nv_row_key key;
    struct vm_address_row found;
    vm_key_address(&key, &out->address);
    NV_TRY(read_address(call, &key, &found));
    out->id = found.account;
    return rpc__read_account(call, out->id, &out->row);
}

bool rpc__find_account(struct rpc_call *call, struct rpc_account *out)
{
    memset(out, 0, sizeof *out);
    (void)rpc__param_address(call->params, "address", &out->address);
    enum nv_err const err = find_account(call, out);
    if (err == NV_ERR_NOT_FOUND) {
        rpc__fault_field(&call->fault, VM_REJECT_ACCOUNT_UNKNOWN, "address", "");
    } else {
        rpc__done(call, err);
    }
    return err == NV_OK;
}

enum nv_err
rpc__read_positions(struct rpc_call *call, uint64_t account, rpc_position_fn each, void *ctx)
{
    struct nv_row_key key;
    struct nv_row_range range;
    struct rpc_walk walk;
    struct nv_row row;
    vm_key_position(&key, account, 0);
    nv_row_range_prefix(&range, key.bytes, 9);
    NV_TRY(rpc__walk_init(&walk, call, &range));
    enum nv_err err = rpc__walk_next(&walk, &row);
    while (err == NV_OK) {
        struct rpc_position position = {.market = nv_be32_load(row.key.bytes + 9)};
        NV_TRY(vm_position_row_decode(&position.row, row.value));
        NV_TRY(each(call, &position, ctx));
        err = rpc__walk_next(&walk, &row);
    }
    return rpc__end(err);
}

bool rpc__position_value(const struct rpc_market *market,
                         const struct vm_position_row *row,
                         int64_t *micro)
{
    nv_i128 const per_lot =
        (nv_i128)vm_money_raw(market->state.mark) - (nv_i128)vm_money_raw(market->state.carry);
    nv_i128 value = 0;
    return nv_mul_i128(vm_lots_raw(row->lots), per_lot, &value) &&
           nv_add_i128(value, vm_money_raw(row->cost), &value) && nv_narrow_try_i64(value, micro);
}

/* page_take appends the levels of one page, best first, up to `cap`. */
static void page_take(const struct vm_level_row *level,
                      uint64_t page,
                      uint8_t side,
                      struct rpc_level *levels,
                      uint32_t cap,
                      uint32_t *count)
{
    for (uint32_t i = 0; i < VM_LEVEL_TICKS && *count < cap; i++) {
        uint32_t const tick = side == VM_BUY ? VM_LEVEL_TICKS - 1 - i : i;
        int64_t const lots = vm_lots_raw(level->lots[tick]);
        if (lots != 0) {
            levels[*count].price = vm_price_raw(vm_page_tick(page, tick));
            levels[*count].lots = lots;
            (*count)++;
        }
    }
}

enum nv_err rpc__read_book(struct rpc_call *call,
                           uint32_t market,
                           uint8_t side,
                           struct rpc_level *levels,
                           uint32_t cap,
                           uint32_t *count)
{
    struct nv_row_key key;
    struct nv_row_range range;
    struct rpc_walk walk;
    struct nv_row row;
    *count = 0;
    vm_key_level(&key, market, side, 0);
    nv_row_range_prefix(&range, key.bytes, 6);
    NV_TRY(rpc__walk_init(&walk, call, &range));
    enum nv_err err = NV_OK;
    while (*count < cap && (err = rpc__walk_next(&walk, &row)) == NV_OK) {
        struct vm_level_row level;
        NV_TRY(vm_level_row_decode(&level, row.value));
        page_take(&level, vm_key_level_page(&row.key, side), side, levels, cap, count);
        if (*count == cap) {
            rpc__walk_stop(&walk, &row);
        }
    }
    return rpc__end(err);
}
