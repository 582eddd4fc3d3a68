/* methods_order.c - order_*: orders that rest in the book. */

#include "base/fmt.h"

#include "rpc/methods.h"
#include "rpc/read.h"
#include "vm/receipt.h"
#include "vm/tx.h"

static void write_order(struct rpc_json *out,
                        const struct rpc_listing *listing,
                        const struct vm_order_row *order)
{
    rpc__json_object(out, NULL);
    rpc__json_u64(out, "order", vm_order_handle(listing->market, order->generation, order->slot));
    rpc__json_text(out, "market", listing->symbol);
    rpc__json_text(out, "side", order->side == VM_BUY ? "buy" : "sell");
    rpc__json_price(out, "price", listing, vm_price_raw(order->price));
    rpc__json_size(out, "size", listing, vm_lots_raw(order->lots));
    if (order->client_id != 0) {
        rpc__json_u64(out, "client_id", order->client_id);
    } else {
        rpc__json_null(out, "client_id");
    }
    rpc__json_bool(out, "post_only", (order->flags & VM_ORDER_POST_ONLY) != 0);
    rpc__json_bool(out, "reduce_only", (order->flags & VM_ORDER_REDUCE_ONLY) != 0);
    rpc__json_bool(out, "protective", (order->flags & VM_ORDER_PROTECTIVE) != 0);
    rpc__json_u64(out, "placed_height", order->placed_height);
    if (order->expires_ms != 0) {
        rpc__json_number(out, "expires_ms", (int64_t)order->expires_ms);
    } else {
        rpc__json_null(out, "expires_ms");
    }
    rpc__json_end(out, '}');
}

/* What is done with each order of an account in a market. */
struct seek {
    uint64_t handle; /* 0: all of them */
    bool found;
    struct rpc_market market;
    bool market_read;
};

static enum nv_err
take_page(struct rpc_call *call, uint32_t id, const struct nv_row *row, struct seek *seek)
{
    struct vm_orders_row page;
    NV_TRY(vm_orders_row_decode(&page, row->value));
    if (!seek->market_read) {
        NV_TRY(rpc__read_market(call, id, &seek->market));
        seek->market_read = true;
    }
    for (uint32_t i = 0; i < page.count; i++) {
        const struct vm_order_row *order = &page.order[i];
        uint64_t const handle = vm_order_handle(id, order->generation, order->slot);
        if (seek->handle == 0 || seek->handle == handle) {
            write_order(&call->out, &seek->market.listing, order);
            seek->found = true;
        }
    }
    return NV_OK;
}

/* take_market goes through the orders of an account in one market. */
static enum nv_err
take_market(struct rpc_call *call, uint64_t account, uint32_t id, struct seek *seek)
{
    struct nv_row_key key;
    struct nv_row_range range;
    struct rpc_walk walk;
    struct nv_row row;
    seek->market_read = false;
    vm_key_orders(&key, id, account, 0);
    nv_row_range_prefix(&range, key.bytes, 13);
    NV_TRY(rpc__walk_init(&walk, call, &range));
    enum nv_err err = NV_OK;
    while (err == NV_OK && (err = rpc__walk_next(&walk, &row)) == NV_OK) {
        err = take_page(call, id, &row, seek);
    }
    return rpc__end(err);
}

void rpc__order_get(struct rpc_call *call)
{
    struct rpc_account account;
    struct seek seek = {0};
    uint32_t parts[3];
    (void)rpc__param_u64(call->params, "order", &seek.handle);
    if (!rpc__find_account(call, &account)) {
        return;
    }
    vm_order_handle_split(seek.handle, &parts[0], &parts[1], &parts[2]);
    rpc__json_array(&call->out, "orders");
    rpc__done(call, take_market(call, account.id, parts[0], &seek));
    rpc__json_end(&call->out, ']');
    if (call->fault.code == 0 && (!seek.found || seek.handle == 0)) {
        rpc__call_fail(call, VM_REJECT_ORDER_UNKNOWN);
    }
}

void rpc__order_open(struct rpc_call *call)
{
    struct rpc_account account;
    struct seek seek = {0};
    const char *named = NULL;
    if (!rpc__find_account(call, &account)) {
        return;
    }
    bool const one = rpc__param_text(call->params, "market", &named);
    uint32_t const first = one ? call->listing.market : 0;
    uint32_t const end = one ? first + 1 : call->markets;
    enum nv_err err = NV_OK;
    rpc__json_address(&call->out, "address", &account.address);
    rpc__json_array(&call->out, "orders");
    for (uint32_t id = first; id < end && err == NV_OK; id++) {
        err = take_market(call, account.id, id, &seek);
    }
    if (!one && err == NV_OK) {
        err = rpc__read_no_market(call, end);
    }
    rpc__json_end(&call->out, ']');
    rpc__done(call, err);
}
