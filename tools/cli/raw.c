/* novate rpc, sub: methods and channels of a node, as they are. */

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "rpc/client_stream.h"
#include "tools/cli/cli.h"
#include "tools/command.h"

#define SUBSCRIBE_MS 10000u
#define NEXT_MS      60000u

/* value_of makes JSON of the text after "=": itself where it is a JSON boolean,
 * object, array or null, or a small number; else a string. */
static json_t *value_of(const char *text)
{
    json_t *const value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    return value != NULL ? value : json_string(text);
}

/* Members that are strings though they look like numbers: heights, ids, money. */
static bool is_text(const char *name)
{
    static const char *const names[] = {
        "height", "min_height", "epoch", "order", "from", "amount", "price", "cursor"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static enum tool_exit add_param(json_t *params, const char *word)
{
    char name[64];
    const char *const equals = strchr(word, '=');
    if (equals == NULL || equals == word || (size_t)(equals - word) >= sizeof name) {
        return tool_fail(TOOL_USAGE,
                         "a parameter is key=value; values are texts, numbers, true or JSON",
                         "novate rpc market_book market=BTC-PERP depth=5",
                         "\"%s\" is no parameter",
                         word);
    }
    memcpy(name, word, (size_t)(equals - word));
    name[equals - word] = '\0';
    json_t *const value = is_text(name) ? json_string(equals + 1) : value_of(equals + 1);
    if (json_object_set_new(params, name, value) != 0) {
        return tool_fail(TOOL_USAGE, "it is not UTF-8", NULL, "\"%s\" is no parameter", word);
    }
    return TOOL_OK;
}

enum tool_exit tool_rpc(char **argv)
{
    struct cli_form const form = {"novate rpc METHOD [key=value…]", 1, TOOL_WORDS_MAX, NULL, 0};
    struct cli cli;
    json_t *answer = NULL;
    json_t *const params = json_object();
    enum tool_exit code = cli_open(&cli, &form, argv);
    for (uint32_t i = 1; i < cli.args.count && code == TOOL_OK; i++) {
        code = add_param(params, cli.args.words[i]);
    }
    if (code == TOOL_OK) {
        code = cli_ask(&cli, &answer, cli.args.words[0], json_incref(params));
    }
    if (code == TOOL_OK) {
        cli_dump(answer);
    }
    json_decref(answer);
    json_decref(params);
    cli_close(&cli);
    return code;
}

static enum tool_exit subscribe_failed(const struct rpc_stream *stream, enum nv_err err)
{
    const json_t *const error = rpc_stream_error(stream);
    if (err == NV_ERR_REFUSED) {
        const json_t *const reason = json_object_get(json_object_get(error, "data"), "reason");
        return tool_fail(TOOL_REFUSED,
                         json_string_value(reason),
                         "channels: book.M.raw trades.M ticker.M oracle.F funding.M account.A "
                         "liquidations blocks tx.HASH consensus",
                         "sub_subscribe: %s",
                         cli_text(error, "message"));
    }
    return tool_fail(TOOL_UNREACHABLE,
                     nv_err_text(err),
                     "novate devnet status, or name a node with --node URL",
                     "the stream cannot be opened");
}

/* follow prints one notification a line until the stream ends. */
static enum tool_exit follow(struct rpc_stream *stream)
{
    for (;;) {
        json_t *params = NULL;
        enum nv_err const err = rpc_stream_next(stream, &params, NEXT_MS);
        if (err == NV_OK) {
            (void)json_dumpf(params, stdout, JSON_COMPACT);
            (void)fputc('\n', stdout);
            (void)fflush(stdout);
            json_decref(params);
        } else if (err != NV_ERR_TIMEOUT) {
            return tool_fail(TOOL_UNREACHABLE, nv_err_text(err), NULL, "the stream has ended");
        }
    }
}

enum tool_exit tool_sub(char **argv)
{
    struct cli_form const form = {"novate sub CHANNEL…", 1, TOOL_WORDS_MAX, NULL, 0};
    struct cli cli;
    struct rpc_stream *stream = NULL;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK && rpc_stream_new(&stream, cli.url) != NV_OK) {
        code = tool_fail(TOOL_FAILED, NULL, NULL, "no memory is left");
    }
    if (code == TOOL_OK) {
        json_t *const channels = json_array();
        for (uint32_t i = 0; i < cli.args.count; i++) {
            (void)json_array_append_new(channels, json_string(cli.args.words[i]));
        }
        enum nv_err const err =
            rpc_stream_subscribe(stream, json_pack("{s:o}", "channels", channels), SUBSCRIBE_MS);
        code = err == NV_OK ? follow(stream) : subscribe_failed(stream, err);
    }
    rpc_stream_close(stream);
    cli_close(&cli);
    return code;
}
