#ifndef NV_TOOLS_ARGS_H
#define NV_TOOLS_ARGS_H

/* args.h - a command's words: options with and without values, anywhere, and
 * the rest in order.  "--" ends the options; "-15%" is no option. */

#include <stdbool.h>
#include <stdint.h>

#include "tools/say.h"

#define TOOL_WORDS_MAX 64u

struct tool_option {
    const char *name;   /* "--dir" or "-w" */
    const char **value; /* set when given; NULL for a flag */
    bool *flag;         /* set for a flag */
};

struct tool_args {
    const char *words[TOOL_WORDS_MAX];
    uint32_t count;
};

/* tool_args_read sorts argv (without the command's own name) into options and
 * words.  TOOL_USAGE after saying what is wrong, with `usage` as the next step. */
enum tool_exit tool_args_read(struct tool_args *args,
                              const struct tool_option *options,
                              uint32_t option_count,
                              const char *usage,
                              char **argv);

/* tool_args_number reads a whole number within [min, max]; false after saying
 * what is wrong with `text`. */
bool tool_args_number(
    uint64_t *out, const char *name, const char *text, uint64_t min, uint64_t max);

#endif /* NV_TOOLS_ARGS_H */
