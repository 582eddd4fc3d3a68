/* The commands of a devnet that runs: status, kill, revive, price, faucet, down. */

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fmt.h"

#include "tools/args.h"
#include "tools/command.h"
#include "tools/devnet/devnet.h"
#include "tools/submit.h"

/* open_devnet reads --dir and the words of a command that takes `words`. */
static enum tool_exit open_devnet(struct devnet *d,
                                  struct tool_args *args,
                                  bool *json,
                                  uint32_t words,
                                  const char *usage,
                                  char **argv)
{
    const char *dir = NULL;
    bool unused = false;
    struct tool_option const options[] = {{"--dir", &dir, NULL},
                                          {"--json", NULL, json != NULL ? json : &unused}};
    enum tool_exit const code = tool_args_read(args, options, 2, usage, argv);
    if (code != TOOL_OK) {
        return code;
    }
    if (args->count != words) {
        return tool_fail(TOOL_USAGE, NULL, usage, "%u words are needed here", words);
    }
    return devnet_load(d, devnet_dir(dir)) ? TOOL_OK : TOOL_FAILED;
}

static json_t *text_of(const json_t *object, const char *key)
{
    json_t *const value = json_object_get(object, key);
    return value != NULL ? json_incref(value) : json_null();
}

static json_t *node_state(const struct devnet *d, uint32_t node)
{
    char url[64];
    json_t *status = NULL;
    struct rpc_client *client = NULL;
    devnet_url(url, d, node);
    if (rpc_client_open(&client, url, 3000) == NV_OK) {
        if (rpc_client_call(client, &status, "node_status", NULL) != NV_OK) {
            status = NULL;
        }
        rpc_client_close(client);
    }
    const json_t *const executed = json_object_get(status, "executed");
    json_t *const row = json_pack("{s:i, s:b, s:s, s:o, s:o, s:o, s:o}",
                                  "node",
                                  (int)node,
                                  "up",
                                  status != NULL ? 1 : 0,
                                  "rpc",
                                  url,
                                  "finalized_height",
                                  text_of(status, "finalized_height"),
                                  "executed_height",
                                  text_of(executed, "height"),
                                  "state_root",
                                  text_of(executed, "state_root"),
                                  "peers",
                                  text_of(status, "peers"));
    json_decref(status);
    return row;
}

static const char *shown(const json_t *row, const char *key)
{
    const char *const text = json_string_value(json_object_get(row, key));
    return text != NULL ? text : "-";
}

enum tool_exit tool_devnet_status(char **argv)
{
    struct devnet d;
    struct tool_args args;
    bool json = false;
    enum tool_exit const code =
        open_devnet(&d, &args, &json, 0, "novate devnet status [--dir D] [--json]", argv);
    if (code != TOOL_OK) {
        return code;
    }
    json_t *const list = json_array();
    for (uint32_t i = 0; i < d.validators; i++) {
        (void)json_array_append_new(list, node_state(&d, i));
    }
    if (json) {
        (void)json_dumpf(list, stdout, JSON_INDENT(2));
        (void)printf("\n");
    } else {
        (void)printf("node  up   final     executed  peers  state root\n");
        for (uint32_t i = 0; i < d.validators; i++) {
            const json_t *const row = json_array_get(list, i);
            (void)printf("%-5u %-4s %-9s %-9s %-6d %.18s\n",
                         i,
                         json_is_true(json_object_get(row, "up")) ? "yes" : "no",
                         shown(row, "finalized_height"),
                         shown(row, "executed_height"),
                         (int)json_integer_value(json_object_get(row, "peers")),
                         shown(row, "state_root"));
        }
    }
    json_decref(list);
    return TOOL_OK;
}

static bool node_word(const struct devnet *d, const char *word, uint32_t *node)
{
    uint64_t number = 0;
    if (!tool_args_number(&number, "the validator", word, 0, d->validators - 1)) {
        return false;
    }
    *node = (uint32_t)number;
    return true;
}

enum tool_exit tool_devnet_kill(char **argv)
{
    struct devnet d;
    struct tool_args args;
    uint32_t node = 0;
    char name[32];
    enum tool_exit const code =
        open_devnet(&d, &args, NULL, 1, "novate devnet kill I [--dir D]", argv);
    if (code != TOOL_OK) {
        return code;
    }
    if (!node_word(&d, args.words[0], &node)) {
        return TOOL_USAGE;
    }
    (void)snprintf(name, sizeof name, "node%u", node);
    if (!devnet_running(&d, name)) {
        return tool_fail(TOOL_FAILED, NULL, "novate devnet status", "%s does not run", name);
    }
    devnet_stop(&d, name, 0);
    (void)printf("%s was killed; novate devnet revive %u starts it again\n", name, node);
    return TOOL_OK;
}

enum tool_exit tool_devnet_revive(char **argv)
{
    struct devnet d;
    struct tool_args args;
    uint32_t node = 0;
    enum tool_exit const code =
        open_devnet(&d, &args, NULL, 1, "novate devnet revive I [--dir D]", argv);
    if (code != TOOL_OK) {
        return code;
    }
    if (!node_word(&d, args.words[0], &node)) {
        return TOOL_USAGE;
    }
    if (!devnet_start_node(&d, node)) {
        return TOOL_FAILED;
    }
    (void)printf("node%u runs again and catches up; see novate devnet status\n", node);
    return TOOL_OK;
}

enum tool_exit tool_devnet_down(char **argv)
{
    struct devnet d;
    struct tool_args args;
    enum tool_exit const code =
        open_devnet(&d, &args, NULL, 0, "novate devnet down [--dir D]", argv);
    if (code != TOOL_OK) {
        return code;
    }
    devnet_stop_all(&d);
    (void)printf("the devnet in %s is down\n", d.dir);
    return TOOL_OK;
}

enum tool_exit tool_devnet_price(char **argv)
{
    struct devnet d;
    struct tool_args args;
    char path[DEVNET_PATH_MAX];
    char answer[256];
    enum tool_exit const code =
        open_devnet(&d, &args, NULL, 1, "novate devnet price BTC=-12% [--dir D]", argv);
    if (code != TOOL_OK) {
        return code;
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    devnet_path(path, &d, "run/feeder.sock");
    int const fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t got = -1;
    if (fd >= 0 && strlen(path) < sizeof address.sun_path) {
        memcpy(address.sun_path, path, strlen(path) + 1);
        if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
            send(fd, args.words[0], strlen(args.words[0]), MSG_NOSIGNAL) > 0) {
            got = recv(fd, answer, sizeof answer - 1, 0);
        }
    }
    (void)close(fd);
    if (got <= 0) {
        return tool_fail(TOOL_UNREACHABLE, NULL, "novate devnet up", "the feeder does not answer");
    }
    answer[got] = '\0';
    if (strncmp(answer, "ok ", 3) != 0) {
        return tool_fail(TOOL_USAGE, NULL, "novate devnet price BTC=-12%", "%s", answer + 6);
    }
    (void)printf("%s\n", answer + 3);
    return TOOL_OK;
}

/* live_node connects to the first node that answers. */
static enum tool_exit live_node(const struct devnet *d, char url[64], struct tool_chain *chain)
{
    for (uint32_t i = 0; i < d->validators; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "node%u", i);
        devnet_url(url, d, i);
        if (devnet_running(d, name) && tool_chain_open(chain, url) == TOOL_OK) {
            return TOOL_OK;
        }
    }
    return tool_fail(TOOL_UNREACHABLE, NULL, "novate devnet status", "no validator answers");
}

enum tool_exit tool_devnet_faucet(char **argv)
{
    struct devnet d;
    struct tool_args args;
    struct tool_chain chain;
    struct tool_key faucet;
    char url[64];
    char canonical[NV_DECIMAL_TEXT];
    int64_t micro = 0;
    json_t *result = NULL;
    struct vm_action action = {.kind = VM_ACTION_FAUCET};
    enum tool_exit code =
        open_devnet(&d, &args, NULL, 2, "novate devnet faucet ADDRESS AMOUNT [--dir D]", argv);
    if (code != TOOL_OK) {
        return code;
    }
    if (nv_address_parse(&action.send.to, nv_view_of_text(args.words[0])) == NV_ERR_MALFORMED) {
        return tool_fail(TOOL_USAGE,
                         "an address is 0x and 40 hex digits",
                         NULL,
                         "\"%s\" is none",
                         args.words[0]);
    }
    if (nv_decimal_parse(&micro, canonical, nv_view_of_text(args.words[1]), NV_MICRO_PLACES) !=
            NV_OK ||
        micro <= 0) {
        return tool_fail(TOOL_USAGE,
                         canonical[0] != '\0' ? canonical : "an amount is a decimal above 0",
                         NULL,
                         "\"%s\" is no amount",
                         args.words[1]);
    }
    action.send.amount = vm_money(micro);
    code = live_node(&d, url, &chain);
    if (code != TOOL_OK) {
        return code;
    }
    tool_key_named(&faucet, "faucet");
    code = tool_submit(&chain, &faucet, &action, 1, true, &result);
    if (code == TOOL_OK) {
        (void)json_dumpf(result, stdout, JSON_INDENT(2));
        (void)printf("\n");
    }
    json_decref(result);
    tool_chain_close(&chain);
    return code;
}
