/* novate proof-check: a saved proof, checked without any node. */

#include <stdio.h>
#include <string.h>

#include "tools/cli/cli.h"
#include "tools/cli/state.h"
#include "tools/command.h"
#include "tools/devnet/devnet.h"
#include "tools/proved.h"

#define USAGE "novate proof-check FILE --genesis GENESIS [--json]"

/* read_genesis takes --genesis, else the genesis of the devnet at hand. */
static enum tool_exit read_genesis(struct cli *cli)
{
    char path[DEVNET_PATH_MAX];
    if (cli->genesis != NULL) {
        return tool_trust_file(&cli->trust, cli->genesis);
    }
    (void)snprintf(path, sizeof path, "%s/genesis.json", devnet_dir(NULL));
    FILE *const file = fopen(path, "r");
    if (file == NULL) {
        return tool_fail(
            TOOL_USAGE, "a proof hangs on the genesis of its chain", USAGE, "no genesis is given");
    }
    (void)fclose(file);
    return tool_trust_file(&cli->trust, path);
}

static enum tool_exit read_saved(const json_t *saved, const char *path)
{
    const char *const format = json_string_value(json_object_get(saved, "format"));
    if (format != NULL && strcmp(format, CLI_PROOF_FORMAT) == 0 &&
        json_is_string(json_object_get(saved, "method")) &&
        json_is_object(json_object_get(saved, "params")) &&
        json_is_object(json_object_get(saved, "answer"))) {
        return TOOL_OK;
    }
    return tool_fail(TOOL_USAGE,
                     "it is JSON of format \"" CLI_PROOF_FORMAT "\"",
                     "novate account alice --save FILE",
                     "%s is no saved proof",
                     path);
}

static void print_known(const struct cli_state *state, const json_t *saved)
{
    cli_state_note(state);
    (void)printf("%s ", cli_text(saved, "method"));
    (void)json_dumpf(json_object_get(saved, "params"), stdout, JSON_COMPACT);
    (void)printf(" was by this proof:\n");
    cli_dump(state->answer);
}

static enum tool_exit check(struct cli *cli, const json_t *saved)
{
    struct tool_proved proved;
    struct cli_state state = {0};
    const json_t *const params = json_object_get(saved, "params");
    enum tool_exit const code = tool_proved_check(&proved,
                                                  &cli->trust,
                                                  NULL,
                                                  cli_text(saved, "method"),
                                                  params,
                                                  json_object_get(saved, "answer"));
    if (code == TOOL_OK) {
        state.answer = proved.derived != NULL ? json_incref(proved.derived) : json_object();
        state.summary = tool_proved_summary(&proved, &cli->trust);
        if (cli->json) {
            cli_state_dump(&state);
        } else {
            print_known(&state, saved);
        }
    }
    cli_state_deinit(&state);
    tool_proved_deinit(&proved);
    return code;
}

enum tool_exit tool_proof_check(char **argv)
{
    struct cli_form const form = {USAGE, 1, 1, NULL, 0};
    struct cli cli;
    json_error_t error;
    enum tool_exit code = cli_words(&cli, &form, argv);
    if (code != TOOL_OK) {
        return code;
    }
    if (cli.pin != NULL) {
        return tool_fail(TOOL_USAGE,
                         "a node has to show what --trust names, and none is asked",
                         "novate params --genesis GENESIS --trust EPOCH:HASH; it is remembered",
                         "--trust has no place here");
    }
    const char *const path = cli.args.words[0];
    json_t *const saved = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    code = saved != NULL ? read_saved(saved, path)
                         : tool_fail(TOOL_USAGE, error.text, NULL, "%s cannot be read", path);
    if (code == TOOL_OK) {
        code = read_genesis(&cli);
    }
    if (code == TOOL_OK) {
        code = check(&cli, saved);
    }
    json_decref(saved);
    return code;
}
