#include <jansson.h>
#include <string.h>

#include "base/codec.h"

#include "tools/derive_part.h"
#include "tools/shown.h"
#include "vm/tx.h"

#define DEPTH_DEFAULT 20
#define DEPTH_MAX     1000

static const char *status_name(uint8_t status)
{
    static const char *const names[] = {"open", "settling", "settled", "quarantined"};
    return status >= 1 && status <= sizeof names / sizeof names[0] ? names[status - 1] : "unknown";
}

static void put_listing(json_t *out, const struct shown_market *m)
{
    const struct vm_market_row *const row = &m->row;
    put_text(out, "market", row->symbol);
    put_count(out, "market_id", m->id);
    put_text(out, "feed", m->feed.symbol);
    put_price(out, "tick_size", &m->grid, 1);
    put_size(out, "lot_size", &m->grid, 1);
    put_micro(out, "tick_value", vm_money_raw(row->tick_value));
    put_count_or_null(out, "expires_ms", row->expires_ms);
    put_count_or_null(out, "settle_window_ms", row->expires_ms != 0 ? row->settle_window_ms : 0);
    put_count_or_null(out, "funding_interval_ms", row->funding_interval_ms);
    put_size(out, "order_size_max", &m->grid, vm_lots_raw(row->order_lots_max));
    put_size(out, "open_interest_max", &m->grid, vm_lots_raw(row->open_interest_max));
}

/* put_marks writes what moves and all answers about a market have. */
static void put_marks(json_t *out, const struct shown_market *m)
{
    const struct vm_market_state_row *const state = &m->state;
    put_text(out, "status", status_name(state->status));
    put_per_lot(out, "mark", &m->grid, vm_money_raw(state->mark));
    put_per_lot(out, "index", &m->grid, vm_money_raw(state->index_value));
    put_bool(out, "index_fresh", m->feed.fresh != 0);
    put_count_or_null(out, "index_ms", m->feed.index_ms);
    if (state->last_trade_ms != 0) {
        put_price(out, "last_price", &m->grid, vm_price_raw(state->last_price));
    } else {
        put_null(out, "last_price");
    }
    put_count_or_null(out, "last_trade_ms", state->last_trade_ms);
    put_size(out, "open_interest", &m->grid, vm_lots_raw(state->open_interest));
}

static void put_state(json_t *out, const struct shown_market *m)
{
    const struct vm_market_state_row *const state = &m->state;
    put_count_or_null(out, "status_ms", state->status_ms);
    put_per_lot(out, "carry", &m->grid, vm_money_raw(state->carry));
    put_count_or_null(out, "funding_next_ms", state->funding_next_ms);
    put_count_or_null(out, "extended_from_ms", state->extended_from_ms);
    put_i64(out, "lots_sum", vm_lots_raw(state->lots_sum));
    put_micro(out, "cost_sum", vm_money_raw(state->cost_sum));
    put_micro(out, "realised", vm_money_raw(state->realised));
}

/* find_market finds the market that is asked for by its name: all rows of
 * markets that the proof shows are looked at. */
static enum nv_err find_market(struct shown_market *out, const struct derive_question *q)
{
    const char *const name = json_string_value(json_object_get(q->params, "market"));
    uint32_t cursor = 0;
    struct nv_row row;
    while (name != NULL && nv_proof_next(q->proof, &cursor, &row)) {
        if (row.key.bytes[0] == VM_TABLE_MARKET) {
            NV_TRY(shown_market(q->proof, nv_be32_load(row.key.bytes + 1), out));
            if (strcmp(out->row.symbol, name) == 0) {
                return NV_OK;
            }
        }
    }
    return NV_ERR_MISMATCH;
}

enum nv_err derive_market_get(json_t *out, const struct derive_question *q)
{
    struct shown_market m;
    NV_TRY(find_market(&m, q));
    put_listing(out, &m);
    put_hex(out, "program", m.row.program, m.row.program_size);
    put_marks(out, &m);
    put_state(out, &m);
    return NV_OK;
}

/* Markets are numbered without gaps; the first that is not there is shown to be
 * absent, so that none is kept back. */
enum nv_err derive_market_list(json_t *out, const struct derive_question *q)
{
    json_t *const list = json_array();
    (void)json_object_set_new(out, "markets", list);
    for (uint32_t id = 0; id < VM_MARKETS_END; id++) {
        struct shown_market m;
        enum nv_err const err = shown_market(q->proof, id, &m);
        if (err == NV_ERR_NOT_FOUND) {
            return NV_OK;
        }
        NV_TRY(err);
        json_t *const entry = json_object();
        put_listing(entry, &m);
        put_marks(entry, &m);
        (void)json_array_append_new(list, entry);
    }
    return NV_OK;
}

/* ---- books ---- */

static json_t *level_json(const struct tool_grid *grid, int64_t ticks, int64_t lots)
{
    json_t *const out = json_array();
    (void)json_array_append_new(out, price_json(grid, ticks));
    (void)json_array_append_new(out, size_json(grid, lots));
    return out;
}

/* add_page appends the levels of one page, best first, until there are `cap`. */
static void add_page(json_t *levels,
                     const struct tool_grid *grid,
                     const struct vm_level_row *row,
                     uint64_t page,
                     uint8_t side,
                     size_t cap)
{
    for (uint32_t i = 0; i < VM_LEVEL_TICKS && json_array_size(levels) < cap; i++) {
        uint32_t const tick = side == VM_BUY ? VM_LEVEL_TICKS - 1 - i : i;
        int64_t const lots = vm_lots_raw(row->lots[tick]);
        if (lots != 0) {
            (void)json_array_append_new(
                levels, level_json(grid, vm_price_raw(vm_page_tick(page, tick)), lots));
        }
    }
}

/* put_levels writes the best `cap` levels of a side.  Rows of a side stand best
 * first; the proof must cover all up to the last one used, or the whole side. */
static enum nv_err put_levels(json_t *levels,
                              const struct nv_proof *proof,
                              const struct shown_market *m,
                              uint8_t side,
                              size_t cap)
{
    struct nv_row_key key;
    struct nv_row_range range;
    struct nv_row row;
    uint32_t cursor = 0;
    vm_key_level(&key, m->id, side, 0);
    shown_prefix(&range, &key, 6);
    while (json_array_size(levels) < cap && shown_next(proof, &range, &cursor, &row)) {
        struct vm_level_row level;
        NV_TRY(vm_level_row_decode(&level, row.value));
        add_page(levels, &m->grid, &level, vm_key_level_page(&row.key, side), side, cap);
        if (json_array_size(levels) == cap) {
            range.last = row.key;
        }
    }
    return nv_proof_covers(proof, &range) ? NV_OK : NV_ERR_MISMATCH;
}

enum nv_err derive_market_book(json_t *out, const struct derive_question *q)
{
    struct shown_market m;
    const json_t *const asked = json_object_get(q->params, "depth");
    json_int_t const depth = asked != NULL ? json_integer_value(asked) : DEPTH_DEFAULT;
    json_t *const bids = json_array();
    json_t *const asks = json_array();
    (void)json_object_set_new(out, "bids", bids);
    (void)json_object_set_new(out, "asks", asks);
    if (depth < 0) {
        return NV_ERR_MALFORMED;
    }
    size_t const cap = depth < DEPTH_MAX ? (size_t)depth : DEPTH_MAX;
    NV_TRY(find_market(&m, q));
    put_text(out, "market", m.row.symbol);
    NV_TRY(put_levels(bids, q->proof, &m, VM_BUY, cap));
    return put_levels(asks, q->proof, &m, VM_SELL, cap);
}

/* put_best writes the best level of a side, or null. */
static enum nv_err put_best(json_t *out,
                            const char *key,
                            const struct nv_proof *proof,
                            const struct shown_market *m,
                            uint8_t side)
{
    json_t *const levels = json_array();
    enum nv_err const err = put_levels(levels, proof, m, side, 1);
    json_t *const best = json_array_get(levels, 0);
    (void)json_object_set_new(out, key, best != NULL ? json_incref(best) : json_null());
    json_decref(levels);
    return err;
}

enum nv_err derive_market_ticker(json_t *out, const struct derive_question *q)
{
    struct shown_market m;
    NV_TRY(find_market(&m, q));
    put_text(out, "market", m.row.symbol);
    put_marks(out, &m);
    NV_TRY(put_best(out, "best_bid", q->proof, &m, VM_BUY));
    NV_TRY(put_best(out, "best_ask", q->proof, &m, VM_SELL));
    put_count_or_null(out, "funding_next_ms", m.state.funding_next_ms);
    put_per_lot(out, "premium", &m.grid, vm_money_raw(m.state.premium));
    put_bool(out, "extended", m.state.extended_from_ms != 0);
    return NV_OK;
}
