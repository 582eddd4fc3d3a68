#ifndef NV_NODE_HOME_CONFIG_TABLE_H
#define NV_NODE_HOME_CONFIG_TABLE_H

/* config_table.h - config.def as an array, for config*.c. */

#include "node/home/config.h"

enum node_setting_kind { NODE_KIND_TEXT = 1, NODE_KIND_PATH, NODE_KIND_LIST, NODE_KIND_NUMBER };

struct node_setting_row {
    const char *section;
    const char *key;
    const char *dotted; /* "rpc.listen" */
    enum node_setting_kind kind;
    const char *standard;
    uint64_t least, most;
    const char *text;
};

extern const struct node_setting_row node_settings[NODE_SETTING_COUNT];

#define NODE_SETTING_NAME_SIZE 64u

/* The names of a setting as a flag and as an environment variable, into `out`
 * of NODE_SETTING_NAME_SIZE bytes. */
void node_setting_flag(char *out, const struct node_setting_row *row); /* rpc-listen */
void node_setting_environment(char *out,
                              const struct node_setting_row *row); /* NOVATE_RPC_LISTEN */

#endif /* NV_NODE_HOME_CONFIG_TABLE_H */
