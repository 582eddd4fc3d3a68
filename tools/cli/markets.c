/* novate markets, trades, params: what there is to trade and what was. */

#include <stdio.h>

#include "tools/cli/cli.h"
#include "tools/cli/state.h"
#include "tools/cli/table.h"
#include "tools/command.h"

#define EXPIRY_DAY 16 /* of "2026-11-22 15:41:21.043": to the minute */

static json_t *market_row(const json_t *market)
{
    char expires[CLI_TIME_TEXT];
    const json_t *const expires_ms = json_object_get(market, "expires_ms");
    cli_time(expires, json_integer_value(expires_ms));
    expires[EXPIRY_DAY] = '\0';
    return json_pack("[s, s, s, s, s, s, s, s, s]",
                     cli_text(market, "market"),
                     cli_text(market, "status"),
                     cli_text(market, "mark"),
                     cli_text(market, "index"),
                     cli_text(market, "last_price"),
                     cli_text(market, "open_interest"),
                     cli_text(market, "tick_size"),
                     cli_text(market, "lot_size"),
                     json_is_integer(expires_ms) ? expires : "never");
}

enum tool_exit tool_markets(char **argv)
{
    static const char *const heads[] = {"market",
                                        "status",
                                        ">mark",
                                        ">index",
                                        ">last",
                                        ">open interest",
                                        ">tick",
                                        ">lot",
                                        "expires (UTC)",
                                        NULL};
    struct cli_form const form = {
        "novate markets [--trust-node] [--genesis FILE] [--json]", 0, 0, NULL, 0};
    struct cli cli;
    struct cli_state state = {0};
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = cli_state_get(&cli, &state, "market_list", json_object(), NULL);
    }
    if (code == TOOL_OK && cli.json) {
        cli_dump(json_object_get(state.answer, "markets"));
    } else if (code == TOOL_OK) {
        const json_t *const markets = json_object_get(state.answer, "markets");
        json_t *const rows = json_array();
        for (size_t i = 0; i < json_array_size(markets); i++) {
            (void)json_array_append_new(rows, market_row(json_array_get(markets, i)));
        }
        cli_table(heads, rows);
        cli_state_note(&state);
        json_decref(rows);
    }
    cli_state_deinit(&state);
    cli_close(&cli);
    return code;
}

static void print_trades(const json_t *trades)
{
    static const char *const heads[] = {"time (UTC)", ">price", ">size", ">height", NULL};
    json_t *const rows = json_array();
    for (size_t i = 0; i < json_array_size(trades); i++) {
        const json_t *const trade = json_array_get(trades, i);
        char time[CLI_TIME_TEXT];
        cli_time(time, cli_count(trade, "block_time_ms"));
        (void)json_array_append_new(rows,
                                    json_pack("[s, s, s, s]",
                                              time,
                                              cli_text(trade, "price"),
                                              cli_text(trade, "size"),
                                              cli_text(trade, "height")));
    }
    cli_table(heads, rows);
    json_decref(rows);
}

enum tool_exit tool_trades(char **argv)
{
    const char *limit = "20";
    struct tool_option const options[] = {{"--limit", &limit, NULL}};
    struct cli_form const form = {"novate trades MARKET [--limit N] [--json]", 1, 1, options, 1};
    struct cli cli;
    json_t *answer = NULL;
    uint64_t count = 0;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK && !tool_args_number(&count, "--limit", limit, 1, 500)) {
        code = TOOL_USAGE;
    }
    if (code == TOOL_OK) {
        json_t *const params =
            json_pack("{s:s, s:i}", "market", cli.args.words[0], "limit", (int)count);
        code = cli_ask(&cli, &answer, "market_trades", params);
    }
    if (code == TOOL_OK && cli.json) {
        cli_dump(json_object_get(answer, "trades"));
    } else if (code == TOOL_OK) {
        print_trades(json_object_get(answer, "trades"));
        (void)printf("%snot checked: the node's word, from the time since it started%s\n",
                     cli_colour(CLI_DIM),
                     cli_colour(CLI_PLAIN));
    }
    json_decref(answer);
    cli_close(&cli);
    return code;
}
