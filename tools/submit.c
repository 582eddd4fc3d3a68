#include "tools/submit.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "base/fmt.h"
#include "base/random.h"

#include "tools/ask.h"
#include "vm/wire/wire.h"

#define TIMEOUT_MS 30000u /* of one call */
#define OUTCOME_MS 25000u /* that the node may take of it until a transaction is final */
#define EXPIRES_MS 30000u

uint64_t tool_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

enum tool_exit tool_chain_open(struct tool_chain *chain, const char *url)
{
    json_t *result = NULL;
    memset(chain, 0, sizeof *chain);
    chain->url = url;
    if (rpc_client_open(&chain->client, url, TIMEOUT_MS) != NV_OK) {
        return tool_fail(
            TOOL_USAGE, "a node is http://HOST:PORT", NULL, "\"%s\" is no address", url);
    }
    enum tool_exit code = tool_ask(chain->client, url, &result, "node_status", NULL);
    if (code == TOOL_OK) {
        const char *const id = json_string_value(json_object_get(result, "chain_id"));
        if (id == NULL || nv_bytes_parse(chain->chain_id.bytes, 32, nv_view_of_text(id)) != NV_OK) {
            code = tool_fail(TOOL_REFUSED, NULL, NULL, "the node at %s names no chain_id", url);
        }
    }
    json_decref(result);
    if (code != TOOL_OK) {
        tool_chain_close(chain);
    }
    return code;
}

void tool_chain_close(struct tool_chain *chain)
{
    rpc_client_close(chain->client);
    chain->client = NULL;
}

enum tool_exit tool_sign(const struct tool_chain *chain,
                         const struct tool_key *key,
                         const struct vm_action *actions,
                         uint32_t action_count,
                         uint8_t *out,
                         uint32_t *out_size)
{
    struct vm_tx tx = {.account = key->address,
                       .expires_ms = tool_now_ms() + EXPIRES_MS,
                       .action_count = action_count,
                       .actions = actions};
    nv_random_bytes(&tx.salt, sizeof tx.salt);
    if (vm_tx_encode(&tx, out, out_size, &chain->chain_id, &key->secret) != NV_OK) {
        return tool_fail(TOOL_FAILED, NULL, NULL, "the transaction is too large");
    }
    return TOOL_OK;
}

enum tool_exit tool_submit(const struct tool_chain *chain,
                           const struct tool_key *key,
                           const struct vm_action *actions,
                           uint32_t action_count,
                           bool wait,
                           struct json_t **result)
{
    static uint8_t bytes[VM_TX_SIZE_MAX];
    static char text[NV_BYTES_TEXT(VM_TX_SIZE_MAX)];
    uint32_t size = 0;
    enum tool_exit const code = tool_sign(chain, key, actions, action_count, bytes, &size);
    if (code != TOOL_OK) {
        return code;
    }
    nv_bytes_format(text, bytes, size);
    json_t *const params = json_pack("{s:s, s:s, s:i}",
                                     "transaction",
                                     text,
                                     "wait",
                                     wait ? "finalised" : "accepted",
                                     "timeout_ms",
                                     (int)OUTCOME_MS);
    return tool_ask(chain->client, chain->url, result, "tx_submit", params);
}
