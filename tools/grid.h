#ifndef NV_TOOLS_GRID_H
#define NV_TOOLS_GRID_H

/* grid.h - the steps in which a market counts, and exact conversions between
 * what people write and what transactions hold.
 *
 * A size in units of the underlying is whole lots, a price whole ticks; money
 * is micro-units.  Nothing is rounded: a number that lies between two steps is
 * refused, and the nearest legal one is named.  Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/fmt.h"

/* Digits after the point that a size may have. */
#define GRID_SIZE_PLACES 9u

struct tool_grid {
    int64_t tick_micro;    /* a price step, in micro-units per unit of the underlying */
    int64_t lots_per_unit; /* lots in one unit */
};

/* What a number that a person wrote is. */
enum grid_fit {
    GRID_OK = 0,
    GRID_NO_NUMBER,     /* no decimal, or far out of range */
    GRID_NOT_CANONICAL, /* `nearest` is how it is written */
    GRID_BETWEEN,       /* between two steps; `nearest` is the nearest */
    GRID_RANGE,         /* not above 0, or larger than a transaction holds */
};

/* grid_make makes a grid of the members tick_size and tick_value of a market's
 * listing.  NV_ERR_CORRUPT when they do not fit together. */
NV_MUST_USE enum nv_err
grid_make(struct tool_grid *out, const char *tick_size, const char *tick_value);

/* grid_lots reads a size in units, above 0.  `nearest` has NV_DECIMAL_TEXT
 * bytes and is empty where there is nothing to name. */
NV_MUST_USE enum grid_fit
grid_lots(int64_t *lots, char *nearest, const struct tool_grid *grid, const char *text);

/* grid_ticks reads a price, of any sign. */
NV_MUST_USE enum grid_fit
grid_ticks(int64_t *ticks, char *nearest, const struct tool_grid *grid, const char *text);

/* grid_micro reads an amount of money above 0. */
NV_MUST_USE enum grid_fit grid_micro(int64_t *micro, char *nearest, const char *text);

/* grid_size writes lots as a size in units, grid_price ticks as a price,
 * grid_per_lot micro per lot as a price per unit; "-" where it does not fit. */
void grid_size(char out[NV_DECIMAL_TEXT], const struct tool_grid *grid, int64_t lots);
void grid_price(char out[NV_DECIMAL_TEXT], const struct tool_grid *grid, int64_t ticks);
void grid_per_lot(char out[NV_DECIMAL_TEXT], const struct tool_grid *grid, int64_t micro);

/* grid_limit returns the price in ticks of an order that is to trade at once:
 * `ppb` beyond `micro` (a price) on the side that gives way, rounded towards
 * it.  False when it leaves the range of prices. */
bool grid_limit(
    int64_t *ticks, const struct tool_grid *grid, int64_t micro, int64_t ppb, bool buying);

#endif /* NV_TOOLS_GRID_H */
