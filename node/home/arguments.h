#ifndef NV_NODE_HOME_ARGUMENTS_H
#define NV_NODE_HOME_ARGUMENTS_H

/* arguments.h - the command line of novated.
 *
 *     novated [--home FOLDER] [--config FILE] [--SECTION-KEY VALUE]... [COMMAND]
 *
 * Flags may stand before and behind the command, with a blank or '=' before
 * their value.  What is not known is a fault that names the nearest word. */

#include <stdbool.h>
#include <stdio.h>

#include "node/home/config.h"

enum node_command {
    NODE_COMMAND_START = 1,
    NODE_COMMAND_INIT,
    NODE_COMMAND_CONFIG_SHOW,
    NODE_COMMAND_CONFIG_CHECK,
    NODE_COMMAND_VERSION,
    NODE_COMMAND_HELP,
};

struct node_arguments {
    enum node_command command;
    const char *home; /* or NULL */
    const char *file; /* or NULL */
    bool origin;      /* config show --origin */
    struct node_flag flags[NODE_FLAGS_MAX];
    uint32_t flag_count;
    char names[NODE_FLAGS_MAX][64]; /* of flags given with '=' */
};

/* node_arguments_read reads argv, whose texts it borrows. */
NV_MUST_USE bool node_arguments_read(struct node_arguments *arguments,
                                     int argc,
                                     char *const *argv,
                                     struct node_fault *fault);

void node_arguments_help(FILE *out);

#endif /* NV_NODE_HOME_ARGUMENTS_H */
