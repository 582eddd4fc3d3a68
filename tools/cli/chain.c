/* novate status, wait, validators, params: the chain as a node sees it. */

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/cli/cli.h"
#include "tools/cli/state.h"
#include "tools/cli/table.h"
#include "tools/command.h"
#include "tools/derive.h"
#include "tools/patience.h"
#include "tools/shown.h"

#define PATIENCE_MS 2000u /* for the epoch that was seen */

/* ask_and makes one call and shows the answer: as JSON, or by `print`. */
static enum tool_exit
ask_and(struct cli *cli, const char *method, json_t *params, void (*print)(const json_t *))
{
    json_t *answer = NULL;
    enum tool_exit const code = cli_ask(cli, &answer, method, params);
    if (code == TOOL_OK && cli->json) {
        cli_dump(answer);
    } else if (code == TOOL_OK) {
        print(answer);
    }
    json_decref(answer);
    return code;
}

static void pair_count(const json_t *answer, const char *name, const char *key)
{
    char text[NV_DECIMAL_TEXT];
    (void)snprintf(text, sizeof text, "%lld", (long long)cli_count(answer, key));
    cli_pair(name, text);
}

/* print_progress says how far a node is that is not there yet. */
static void print_progress(const json_t *s)
{
    char text[128];
    long long const done = (long long)cli_count(s, "progress_permille");
    const json_t *const snapshot = json_object_get(s, "snapshot");
    long long const rate = (long long)(snapshot != NULL ? cli_count(snapshot, "rows_per_second")
                                                        : cli_count(s, "blocks_per_second"));
    (void)snprintf(text,
                   sizeof text,
                   "%lld.%lld %%, %lld %s/s",
                   done / 10,
                   done % 10,
                   rate,
                   snapshot != NULL ? "rows" : "blocks");
    cli_pair("progress", text);
    if (json_is_integer(json_object_get(s, "eta_ms"))) {
        (void)snprintf(text, sizeof text, "%lld s", (long long)cli_count(s, "eta_ms") / 1000);
        cli_pair("time left", text);
    }
}

static void print_status(const json_t *s)
{
    char time[CLI_TIME_TEXT];
    const json_t *const validator = json_object_get(s, "validator");
    const json_t *const executed = json_object_get(s, "executed");
    cli_time(time, cli_count(executed, "block_time_ms"));
    cli_pair("node", cli_text(s, "name"));
    cli_pair("version", cli_text(s, "version"));
    cli_pair("chain", cli_text(s, "chain_id"));
    if (json_is_integer(validator)) {
        pair_count(s, "validator", "validator");
    } else {
        cli_pair("validator", "no: it follows");
    }
    cli_pair("stage", cli_text(s, "stage"));
    if (json_is_string(json_object_get(s, "note"))) {
        cli_pair("", cli_text(s, "note"));
    }
    if (strcmp(cli_text(s, "stage"), "syncing") == 0) {
        print_progress(s);
    }
    cli_pair("finalized height", cli_text(s, "finalized_height"));
    cli_pair("executed height", cli_text(executed, "height"));
    cli_pair("state root", cli_text(executed, "state_root"));
    cli_pair("block time (UTC)", time);
    pair_count(s, "peers", "peers");
    pair_count(s, "mempool", "mempool_transactions");
    cli_pair("disk used", cli_text(s, "disk_used_bytes"));
}

enum tool_exit tool_status(char **argv)
{
    struct cli_form const form = {"novate status [--node URL] [--json]", 0, 0, NULL, 0};
    struct cli cli;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = ask_and(&cli, "node_status", NULL, print_status);
    }
    cli_close(&cli);
    return code;
}

static void print_head(const json_t *head)
{
    (void)printf(
        "height %s, state root %s\n", cli_text(head, "height"), cli_text(head, "state_root"));
}

enum tool_exit tool_wait(char **argv)
{
    const char *timeout = "20";
    struct tool_option const options[] = {{"--timeout", &timeout, NULL}};
    struct cli_form const form = {
        "novate wait HEIGHT [--timeout SECONDS] [--json]", 1, 1, options, 1};
    struct cli cli;
    uint64_t height = 0;
    uint64_t seconds = 0;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK &&
        (!tool_args_number(&height, "HEIGHT", cli.args.words[0], 0, UINT64_MAX) ||
         !tool_args_number(&seconds, "--timeout", timeout, 0, 25))) {
        code = TOOL_USAGE;
    }
    if (code == TOOL_OK) {
        json_t *const params = json_pack(
            "{s:s, s:i}", "height", cli.args.words[0], "timeout_ms", (int)(1000 * seconds));
        code = ask_and(&cli, "chain_waitHeight", params, print_head);
    }
    cli_close(&cli);
    return code;
}

/* What the state says of the validator with a key; NULL if it knows none. */
static const json_t *stake_of(const json_t *answer, const char *key)
{
    const json_t *const list = json_object_get(json_object_get(answer, "stake"), "validators");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *const v = json_array_get(list, i);
        if (strcmp(cli_text(v, "key"), key) == 0) {
            return v;
        }
    }
    return NULL;
}

static void print_validators(const json_t *answer)
{
    static const char *const heads[] = {
        ">index", "name", ">power", ">stake", ">signed", "status", "operator", "key", NULL};
    json_int_t const blocks = cli_count(json_object_get(answer, "stake"), "blocks");
    const json_t *const list = json_object_get(answer, "validators");
    json_t *const rows = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *const v = json_array_get(list, i);
        char index[NV_DECIMAL_TEXT];
        nv_u64_format(index, i);
        const char *const name = cli_text(v, "name");
        const char *const power = cli_text(v, "power");
        const json_t *const stake = stake_of(answer, cli_text(v, "key"));
        char uptime[64];
        (void)snprintf(uptime,
                       sizeof uptime,
                       "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
                       cli_count(stake, "signed"),
                       blocks);
        json_t *const row = json_pack("[s, s, s, s, s, s, s, s]",
                                      index,
                                      name,
                                      power,
                                      cli_text(stake, "stake"),
                                      uptime,
                                      cli_text(stake, "status"),
                                      cli_text(stake, "validator"),
                                      cli_text(v, "key"));
        (void)json_array_append_new(rows, row);
    }
    cli_table(heads, rows);
    json_decref(rows);
}

/* judge_validators compares the node's list with the set that is believed: each
 * member's key and stake, at its index.  Names are the node's. */
static enum tool_exit judge_validators(const struct cs_valset *set, const json_t *list)
{
    bool same = json_array_size(list) == set->count;
    for (uint32_t i = 0; i < set->count && same; i++) {
        json_t *const right = json_object();
        put_hex(right, "key", set->member[i].key.bytes, sizeof set->member[i].key.bytes);
        put_u64(right, "power", set->member[i].stake);
        same = derive_difference(right, json_array_get(list, i)) == NULL;
        json_decref(right);
    }
    return same ? TOOL_OK
                : tool_fail(TOOL_REFUSED,
                            "they are not those whose hash is in the block that began the epoch",
                            "ask another node with --node URL",
                            "the node names other validators");
}

/* ask_validators asks until the node is in the epoch that is believed, or in a
 * later one: another node may have shown the end of an epoch a moment before. */
static enum tool_exit ask_validators(struct cli *cli, json_t **answer, uint64_t *epoch)
{
    struct tool_patience patience = {0};
    do {
        json_decref(*answer);
        *answer = NULL;
        enum tool_exit const code = cli_ask(cli, answer, "chain_validators", NULL);
        if (code != TOOL_OK) {
            return code;
        }
        if (nv_u64_parse(epoch, nv_view_of_text(cli_text(*answer, "epoch"))) == NV_OK &&
            *epoch >= cli->trust.light.epoch) {
            return TOOL_OK;
        }
    } while (tool_patience_wait(&patience, PATIENCE_MS));
    return tool_fail(TOOL_REFUSED,
                     "it is in an epoch before the one that was seen",
                     "ask another node with --node URL",
                     "the node is behind");
}

/* check_validators asks who validates, goes by proofs to the epoch that the node
 * says it is in, and compares. */
static enum tool_exit check_validators(struct cli *cli, json_t **answer)
{
    uint64_t epoch = 0;
    enum tool_exit code = cli_trust(cli);
    if (code == TOOL_OK) {
        code = ask_validators(cli, answer, &epoch);
    }
    if (code == TOOL_OK) {
        code = tool_trust_walk(&cli->trust, cli->client, epoch);
    }
    return code == TOOL_OK
               ? judge_validators(&cli->trust.light.set, json_object_get(*answer, "validators"))
               : code;
}

/* add_stake joins what the state says of them to who votes: rows, which are proved. */
static enum tool_exit add_stake(struct cli *cli, struct cli_state *state, json_t *answer)
{
    struct cli_pages const pages = {
        .method = "stake_validators", .list = {"validators"}, .same = "epoch"};
    enum tool_exit const code = cli_state_all(cli, state, &pages);
    if (code == TOOL_OK) {
        (void)json_object_set(answer, "stake", state->answer);
    }
    if (code == TOOL_OK && state->summary != NULL) {
        (void)json_object_set(answer, "proof", state->summary);
    }
    return code;
}

enum tool_exit tool_validators(char **argv)
{
    struct cli_form const form = {
        "novate validators [--trust-node] [--genesis FILE] [--json]", 0, 0, NULL, 0};
    struct cli_state state = {.answer = NULL};
    struct cli cli;
    json_t *answer = NULL;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = cli.trust_node ? cli_ask(&cli, &answer, "chain_validators", NULL)
                              : check_validators(&cli, &answer);
    }
    if (code == TOOL_OK) {
        code = add_stake(&cli, &state, answer);
    }
    if (code == TOOL_OK && cli.json) {
        cli_dump(answer);
    } else if (code == TOOL_OK) {
        print_validators(answer);
        cli_state_note(&state);
    }
    json_decref(answer);
    cli_state_deinit(&state);
    cli_close(&cli);
    return code;
}

static void print_params(const json_t *answer)
{
    static const char *const heads[] = {"name", ">value", "unit", "what it is", NULL};
    const json_t *const list = json_object_get(answer, "params");
    json_t *const rows = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *const p = json_array_get(list, i);
        json_t *const row = json_pack("[s, s, s, s]",
                                      cli_text(p, "name"),
                                      cli_text(p, "value"),
                                      cli_text(p, "unit"),
                                      cli_text(p, "text"));
        (void)json_array_append_new(rows, row);
    }
    cli_table(heads, rows);
    json_decref(rows);
}

enum tool_exit tool_params(char **argv)
{
    struct cli_form const form = {
        "novate params [--trust-node] [--genesis FILE] [--json]", 0, 0, NULL, 0};
    struct cli cli;
    struct cli_state state = {0};
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = cli_state_get(&cli, &state, "chain_params", json_object(), NULL);
    }
    if (code == TOOL_OK && cli.json) {
        cli_state_dump(&state);
    } else if (code == TOOL_OK) {
        print_params(state.answer);
        cli_state_note(&state);
    }
    cli_state_deinit(&state);
    cli_close(&cli);
    return code;
}
