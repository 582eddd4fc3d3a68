/* novate orders, cancel: what rests in the books, and taking it back. */

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/cli/market.h"
#include "tools/cli/state.h"
#include "tools/cli/submit.h"
#include "tools/cli/table.h"
#include "tools/command.h"

/* only keeps the orders of one market. */
static json_t *only(const json_t *orders, const char *market)
{
    json_t *const out = json_array();
    for (size_t i = 0; i < json_array_size(orders); i++) {
        json_t *const order = json_array_get(orders, i);
        if (market == NULL || strcmp(cli_text(order, "market"), market) == 0) {
            (void)json_array_append(out, order);
        }
    }
    return out;
}

static void print_orders(const json_t *orders)
{
    static const char *const heads[] = {
        "market", "side", ">price", ">size", "order", "flags", NULL};
    json_t *const rows = json_array();
    for (size_t i = 0; i < json_array_size(orders); i++) {
        const json_t *const order = json_array_get(orders, i);
        bool const post = json_is_true(json_object_get(order, "post_only"));
        bool const reduce = json_is_true(json_object_get(order, "reduce_only"));
        (void)json_array_append_new(rows,
                                    json_pack("[s, s, s, s, s, s]",
                                              cli_text(order, "market"),
                                              cli_text(order, "side"),
                                              cli_text(order, "price"),
                                              cli_text(order, "size"),
                                              cli_text(order, "order"),
                                              post     ? "post-only"
                                              : reduce ? "reduce-only"
                                                       : ""));
    }
    cli_table(heads, rows);
    json_decref(rows);
}

enum tool_exit tool_orders(char **argv)
{
    struct cli_form const form = {
        "novate orders [MARKET] [--key K] [--trust-node] [--genesis FILE] [--json]", 0, 1, NULL, 0};
    struct cli cli;
    struct tool_key key;
    struct cli_state state = {0};
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = cli_key(&cli, &key);
    }
    if (code == TOOL_OK) {
        char address[NV_ADDRESS_TEXT];
        nv_address_format(address, &key.address);
        json_t *const params = json_pack("{s:s}", "address", address);
        code = cli_state_get(&cli, &state, "order_open", params, NULL);
    }
    if (code == TOOL_OK) {
        const char *const market = cli.args.count == 1 ? cli.args.words[0] : NULL;
        json_t *const orders = only(json_object_get(state.answer, "orders"), market);
        (void)json_object_set(state.answer, "orders", orders);
        if (cli.json) {
            cli_state_dump(&state);
        } else {
            print_orders(orders);
            cli_state_note(&state);
        }
        json_decref(orders);
    }
    cli_state_deinit(&state);
    cli_close(&cli);
    return code;
}

/* read_cancel makes the action of: ORDER | --all [MARKET]. */
static enum tool_exit read_cancel(struct cli *cli, struct vm_action *action, bool all)
{
    struct cli_market market;
    if (!all) {
        action->kind = VM_ACTION_CANCEL;
        if (cli->args.count != 1) {
            return tool_fail(TOOL_USAGE,
                             "it takes the order's number, or --all",
                             "novate orders",
                             "which order?");
        }
        return tool_args_number(&action->cancel_order, "ORDER", cli->args.words[0], 1, UINT64_MAX)
                   ? TOOL_OK
                   : TOOL_USAGE;
    }
    action->kind = VM_ACTION_CANCEL_ALL;
    action->cancel_all.every_market = cli->args.count == 0;
    if (cli->args.count == 0) {
        return TOOL_OK;
    }
    enum tool_exit const code = cli_market_get(cli, &market, cli->args.words[0]);
    action->cancel_all.market = market.id;
    return code;
}

enum tool_exit tool_cancel(char **argv)
{
    bool all = false;
    struct tool_option const options[] = {{"--all", NULL, &all}};
    struct cli_form const form = {
        "novate cancel ORDER | --all [MARKET] [--key K]", 0, 1, options, 1};
    struct cli cli;
    struct tool_key key;
    struct vm_action action = {0};
    json_t *answer = NULL;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = read_cancel(&cli, &action, all);
    }
    if (code == TOOL_OK) {
        code = cli_key(&cli, &key);
    }
    if (code == TOOL_OK) {
        code = cli_submit(&cli, &key, &action, 1, &answer);
    }
    if (code == TOOL_OK && cli.json) {
        cli_dump(answer);
    } else if (code == TOOL_OK) {
        (void)printf("cancelled %s\nheight %s, transaction %s\n",
                     all ? cli_outcome(answer, 0) : cli.args.words[0],
                     cli_text(answer, "height"),
                     cli_text(answer, "tx_hash"));
    }
    json_decref(answer);
    cli_close(&cli);
    return code;
}
