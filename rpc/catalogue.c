#include "rpc/catalogue.h"

#include <string.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/heap.h"
#include "base/int.h"
#include "base/log.h"

#include "rpc/json_write.h"
#include "rpc/server.h"
#include "vm/rows.h"

#define ENTRIES_MAX  4096u
#define ROWS_AT_ONCE 32u
#define PLACES_LIMIT 9u

/* The reading of all listings; its result becomes the catalogue. */
struct loading {
    struct rpc_work work; /* first */
    struct rpc *rpc;
    struct rpc_catalogue found;
    enum nv_err err;
};

/* scale_of finds how lots are written: the fewest digits after the point in
 * which one lot is exact, or 9 where it is exact in none. */
static void scale_of(struct rpc_listing *listing)
{
    int64_t power = 1;
    listing->lot_places = 0;
    while (power % listing->lots_per_unit != 0 && listing->lot_places < PLACES_LIMIT) {
        power *= 10;
        listing->lot_places++;
    }
    listing->lot_power = power;
}

enum nv_err
rpc__listing_make(struct rpc_listing *listing, uint32_t market, const struct vm_market_row *row)
{
    if (row->lots_per_unit == 0 || row->tick_micro > INT64_MAX) {
        return NV_ERR_CORRUPT;
    }
    memset(listing, 0, sizeof *listing);
    listing->market = market;
    memcpy(listing->symbol, row->symbol, VM_SYMBOL_SIZE);
    listing->feed_id = row->feed;
    listing->tick_micro = (int64_t)row->tick_micro;
    listing->lots_per_unit = row->lots_per_unit;
    listing->tick_value = vm_money_raw(row->tick_value);
    scale_of(listing);
    return NV_OK;
}

/* listing_take makes an entry of a market's row. */
static enum nv_err listing_take(struct rpc_catalogue *found, const struct nv_row *row)
{
    struct vm_market_row market;
    NV_TRY(vm_market_row_decode(&market, row->value));
    uint32_t const number = nv_be32_load(row->key.bytes + 1);
    if (number != found->listing_count || number >= ENTRIES_MAX) {
        return NV_ERR_CORRUPT;
    }
    return rpc__listing_make(&found->listings[found->listing_count++], number, &market);
}

static enum nv_err feed_take(struct rpc_catalogue *found, const struct nv_row *row)
{
    struct vm_feed_row feed;
    NV_TRY(vm_feed_row_decode(&feed, row->value));
    uint32_t const number = nv_be32_load(row->key.bytes + 1);
    if (number != found->feed_count || number >= ENTRIES_MAX) {
        return NV_ERR_CORRUPT;
    }
    struct rpc_feed *entry = &found->feeds[found->feed_count++];
    entry->feed = number;
    memcpy(entry->symbol, feed.symbol, VM_SYMBOL_SIZE);
    return NV_OK;
}

/* table_read gives every row of a table to `take`. */
static enum nv_err
table_read(const struct rpc_state *state,
           uint8_t table,
           struct rpc_catalogue *found,
           enum nv_err (*take)(struct rpc_catalogue *found, const struct nv_row *row))
{
    struct nv_row_range range;
    nv_row_range_prefix(&range, &table, 1);
    uint32_t count = ROWS_AT_ONCE;
    while (count == ROWS_AT_ONCE) {
        struct nv_row rows[ROWS_AT_ONCE];
        NV_TRY(state->ops->rows(state->ctx, rows, &count, &range, ROWS_AT_ONCE));
        for (uint32_t i = 0; i < count; i++) {
            NV_TRY(take(found, &rows[i]));
        }
        if (count > 0) {
            range.first = rows[count - 1].key;
            (void)nv_row_key_next(&range.first); /* keys end in zeros: it is in the range */
        }
    }
    return NV_OK;
}

static void run(struct rpc_job *job, const struct rpc_state *state)
{
    struct loading *loading = (struct loading *)(void *)job;
    loading->err = table_read(state, VM_TABLE_MARKET, &loading->found, listing_take);
    if (loading->err == NV_OK) {
        loading->err = table_read(state, VM_TABLE_FEED, &loading->found, feed_take);
    }
}

/* name_feeds copies the symbols of feeds into the listings that use them. */
static void name_feeds(struct rpc_catalogue *catalogue)
{
    for (uint32_t i = 0; i < catalogue->listing_count; i++) {
        struct rpc_listing *listing = &catalogue->listings[i];
        if (listing->feed_id < catalogue->feed_count) {
            const struct rpc_feed *feed = &catalogue->feeds[listing->feed_id];
            memcpy(listing->feed, feed->symbol, sizeof listing->feed);
        }
    }
}

void rpc__catalogue_deinit(struct rpc_catalogue *catalogue)
{
    nv_heap_free(catalogue->listings);
    nv_heap_free(catalogue->feeds);
    *catalogue = (struct rpc_catalogue){0};
}

static void done(struct rpc_work *work)
{
    struct loading *loading = (struct loading *)(void *)work;
    struct rpc *rpc = loading->rpc;
    bool const again = rpc->catalogue.stale;
    enum nv_err const err = work->job.err != NV_OK ? work->job.err : loading->err;
    rpc->catalogue.loading = false;
    if (err == NV_OK) {
        rpc__catalogue_deinit(&rpc->catalogue);
        rpc->catalogue = loading->found;
        rpc->catalogue.loaded = true;
        name_feeds(&rpc->catalogue);
    } else {
        rpc__catalogue_deinit(&loading->found);
        if (err != NV_ERR_CLOSED) {
            nv_log(NV_LOG_ERROR, "event=rpc_catalogue_failed reason=\"%s\"", nv_err_text(err));
        }
    }
    nv_heap_free(loading);
    if (again && !rpc->closing) {
        rpc->catalogue.stale = false;
        rpc__catalogue_load(rpc);
    }
}

static struct loading *loading_new(struct rpc *rpc)
{
    struct loading *loading = nv_heap_alloc(sizeof *loading);
    if (loading == NULL) {
        return NULL;
    }
    loading->rpc = rpc;
    loading->work.job.run = run;
    loading->work.done = done;
    loading->found.listings = nv_heap_alloc(ENTRIES_MAX * sizeof *loading->found.listings);
    loading->found.feeds = nv_heap_alloc(ENTRIES_MAX * sizeof *loading->found.feeds);
    if (loading->found.listings == NULL || loading->found.feeds == NULL) {
        rpc__catalogue_deinit(&loading->found);
        nv_heap_free(loading);
        return NULL;
    }
    return loading;
}

void rpc__catalogue_load(struct rpc *rpc)
{
    if (rpc->catalogue.loading) {
        rpc->catalogue.stale = true;
        return;
    }
    struct loading *loading = loading_new(rpc);
    if (loading == NULL) {
        return; /* tried again with the next block */
    }
    rpc->catalogue.loading = true;
    if (rpc__work_start(rpc, &loading->work) != NV_OK) {
        rpc->catalogue.loading = false;
        rpc__catalogue_deinit(&loading->found);
        nv_heap_free(loading);
    }
}

const struct rpc_listing *rpc__listing_of(const struct rpc_catalogue *catalogue, uint32_t market)
{
    return market < catalogue->listing_count ? &catalogue->listings[market] : NULL;
}

const struct rpc_listing *
rpc__listing_named(const struct rpc_catalogue *catalogue, const char *symbol)
{
    for (uint32_t i = 0; i < catalogue->listing_count; i++) {
        if (strcmp(catalogue->listings[i].symbol, symbol) == 0) {
            return &catalogue->listings[i];
        }
    }
    return NULL;
}

const struct rpc_feed *rpc__feed_named(const struct rpc_catalogue *catalogue, const char *symbol)
{
    for (uint32_t i = 0; i < catalogue->feed_count; i++) {
        if (strcmp(catalogue->feeds[i].symbol, symbol) == 0) {
            return &catalogue->feeds[i];
        }
    }
    return NULL;
}

static void
json_product(struct rpc_json *json, const char *key, const int64_t factors[2], uint32_t places)
{
    int64_t product = 0;
    if (nv_mul_i64(factors[0], factors[1], &product)) {
        rpc__json_decimal(json, key, product, places);
    } else {
        rpc__json_null(json, key);
    }
}

void rpc__json_price(struct rpc_json *json,
                     const char *key,
                     const struct rpc_listing *listing,
                     int64_t ticks)
{
    int64_t const factors[2] = {ticks, listing->tick_micro};
    json_product(json, key, factors, NV_MICRO_PLACES);
}

void rpc__json_size(struct rpc_json *json,
                    const char *key,
                    const struct rpc_listing *listing,
                    int64_t lots)
{
    int64_t size = 0;
    if (nv_muldiv_i64(lots, listing->lot_power, listing->lots_per_unit, NV_ROUND_ZERO, &size)) {
        rpc__json_decimal(json, key, size, listing->lot_places);
    } else {
        rpc__json_null(json, key);
    }
}

void rpc__json_per_lot(struct rpc_json *json,
                       const char *key,
                       const struct rpc_listing *listing,
                       int64_t micro)
{
    int64_t const factors[2] = {micro, listing->lots_per_unit};
    json_product(json, key, factors, NV_MICRO_PLACES);
}
