/* novate buy, sell: places one order and tells what became of it. */

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/cli/market.h"
#include "tools/cli/state.h"
#include "tools/cli/submit.h"
#include "tools/cli/table.h"
#include "tools/command.h"

/* How far from the mark @market trades at most: 2 %, in parts per billion. */
#define MARKET_AWAY_PPB 20000000
#define FILLS_MAX       500

struct order {
    struct cli cli;
    struct cli_market market;
    struct tool_key key;
    char address[NV_ADDRESS_TEXT];
    bool buying;
    bool ioc;
    bool post_only;
    bool reduce_only;
    const char *client_id;
    struct vm_action action;
};

/* read_price understands @60000.5, 60000.5 and @market. */
static enum tool_exit read_price(struct order *o, const char *word)
{
    int64_t ticks = 0;
    const char *const text = word[0] == '@' ? word + 1 : word;
    if (strcmp(text, "market") != 0) {
        if (!cli_ticks(&ticks, &o->market, text)) {
            return TOOL_USAGE;
        }
        o->action.place.price = vm_price(ticks);
        return TOOL_OK;
    }
    if (o->post_only) {
        return tool_fail(TOOL_USAGE,
                         "@market takes from the book, --post-only never does",
                         NULL,
                         "@market and --post-only exclude each other");
    }
    if (o->market.mark_micro == 0 ||
        !grid_limit(&ticks, &o->market.grid, o->market.mark_micro, MARKET_AWAY_PPB, o->buying)) {
        return tool_fail(TOOL_FAILED,
                         "@market is 2 % beyond the mark",
                         "novate rpc market_oracle feed=BTC, or name a price: @60000",
                         "%s has no mark yet",
                         o->market.symbol);
    }
    o->ioc = true;
    o->action.place.price = vm_price(ticks);
    return TOOL_OK;
}

static enum tool_exit read_order(struct order *o)
{
    int64_t lots = 0;
    struct vm_place *const place = &o->action.place;
    enum tool_exit code = cli_market_get(&o->cli, &o->market, o->cli.args.words[0]);
    if (code != TOOL_OK) {
        return code;
    }
    if (!cli_lots(&lots, &o->market, o->cli.args.words[1])) {
        return TOOL_USAGE;
    }
    code = read_price(o, o->cli.args.words[2]);
    if (code != TOOL_OK) {
        return code;
    }
    if (o->client_id != NULL &&
        !tool_args_number(&place->client_id, "--client-id", o->client_id, 1, UINT64_MAX)) {
        return TOOL_USAGE;
    }
    if (o->ioc && o->post_only) {
        return tool_fail(TOOL_USAGE, NULL, NULL, "--ioc and --post-only exclude each other");
    }
    o->action.kind = VM_ACTION_PLACE;
    place->market = o->market.id;
    place->side = o->buying ? VM_BUY : VM_SELL;
    place->time_in_force = o->ioc ? VM_IOC : VM_GTC;
    place->post_only = o->post_only;
    place->reduce_only = o->reduce_only;
    place->lots = vm_lots(lots);
    return TOOL_OK;
}

/* fills_of returns the fills of an order in the block that placed it. */
static json_t *fills_of(struct order *o, const char *order, const char *height)
{
    json_t *answer = NULL;
    json_t *const out = json_array();
    json_t *const params = json_pack(
        "{s:s, s:i, s:s}", "address", o->address, "limit", FILLS_MAX, "min_height", height);
    if (cli_ask(&o->cli, &answer, "account_fills", params) == TOOL_OK) {
        const json_t *const fills = json_object_get(answer, "fills");
        for (size_t i = 0; i < json_array_size(fills); i++) {
            json_t *const fill = json_array_get(fills, i);
            if (strcmp(cli_text(fill, "order"), order) == 0) {
                (void)json_array_append(out, fill);
            }
        }
    }
    json_decref(answer);
    return out;
}

/* rest_of returns how much of the order rests, as text, by the proved list of all
 * orders of the account; null: nothing. */
static enum tool_exit rest_of(struct order *o, json_t **rest, const char *order)
{
    struct cli_state state;
    enum tool_exit const code = cli_state_get(
        &o->cli, &state, "order_open", json_pack("{s:s}", "address", o->address), NULL);
    const json_t *const orders = json_object_get(state.answer, "orders");
    *rest = json_null();
    for (size_t i = 0; i < json_array_size(orders); i++) {
        const json_t *const entry = json_array_get(orders, i);
        if (strcmp(cli_text(entry, "order"), order) == 0) {
            *rest = json_incref(json_object_get(entry, "size"));
        }
    }
    cli_state_deinit(&state);
    return code;
}

static void print_result(const struct order *o, const json_t *result)
{
    const char *const symbol = o->market.symbol;
    const json_t *const fills = json_object_get(result, "fills");
    const char *const rest = json_string_value(json_object_get(result, "rest"));
    char price[NV_DECIMAL_TEXT];
    grid_price(price, &o->market.grid, vm_price_raw(o->action.place.price));
    for (size_t i = 0; i < json_array_size(fills); i++) {
        const json_t *const fill = json_array_get(fills, i);
        (void)printf("%s %s %s at %s, fee %s\n",
                     o->buying ? "bought" : "sold",
                     cli_text(fill, "size"),
                     symbol,
                     cli_text(fill, "price"),
                     cli_text(fill, "fee"));
    }
    if (rest != NULL && o->ioc) {
        (void)printf("%s %s waits: the auction is extended, for about two seconds; then see "
                     "novate positions\n",
                     rest,
                     symbol);
    } else if (rest != NULL) {
        (void)printf("%s %s %s rests at %s; novate cancel %s takes it back\n",
                     o->buying ? "buy" : "sell",
                     rest,
                     symbol,
                     price,
                     cli_text(result, "order"));
    } else if (json_array_size(fills) == 0) {
        (void)printf("nothing traded at %s or better\n", price);
    }
    (void)printf(
        "height %s, transaction %s\n", cli_text(result, "height"), cli_text(result, "tx_hash"));
    if (json_array_size(fills) > 0) {
        (void)printf("%sfills are the node's word: they are no rows to prove%s\n",
                     cli_colour(CLI_DIM),
                     cli_colour(CLI_PLAIN));
    }
}

/* tell prints what became of the order. */
static enum tool_exit tell(struct order *o, const json_t *answer)
{
    const char *const order = cli_outcome(answer, 0);
    const char *const height = cli_text(answer, "height");
    json_t *rest = NULL;
    enum tool_exit const code = rest_of(o, &rest, order);
    json_t *const result = json_pack("{s:s, s:s, s:s, s:o, s:o, s:O*}",
                                     "tx_hash",
                                     cli_text(answer, "tx_hash"),
                                     "height",
                                     height,
                                     "order",
                                     order,
                                     "fills",
                                     fills_of(o, order, height),
                                     "rest",
                                     rest,
                                     "proof",
                                     json_object_get(answer, "proof"));
    if (code == TOOL_OK && o->cli.json) {
        cli_dump(result);
    } else if (code == TOOL_OK) {
        print_result(o, result);
    }
    json_decref(result);
    return code;
}

static enum tool_exit place(struct order *o)
{
    json_t *answer = NULL;
    nv_address_format(o->address, &o->key.address);
    enum tool_exit code = cli_submit(&o->cli, &o->key, &o->action, 1, &answer);
    if (code == TOOL_OK) {
        code = tell(o, answer);
    }
    json_decref(answer);
    return code;
}

static enum tool_exit trade(bool buying, char **argv)
{
    static struct order o;
    struct tool_option const options[] = {{"--post-only", NULL, &o.post_only},
                                          {"--reduce-only", NULL, &o.reduce_only},
                                          {"--ioc", NULL, &o.ioc},
                                          {"--client-id", &o.client_id, NULL}};
    struct cli_form const form = {
        buying ? "novate buy MARKET SIZE @PRICE|@market [--post-only] [--reduce-only] [--ioc] "
                 "[--client-id N] [--key K]"
               : "novate sell MARKET SIZE @PRICE|@market [--post-only] [--reduce-only] [--ioc] "
                 "[--client-id N] [--key K]",
        3,
        3,
        options,
        4};
    o.buying = buying;
    enum tool_exit code = cli_open(&o.cli, &form, argv);
    if (code == TOOL_OK) {
        code = cli_key(&o.cli, &o.key);
    }
    if (code == TOOL_OK) {
        code = read_order(&o);
    }
    if (code == TOOL_OK) {
        code = place(&o);
    }
    cli_close(&o.cli);
    return code;
}

enum tool_exit tool_buy(char **argv)
{
    return trade(true, argv);
}

enum tool_exit tool_sell(char **argv)
{
    return trade(false, argv);
}
