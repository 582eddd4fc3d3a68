/* novate audit: reads every row of one checkpoint, computes its root and both
 * conservation laws anew, and compares. */

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/audit/laws.h"
#include "tools/audit/root_fold.h"
#include "tools/cli/cli.h"
#include "tools/command.h"
#include "tools/final.h"
#include "tools/patience.h"

#define PAGE_ROWS   2000
#define CURSOR_SIZE 160u
#define PATIENCE_MS 15000u /* for a checkpoint, and for a final header that names it */
#define NOT_HELD    1006   /* rpc/errors.def */
#define BUSY        1008

struct audit {
    struct laws laws;
    struct root_fold fold;
    struct nv_hash told; /* the root that the node tells */
    struct nv_hash root; /* the root of the rows */
    bool certified;      /* a final header names that root */
    char height[32];
    bool ordered; /* keys ascended, values were canonical */
};

/* i128_text writes a number as JSON shows it; 48 bytes. */
static void i128_text(char out[48], nv_i128 value)
{
    char digits[48];
    uint32_t count = 0;
    nv_u128 rest = value < 0 ? (nv_u128)0 - (nv_u128)value : (nv_u128)value;
    do {
        digits[count] = (char)('0' + (int)(rest % 10));
        rest /= 10;
        count++;
    } while (rest > 0);
    uint32_t at = 0;
    if (value < 0) {
        out[at] = '-';
        at++;
    }
    while (count > 0) {
        count--;
        out[at] = digits[count];
        at++;
    }
    out[at] = '\0';
}

static json_t *i128_json(nv_i128 value)
{
    char text[48];
    i128_text(text, value);
    return json_string(text);
}

static bool add_row(struct audit *a, const json_t *pair)
{
    uint8_t value[NV_ROW_VALUE_MAX];
    struct nv_row row;
    uint32_t size = 0;
    const char *const key = json_string_value(json_array_get(pair, 0));
    const char *const text = json_string_value(json_array_get(pair, 1));
    if (key == NULL || text == NULL ||
        nv_bytes_parse(row.key.bytes, sizeof row.key.bytes, nv_view_of_text(key)) != NV_OK ||
        nv_bytes_parse_up_to(value, &size, sizeof value, nv_view_of_text(text)) != NV_OK) {
        return false;
    }
    row.value = nv_view_of(value, size);
    return root_fold_add(&a->fold, &row) && laws_add(&a->laws, &row);
}

/* named returns whether the page brings a final header that names the root. */
static bool named(const json_t *page)
{
    return json_is_string(json_object_get(page, "header"));
}

/* look_at_header checks the final header that the first page brings, if it does. */
static enum tool_exit look_at_header(struct audit *a, struct cli *cli, const json_t *page)
{
    struct cs_light_final final;
    if (!named(page) || cli->trust_node) {
        return TOOL_OK;
    }
    enum tool_exit code = cli_trust(cli);
    if (code == TOOL_OK) {
        code = tool_final(&final, &cli->trust, cli->client, page);
    }
    if (code == TOOL_OK) {
        a->certified = nv_hash_eq(&final.header.state_root, &a->told);
    }
    return code;
}

static enum tool_exit begin(struct audit *a, struct cli *cli, const json_t *page)
{
    const char *const height = json_string_value(json_object_get(page, "height"));
    const char *const root = json_string_value(json_object_get(page, "state_root"));
    if (height == NULL || root == NULL ||
        nv_bytes_parse(a->told.bytes, sizeof a->told.bytes, nv_view_of_text(root)) != NV_OK) {
        return tool_fail(TOOL_REFUSED, NULL, NULL, "the node names no checkpoint");
    }
    (void)snprintf(a->height, sizeof a->height, "%s", height);
    return look_at_header(a, cli, page);
}

static json_t *params_of(const char *cursor)
{
    return cursor == NULL ? json_pack("{s:i}", "limit", PAGE_ROWS)
                          : json_pack("{s:i, s:s}", "limit", PAGE_ROWS, "cursor", cursor);
}

/* add_page counts the rows of a page in. */
static void add_page(struct audit *a, const json_t *page)
{
    const json_t *const rows = json_object_get(page, "rows");
    for (size_t i = 0; i < json_array_size(rows) && a->ordered; i++) {
        a->ordered = add_row(a, json_array_get(rows, i));
    }
}

/* not_held returns whether a page was refused because the node holds no such
 * checkpoint: none yet, or it has dropped it meanwhile. */
static bool not_held(const struct cli *cli, enum nv_err err)
{
    json_int_t const code =
        err == NV_ERR_REFUSED ? cli_count(rpc_client_error(cli->client), "code") : 0;
    return code == NOT_HELD || code == BUSY;
}

/* read_page asks for a page and counts it in; `*again` when the checkpoint has to
 * be begun anew: it is gone, or its root is so new that no final header names
 * it, and there is `time` to wait for one. */
static enum tool_exit
read_page(struct audit *a, struct cli *cli, char cursor[CURSOR_SIZE], bool time, bool *again)
{
    json_t *page = NULL;
    bool const first = cursor[0] == '\0';
    enum tool_exit code = TOOL_OK;
    enum nv_err const err =
        rpc_client_call(cli->client, &page, "chain_rows", params_of(first ? NULL : cursor));
    *again = time && (not_held(cli, err) || (first && err == NV_OK && !named(page)));
    if (err != NV_OK && !*again) {
        return cli_ask(cli, &page, "chain_rows", params_of(first ? NULL : cursor));
    }
    if (err == NV_OK && !*again) {
        code = first ? begin(a, cli, page) : TOOL_OK;
        add_page(a, page);
        const char *const next = json_string_value(json_object_get(page, "cursor"));
        (void)snprintf(cursor, CURSOR_SIZE, "%s", next != NULL && a->ordered ? next : "");
    }
    json_decref(page);
    return code;
}

/* read_rows reads one checkpoint from its beginning. */
static enum tool_exit read_rows(struct audit *a, struct cli *cli, bool time, bool *again)
{
    char cursor[CURSOR_SIZE] = "";
    enum tool_exit code = TOOL_OK;
    a->ordered = true;
    do {
        code = read_page(a, cli, cursor, time, again);
    } while (code == TOOL_OK && !*again && cursor[0] != '\0');
    root_fold_finish(&a->root, &a->fold);
    return code;
}

/* read_checkpoint reads a checkpoint from its beginning to its end. */
static enum tool_exit read_checkpoint(struct audit *a, struct cli *cli)
{
    struct tool_patience patience = {0};
    bool again = false;
    bool time = true;
    enum tool_exit code = TOOL_OK;
    do {
        if (again) {
            laws_close(&a->laws);
            time = tool_patience_wait(&patience, PATIENCE_MS);
        }
        memset(a, 0, sizeof *a);
        root_fold_init(&a->fold);
        if (!laws_open(&a->laws)) {
            return tool_fail(TOOL_FAILED, NULL, NULL, "there is no memory for the audit");
        }
        code = read_rows(a, cli, time, &again);
    } while (code == TOOL_OK && again);
    return code;
}

static json_t *report(const struct audit *a, bool root_ok, bool ok)
{
    json_t *const markets = json_array();
    for (uint32_t i = 0; i < a->laws.market_count; i++) {
        const struct laws_market *const m = &a->laws.market[i];
        (void)json_array_append_new(markets,
                                    json_pack("{s:s, s:i, s:o, s:o, s:b}",
                                              "market",
                                              m->symbol,
                                              "market_id",
                                              (int)i,
                                              "lots_sum",
                                              i128_json(m->lots),
                                              "cost_plus_realised_micro",
                                              i128_json(m->cost + m->realised),
                                              "ok",
                                              laws_market_holds(m) ? 1 : 0));
    }
    return json_pack("{s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}",
                     "height",
                     a->height,
                     "root_ok",
                     root_ok ? 1 : 0,
                     "certified",
                     a->certified ? 1 : 0,
                     "rows",
                     i128_json((nv_i128)a->laws.rows),
                     "cash_sum_micro",
                     i128_json(a->laws.cash),
                     "staked_micro",
                     i128_json(a->laws.stakes.staked),
                     "reward_pot_micro",
                     i128_json((nv_i128)a->laws.stakes.pot),
                     "realised_sum_micro",
                     i128_json(a->laws.realised),
                     "vault_micro",
                     i128_json(a->laws.vault),
                     "wallet_sum_micro",
                     i128_json(a->laws.wallet),
                     "supply_micro",
                     i128_json(a->laws.supply),
                     "markets",
                     markets,
                     "running_ok",
                     laws_running_hold(&a->laws) ? 1 : 0,
                     "ok",
                     ok ? 1 : 0);
}

static void print_report(const json_t *r)
{
    (void)printf("checkpoint of height %s, %s rows\n", cli_text(r, "height"), cli_text(r, "rows"));
    (void)printf("root                %s%s\n",
                 json_is_true(json_object_get(r, "root_ok")) ? "holds" : "DIFFERS",
                 json_is_true(json_object_get(r, "certified")) ? ", named by a final header"
                                                               : ", no final header names it yet");
    (void)printf(
        "cash                %s + staked %s + reward pot %s micro = vault %s + realised %s\n",
        cli_text(r, "cash_sum_micro"),
        cli_text(r, "staked_micro"),
        cli_text(r, "reward_pot_micro"),
        cli_text(r, "vault_micro"),
        cli_text(r, "realised_sum_micro"));
    (void)printf("wallets + vault     supply %s micro\n", cli_text(r, "supply_micro"));
    const json_t *const markets = json_object_get(r, "markets");
    for (size_t i = 0; i < json_array_size(markets); i++) {
        const json_t *const m = json_array_get(markets, i);
        (void)printf("%-19s lots %s, cost + realised %s micro\n",
                     cli_text(m, "market"),
                     cli_text(m, "lots_sum"),
                     cli_text(m, "cost_plus_realised_micro"));
    }
    (void)printf("%s\n",
                 json_is_true(json_object_get(r, "ok")) ? "both laws hold" : "THE AUDIT FAILS");
}

enum tool_exit tool_audit(char **argv)
{
    struct cli_form const form = {
        "novate audit [--node URL] [--genesis FILE] [--json]", 0, 0, NULL, 0};
    static struct audit a;
    struct cli cli;
    enum tool_exit code = cli_open(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = read_checkpoint(&a, &cli);
    }
    if (code == TOOL_OK) {
        bool const root_ok = a.ordered && nv_hash_eq(&a.root, &a.told);
        bool const ok = root_ok && laws_hold(&a.laws) && laws_running_hold(&a.laws);
        json_t *const r = report(&a, root_ok, ok);
        if (cli.json) {
            cli_dump(r);
        } else {
            print_report(r);
        }
        json_decref(r);
        code = ok ? TOOL_OK : TOOL_FAILED;
    }
    laws_close(&a.laws);
    cli_close(&cli);
    return code;
}
