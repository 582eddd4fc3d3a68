#ifndef NV_TOOLS_FEEDER_PATH_H
#define NV_TOOLS_FEEDER_PATH_H

/* path.h - where the feeder's prices come from.
 *
 * A path is replayed (the closes of a CSV of hourly bars, one bar a step) or
 * made up (regimes of volatility and rare jumps, from a seed).  On top lies a
 * factor a feed that `devnet price` moves. */

#include <stdbool.h>
#include <stdint.h>

#define PATH_FEEDS 2u /* BTC, ETH */

struct price_path; /* opaque */

/* price_path_open: `source` is "synthetic" or a CSV's path (its price leads BTC,
 * ETH follows in proportion).  NULL after saying why not. */
struct price_path *price_path_open(const char *source, uint64_t seed);
void price_path_close(struct price_path *path);

/* price_path_step goes one second on. */
void price_path_step(struct price_path *path);

/* price_path_now returns a feed's price in micro. */
int64_t price_path_now(const struct price_path *path, uint32_t feed);

/* price_path_set makes a feed's price this, from now on. */
void price_path_set(struct price_path *path, uint32_t feed, int64_t micro);

extern const char *const price_path_symbols[PATH_FEEDS];

#endif /* NV_TOOLS_FEEDER_PATH_H */
