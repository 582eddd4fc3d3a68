#include "tools/cli/submit.h"

#include "tools/submit.h"
#include "tools/trust.h"
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

enum tool_exit cli_submit(struct cli *cli,
                          const struct tool_key *key,
                          const struct vm_action *actions,
                          uint32_t count,
                          json_t **answer)
{
    static struct tool_trust meant;
    enum tool_exit code = tool_trust(&meant, cli->client, cli->url, cli->genesis);
    if (code != TOOL_OK) {
        return code;
    }
    /* The signature names the chain that is meant, whatever the node says. */
    struct tool_chain const chain = {cli->client, cli->url, meant.light.chain_id};
    code = tool_submit(&chain, key, actions, count, true, answer);
    return code == TOOL_OK ? judge(*answer, count) : code;
}
