/* A keeper: looks for accounts below maintenance and hands in plans.
 *
 * A plan must reach the target and cost no more than the protocol's own plan
 * (and a slack); with one leg that is a number of lots, worked out here from
 * the account's proved figures: with E equity, M maintenance, L lots of value V,
 * closing n of L leaves E - c n V / L >= t M (1 - n / L), so
 *     n >= L (t M - E) / (t M - c V),   c the fees, t the target. */

#include <jansson.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/args.h"
#include "tools/ask.h"
#include "tools/command.h"
#include "tools/devnet/devnet.h"
#include "tools/submit.h"

#define ROUND_MS 500
#define TARGET   1.1
#define FEES     0.0105 /* taker and liquidation fee */
#define SLACK    1.02   /* closes a little more, for prices that move meanwhile */

struct keeper {
    struct tool_chain chain;
    struct tool_key key;
    const char *url;
};

static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static double number(const json_t *object, const char *key)
{
    const char *const text = json_string_value(json_object_get(object, key));
    return text != NULL ? strtod(text, NULL) : 0.0;
}

static json_t *call(struct keeper *k, const char *method, json_t *params)
{
    json_t *result = NULL;
    enum nv_err const err = rpc_client_call(k->chain.client, &result, method, params);
    if (err == NV_ERR_CLOSED || err == NV_ERR_TIMEOUT) {
        tool_chain_close(&k->chain);
    }
    return err == NV_OK ? result : NULL;
}

/* plan fills closes: every leg by the same share of its lots. */
static uint32_t plan(const json_t *positions, double share, struct vm_close closes[VM_CLOSES_MAX])
{
    uint32_t count = 0;
    for (size_t i = 0; i < json_array_size(positions) && count < VM_CLOSES_MAX; i++) {
        const json_t *const row = json_array_get(positions, i);
        double const lots = fabs(number(row, "lots"));
        double const wanted = fmin(lots, ceil(lots * share));
        json_int_t const market = json_integer_value(json_object_get(row, "market_id"));
        if (wanted >= 1) {
            closes[count] = (struct vm_close){(uint32_t)market, vm_lots((int64_t)wanted)};
            count++;
        }
    }
    return count;
}

static double gross_value(const json_t *positions)
{
    double sum = 0;
    for (size_t i = 0; i < json_array_size(positions); i++) {
        const json_t *const row = json_array_get(positions, i);
        sum += fabs(number(row, "size")) * number(row, "mark");
    }
    return sum;
}

static void
submit(struct keeper *k, const char *address, const struct vm_close *closes, uint32_t count)
{
    struct vm_action action = {.kind = VM_ACTION_KEEPER_CLOSE};
    json_t *result = NULL;
    action.keeper_close.close_count = count;
    action.keeper_close.closes = closes;
    if (nv_address_parse(&action.keeper_close.account, nv_view_of_text(address)) == NV_OK &&
        tool_submit(&k->chain, &k->key, &action, 1, false, &result) == TOOL_OK) {
        (void)printf("plan for %s: %u closes\n", address, count);
        (void)fflush(stdout);
    }
    json_decref(result);
}

static void keep(struct keeper *k, const json_t *candidate)
{
    const char *const address = json_string_value(json_object_get(candidate, "address"));
    double const equity = number(candidate, "equity");
    double const maintenance = number(candidate, "maintenance_margin");
    struct vm_close closes[VM_CLOSES_MAX];
    if (address == NULL) {
        return;
    }
    json_t *const answer = call(k, "account_positions", json_pack("{s:s}", "address", address));
    const json_t *const positions = json_object_get(answer, "positions");
    double const value = gross_value(positions);
    double const relief = TARGET * maintenance - FEES * value;
    double share = relief > 0 ? (TARGET * maintenance - equity) / relief * SLACK : 1.0;
    share = share > 1.0 || share < 0.0 ? 1.0 : share;
    uint32_t const count = plan(positions, share, closes);
    if (count > 0 && k->chain.client != NULL) {
        submit(k, address, closes, count);
    }
    json_decref(answer);
}

static void round_once(struct keeper *k)
{
    if (k->chain.client == NULL && tool_chain_open(&k->chain, k->url) != TOOL_OK) {
        k->chain.client = NULL;
        return;
    }
    json_t *const answer = call(k, "liq_candidates", NULL);
    const json_t *const list = json_object_get(answer, "candidates");
    for (size_t i = 0; i < json_array_size(list) && k->chain.client != NULL; i++) {
        keep(k, json_array_get(list, i));
    }
    json_decref(answer);
}

enum tool_exit tool_keeper_run(char **argv)
{
    static struct keeper k;
    static struct devnet d;
    static char url[64];
    const char *dir = NULL;
    const char *node = NULL;
    const char *key = "keeper";
    struct tool_args args;
    struct tool_option const options[] = {
        {"--dir", &dir, NULL}, {"--node", &node, NULL}, {"--key", &key, NULL}};
    enum tool_exit const code = tool_args_read(
        &args, options, 3, "novate keeper run [--node URL | --dir D] [--key K]", argv);
    if (code != TOOL_OK || !tool_key_read(&k.key, key)) {
        return code != TOOL_OK ? code : TOOL_USAGE;
    }
    k.url = tool_url(node);
    if (dir != NULL && node == NULL) {
        if (!devnet_load(&d, dir)) {
            return TOOL_FAILED;
        }
        devnet_url(url, &d, 0);
        k.url = url;
    }
    struct sigaction const action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    while (stopping == 0) {
        round_once(&k);
        (void)poll(NULL, 0, ROUND_MS);
    }
    return TOOL_OK;
}
