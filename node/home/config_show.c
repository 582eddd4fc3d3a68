#include <string.h>

#include "base/fmt.h"

#include "node/home/config.h"
#include "node/home/config_table.h"

static const char *origin_text(char *out, size_t size, const struct node_config *c, uint32_t i)
{
    char name[NODE_SETTING_NAME_SIZE];
    switch (c->value[i].origin) {
    case NODE_FROM_DEFAULT: (void)snprintf(out, size, "default"); break;
    case NODE_FROM_FILE: (void)snprintf(out, size, "file %s", c->file); break;
    case NODE_FROM_ENVIRONMENT:
        node_setting_environment(name, &node_settings[i]);
        (void)snprintf(out, size, "environment %s", name);
        break;
    case NODE_FROM_FLAG:
        node_setting_flag(name, &node_settings[i]);
        (void)snprintf(out, size, "flag --%s", name);
        break;
    }
    return out;
}

void node_config_show(const struct node_config *config, FILE *out, bool origin)
{
    (void)fprintf(out, "home = %s\n", config->home);
    for (uint32_t i = 0; i < NODE_SETTING_COUNT; i++) {
        const char *const value = config->value[i].text;
        char from[ST_PATH_MAX + 32];
        (void)fprintf(out, "%s = %s", node_settings[i].dotted, value);
        if (origin) {
            (void)fprintf(out, "  (%s)", origin_text(from, sizeof from, config, i));
        }
        (void)fprintf(out, "\n");
    }
}

/* template_list writes items in lines of their own: inih cuts long ones. */
static void template_list(FILE *out, const char *items)
{
    static const char apart[] = ", \t\r\n";
    for (const char *at = items; *at != '\0'; at += strspn(at, apart)) {
        size_t const size = strcspn(at, apart);
        (void)fprintf(out, "%s%.*s", at == items ? " " : "\n    ", (int)size, at);
        at += size;
    }
}

static void template_row(FILE *out, const struct node_setting_row *row, const char *given)
{
    (void)fprintf(out, "\n# %s", row->text);
    if (row->kind == NODE_KIND_NUMBER) {
        (void)fprintf(out, " (%" NV_U64 " to %" NV_U64 ")", row->least, row->most);
    }
    (void)fprintf(out, "\n%s%s =", given == NULL ? "#" : "", row->key);
    if (given != NULL && row->kind == NODE_KIND_LIST) {
        template_list(out, given);
    } else {
        (void)fprintf(out, " %s", given == NULL ? row->standard : given);
    }
    (void)fprintf(out, "\n");
}

void node_config_template(const struct node_config *config, FILE *out)
{
    (void)fprintf(
        out,
        "# novate.conf - the settings of novated.\n"
        "#\n"
        "# A line is  key = value; take away the # in front to set it. What is shown is the\n"
        "# default. A flag (--rpc-listen) or an environment variable (NOVATE_RPC_LISTEN) beats\n"
        "# this file; `novated config show --origin` tells where each value comes from.\n"
        "# Paths are relative to the home, the folder of this file. A list may go on in further\n"
        "# lines that begin with a blank.\n");
    const char *section = "";
    for (uint32_t i = 0; i < NODE_SETTING_COUNT; i++) {
        if (strcmp(section, node_settings[i].section) != 0) {
            section = node_settings[i].section;
            (void)fprintf(out, "\n[%s]\n", section);
        }
        bool const given = config->value[i].origin == NODE_FROM_FLAG;
        template_row(out, &node_settings[i], given ? config->value[i].text : NULL);
    }
}
