#include "node/home/config_table.h"

#include <stdio.h>

const struct node_setting_row node_settings[NODE_SETTING_COUNT] = {
#define XX(name, section, key, kind, standard, least, most, text)                                  \
    {#section, #key, #section "." #key, NODE_KIND_##kind, standard, least, most, text},
#include "node/home/config.def"
#undef XX
};

void node_setting_flag(char *out, const struct node_setting_row *row)
{
    (void)snprintf(out, NODE_SETTING_NAME_SIZE, "%s-%s", row->section, row->key);
    for (char *c = out; *c != '\0'; c++) {
        *c = *c == '_' ? '-' : *c;
    }
}

void node_setting_environment(char *out, const struct node_setting_row *row)
{
    (void)snprintf(out, NODE_SETTING_NAME_SIZE, "NOVATE_%s_%s", row->section, row->key);
    for (char *c = out; *c != '\0'; c++) {
        *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
    }
}
