/* novate account, positions: what an account owns, checked. */

#include <stdio.h>

#include "base/fmt.h"

#include "tools/cli/cli.h"
#include "tools/cli/state.h"
#include "tools/cli/table.h"
#include "tools/command.h"

/* whose writes the address of the word given, or of the key that acts. */
static enum tool_exit whose(struct cli *cli, char address[NV_ADDRESS_TEXT])
{
    struct nv_address of;
    if (cli->args.count > 0) {
        if (!cli_address(&of, cli->args.words[0])) {
            return TOOL_USAGE;
        }
    } else {
        struct tool_key key;
        enum tool_exit const code = cli_key(cli, &key);
        if (code != TOOL_OK) {
            return code;
        }
        of = key.address;
    }
    nv_address_format(address, &of);
    return TOOL_OK;
}

/* margin returns what the node says of the margin, which is derived from many
 * rows and has no proof; NULL when it says nothing. */
static json_t *margin(struct cli *cli, const char *address)
{
    static const char *const names[] = {"initial_margin", "maintenance_margin", "health"};
    json_t *answer = NULL;
    if (rpc_client_call(
            cli->client, &answer, "account_get", json_pack("{s:s}", "address", address)) != NV_OK) {
        return NULL;
    }
    json_t *const out = json_object();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)json_object_set(out, names[i], json_object_get(answer, names[i]));
    }
    json_decref(answer);
    return out;
}

static void print_account(const struct cli_state *state, const json_t *unproved)
{
    const json_t *const a = state->answer;
    char count[NV_DECIMAL_TEXT];
    (void)snprintf(count, sizeof count, "%d", (int)cli_count(a, "positions"));
    cli_pair("address", cli_text(a, "address"));
    cli_pair("account", cli_text(a, "account"));
    cli_pair("cash", cli_text(a, "cash"));
    cli_pair("wallet", cli_text(a, "wallet"));
    cli_pair("equity", cli_text(a, "equity"));
    cli_pair("positions", count);
    cli_pair("stage", cli_text(a, "stage"));
    cli_state_note(state);
    if (unproved != NULL) {
        cli_pair("initial margin", cli_text(unproved, "initial_margin"));
        cli_pair("maintenance margin", cli_text(unproved, "maintenance_margin"));
        cli_pair("health", cli_text(unproved, "health"));
        (void)printf("%smargin is the node's word: it has no row to prove%s\n",
                     cli_colour(CLI_DIM),
                     cli_colour(CLI_PLAIN));
    }
}

enum tool_exit tool_account(char **argv)
{
    const char *save = NULL;
    struct tool_option const options[] = {{"--save", &save, NULL}};
    struct cli_form const form = {"novate account [NAME|ADDRESS] [--save FILE] [--trust-node] "
                                  "[--genesis FILE] [--json]",
                                  0,
                                  1,
                                  options,
                                  1};
    struct cli cli;
    struct cli_state state = {0};
    char address[NV_ADDRESS_TEXT];
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = whose(&cli, address);
    }
    if (code == TOOL_OK) {
        code = cli_state_get(
            &cli, &state, "account_get", json_pack("{s:s}", "address", address), save);
    }
    if (code == TOOL_OK) {
        json_t *const unproved = margin(&cli, address);
        if (cli.json) {
            (void)json_object_set(state.answer, "unproved", unproved);
            cli_state_dump(&state);
        } else {
            print_account(&state, unproved);
        }
        json_decref(unproved);
    }
    cli_state_deinit(&state);
    cli_close(&cli);
    return code;
}

static void print_positions(const json_t *positions)
{
    static const char *const heads[] = {"market", ">size", ">entry", ">mark", ">value", NULL};
    json_t *const rows = json_array();
    for (size_t i = 0; i < json_array_size(positions); i++) {
        const json_t *const p = json_array_get(positions, i);
        (void)json_array_append_new(rows,
                                    json_pack("[s, s, s, s, s]",
                                              cli_text(p, "market"),
                                              cli_text(p, "size"),
                                              cli_text(p, "entry_price"),
                                              cli_text(p, "mark"),
                                              cli_text(p, "value")));
    }
    cli_table(heads, rows);
    json_decref(rows);
}

enum tool_exit tool_positions(char **argv)
{
    const char *save = NULL;
    struct tool_option const options[] = {{"--save", &save, NULL}};
    struct cli_form const form = {"novate positions [NAME|ADDRESS] [--save FILE] [--trust-node] "
                                  "[--genesis FILE] [--json]",
                                  0,
                                  1,
                                  options,
                                  1};
    struct cli cli;
    struct cli_state state = {0};
    char address[NV_ADDRESS_TEXT];
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = whose(&cli, address);
    }
    if (code == TOOL_OK) {
        code = cli_state_get(
            &cli, &state, "account_positions", json_pack("{s:s}", "address", address), save);
    }
    if (code == TOOL_OK && cli.json) {
        cli_state_dump(&state);
    } else if (code == TOOL_OK) {
        print_positions(json_object_get(state.answer, "positions"));
        cli_state_note(&state);
    }
    cli_state_deinit(&state);
    cli_close(&cli);
    return code;
}
