#include "tools/cli/state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/cli/table.h"
#include "tools/patience.h"
#include "tools/proved.h"

#define PATIENCE_MS      4000u  /* for a final header that names the newest root */
#define PATIENCE_LONG_MS 20000u /* for one without which there is no proof at all */
#define FUTURE           1007   /* rpc/errors.def: no final header names a root so late */
#define BUSY             1008   /* no root can be proved yet */
#define TX_NOT_FOUND     6101
#define PAGE             256 /* entries of a list at once */
#define PAGES_MAX        64  /* of a list; whoever has more goes on for ever */
#define READINGS_MAX     5   /* of a list that changes while it is read */

static uint64_t height_of(const json_t *object)
{
    uint64_t height = 0;
    const char *const text = json_string_value(json_object_get(object, "height"));
    if (text == NULL || nv_u64_parse(&height, nv_view_of_text(text)) != NV_OK) {
        return 0;
    }
    return height;
}

/* executed asks for the newest executed height, which is to be proved. */
static uint64_t executed(struct cli *cli)
{
    json_t *head = NULL;
    if (rpc_client_call(cli->client, &head, "chain_head", NULL) != NV_OK) {
        return 0;
    }
    uint64_t const height = height_of(head);
    json_decref(head);
    return height;
}

/* refusal_patience_ms returns how long a refusal is waited over: no root can be
 * proved yet, or none so late as what was asked for; a transaction may be about to be
 * written down; or only the proof is refused. */
static uint32_t refusal_patience_ms(struct cli *cli, const char *method, const json_t *params)
{
    json_t *answer = NULL;
    json_int_t const code = cli_count(rpc_client_error(cli->client), "code");
    if (code == BUSY || code == FUTURE) {
        return PATIENCE_LONG_MS;
    }
    if (code == TX_NOT_FOUND) {
        return PATIENCE_MS;
    }
    json_t *const plain = json_deep_copy(params);
    (void)json_object_del(plain, "proof");
    bool const there = rpc_client_call(cli->client, &answer, method, plain) == NV_OK;
    json_decref(answer);
    return there ? PATIENCE_MS : 0;
}

/* ask_proved asks until the proof is of the height executed now or later, or patience
 * ends. */
static enum tool_exit
ask_proved(struct cli *cli, json_t **answer, const char *method, json_t *params)
{
    uint64_t const height = executed(cli);
    struct tool_patience patience = {0};
    enum nv_err err = NV_OK;
    uint32_t most_ms = 0;
    (void)json_object_set_new(params, "proof", json_true());
    do {
        json_decref(*answer);
        *answer = NULL;
        err = rpc_client_call(cli->client, answer, method, json_incref(params));
        most_ms = 0;
        if (err == NV_OK && height_of(json_object_get(*answer, "proof")) < height) {
            most_ms = PATIENCE_MS;
        } else if (err == NV_ERR_REFUSED) {
            most_ms = refusal_patience_ms(cli, method, params);
        }
    } while (tool_patience_wait(&patience, most_ms));
    return err == NV_OK ? TOOL_OK : cli_ask(cli, answer, method, json_incref(params));
}

static enum tool_exit save_proof(const char *path,
                                 const struct nv_hash *chain,
                                 const char *method,
                                 json_t *params,
                                 json_t *answer)
{
    char chain_id[NV_BYTES_TEXT(32)];
    nv_bytes_format(chain_id, chain->bytes, sizeof chain->bytes);
    (void)json_object_del(params, "proof");
    json_t *const file = json_pack("{s:s, s:s, s:s, s:O, s:O}",
                                   "format",
                                   CLI_PROOF_FORMAT,
                                   "chain_id",
                                   chain_id,
                                   "method",
                                   method,
                                   "params",
                                   params,
                                   "answer",
                                   answer);
    int const failed = json_dump_file(file, path, JSON_INDENT(2));
    json_decref(file);
    return failed == 0
               ? TOOL_OK
               : tool_fail(TOOL_FAILED, strerror(errno), NULL, "%s cannot be written", path);
}

/* check checks an answer and keeps what its proof says. */
static enum tool_exit
check(struct cli *cli, struct cli_state *out, const char *method, json_t *params, const char *save)
{
    struct tool_proved proved;
    json_t *answer = NULL;
    enum tool_exit code = cli_trust(cli);
    if (code == TOOL_OK) {
        code = ask_proved(cli, &answer, method, params);
    }
    if (code != TOOL_OK) {
        return code;
    }
    code = tool_proved_check(&proved, &cli->trust, cli->client, method, params, answer);
    if (code == TOOL_OK && save != NULL) {
        code = save_proof(save, &cli->trust.light.chain_id, method, params, answer);
    }
    if (code == TOOL_OK) {
        out->answer = json_incref(proved.derived);
        out->summary = tool_proved_summary(&proved, &cli->trust);
    }
    tool_proved_deinit(&proved);
    json_decref(answer);
    return code;
}

enum tool_exit cli_state_get(
    struct cli *cli, struct cli_state *out, const char *method, json_t *params, const char *save)
{
    memset(out, 0, sizeof *out);
    enum tool_exit code = TOOL_OK;
    if (!cli->trust_node) {
        code = check(cli, out, method, params, save);
        json_decref(params);
        return code;
    }
    if (save != NULL) {
        json_decref(params);
        return tool_fail(TOOL_USAGE,
                         "with --trust-node no proof is asked for",
                         NULL,
                         "--save and --trust-node exclude each other");
    }
    return cli_ask(cli, &out->answer, method, params);
}

void cli_state_deinit(struct cli_state *state)
{
    json_decref(state->answer);
    json_decref(state->summary);
    state->answer = NULL;
    state->summary = NULL;
}

/* Lists being read. */
struct listing {
    const struct cli_pages *what;
    json_t *entries[CLI_LISTS_MAX]; /* owned */
    json_t *cursor;                 /* owned; NULL or null: no further page */
    bool changed;
};

static json_t *page_params(const struct listing *l)
{
    json_t *const params =
        l->what->params != NULL ? json_deep_copy(l->what->params) : json_object();
    (void)json_object_set_new(params, "limit", json_integer(PAGE));
    if (l->cursor != NULL) {
        (void)json_object_set(params, "cursor", l->cursor);
    }
    return params;
}

/* add_page takes the page at the cursor. */
static enum tool_exit add_page(struct cli *cli, struct cli_state *out, struct listing *l)
{
    const struct cli_pages *const what = l->what;
    json_t *const before = json_incref(json_object_get(out->answer, what->same));
    cli_state_deinit(out);
    enum tool_exit const code = cli_state_get(cli, out, what->method, page_params(l), NULL);
    if (code == TOOL_OK) {
        l->changed =
            before != NULL && !json_equal(before, json_object_get(out->answer, what->same));
        json_decref(l->cursor);
        l->cursor = json_incref(json_object_get(out->answer, "cursor"));
        for (uint32_t i = 0; i < CLI_LISTS_MAX && what->list[i] != NULL; i++) {
            (void)json_array_extend(l->entries[i], json_object_get(out->answer, what->list[i]));
        }
    }
    json_decref(before);
    return code;
}

/* read_lists reads all pages, up to one that does not fit to those before. */
static enum tool_exit read_lists(struct cli *cli, struct cli_state *out, struct listing *l)
{
    enum tool_exit code = TOOL_OK;
    uint32_t pages = 0;
    do {
        code = pages++ < PAGES_MAX ? add_page(cli, out, l)
                                   : tool_fail(TOOL_REFUSED,
                                               "there is always another page",
                                               "ask another node with --node URL",
                                               "the node's list does not end");
    } while (code == TOOL_OK && !l->changed && json_is_string(l->cursor));
    return code;
}

static void listing_deinit(struct listing *l)
{
    for (uint32_t i = 0; i < CLI_LISTS_MAX; i++) {
        json_decref(l->entries[i]);
    }
    json_decref(l->cursor);
}

/* listing_begin makes empty lists. */
static void listing_begin(struct listing *l, const struct cli_pages *what)
{
    *l = (struct listing){.what = what};
    for (uint32_t i = 0; i < CLI_LISTS_MAX; i++) {
        l->entries[i] = json_array();
    }
}

enum tool_exit cli_state_all(struct cli *cli, struct cli_state *out, const struct cli_pages *pages)
{
    struct listing l = {.what = pages};
    enum tool_exit code = TOOL_OK;
    uint32_t readings = 0;
    memset(out, 0, sizeof *out);
    do {
        cli_state_deinit(out);
        listing_deinit(&l);
        listing_begin(&l, pages);
        code = readings++ < READINGS_MAX ? read_lists(cli, out, &l)
                                         : tool_fail(TOOL_FAILED,
                                                     "it changed while it was read",
                                                     "try again",
                                                     "the list cannot be read as a whole");
    } while (code == TOOL_OK && l.changed);
    if (code == TOOL_OK) {
        for (uint32_t i = 0; i < CLI_LISTS_MAX && pages->list[i] != NULL; i++) {
            (void)json_object_set(out->answer, pages->list[i], l.entries[i]);
        }
        (void)json_object_del(out->answer, "cursor");
    }
    listing_deinit(&l);
    return code;
}

void cli_state_note(const struct cli_state *state)
{
    if (state->summary == NULL) {
        (void)printf(
            "%snot checked: the node's word%s\n", cli_colour(CLI_DIM), cli_colour(CLI_PLAIN));
        return;
    }
    (void)printf("%schecked: state after block %s, by final block %s, signed by %d of %d "
                 "validators%s\n",
                 cli_colour(CLI_DIM),
                 cli_text(state->summary, "height"),
                 cli_text(state->summary, "block_height"),
                 (int)cli_count(state->summary, "signers"),
                 (int)cli_count(state->summary, "validators"),
                 cli_colour(CLI_PLAIN));
}

void cli_state_dump(const struct cli_state *state)
{
    if (state->summary != NULL) {
        (void)json_object_set(state->answer, "proof", state->summary);
    }
    cli_dump(state->answer);
}
