/* novate block, tx: what is in the chain. */

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/fmt.h"
#include "base/heap.h"

#include "tools/cli/cli.h"
#include "tools/cli/state.h"
#include "tools/cli/table.h"
#include "tools/command.h"
#include "tools/derive_block.h"
#include "tools/final.h"
#include "tools/patience.h"
#include "vm/wire/wire.h"

#define PATIENCE_MS 2000u /* for a block that is final but not written down yet */
#define FUTURE      1007  /* rpc/errors.def */

/* action_name names what a transaction does. */
static const char *action_name(uint8_t kind)
{
    static const char *const names[] = {"",
                                        "place",
                                        "cancel",
                                        "cancel by client id",
                                        "cancel all",
                                        "deposit",
                                        "withdraw",
                                        "transfer",
                                        "faucet",
                                        "session set",
                                        "session revoke",
                                        "report",
                                        "keeper's plan",
                                        "bond",
                                        "delegate",
                                        "undelegate",
                                        "withdraw stake",
                                        "claim",
                                        "set commission",
                                        "unjail"};
    return kind < sizeof names / sizeof names[0] ? names[kind] : "?";
}

/* describe appends the row of one transaction's bytes. */
static void describe(json_t *rows, const json_t *entry, struct nv_arena *arena)
{
    static uint8_t bytes[VM_TX_SIZE_MAX];
    struct nv_hash const none = {{0}}; /* the hash is shown beside */
    struct vm_tx tx;
    uint32_t size = 0;
    char account[NV_ADDRESS_TEXT];
    char what[64];
    const char *const text = cli_text(entry, "bytes");
    nv_arena_reset(arena);
    if (nv_bytes_parse_up_to(bytes, &size, sizeof bytes, nv_view_of_text(text)) != NV_OK ||
        vm_tx_decode(&tx, nv_view_of(bytes, size), &none, arena) != NV_OK) {
        return;
    }
    nv_address_format(account, &tx.account);
    (void)snprintf(what,
                   sizeof what,
                   tx.action_count > 1 ? "%s and %u more" : "%s",
                   action_name(tx.actions[0].kind),
                   tx.action_count - 1);
    json_t *const row = json_pack("[s, s, s]", cli_text(entry, "tx_hash"), account, what);
    (void)json_array_append_new(rows, row);
}

static void print_transactions(const json_t *list)
{
    static const char *const heads[] = {"transaction", "account", "actions", NULL};
    struct nv_arena arena;
    void *const memory = nv_heap_alloc(VM_TX_DECODE_MEMORY);
    json_t *const rows = json_array();
    if (memory != NULL) {
        nv_arena_init(&arena, memory, VM_TX_DECODE_MEMORY);
        for (size_t i = 0; i < json_array_size(list); i++) {
            describe(rows, json_array_get(list, i), &arena);
        }
        nv_heap_free(memory);
    }
    if (json_array_size(rows) > 0) {
        (void)printf("\n");
        cli_table(heads, rows);
    }
    json_decref(rows);
}

static void print_block(const json_t *b)
{
    char time[CLI_TIME_TEXT];
    char text[64];
    cli_time(time, cli_count(b, "block_time_ms"));
    cli_pair("height", cli_text(b, "height"));
    cli_pair("hash", cli_text(b, "block_hash"));
    cli_pair("parent", cli_text(b, "parent_hash"));
    cli_pair("time (UTC)", time);
    (void)snprintf(
        text, sizeof text, "%d in view %s", (int)cli_count(b, "proposer"), cli_text(b, "view"));
    cli_pair("proposer", text);
    (void)snprintf(text,
                   sizeof text,
                   "%d, %d bytes",
                   (int)cli_count(b, "tx_count"),
                   (int)cli_count(b, "body_size"));
    cli_pair("transactions", text);
    cli_pair("state root", cli_text(b, "state_root"));
    cli_pair("  after block", cli_text(b, "executed_height"));
    print_transactions(json_object_get(b, "transactions"));
}

static bool not_yet(const struct cli *cli, enum nv_err err)
{
    return err == NV_ERR_REFUSED && cli_count(rpc_client_error(cli->client), "code") == FUTURE;
}

/* ask_block asks for a block, and waits for one that is not there yet. */
static enum tool_exit ask_block(struct cli *cli, json_t **answer, json_t *params)
{
    struct tool_patience patience = {0};
    enum nv_err err = NV_OK;
    do {
        err = rpc_client_call(cli->client, answer, "chain_block", json_incref(params));
    } while (not_yet(cli, err) && tool_patience_wait(&patience, PATIENCE_MS));
    return *answer != NULL ? TOOL_OK : cli_ask(cli, answer, "chain_block", json_incref(params));
}

static enum tool_exit distrust(const char *why)
{
    return tool_fail(TOOL_REFUSED,
                     why,
                     "do not rely on it; ask another node with --node URL",
                     "the answer is not proved");
}

/* check replaces the node's answer by what its final header proves; `height` is
 * the one asked for, 0: any. */
static enum tool_exit check(struct cli *cli, json_t **answer, uint64_t height)
{
    struct cs_light_final final;
    json_t *derived = NULL;
    enum tool_exit code = cli_trust(cli);
    if (code == TOOL_OK) {
        code = tool_final(&final, &cli->trust, cli->client, *answer);
    }
    if (code != TOOL_OK) {
        return code;
    }
    if (derive_block(&derived, &final, *answer) != NV_OK) {
        return distrust("the transactions are not those of the block");
    }
    if (height != 0 && final.header.height != height) {
        code = distrust("it is a block of another height");
    }
    (void)json_object_set(derived, "header", json_object_get(*answer, "header"));
    (void)json_object_set(derived, "certificate", json_object_get(*answer, "certificate"));
    json_decref(*answer);
    *answer = derived;
    return code;
}

enum tool_exit tool_block(char **argv)
{
    struct cli_form const form = {
        "novate block [HEIGHT] [--trust-node] [--genesis FILE] [--json]", 0, 1, NULL, 0};
    struct cli cli;
    json_t *answer = NULL;
    uint64_t height = 0;
    enum tool_exit code = cli_open(&cli, &form, argv);
    const char *const asked = cli.args.count > 0 ? cli.args.words[0] : NULL;
    json_t *const params = json_pack("{s:b}", "transactions", 1);
    if (code == TOOL_OK && asked != NULL) {
        code = tool_args_number(&height, "HEIGHT", asked, 1, UINT64_MAX) ? TOOL_OK : TOOL_USAGE;
        (void)json_object_set_new(params, "height", json_string(asked));
    }
    if (code == TOOL_OK) {
        code = ask_block(&cli, &answer, params);
    }
    if (code == TOOL_OK && !cli.trust_node) {
        code = check(&cli, &answer, height);
    }
    if (code == TOOL_OK && cli.json) {
        cli_dump(answer);
    } else if (code == TOOL_OK) {
        print_block(answer);
    }
    json_decref(answer);
    json_decref(params);
    cli_close(&cli);
    return code;
}

/* ---- one transaction ---- */

static void print_outcomes(const json_t *receipt)
{
    static const char *const heads[] = {">action", "outcome", ">result", NULL};
    const json_t *const outcomes = json_object_get(receipt, "outcomes");
    json_t *const rows = json_array();
    for (size_t i = 0; i < json_array_size(outcomes); i++) {
        const json_t *const outcome = json_array_get(outcomes, i);
        char index[NV_DECIMAL_TEXT];
        nv_u64_format(index, i);
        const char *const reason = json_string_value(json_object_get(outcome, "reason"));
        json_t *const row = json_pack(
            "[s, s, s]", index, reason != NULL ? reason : "done", cli_text(outcome, "result"));
        (void)json_array_append_new(rows, row);
    }
    cli_table(heads, rows);
    json_decref(rows);
}

static void print_tx(const struct cli_state *state)
{
    const json_t *const tx = state->answer;
    const json_t *const receipt = json_object_get(tx, "receipt");
    const char *const reason = json_string_value(json_object_get(receipt, "reason"));
    char index[NV_DECIMAL_TEXT];
    (void)snprintf(index, sizeof index, "%d", (int)cli_count(tx, "index"));
    cli_pair("transaction", cli_text(tx, "tx_hash"));
    cli_pair("state", cli_text(tx, "state"));
    if (json_is_object(receipt)) {
        cli_pair("height", cli_text(tx, "height"));
        cli_pair("index", index);
        cli_pair("account", cli_text(receipt, "account"));
        cli_pair("fee", cli_text(receipt, "fee"));
        cli_pair("outcome", reason != NULL ? reason : "executed");
        print_outcomes(receipt);
    }
    cli_state_note(state);
}

enum tool_exit tool_tx(char **argv)
{
    const char *save = NULL;
    struct tool_option const options[] = {{"--save", &save, NULL}};
    struct cli_form const form = {
        "novate tx HASH [--save FILE] [--trust-node] [--genesis FILE] [--json]", 1, 1, options, 1};
    struct cli cli;
    struct cli_state state = {0};
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        json_t *const params = json_pack("{s:s}", "tx_hash", cli.args.words[0]);
        code = cli_state_get(&cli, &state, "tx_get", params, save);
    }
    if (code == TOOL_OK && cli.json) {
        cli_state_dump(&state);
    } else if (code == TOOL_OK) {
        print_tx(&state);
    }
    cli_state_deinit(&state);
    cli_close(&cli);
    return code;
}
