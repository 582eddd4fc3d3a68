#ifndef NV_RPC_CATALOGUE_H
#define NV_RPC_CATALOGUE_H

/* catalogue.h - the names of markets and feeds, so that clients speak of
 * "BTC-PERP" and the state of market 0.
 *
 * Listings are immutable rows; the catalogue reads them when the first block
 * is published and again when a block lists a market. It also knows how a
 * market's ticks and lots are written. Loop thread; entries are copied to
 * whoever works elsewhere. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct rpc;
struct rpc_json;
struct vm_market_row;

#define RPC_SYMBOL_CAP 25u /* with its terminator */

struct rpc_listing {
    uint32_t market;
    char symbol[RPC_SYMBOL_CAP];
    char feed[RPC_SYMBOL_CAP];
    uint32_t feed_id;
    int64_t tick_micro;
    int64_t lots_per_unit;
    int64_t tick_value;
    uint32_t lot_places; /* a size has at most so many digits after the point */
    int64_t lot_power;   /* 10^lot_places */
};

struct rpc_feed {
    uint32_t feed;
    char symbol[RPC_SYMBOL_CAP];
};

struct rpc_catalogue {
    struct rpc_listing *listings; /* owned; by market, dense */
    uint32_t listing_count;
    struct rpc_feed *feeds; /* owned; by feed, dense */
    uint32_t feed_count;
    bool loaded;
    bool loading;
    bool stale; /* changed while loading */
};

/* rpc__listing_make makes the entry of a market's row, without its feed's
 * name. NV_ERR_CORRUPT when the row cannot be. Any thread. */
NV_MUST_USE enum nv_err
rpc__listing_make(struct rpc_listing *listing, uint32_t market, const struct vm_market_row *row);

/* rpc__catalogue_load begins to read the listings. */
void rpc__catalogue_load(struct rpc *rpc);

void rpc__catalogue_deinit(struct rpc_catalogue *catalogue);

/* rpc__listing_of finds by number, the others by name; NULL when there is none.
 * Borrowed until the loop runs on. */
const struct rpc_listing *rpc__listing_of(const struct rpc_catalogue *catalogue, uint32_t market);
const struct rpc_listing *
rpc__listing_named(const struct rpc_catalogue *catalogue, const char *symbol);
const struct rpc_feed *rpc__feed_named(const struct rpc_catalogue *catalogue, const char *symbol);

/* rpc__json_price writes `ticks` as a price, rpc__json_size `lots` as a size
 * (rounded towards zero where 9 digits do not suffice), rpc__json_per_lot a value
 * in micro per lot as a price. A number that leaves
 * 64 bits on the way is written as null. */
void rpc__json_price(struct rpc_json *json,
                     const char *key,
                     const struct rpc_listing *listing,
                     int64_t ticks);
void rpc__json_size(struct rpc_json *json,
                    const char *key,
                    const struct rpc_listing *listing,
                    int64_t lots);
void rpc__json_per_lot(struct rpc_json *json,
                       const char *key,
                       const struct rpc_listing *listing,
                       int64_t micro);

#endif /* NV_RPC_CATALOGUE_H */
