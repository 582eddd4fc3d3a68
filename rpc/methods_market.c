/* methods_market.c - market_*: listings, marks, books, oracle. */

#include <string.h>

#include "base/heap.h"

#include "rpc/methods.h"
#include "rpc/read.h"
#include "rpc/recent.h"
#include "vm/tx.h"

#define DEPTH_DEFAULT  20u
#define DEPTH_MAX      1000u
#define TRADES_DEFAULT 50u
#define TRADES_MAX     500u

static const char *status_name(uint8_t status)
{
    switch ((enum vm_market_status)status) {
    case VM_MARKET_OPEN: return "open";
    case VM_MARKET_SETTLING: return "settling";
    case VM_MARKET_SETTLED: return "settled";
    case VM_MARKET_QUARANTINED: return "quarantined";
    }
    return "unknown";
}

/* time_or_null writes milliseconds, or null for 0. */
static void time_or_null(struct rpc_json *out, const char *key, uint64_t time_ms)
{
    if (time_ms != 0) {
        rpc__json_number(out, key, (int64_t)time_ms);
    } else {
        rpc__json_null(out, key);
    }
}

static void write_last_price(struct rpc_json *out, const struct rpc_market *market)
{
    if (market->state.last_trade_ms != 0) {
        rpc__json_price(
            out, "last_price", &market->listing, vm_price_raw(market->state.last_price));
    } else {
        rpc__json_null(out, "last_price");
    }
    time_or_null(out, "last_trade_ms", market->state.last_trade_ms);
}

static void write_marks(struct rpc_json *out, const struct rpc_market *market)
{
    const struct vm_market_state_row *state = &market->state;
    rpc__json_text(out, "status", status_name(state->status));
    rpc__json_per_lot(out, "mark", &market->listing, vm_money_raw(state->mark));
    rpc__json_per_lot(out, "index", &market->listing, vm_money_raw(state->index_value));
    rpc__json_bool(out, "index_fresh", market->feed.fresh != 0);
    time_or_null(out, "index_ms", market->feed.index_ms);
    write_last_price(out, market);
    rpc__json_size(out, "open_interest", &market->listing, vm_lots_raw(state->open_interest));
}

/* write_listing writes what does not change. */
static void write_listing(struct rpc_json *out, const struct rpc_market *market)
{
    const struct vm_market_row *row = &market->row;
    const struct rpc_listing *listing = &market->listing;
    rpc__json_text(out, "market", listing->symbol);
    rpc__json_number(out, "market_id", listing->market);
    rpc__json_text(out, "feed", listing->feed);
    rpc__json_price(out, "tick_size", listing, 1);
    rpc__json_size(out, "lot_size", listing, 1);
    rpc__json_micro(out, "tick_value", listing->tick_value);
    time_or_null(out, "expires_ms", row->expires_ms);
    time_or_null(out, "settle_window_ms", row->expires_ms != 0 ? row->settle_window_ms : 0);
    time_or_null(out, "funding_interval_ms", row->funding_interval_ms);
    rpc__json_size(out, "order_size_max", listing, vm_lots_raw(row->order_lots_max));
    rpc__json_size(out, "open_interest_max", listing, vm_lots_raw(row->open_interest_max));
}

static enum nv_err write_summary(struct rpc_call *call, uint32_t id)
{
    struct rpc_market market;
    NV_TRY(rpc__read_market(call, id, &market));
    rpc__json_object(&call->out, NULL);
    write_listing(&call->out, &market);
    write_marks(&call->out, &market);
    rpc__json_end(&call->out, '}');
    return NV_OK;
}

void rpc__market_list(struct rpc_call *call)
{
    enum nv_err err = NV_OK;
    rpc__json_array(&call->out, "markets");
    for (uint32_t id = 0; id < call->markets && err == NV_OK; id++) {
        err = write_summary(call, id);
    }
    if (err == NV_OK) {
        err = rpc__read_no_market(call, call->markets);
    }
    rpc__json_end(&call->out, ']');
    rpc__done(call, err);
}

void rpc__market_get(struct rpc_call *call)
{
    struct rpc_market market;
    struct rpc_json *out = &call->out;
    enum nv_err const err = rpc__read_market(call, call->listing.market, &market);
    if (err != NV_OK) {
        rpc__done(call, err);
        return;
    }
    const struct vm_market_state_row *state = &market.state;
    write_listing(out, &market);
    rpc__json_hex(out, "program", nv_view_of(market.row.program, market.row.program_size));
    write_marks(out, &market);
    time_or_null(out, "status_ms", state->status_ms);
    rpc__json_per_lot(out, "carry", &market.listing, vm_money_raw(state->carry));
    time_or_null(out, "funding_next_ms", state->funding_next_ms);
    time_or_null(out, "extended_from_ms", state->extended_from_ms);
    if (state->status == VM_MARKET_SETTLED) {
        rpc__json_per_lot(out, "settlement", &market.listing, vm_money_raw(state->settlement));
    } else {
        rpc__json_null(out, "settlement");
    }
    /* The sums of the conservation laws (docs/spec/ledger.md section 2). */
    rpc__json_i64(out, "lots_sum", vm_lots_raw(state->lots_sum));
    rpc__json_micro(out, "cost_sum", vm_money_raw(state->cost_sum));
    rpc__json_micro(out, "realised", vm_money_raw(state->realised));
}

/* ---- the book ---- */

static void write_level(struct rpc_json *out,
                        const char *key,
                        const struct rpc_listing *listing,
                        const struct rpc_level *level)
{
    rpc__json_array(out, key);
    rpc__json_price(out, NULL, listing, level->price);
    rpc__json_size(out, NULL, listing, level->lots);
    rpc__json_end(out, ']');
}

static enum nv_err write_best(struct rpc_call *call, const char *key, uint8_t side)
{
    struct rpc_level best;
    uint32_t count = 0;
    NV_TRY(rpc__read_book(call, call->listing.market, side, &best, 1, &count));
    if (count > 0) {
        write_level(&call->out, key, &call->listing, &best);
    } else {
        rpc__json_null(&call->out, key);
    }
    return NV_OK;
}

static enum nv_err ticker(struct rpc_call *call)
{
    struct rpc_market market;
    struct rpc_json *out = &call->out;
    NV_TRY(rpc__read_market(call, call->listing.market, &market));
    rpc__json_text(out, "market", market.listing.symbol);
    write_marks(out, &market);
    NV_TRY(write_best(call, "best_bid", VM_BUY));
    NV_TRY(write_best(call, "best_ask", VM_SELL));
    time_or_null(out, "funding_next_ms", market.state.funding_next_ms);
    rpc__json_per_lot(out, "premium", &market.listing, vm_money_raw(market.state.premium));
    rpc__json_bool(out, "extended", market.state.extended_from_ms != 0);
    return NV_OK;
}

void rpc__market_ticker(struct rpc_call *call)
{
    rpc__done(call, ticker(call));
}

static enum nv_err write_side(
    struct rpc_call *call, const char *key, uint8_t side, struct rpc_level *levels, uint32_t cap)
{
    uint32_t count = 0;
    NV_TRY(rpc__read_book(call, call->listing.market, side, levels, cap, &count));
    rpc__json_array(&call->out, key);
    for (uint32_t i = 0; i < count; i++) {
        write_level(&call->out, NULL, &call->listing, &levels[i]);
    }
    rpc__json_end(&call->out, ']');
    return NV_OK;
}

void rpc__market_book(struct rpc_call *call)
{
    uint32_t depth = rpc__param_count(call->params, "depth", DEPTH_DEFAULT);
    depth = depth < DEPTH_MAX ? depth : DEPTH_MAX;
    struct rpc_level *levels = nv_heap_alloc((depth + 1) * sizeof *levels);
    if (levels == NULL) {
        rpc__call_fail(call, RPC_ERROR_BUSY);
        return;
    }
    struct rpc_market market; /* read for the proof: which market it is, and its grid */
    rpc__json_text(&call->out, "market", call->listing.symbol);
    rpc__json_u64(&call->out, "height", call->state->head.height);
    enum nv_err err = rpc__read_market(call, call->listing.market, &market);
    if (err == NV_OK) {
        err = write_side(call, "bids", VM_BUY, levels, depth);
    }
    if (err == NV_OK) {
        err = write_side(call, "asks", VM_SELL, levels, depth);
    }
    nv_heap_free(levels);
    rpc__done(call, err);
}

/* market_trades runs on the loop: auctions are remembered, they are not rows. */
void rpc__market_trades(struct rpc_call *call)
{
    uint32_t const limit = rpc__param_count(call->params, "limit", TRADES_DEFAULT);
    rpc__json_text(&call->out, "market", call->listing.symbol);
    rpc__recent_trades(
        call->rpc, &call->out, &call->listing, limit < TRADES_MAX ? limit : TRADES_MAX);
}

/* ---- funding and oracle ---- */

void rpc__market_funding(struct rpc_call *call)
{
    struct rpc_market market;
    struct rpc_json *out = &call->out;
    enum nv_err const err = rpc__read_market(call, call->listing.market, &market);
    if (err != NV_OK) {
        rpc__done(call, err);
        return;
    }
    rpc__json_text(out, "market", market.listing.symbol);
    time_or_null(out, "interval_ms", market.row.funding_interval_ms);
    time_or_null(out, "next_ms", market.state.funding_next_ms);
    rpc__json_per_lot(out, "premium", &market.listing, vm_money_raw(market.state.premium));
    rpc__json_per_lot(out, "carry", &market.listing, vm_money_raw(market.state.carry));
    rpc__json_per_lot(out, "mark", &market.listing, vm_money_raw(market.state.mark));
    rpc__json_per_lot(out, "index", &market.listing, vm_money_raw(market.state.index_value));
}

static enum nv_err write_report(struct rpc_call *call, const struct nv_row *row)
{
    struct vm_report_row report;
    NV_TRY(vm_report_row_decode(&report, row->value));
    rpc__json_object(&call->out, NULL);
    rpc__json_number(&call->out, "reporter", nv_be16_load(row->key.bytes + 5));
    rpc__json_micro(&call->out, "price", vm_money_raw(report.price));
    rpc__json_micro(&call->out, "confidence", vm_money_raw(report.confidence));
    rpc__json_number(&call->out, "time_ms", (int64_t)report.time_ms);
    rpc__json_end(&call->out, '}');
    return NV_OK;
}

static enum nv_err write_reports(struct rpc_call *call, uint32_t feed)
{
    struct nv_row_key key;
    struct nv_row_range range;
    struct rpc_walk walk;
    struct nv_row row;
    vm_key_report(&key, feed, 0);
    nv_row_range_prefix(&range, key.bytes, 5);
    NV_TRY(rpc__walk_init(&walk, call, &range));
    rpc__json_array(&call->out, "reports");
    enum nv_err err = NV_OK;
    while (err == NV_OK && (err = rpc__walk_next(&walk, &row)) == NV_OK) {
        err = write_report(call, &row);
    }
    rpc__json_end(&call->out, ']');
    return rpc__end(err);
}

static enum nv_err oracle(struct rpc_call *call)
{
    struct vm_feed_row feed;
    struct rpc_json *out = &call->out;
    NV_TRY(rpc__read_feed(call, call->feed.feed, &feed));
    rpc__json_text(out, "feed", call->feed.symbol);
    if (feed.index_ms != 0) {
        rpc__json_micro(out, "index", vm_money_raw(feed.index));
        rpc__json_micro(out, "confidence", vm_money_raw(feed.confidence));
    } else {
        rpc__json_null(out, "index");
        rpc__json_null(out, "confidence");
    }
    time_or_null(out, "index_ms", feed.index_ms);
    rpc__json_bool(out, "fresh", feed.fresh != 0);
    time_or_null(out, "lost_ms", feed.lost_ms);
    rpc__json_u64(out, "quorum_height", feed.quorum_height);
    return write_reports(call, call->feed.feed);
}

void rpc__market_oracle(struct rpc_call *call)
{
    rpc__done(call, oracle(call));
}
