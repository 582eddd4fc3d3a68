#include "tools/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fmt.h"

#include "tools/ask.h"

#define TIMEOUT_MS  30000u
#define COMMON      6u
#define OPTIONS_MAX 16u

/* read_words sorts the words by the command's own options and the common ones. */
static enum tool_exit read_words(struct cli *cli, const struct cli_form *form, char **argv)
{
    struct tool_option options[OPTIONS_MAX] = {
        {"--node", &cli->node, NULL},
        {"--genesis", &cli->genesis, NULL},
        {"--trust", &cli->pin, NULL},
        {"--key", &cli->key, NULL},
        {"--json", NULL, &cli->json},
        {"--trust-node", NULL, &cli->trust_node},
    };
    uint32_t count = COMMON;
    for (uint32_t i = 0; i < form->option_count && count < OPTIONS_MAX; i++) {
        options[count] = form->options[i];
        count++;
    }
    return tool_args_read(&cli->args, options, count, form->usage, argv);
}

enum tool_exit cli_words(struct cli *cli, const struct cli_form *form, char **argv)
{
    memset(cli, 0, sizeof *cli);
    enum tool_exit const code = read_words(cli, form, argv);
    if (code != TOOL_OK) {
        return code;
    }
    if (cli->args.count < form->words_min) {
        return tool_fail(TOOL_USAGE, NULL, form->usage, "a word is missing");
    }
    if (cli->args.count > form->words_max) {
        return tool_fail(TOOL_USAGE,
                         NULL,
                         form->usage,
                         "\"%s\" is one word too many",
                         cli->args.words[form->words_max]);
    }
    return TOOL_OK;
}

enum tool_exit cli_open(struct cli *cli, const struct cli_form *form, char **argv)
{
    enum tool_exit const code = cli_words(cli, form, argv);
    if (code != TOOL_OK) {
        return code;
    }
    cli->url = tool_url(cli->node);
    if (rpc_client_open(&cli->client, cli->url, TIMEOUT_MS) != NV_OK) {
        return tool_fail(TOOL_USAGE,
                         "a node is http://HOST:PORT",
                         "--node http://127.0.0.1:27657, or set NOVATE_NODE",
                         "\"%s\" is no address of a node",
                         cli->url);
    }
    return TOOL_OK;
}

void cli_close(struct cli *cli)
{
    if (cli->client != NULL) {
        rpc_client_close(cli->client);
        cli->client = NULL;
    }
}

enum tool_exit cli_ask(struct cli *cli, json_t **result, const char *method, json_t *params)
{
    return tool_ask(cli->client, cli->url, result, method, params);
}

enum tool_exit cli_trust(struct cli *cli)
{
    if (cli->trusts) {
        return TOOL_OK;
    }
    enum tool_exit const code =
        tool_trust(&cli->trust, cli->client, cli->url, cli->genesis, cli->pin);
    cli->trusts = code == TOOL_OK;
    return code;
}

enum tool_exit cli_key(struct cli *cli, struct tool_key *key)
{
    const char *const environment = getenv("NOVATE_KEY");
    const char *const named = cli->key != NULL ? cli->key : environment;
    if (named != NULL) {
        return tool_key_read(key, named) ? TOOL_OK : TOOL_USAGE;
    }
    json_t *status = NULL;
    enum tool_exit const code = cli_ask(cli, &status, "node_status", NULL);
    bool const devnet = json_is_true(json_object_get(status, "devnet"));
    json_decref(status);
    if (code != TOOL_OK) {
        return code;
    }
    if (!devnet) {
        return tool_fail(TOOL_USAGE,
                         "only on a devnet alice acts when nobody is named",
                         "--key FILE, or set NOVATE_KEY; novate keys new FILE makes one",
                         "no key is given");
    }
    tool_key_named(key, "alice");
    return TOOL_OK;
}

static bool is_name(const char *text)
{
    return strncmp(text, "0x", 2) != 0 && strlen(text) < sizeof((struct tool_key *)0)->name &&
           strchr(text, '/') == NULL && strchr(text, '.') == NULL;
}

bool cli_address(struct nv_address *out, const char *text)
{
    char right[NV_ADDRESS_TEXT];
    if (is_name(text)) {
        struct tool_key key;
        tool_key_named(&key, text);
        *out = key.address;
        return true;
    }
    enum nv_err const err = nv_address_parse(out, nv_view_of_text(text));
    if (err == NV_OK) {
        return true;
    }
    if (err == NV_ERR_MISMATCH) {
        nv_address_format(right, out);
        (void)tool_fail(TOOL_USAGE,
                        "the case of its letters is a checksum (EIP-55), and it does not fit",
                        right,
                        "%s is mistyped",
                        text);
    } else {
        (void)tool_fail(TOOL_USAGE,
                        "an address is 0x and 40 hex digits, or the name of a devnet account",
                        NULL,
                        "\"%s\" is no address",
                        text);
    }
    return false;
}

void cli_dump(const json_t *value)
{
    (void)json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    (void)fputc('\n', stdout);
}

const char *cli_text(const json_t *object, const char *key)
{
    const char *const text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "-";
}

json_int_t cli_count(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

void cli_time(char out[CLI_TIME_TEXT], json_int_t time_ms)
{
    time_t const seconds = (time_t)(time_ms / 1000);
    struct tm utc;
    char text[24];
    if (time_ms < 0 || gmtime_r(&seconds, &utc) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &utc) == 0) {
        (void)snprintf(out, CLI_TIME_TEXT, "-");
        return;
    }
    (void)snprintf(out, CLI_TIME_TEXT, "%s.%03d", text, (int)(time_ms % 1000));
}
