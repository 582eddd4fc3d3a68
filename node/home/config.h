#ifndef NV_NODE_HOME_CONFIG_H
#define NV_NODE_HOME_CONFIG_H

/* config.h - the settings of the daemon and where each came from.
 *
 * A setting is named section.key and listed in config.def.  A flag beats an
 * environment variable, that beats the file, that beats the default:
 *
 *     --rpc-listen 127.0.0.1:1    NOVATE_RPC_LISTEN=127.0.0.1:1
 *     [rpc]
 *     listen = 127.0.0.1:1
 *
 * Whatever is wrong (an unknown key, a number out of range) is a fault that
 * names the place and, for a name, the nearest one that exists.  Start-up
 * only. */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

#include "node/home/fault.h"
#include "storage/files.h"

enum node_setting {
#define XX(name, section, key, kind, standard, least, most, text) NODE_##name,
#include "node/home/config.def"
#undef XX
    NODE_SETTING_COUNT,
};

enum node_origin { NODE_FROM_DEFAULT = 0, NODE_FROM_FILE, NODE_FROM_ENVIRONMENT, NODE_FROM_FLAG };

#define NODE_CONFIG_TEXT_SIZE (256u << 10) /* bytes of all settings together */
#define NODE_FLAGS_MAX        64u

struct node_value {
    const char *text;
    enum node_origin origin;
};

/* Plain; a few hundred KiB, so not for the stack. */
struct node_config {
    char home[ST_PATH_MAX];
    char file[ST_PATH_MAX];
    bool file_found;
    struct node_value value[NODE_SETTING_COUNT];
    char memory[NODE_CONFIG_TEXT_SIZE]; /* of the texts */
    uint32_t used;
};

/* A flag as given: "rpc-listen" and its value. */
struct node_flag {
    const char *name;
    const char *value;
};

struct node_config_sources {
    const char *home;               /* --home, or NULL */
    const char *file;               /* --config, or NULL: novate.conf in the home */
    const char *const *environment; /* NAME=value strings, NULL at the end */
    const struct node_flag *flags;
    uint32_t flag_count;
};

/* node_config_read fills `config` from all sources; the sources may go away
 * afterwards.  A file that was not named and does not exist is no fault.
 * False: *fault tells. */
NV_MUST_USE bool node_config_read(struct node_config *config,
                                  const struct node_config_sources *sources,
                                  struct node_fault *fault);

/* node_config_text returns a setting as it is written; it lives as long as the
 * configuration.  node_config_number is for NUMBER settings, in range. */
const char *node_config_text(const struct node_config *config, enum node_setting setting);
uint64_t node_config_number(const struct node_config *config, enum node_setting setting);

/* node_config_path writes a PATH setting, relative ones put behind the home,
 * into `out` of ST_PATH_MAX bytes. */
void node_config_path(char *out, const struct node_config *config, enum node_setting setting);

/* node_config_list cuts a LIST setting into at most `max` texts, which live as
 * long as the configuration, and returns how many; above `max` it is a fault. */
NV_MUST_USE bool node_config_list(struct node_config *config,
                                  enum node_setting setting,
                                  const char **items,
                                  uint32_t *count,
                                  uint32_t max,
                                  struct node_fault *fault);

/* node_config_none returns whether a setting is the word "none". */
bool node_config_none(const struct node_config *config, enum node_setting setting);

/* node_config_known returns whether `name` is a flag of a setting. */
bool node_config_known(const char *flag);

/* node_config_show prints every setting, with its origin if wanted. */
void node_config_show(const struct node_config *config, FILE *out, bool origin);

/* node_config_template writes novate.conf: every setting with what it means,
 * commented out unless `config` has it from a flag. */
void node_config_template(const struct node_config *config, FILE *out);

#endif /* NV_NODE_HOME_CONFIG_H */
