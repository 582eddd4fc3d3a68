#ifndef NV_TOOLS_CLI_STATE_H
#define NV_TOOLS_CLI_STATE_H

/* state.h - state to be printed: asked for with a proof, checked, and worked
 * out from the proof; or, with --trust-node, the node's word. */

#include <jansson.h>

#include "tools/cli/cli.h"

/* What a saved proof is: {format, chain_id, method, params, answer}. */
#define CLI_PROOF_FORMAT "novate-proof-1"

struct cli_state {
    json_t *answer;  /* what the proof says; with --trust-node what the node says */
    json_t *summary; /* what the proof hangs on; NULL with --trust-node */
};

/* cli_state_get asks for state of the newest height known when it is called, if
 * that can be proved within a few seconds, and checks it.  `params` is taken
 * over; `save` (may be NULL) is a file for answer and proof.  Else it has been
 * said what is wrong.  Whatever comes back, end with cli_state_deinit. */
enum tool_exit cli_state_get(
    struct cli *cli, struct cli_state *out, const char *method, json_t *params, const char *save);
void cli_state_deinit(struct cli_state *state);

#define CLI_LISTS_MAX 2u

/* What comes in pages. */
struct cli_pages {
    const char *method;
    const json_t *params;            /* borrowed; NULL: none but those of the page */
    const char *list[CLI_LISTS_MAX]; /* the members that go on from page to page; NULL: none */
    const char *same;                /* the member that all pages must agree in */
};

/* cli_state_all asks for lists page by page and gives them as one answer: the entries of
 * all pages in their members, and else what the newest page says.  Each page is checked,
 * and of a height of its own; of pages that differ in the member `same` none is used, and
 * all is read anew. */
enum tool_exit cli_state_all(struct cli *cli, struct cli_state *out, const struct cli_pages *pages);

/* cli_state_note prints on a line of its own what the state hangs on. */
void cli_state_note(const struct cli_state *state);

/* cli_state_dump prints the answer with the member "proof": the summary. */
void cli_state_dump(const struct cli_state *state);

#endif /* NV_TOOLS_CLI_STATE_H */
