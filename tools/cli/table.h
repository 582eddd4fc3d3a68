#ifndef NV_TOOLS_CLI_TABLE_H
#define NV_TOOLS_CLI_TABLE_H

/* table.h - rows of text under heads, in columns as wide as they need to be,
 * and colours where a person looks on. */

#include <stdbool.h>

struct json_t;

#define CLI_TABLE_COLUMNS 16u

/* cli_table prints `rows`, an array of arrays of strings, under `heads`, which
 * end with NULL.  A head that begins with '>' is aligned to the right, without
 * that sign. */
void cli_table(const char *const *heads, const struct json_t *rows);

/* cli_pair prints one line "name   value". */
void cli_pair(const char *name, const char *value);

/* cli_live returns whether stdout is a terminal. */
bool cli_live(void);

/* A terminal's colours; each is "" in a pipe or where NO_COLOR is set. */
enum cli_colour { CLI_PLAIN, CLI_GREEN, CLI_RED, CLI_DIM };
const char *cli_colour(enum cli_colour colour);

#endif /* NV_TOOLS_CLI_TABLE_H */
