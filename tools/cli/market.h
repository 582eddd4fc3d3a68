#ifndef NV_TOOLS_CLI_MARKET_H
#define NV_TOOLS_CLI_MARKET_H

/* market.h - a market as the command line needs it: its number, its grid, its
 * mark, and numbers that people write for it. */

#include <stdbool.h>
#include <stdint.h>

#include "tools/cli/cli.h"
#include "tools/grid.h"

struct cli_market {
    char symbol[32];
    uint32_t id;
    struct tool_grid grid;
    int64_t mark_micro; /* per unit; 0 before the first price */
};

/* cli_market_get asks for a market, checked; says what is wrong if it fails. */
enum tool_exit cli_market_get(struct cli *cli, struct cli_market *out, const char *name);

/* cli_lots, cli_ticks and cli_micro read a size, a price and an amount; false
 * after saying what is wrong, with the nearest legal number. */
bool cli_lots(int64_t *lots, const struct cli_market *market, const char *text);
bool cli_ticks(int64_t *ticks, const struct cli_market *market, const char *text);
bool cli_micro(int64_t *micro, const char *text);

#endif /* NV_TOOLS_CLI_MARKET_H */
