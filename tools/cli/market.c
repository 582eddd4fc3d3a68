#include "tools/cli/market.h"

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/cli/state.h"

enum tool_exit cli_market_get(struct cli *cli, struct cli_market *out, const char *name)
{
    struct cli_state state;
    char canonical[NV_DECIMAL_TEXT];
    enum tool_exit code =
        cli_state_get(cli, &state, "market_get", json_pack("{s:s}", "market", name), NULL);
    const json_t *const answer = state.answer;
    memset(out, 0, sizeof *out);
    if (code != TOOL_OK) {
        cli_state_deinit(&state);
        return code;
    }
    (void)snprintf(out->symbol, sizeof out->symbol, "%s", cli_text(answer, "market"));
    out->id = (uint32_t)cli_count(answer, "market_id");
    if (grid_make(&out->grid, cli_text(answer, "tick_size"), cli_text(answer, "tick_value")) !=
        NV_OK) {
        code = tool_fail(TOOL_REFUSED, NULL, NULL, "the node's listing of %s is broken", name);
    }
    if (nv_decimal_parse(&out->mark_micro,
                         canonical,
                         nv_view_of_text(cli_text(answer, "mark")),
                         NV_MICRO_PLACES) != NV_OK) {
        out->mark_micro = 0;
    }
    cli_state_deinit(&state);
    return code;
}

/* judge says what is wrong with a number; true when nothing is. */
static bool
judge(enum grid_fit fit, const char *nearest, const char *what, const char *text, const char *step)
{
    char next[64];
    (void)snprintf(next, sizeof next, "%s", nearest);
    switch (fit) {
    case GRID_OK: return true;
    case GRID_NO_NUMBER:
        (void)tool_fail(TOOL_USAGE,
                        "it is no decimal number like 12.5, or has too many digits",
                        NULL,
                        "the %s \"%s\" cannot be read",
                        what,
                        text);
        return false;
    case GRID_NOT_CANONICAL:
        (void)tool_fail(TOOL_USAGE,
                        "each number has one way to be written",
                        next,
                        "the %s \"%s\" is written otherwise",
                        what,
                        text);
        return false;
    case GRID_BETWEEN:
        (void)tool_fail(
            TOOL_USAGE, step, next, "the %s %s lies between two steps of the market", what, text);
        return false;
    case GRID_RANGE:
        (void)tool_fail(TOOL_USAGE, NULL, NULL, "the %s %s is out of range", what, text);
        return false;
    }
    return false;
}

bool cli_lots(int64_t *lots, const struct cli_market *market, const char *text)
{
    char nearest[NV_DECIMAL_TEXT];
    char lot[NV_DECIMAL_TEXT];
    char step[96];
    enum grid_fit const fit = grid_lots(lots, nearest, &market->grid, text);
    grid_size(lot, &market->grid, 1);
    (void)snprintf(step, sizeof step, "sizes of %s are multiples of %s", market->symbol, lot);
    return judge(fit, nearest, "size", text, step);
}

bool cli_ticks(int64_t *ticks, const struct cli_market *market, const char *text)
{
    char nearest[NV_DECIMAL_TEXT];
    char tick[NV_DECIMAL_TEXT];
    char step[96];
    enum grid_fit const fit = grid_ticks(ticks, nearest, &market->grid, text);
    grid_price(tick, &market->grid, 1);
    (void)snprintf(step, sizeof step, "prices of %s are multiples of %s", market->symbol, tick);
    return judge(fit, nearest, "price", text, step);
}

bool cli_micro(int64_t *micro, const char *text)
{
    char nearest[NV_DECIMAL_TEXT];
    return judge(grid_micro(micro, nearest, text), nearest, "amount", text, NULL);
}
