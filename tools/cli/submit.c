#include "tools/cli/submit.h"

#include <stdio.h>
#include <string.h>

#include "tools/cli/state.h"
#include "tools/submit.h"
#include "vm/receipt.h"

static const json_t *outcome_of(const json_t *answer, uint32_t action)
{
    const json_t *const receipt = json_object_get(answer, "receipt");
    return json_array_get(json_object_get(receipt, "outcomes"), action);
}

const char *cli_outcome(const json_t *answer, uint32_t action)
{
    return cli_text(outcome_of(answer, action), "result");
}

static enum tool_exit rejected(const json_t *holder, const char *what)
{
    uint16_t const code = (uint16_t)cli_count(holder, "code");
    return tool_fail(TOOL_REFUSED,
                     vm_reject_text(code),
                     vm_reject_hint(code),
                     "%s failed: %s (%u)",
                     what,
                     cli_text(holder, "reason"),
                     code);
}

/* judge reads the receipt of an answer. */
static enum tool_exit judge(const json_t *answer, uint32_t count)
{
    const json_t *const receipt = json_object_get(answer, "receipt");
    if (!json_is_object(receipt)) {
        return tool_fail(TOOL_UNKNOWN,
                         "the node no longer holds the receipt",
                         "novate tx HASH",
                         "transaction %s",
                         cli_text(answer, "tx_hash"));
    }
    if (cli_count(receipt, "code") != 0) {
        return rejected(receipt, "the transaction");
    }
    for (uint32_t i = 0; i < count; i++) {
        const json_t *const outcome = outcome_of(answer, i);
        if (cli_count(outcome, "code") != 0) {
            return rejected(outcome, "it");
        }
    }
    return TOOL_OK;
}

/* prove replaces what the node says of a transaction by what is proved of it. */
static enum tool_exit prove(struct cli *cli, json_t **answer)
{
    struct cli_state state;
    char hash[80];
    (void)snprintf(hash, sizeof hash, "%s", cli_text(*answer, "tx_hash"));
    enum tool_exit const code =
        cli_state_get(cli, &state, "tx_get", json_pack("{s:s}", "tx_hash", hash), NULL);
    json_decref(*answer);
    *answer = json_incref(state.answer);
    if (code == TOOL_OK) {
        (void)json_object_set(*answer, "proof", state.summary);
    }
    cli_state_deinit(&state);
    if (code == TOOL_OK) {
        return TOOL_OK;
    }
    return tool_fail(TOOL_UNKNOWN,
                     "the node says that it is final, and does not prove what became of it",
                     "novate tx HASH",
                     "the outcome of transaction %s is not known",
                     hash);
}

enum tool_exit cli_submit(struct cli *cli,
                          const struct tool_key *key,
                          const struct vm_action *actions,
                          uint32_t count,
                          json_t **answer)
{
    enum tool_exit code = cli_trust(cli);
    if (code != TOOL_OK) {
        return code;
    }
    /* The signature names the chain that is meant, whatever the node says. */
    struct tool_chain const chain = {cli->client, cli->url, cli->trust.light.chain_id};
    code = tool_submit(&chain, key, actions, count, true, answer);
    if (code == TOOL_OK && !cli->trust_node) {
        code = prove(cli, answer);
    }
    return code == TOOL_OK ? judge(*answer, count) : code;
}

enum tool_exit cli_submit_one(struct cli *cli, const struct vm_action *action, const char *done)
{
    struct tool_key key;
    json_t *answer = NULL;
    enum tool_exit code = cli_key(cli, &key);
    if (code == TOOL_OK) {
        code = cli_submit(cli, &key, action, 1, &answer);
    }
    if (code == TOOL_OK && cli->json) {
        cli_dump(answer);
    } else if (code == TOOL_OK) {
        const char *const result = cli_outcome(answer, 0);
        bool const told = strcmp(result, "0") != 0;
        (void)printf("%s%s%s\nheight %s, transaction %s\n",
                     done,
                     told ? ": " : "",
                     told ? result : "",
                     cli_text(answer, "height"),
                     cli_text(answer, "tx_hash"));
    }
    json_decref(answer);
    return code;
}
