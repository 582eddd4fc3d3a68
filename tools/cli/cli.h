#ifndef NV_TOOLS_CLI_CLI_H
#define NV_TOOLS_CLI_CLI_H

/* cli.h - what the commands that speak to a node have in common: the options
 * --node, --json, --key, --genesis, --trust and --trust-node, the words, the client.
 *
 *     struct cli cli;
 *     enum tool_exit code = cli_open(&cli, &form, argv);
 *     if (code == TOOL_OK) {
 *         code = cli_ask(&cli, &answer, "chain_head", NULL);
 *         ...
 *     }
 *     cli_close(&cli);
 *
 * It is large: keep it static where there is more than one.  One thread. */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/key.h"

#include "rpc/client.h"
#include "tools/args.h"
#include "tools/keyring.h"
#include "tools/say.h"
#include "tools/trust.h"

/* How a command is called. */
struct cli_form {
    const char *usage;
    uint32_t words_min;
    uint32_t words_max;
    const struct tool_option *options; /* beside those that all have; may be NULL */
    uint32_t option_count;
};

struct cli {
    const char *node;    /* --node */
    const char *genesis; /* --genesis: the chain that is meant */
    const char *pin;     /* --trust: an epoch of it, named by somebody trusted */
    const char *key;     /* --key */
    bool json;
    bool trust_node; /* take the node's word for state */
    struct tool_args args;
    const char *url;
    struct rpc_client *client;
    bool trusts; /* the next is set */
    struct tool_trust trust;
};

/* cli_open reads the words and makes the client, which connects with the first
 * call.  Whatever comes back, end with cli_close. */
enum tool_exit cli_open(struct cli *cli, const struct cli_form *form, char **argv);
void cli_close(struct cli *cli);

/* cli_words is cli_open without a node: for commands that need none. */
enum tool_exit cli_words(struct cli *cli, const struct cli_form *form, char **argv);

/* cli_ask calls a method; *result is the caller's.  `params` is taken over. */
enum tool_exit cli_ask(struct cli *cli, json_t **result, const char *method, json_t *params);

/* cli_trust finds the chain that is meant, and what is believed of it, once. */
enum tool_exit cli_trust(struct cli *cli);

/* cli_key reads the key that acts: --key, $NOVATE_KEY, or alice on a devnet. */
enum tool_exit cli_key(struct cli *cli, struct tool_key *key);

/* cli_address reads an address, or the name of a devnet account; false after
 * saying what is wrong. */
bool cli_address(struct nv_address *out, const char *text);

/* cli_dump prints a JSON value and a line feed. */
void cli_dump(const json_t *value);

/* cli_text returns the text of a member, or "-" when it is null or absent. */
const char *cli_text(const json_t *object, const char *key);
/* cli_count returns a member that is a small number; 0 when it is absent. */
json_int_t cli_count(const json_t *object, const char *key);

/* cli_time writes UTC milliseconds as "2026-11-22 15:41:21.043". */
#define CLI_TIME_TEXT 32u
void cli_time(char out[CLI_TIME_TEXT], json_int_t time_ms);

#endif /* NV_TOOLS_CLI_CLI_H */
