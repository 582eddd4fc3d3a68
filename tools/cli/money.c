/* novate deposit, withdraw, transfer: money on its way. */

#include <stdio.h>

#include "base/fmt.h"

#include "tools/cli/market.h"
#include "tools/cli/submit.h"
#include "tools/command.h"

static enum tool_exit move(uint8_t kind, const char *usage, const char *verb, char **argv)
{
    struct cli_form const form = {usage, 1, 1, NULL, 0};
    struct vm_action action = {.kind = kind};
    struct cli cli;
    char done[96];
    int64_t micro = 0;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK && !cli_micro(&micro, cli.args.words[0])) {
        code = TOOL_USAGE;
    }
    if (code == TOOL_OK) {
        action.amount = vm_money(micro);
        (void)snprintf(done, sizeof done, "%s %s", verb, cli.args.words[0]);
        code = cli_submit_one(&cli, &action, done);
    }
    cli_close(&cli);
    return code;
}

enum tool_exit tool_deposit(char **argv)
{
    return move(VM_ACTION_DEPOSIT, "novate deposit AMOUNT [--key K]", "deposited", argv);
}

enum tool_exit tool_withdraw(char **argv)
{
    return move(VM_ACTION_WITHDRAW, "novate withdraw AMOUNT [--key K]", "withdrew", argv);
}

enum tool_exit tool_transfer(char **argv)
{
    struct cli_form const form = {"novate transfer NAME|ADDRESS AMOUNT [--key K]", 2, 2, NULL, 0};
    struct vm_action action = {.kind = VM_ACTION_TRANSFER};
    struct cli cli;
    char address[NV_ADDRESS_TEXT];
    char done[160];
    int64_t micro = 0;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK && (!cli_address(&action.send.to, cli.args.words[0]) ||
                            !cli_micro(&micro, cli.args.words[1]))) {
        code = TOOL_USAGE;
    }
    if (code == TOOL_OK) {
        nv_address_format(address, &action.send.to);
        action.send.amount = vm_money(micro);
        (void)snprintf(done, sizeof done, "paid %s to %s", cli.args.words[1], address);
        code = cli_submit_one(&cli, &action, done);
    }
    cli_close(&cli);
    return code;
}
