/* novate book: the book of a market; live with -w. */

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/cli/cli.h"
#include "tools/cli/state.h"
#include "tools/cli/table.h"
#include "tools/command.h"

#define DEPTH_MAX 1000u
#define PAUSE_MS  200 /* between two pictures */
#define WIDTH     16

struct book {
    struct cli cli;
    const char *market;
    uint32_t depth;
    bool watch;
};

static void print_level(const json_t *level, enum cli_colour colour)
{
    const char *const price = json_string_value(json_array_get(level, 0));
    const char *const size = json_string_value(json_array_get(level, 1));
    (void)printf("%s%*s%s%*s\n",
                 cli_colour(colour),
                 WIDTH,
                 price != NULL ? price : "-",
                 cli_colour(CLI_PLAIN),
                 WIDTH,
                 size != NULL ? size : "-");
}

static void print_book(const json_t *book, const json_t *ticker, const char *height)
{
    const json_t *const asks = json_object_get(book, "asks");
    const json_t *const bids = json_object_get(book, "bids");
    (void)printf("%s  mark %s  index %s  last %s  height %s\n%s%*s%*s%s\n",
                 cli_text(book, "market"),
                 cli_text(ticker, "mark"),
                 cli_text(ticker, "index"),
                 cli_text(ticker, "last_price"),
                 height,
                 cli_colour(CLI_DIM),
                 WIDTH,
                 "price",
                 WIDTH,
                 "size",
                 cli_colour(CLI_PLAIN));
    for (size_t i = json_array_size(asks); i > 0; i--) {
        print_level(json_array_get(asks, i - 1), CLI_RED);
    }
    (void)printf("%*s\n", 2 * WIDTH, "--------------------");
    for (size_t i = 0; i < json_array_size(bids); i++) {
        print_level(json_array_get(bids, i), CLI_GREEN);
    }
}

/* height_of returns the height that a book is of: that of its proof, if it has one. */
static const char *height_of(const struct cli_state *book)
{
    return cli_text(book->summary != NULL ? book->summary : book->answer, "height");
}

static void show(const struct book *b, const struct cli_state *book, const struct cli_state *ticker)
{
    if (b->cli.json) {
        json_t *const out = json_deep_copy(book->answer);
        (void)json_object_set_new(out, "height", json_string(height_of(book)));
        (void)json_object_set(out, "proof", book->summary);
        (void)json_dumpf(out, stdout, b->watch ? JSON_COMPACT : JSON_INDENT(2));
        (void)printf("\n");
        json_decref(out);
        return;
    }
    bool const redraw = b->watch && cli_live();
    (void)printf("%s", redraw ? "\033[H\033[J" : "");
    print_book(book->answer, ticker->answer, height_of(book));
    cli_state_note(book);
    (void)printf("%s", b->watch && !redraw ? "\n" : "");
}

/* look asks for one picture and prints it; `height` becomes the book's. */
static enum tool_exit look(struct book *b, uint64_t *height)
{
    struct cli_state book = {0};
    struct cli_state ticker = {0};
    json_t *const params = json_pack("{s:s, s:i}", "market", b->market, "depth", (int)b->depth);
    enum tool_exit code = cli_state_get(&b->cli, &book, "market_book", params, NULL);
    if (code == TOOL_OK && !b->cli.json) {
        code = cli_state_get(
            &b->cli, &ticker, "market_ticker", json_pack("{s:s}", "market", b->market), NULL);
    }
    if (code == TOOL_OK) {
        show(b, &book, &ticker);
    }
    (void)fflush(stdout);
    if (code == TOOL_OK && nv_u64_parse(height, nv_view_of_text(height_of(&book))) != NV_OK) {
        *height = 0;
    }
    cli_state_deinit(&book);
    cli_state_deinit(&ticker);
    return code;
}

/* next waits for a block above `height`; none within a while is no error. */
static void next(struct book *b, uint64_t height)
{
    char text[NV_DECIMAL_TEXT];
    json_t *head = NULL;
    nv_u64_format(text, height + 1);
    json_t *const params = json_pack("{s:s, s:i}", "height", text, "timeout_ms", 5000);
    (void)poll(NULL, 0, PAUSE_MS);
    if (rpc_client_call(b->cli.client, &head, "chain_waitHeight", params) == NV_OK) {
        json_decref(head);
    }
}

enum tool_exit tool_book(char **argv)
{
    static struct book b;
    const char *depth = "10";
    struct tool_option const options[] = {
        {"-w", NULL, &b.watch}, {"--watch", NULL, &b.watch}, {"--depth", &depth, NULL}};
    struct cli_form const form = {
        "novate book MARKET [-w] [--depth N] [--trust-node] [--genesis FILE] [--json]",
        1,
        1,
        options,
        3};
    uint64_t wanted = 0;
    uint64_t height = 0;
    enum tool_exit code = cli_open(&b.cli, &form, argv);
    if (code == TOOL_OK && !tool_args_number(&wanted, "--depth", depth, 1, DEPTH_MAX)) {
        code = TOOL_USAGE;
    }
    b.market = b.cli.args.words[0];
    b.depth = (uint32_t)wanted;
    if (code == TOOL_OK && b.watch && cli_live()) {
        (void)printf("\033[H\033[2J");
    }
    while (code == TOOL_OK) {
        code = look(&b, &height);
        if (!b.watch) {
            break;
        }
        next(&b, height);
    }
    cli_close(&b.cli);
    return code;
}
