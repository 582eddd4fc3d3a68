#ifndef NV_TOOLS_CLI_SUBMIT_H
#define NV_TOOLS_CLI_SUBMIT_H

/* submit.h - a person's transaction: signed, submitted, and its receipt read. */

#include <stdint.h>

#include "tools/cli/cli.h"
#include "vm/tx.h"

/* cli_submit signs the actions with `key`, submits them and waits until they
 * are final.  TOOL_OK: every action did what it says, and *answer is that of
 * tx_submit.  TOOL_REFUSED: it has been said which failed and why. */
enum tool_exit cli_submit(struct cli *cli,
                          const struct tool_key *key,
                          const struct vm_action *actions,
                          uint32_t count,
                          json_t **answer);

/* cli_submit_one signs one action with the key that acts, and tells where it
 * stands: `done`, then the action's result if it has one. */
enum tool_exit cli_submit_one(struct cli *cli, const struct vm_action *action, const char *done);

/* cli_outcome returns the text of a member of the first outcome of an answer
 * of tx_submit: its "result" is the handle of an order that was placed. */
const char *cli_outcome(const json_t *answer, uint32_t action);

#endif /* NV_TOOLS_CLI_SUBMIT_H */
