/* The trading bots of a devnet: three quote every market around its mark, one
 * takes at random, two hold positions as large as their margin allows, so that
 * a fall (or a rise) liquidates them. Whoever has lost everything is paid anew
 * by the faucet. */

#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/args.h"
#include "tools/command.h"
#include "tools/devnet/devnet.h"
#include "tools/submit.h"

#define MAKERS       3u
#define ROUND_MS     1000
#define MARKETS_MAX  16u
#define LEVELS       5u
#define POOR         5000.0  /* equity below which the faucet helps */
#define ALLOWANCE    20000.0 /* what it pays */
#define OVERREACH    0.8     /* share of the margin that a heavy bot uses */
#define INITIAL_RATE 0.095   /* about the initial margin of one market */

struct market_view {
    uint32_t id;
    double mark;
    double tick;
    double lot;
};

struct bots {
    struct devnet devnet;
    struct tool_chain chain;
    char url[64];
    uint32_t node;
    struct tool_key key[DEVNET_TRADERS];
    struct tool_key faucet;
    struct market_view market[MARKETS_MAX];
    uint32_t market_count;
    uint64_t random;
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static double uniform(struct bots *b)
{
    b->random = b->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(b->random >> 11) / 9007199254740992.0;
}

/* call asks the node; a node that went away is left for the next one. */
static json_t *call(struct bots *b, const char *method, json_t *params)
{
    json_t *result = NULL;
    enum nv_err const err = rpc_client_call(b->chain.client, &result, method, params);
    if (err == NV_ERR_CLOSED || err == NV_ERR_TIMEOUT) {
        tool_chain_close(&b->chain);
    }
    return err == NV_OK ? result : NULL;
}

static bool connected(struct bots *b)
{
    for (uint32_t i = 0; i < b->devnet.validators && b->chain.client == NULL; i++) {
        char name[32];
        b->node = (b->node + 1) % b->devnet.validators;
        (void)snprintf(name, sizeof name, "node%u", b->node);
        devnet_url(b->url, &b->devnet, b->node);
        if (devnet_running(&b->devnet, name) && tool_chain_open(&b->chain, b->url) != TOOL_OK) {
            b->chain.client = NULL;
        }
    }
    return b->chain.client != NULL;
}

static double number(const json_t *object, const char *key)
{
    const char *const text = json_string_value(json_object_get(object, key));
    return text != NULL ? strtod(text, NULL) : 0.0;
}

static bool look(struct bots *b)
{
    json_t *const answer = call(b, "market_list", NULL);
    const json_t *const list = json_object_get(answer, "markets");
    b->market_count = 0;
    for (size_t i = 0; i < json_array_size(list) && b->market_count < MARKETS_MAX; i++) {
        const json_t *const row = json_array_get(list, i);
        const char *const status = json_string_value(json_object_get(row, "status"));
        struct market_view const view = {
            .id = (uint32_t)json_integer_value(json_object_get(row, "market_id")),
            .mark = number(row, "mark"),
            .tick = number(row, "tick_size"),
            .lot = number(row, "lot_size"),
        };
        if (status != NULL && strcmp(status, "open") == 0 && view.mark > 0 && view.tick > 0 &&
            view.lot > 0 && json_is_true(json_object_get(row, "index_fresh"))) {
            b->market[b->market_count] = view;
            b->market_count++;
        }
    }
    json_decref(answer);
    return b->market_count > 0;
}

static struct vm_action order(const struct market_view *m, double price, double size, bool ioc)
{
    double const lots = fmax(1.0, floor(fabs(size) / m->lot));
    return (struct vm_action){
        .kind = VM_ACTION_PLACE,
        .place = {.market = m->id,
                  .side = size > 0 ? VM_BUY : VM_SELL,
                  .time_in_force = ioc ? VM_IOC : VM_GTC,
                  .price = vm_price((int64_t)llround(price / m->tick)),
                  .lots = vm_lots((int64_t)lots)},
    };
}

static void
submit(struct bots *b, const struct tool_key *key, const struct vm_action *actions, uint32_t count)
{
    static uint8_t bytes[VM_TX_SIZE_MAX];
    static char text[NV_BYTES_TEXT(VM_TX_SIZE_MAX)];
    uint32_t size = 0;
    if (b->chain.client != NULL && count > 0 &&
        tool_sign(&b->chain, key, actions, count, bytes, &size) == TOOL_OK) {
        nv_bytes_format(text, bytes, size);
        json_decref(call(b, "tx_submit", json_pack("{s:s}", "transaction", text)));
    }
}

/* quote replaces a maker's orders in every market. */
static void quote(struct bots *b, uint32_t bot)
{
    struct vm_action actions[VM_ACTIONS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->market_count && count + 1 + 2 * LEVELS <= VM_ACTIONS_MAX; i++) {
        const struct market_view *const m = &b->market[i];
        actions[count] =
            (struct vm_action){.kind = VM_ACTION_CANCEL_ALL, .cancel_all = {m->id, false}};
        count++;
        double const value = 3000.0 + 20000.0 * uniform(b);
        for (uint32_t level = 0; level < LEVELS; level++) {
            double const away = (0.0002 + 0.0003 * bot + 0.0004 * level) * (0.8 + 0.4 * uniform(b));
            double const size = value * (1.0 + level) / m->mark;
            actions[count] = order(m, m->mark * (1.0 - away), size, false);
            actions[count + 1] = order(m, m->mark * (1.0 + away), -size, false);
            count += 2;
        }
    }
    submit(b, &b->key[bot], actions, count);
}

static void take(struct bots *b, uint32_t bot)
{
    const struct market_view *const m = &b->market[(uint32_t)(uniform(b) * b->market_count)];
    double const side = uniform(b) < 0.5 ? 1.0 : -1.0;
    double const value = 500.0 + 10000.0 * uniform(b) * uniform(b);
    struct vm_action const action =
        order(m, m->mark * (1.0 + side * 0.003), side * value / m->mark, true);
    submit(b, &b->key[bot], &action, 1);
}

static void help(struct bots *b, uint32_t bot)
{
    struct vm_action action = {.kind = VM_ACTION_FAUCET};
    action.send.to = b->key[bot].address;
    action.send.amount = vm_money((int64_t)(ALLOWANCE * 1e6));
    submit(b, &b->faucet, &action, 1);
}

/* overreach brings a heavy bot's position to what its equity just supports:
 * bot 4 long BTC, bot 5 short ETH. */
static void overreach(struct bots *b, uint32_t bot)
{
    char address[NV_ADDRESS_TEXT];
    nv_address_format(address, &b->key[bot].address);
    json_t *const account = call(b, "account_get", json_pack("{s:s}", "address", address));
    if (account == NULL) {
        return;
    }
    double const equity = number(account, "equity");
    json_decref(account);
    if (equity < POOR) {
        help(b, bot);
        return;
    }
    const struct market_view *const m = &b->market[bot == 4 || b->market_count < 2 ? 0 : 1];
    json_t *const answer = call(b, "account_positions", json_pack("{s:s}", "address", address));
    double held = 0;
    const json_t *const list = json_object_get(answer, "positions");
    for (size_t i = 0; i < json_array_size(list); i++) {
        held += fabs(number(json_array_get(list, i), "size")) * m->mark;
    }
    json_decref(answer);
    double const wanted = equity / INITIAL_RATE * OVERREACH;
    if (held < 0.9 * wanted) {
        double const side = bot == 4 ? 1.0 : -1.0;
        double const value = fmin(wanted - held, wanted / 4);
        struct vm_action const action =
            order(m, m->mark * (1.0 + side * 0.004), side * value / m->mark, true);
        submit(b, &b->key[bot], &action, 1);
    }
}

static void round_once(struct bots *b)
{
    if (!connected(b) || !look(b)) {
        return;
    }
    for (uint32_t i = 0; i < DEVNET_TRADERS && b->chain.client != NULL; i++) {
        if (i < MAKERS) {
            quote(b, i);
        } else if (i == MAKERS) {
            take(b, i);
        } else {
            overreach(b, i);
        }
    }
}

enum tool_exit tool_bots(char **argv)
{
    static struct bots b;
    const char *dir = NULL;
    struct tool_args args;
    struct tool_option const options[] = {{"--dir", &dir, NULL}};
    enum tool_exit const code = tool_args_read(&args, options, 1, "novate bots --dir D", argv);
    if (code != TOOL_OK || !devnet_load(&b.devnet, devnet_dir(dir))) {
        return code != TOOL_OK ? code : TOOL_FAILED;
    }
    for (uint32_t i = 0; i < DEVNET_TRADERS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "bot%u", i);
        tool_key_named(&b.key[i], name);
    }
    tool_key_named(&b.faucet, "faucet");
    b.random = 7;
    struct sigaction const action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    while (stopping == 0) {
        round_once(&b);
        (void)poll(NULL, 0, ROUND_MS);
    }
    return TOOL_OK;
}
