/* novate stake …: becoming a validator, and trusting one with money. */

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/cli/market.h"
#include "tools/cli/state.h"
#include "tools/cli/submit.h"
#include "tools/cli/table.h"
#include "tools/command.h"
#include "vm/wire/wire.h"

/* ---- what needs an amount ---- */

/* One word more than `own`, which is for the own validator: its operator, an amount. */
static enum tool_exit move(uint8_t kind, bool own, const char *usage, const char *verb, char **argv)
{
    uint32_t const words = own ? 1 : 2;
    struct cli_form const form = {usage, words, words, NULL, 0};
    struct vm_action action = {.kind = kind};
    struct tool_key key;
    struct cli cli;
    char done[96];
    int64_t micro = 0;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK && own && (code = cli_key(&cli, &key)) == TOOL_OK) {
        action.delegate.validator = key.address;
    } else if (code == TOOL_OK && !own &&
               !cli_address(&action.delegate.validator, cli.args.words[0])) {
        code = TOOL_USAGE;
    }
    if (code == TOOL_OK && !cli_micro(&micro, cli.args.words[words - 1])) {
        code = TOOL_USAGE;
    }
    if (code == TOOL_OK) {
        action.delegate.amount = vm_money(micro);
        (void)snprintf(done, sizeof done, "%s %s", verb, cli.args.words[words - 1]);
        code = cli_submit_one(&cli, &action, done);
    }
    cli_close(&cli);
    return code;
}

enum tool_exit tool_stake_add(char **argv)
{
    return move(
        VM_ACTION_DELEGATE, true, "novate stake add AMOUNT [--key K]", "added to the stake", argv);
}

enum tool_exit tool_stake_unbond(char **argv)
{
    return move(
        VM_ACTION_UNDELEGATE, true, "novate stake unbond AMOUNT [--key K]", "unbonding", argv);
}

enum tool_exit tool_stake_delegate(char **argv)
{
    return move(VM_ACTION_DELEGATE,
                false,
                "novate stake delegate VALIDATOR AMOUNT [--key K]",
                "delegated",
                argv);
}

enum tool_exit tool_stake_undelegate(char **argv)
{
    return move(VM_ACTION_UNDELEGATE,
                false,
                "novate stake undelegate VALIDATOR AMOUNT [--key K]",
                "taking back",
                argv);
}

/* ---- what needs none ---- */

enum tool_exit tool_stake_withdraw(char **argv)
{
    struct cli_form const form = {"novate stake withdraw VALIDATOR [--key K]", 1, 1, NULL, 0};
    struct vm_action action = {.kind = VM_ACTION_WITHDRAW_STAKE};
    struct cli cli;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK && !cli_address(&action.validator, cli.args.words[0])) {
        code = TOOL_USAGE;
    }
    if (code == TOOL_OK) {
        code = cli_submit_one(&cli, &action, "withdrew, in micro-units");
    }
    cli_close(&cli);
    return code;
}

static enum tool_exit bare(uint8_t kind, const char *usage, const char *done, char **argv)
{
    struct cli_form const form = {usage, 0, 0, NULL, 0};
    struct vm_action const action = {.kind = kind};
    struct cli cli;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = cli_submit_one(&cli, &action, done);
    }
    cli_close(&cli);
    return code;
}

enum tool_exit tool_stake_claim(char **argv)
{
    return bare(VM_ACTION_CLAIM, "novate stake claim [--key K]", "claimed, in micro-units", argv);
}

enum tool_exit tool_stake_unjail(char **argv)
{
    return bare(VM_ACTION_UNJAIL, "novate stake unjail [--key K]", "unjailed", argv);
}

static enum tool_exit commission_read(struct vm_ratio *out, const char *text)
{
    char canonical[NV_DECIMAL_TEXT];
    int64_t ppb = 0;
    if (nv_decimal_parse(&ppb, canonical, nv_view_of_text(text), 9) != NV_OK || ppb < 0 ||
        ppb > VM_RATIO_ONE_PPB) {
        return tool_fail(TOOL_USAGE, "a share like 0.05", NULL, "commission %s", text);
    }
    *out = vm_ratio(ppb);
    return TOOL_OK;
}

enum tool_exit tool_stake_commission(char **argv)
{
    struct cli_form const form = {"novate stake commission SHARE [--key K]", 1, 1, NULL, 0};
    struct vm_action action = {.kind = VM_ACTION_SET_COMMISSION};
    struct cli cli;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = commission_read(&action.commission, cli.args.words[0]);
    }
    if (code == TOOL_OK) {
        code = cli_submit_one(&cli, &action, "commission set");
    }
    cli_close(&cli);
    return code;
}

/* ---- bond ---- */

/* The proofs that both keys want this: signed for the chain that is meant. */
static enum tool_exit bond_prove(struct cli *cli, struct vm_bond *bond, const struct tool_key *own)
{
    struct tool_key validator, node;
    if (!tool_key_read(&validator, cli->args.words[1]) ||
        !tool_key_read(&node, cli->args.words[2])) {
        return TOOL_USAGE;
    }
    enum tool_exit const code = cli_trust(cli);
    if (code != TOOL_OK) {
        return code;
    }
    bond->key = validator.key;
    bond->node_key = node.key;
    vm_bond_claim(bond, &cli->trust.light.chain_id, &own->address);
    nv_sign(&bond->proof, &validator.secret, &bond->claim);
    nv_sign(&bond->node_proof, &node.secret, &bond->node_claim);
    return TOOL_OK;
}

enum tool_exit tool_stake_bond(char **argv)
{
    const char *commission = "0";
    struct tool_option const options[] = {{"--commission", &commission, NULL}};
    struct cli_form const form = {
        "novate stake bond AMOUNT VALIDATOR_KEY NODE_KEY [--commission SHARE] [--key K]",
        3,
        3,
        options,
        1};
    struct vm_bond bond = {.commission = vm_ratio(0)};
    struct vm_action const action = {.kind = VM_ACTION_BOND, .bond = &bond};
    struct tool_key own;
    struct cli cli;
    int64_t micro = 0;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK && !cli_micro(&micro, cli.args.words[0])) {
        code = TOOL_USAGE;
    }
    bond.amount = vm_money(micro);
    if (code == TOOL_OK && (code = commission_read(&bond.commission, commission)) == TOOL_OK &&
        (code = cli_key(&cli, &own)) == TOOL_OK &&
        (code = bond_prove(&cli, &bond, &own)) == TOOL_OK) {
        code = cli_submit_one(&cli, &action, "bonded");
    }
    cli_close(&cli);
    return code;
}

/* ---- what there is ---- */

static void print_waiting(const json_t *answer)
{
    static const char *const heads[] = {"waits with", ">worth", ">since epoch", "until", NULL};
    const json_t *const list = json_object_get(answer, "waiting");
    json_t *const rows = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *const w = json_array_get(list, i);
        char until[CLI_TIME_TEXT];
        cli_time(until, cli_count(w, "release_ms"));
        (void)json_array_append_new(rows,
                                    json_pack("[s, s, s, s]",
                                              cli_text(w, "validator"),
                                              cli_text(w, "worth"),
                                              cli_text(w, "epoch"),
                                              until));
    }
    if (json_array_size(rows) > 0) {
        cli_table(heads, rows);
    }
    json_decref(rows);
}

static void print_stakes(const json_t *answer)
{
    static const char *const heads[] = {"validator", "status", ">worth", ">shares", NULL};
    const json_t *const list = json_object_get(answer, "stakes");
    json_t *const rows = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *const stake = json_array_get(list, i);
        (void)json_array_append_new(rows,
                                    json_pack("[s, s, s, s]",
                                              cli_text(stake, "validator"),
                                              cli_text(stake, "status"),
                                              cli_text(stake, "worth"),
                                              cli_text(stake, "shares")));
    }
    (void)printf("epoch %s\n", cli_text(answer, "epoch"));
    cli_table(heads, rows);
    json_decref(rows);
    print_waiting(answer);
}

/* The account that is meant: a word, or the own key's. */
static enum tool_exit address_meant(struct cli *cli, struct nv_address *out)
{
    struct tool_key key;
    if (cli->args.count > 0) {
        return cli_address(out, cli->args.words[0]) ? TOOL_OK : TOOL_USAGE;
    }
    enum tool_exit const code = cli_key(cli, &key);
    *out = key.address;
    return code;
}

/* ask_stakes asks for all that an account has with validators. */
static enum tool_exit
ask_stakes(struct cli *cli, struct cli_state *state, const struct nv_address *address)
{
    char text[NV_ADDRESS_TEXT];
    nv_address_format(text, address);
    json_t *const params = json_pack("{s:s}", "address", text);
    struct cli_pages const pages = {
        .method = "stake_get", .params = params, .list = {"stakes", "waiting"}, .same = "epoch"};
    enum tool_exit const code = cli_state_all(cli, state, &pages);
    json_decref(params);
    return code;
}

enum tool_exit tool_stake(char **argv)
{
    struct cli_form const form = {
        "novate stake [NAME|ADDRESS] [--key K] [--trust-node] [--genesis FILE] [--json]",
        0,
        1,
        NULL,
        0};
    struct nv_address address;
    struct cli_state state = {.answer = NULL};
    struct cli cli;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK && (code = address_meant(&cli, &address)) == TOOL_OK) {
        code = ask_stakes(&cli, &state, &address);
    }
    if (code == TOOL_OK && cli.json) {
        cli_state_dump(&state);
    } else if (code == TOOL_OK) {
        print_stakes(state.answer);
        cli_state_note(&state);
    }
    cli_state_deinit(&state);
    cli_close(&cli);
    return code;
}
