#ifndef NV_TOOLS_COMMAND_H
#define NV_TOOLS_COMMAND_H

/* command.h - the commands of `novate`, one line each in commands.def. */

#include "tools/say.h"

struct tool_command {
    const char *name;                   /* "book", or "devnet up" */
    const char *words;                  /* "MARKET [-w]" */
    const char *summary;                /* one line for `novate help` */
    enum tool_exit (*run)(char **argv); /* the words after the name, NULL at the end */
};

#define XX(name, function, words, summary) enum tool_exit function(char **argv);
#include "tools/commands.def"
#undef XX

#endif /* NV_TOOLS_COMMAND_H */
