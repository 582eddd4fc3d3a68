/* check.c - whether a call may run: its method, its tokens, its parameters. */

#include <stdio.h>

#include "rpc/call.h"
#include "rpc/exchange.h"
#include "vm/receipt.h"

/* What every method on the state takes besides its own parameters. */
#define COMMON_STATE "meta:bool proof:bool min_height:u64 timeout_ms:count"

static void not_found(struct rpc_call *call, const char *name)
{
    rpc__fault_set(&call->fault, RPC_ERROR_METHOD_NOT_FOUND, NULL);
    snprintf(call->fault.got, sizeof call->fault.got, "%.60s", name);
    snprintf(call->fault.expected,
             sizeof call->fault.expected,
             "%s",
             rpc__method_nearest(call->rpc, name));
}

/* SPEC rpc 5: "Every item takes its method's weight from the token bucket of its address" */
static bool admit(struct rpc_call *call, uint32_t weight)
{
    struct rpc *rpc = call->rpc;
    uint32_t const wait_ms =
        rpc__buckets_take(&rpc->buckets, &call->exchange->address, weight, rpc__now(rpc));
    if (wait_ms > 0) {
        rpc__call_fail(call, RPC_ERROR_RATE_LIMITED);
        call->fault.retry_after_ms = wait_ms;
    }
    return wait_ms == 0;
}

/* resolve looks up the market and the feed that the parameters name. */
static bool resolve(struct rpc_call *call)
{
    const struct rpc_catalogue *catalogue = &call->rpc->catalogue;
    const char *market = NULL;
    const char *feed = NULL;
    bool const market_named = rpc__param_text(call->params, "market", &market);
    bool const feed_named = rpc__param_text(call->params, "feed", &feed);
    if ((market_named || feed_named) && !catalogue->loaded) {
        rpc__call_fail(call, RPC_ERROR_SYNCING);
        return false;
    }
    if (market != NULL) {
        const struct rpc_listing *listing = rpc__listing_named(catalogue, market);
        if (listing == NULL) {
            rpc__fault_field(&call->fault, VM_REJECT_MARKET_UNKNOWN, "market", "");
            snprintf(call->fault.got, sizeof call->fault.got, "%.60s", market);
            return false;
        }
        call->listing = *listing;
    }
    if (feed != NULL && call->method->where != RPC_ON_LOOP) {
        const struct rpc_feed *entry = rpc__feed_named(catalogue, feed);
        if (entry == NULL) {
            rpc__fault_field(&call->fault, VM_REJECT_FEED_UNKNOWN, "feed", "");
            snprintf(call->fault.got, sizeof call->fault.got, "%.60s", feed);
            return false;
        }
        call->feed = *entry;
    }
    return true;
}

bool rpc__call_check(struct rpc_call *call, const char *name)
{
    struct rpc *rpc = call->rpc;
    call->method = rpc__method_find(rpc, name);
    if (!admit(call, call->method != NULL ? call->method->weight : 1)) {
        return false;
    }
    if (call->method == NULL) {
        not_found(call, name);
        return false;
    }
    rpc->counters.calls[call->method - rpc->methods]++;
    if (call->method->dev && !rpc->devnet) {
        rpc__call_fail(call, RPC_ERROR_DEV_ONLY);
        return false;
    }
    const char *common = call->method->where == RPC_ON_LOOP ? "" : COMMON_STATE;
    call->markets = rpc->catalogue.listing_count;
    return rpc__params_check(call->params, call->method->params, common, &call->fault) &&
           resolve(call);
}
