#include "node/home/config.h"

#include <errno.h>
#include <ini.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/fmt.h"

#include "node/home/config_table.h"
#include "node/home/nearest.h"

#define LINE_MAX_SIZE 199u /* what inih reads of a line */
#define FILE_MAX_SIZE (128u << 10)

/* keep copies a text into the configuration's memory; NULL when it is full. */
static const char *keep(struct node_config *c, const char *text)
{
    size_t const size = strlen(text) + 1;
    if (size > sizeof c->memory - c->used) {
        return NULL;
    }
    char *const copy = c->memory + c->used;
    memcpy(copy, text, size);
    c->used += (uint32_t)size;
    return copy;
}

/* check_value says what is wrong with a value, or NULL. */
static const char *check_value(char *out, size_t size, uint32_t setting, const char *text)
{
    const struct node_setting_row *const row = &node_settings[setting];
    if (row->kind != NODE_KIND_NUMBER) {
        if (row->kind == NODE_KIND_LIST || text[0] != '\0') {
            return NULL;
        }
        (void)snprintf(out, size, "it is empty");
        return out;
    }
    uint64_t number = 0;
    enum nv_err const err = nv_u64_parse(&number, nv_view_of(text, (uint32_t)strlen(text)));
    if (err == NV_OK && number >= row->least && number <= row->most) {
        return NULL;
    }
    (void)snprintf(
        out, size, "it must be a whole number from %" NV_U64 " to %" NV_U64, row->least, row->most);
    return out;
}

/* set gives a setting its value; `where` is for the message. */
static bool set(struct node_config *c,
                uint32_t setting,
                const char *text,
                enum node_origin origin,
                const char *where,
                struct node_fault *fault)
{
    char why[128];
    if (check_value(why, sizeof why, setting, text) != NULL) {
        node_fault_set(fault,
                       NODE_EXIT_CONFIG,
                       NULL,
                       "%s: %s is \"%s\"; %s",
                       where,
                       node_settings[setting].dotted,
                       text,
                       why);
        node_fault_hint(fault, "the default is %s", node_settings[setting].standard);
        return false;
    }
    const char *const copy = keep(c, text);
    if (copy == NULL) {
        node_fault_set(fault, NODE_EXIT_CONFIG, NULL, "%s: the settings are too long", where);
        return false;
    }
    c->value[setting] = (struct node_value){copy, origin};
    return true;
}

/* ---- the file ---- */

struct reading {
    struct node_config *config;
    struct node_fault *fault;
};

static void unknown_key(const struct reading *r, const char *name, const char *where)
{
    const char *words[NODE_SETTING_COUNT];
    for (uint32_t i = 0; i < NODE_SETTING_COUNT; i++) {
        words[i] = node_settings[i].dotted;
    }
    const char *const near = node_nearest(name, words, NODE_SETTING_COUNT);
    node_fault_set(r->fault,
                   NODE_EXIT_CONFIG,
                   "novated config show lists every setting",
                   "%s: there is no setting %s",
                   where,
                   name);
    if (near != NULL) {
        node_fault_hint(r->fault, "did you mean %s?", near);
    }
}

/* append joins a further line of a list to what is there. */
static bool append(struct node_config *c, uint32_t setting, const char *text, struct reading *r)
{
    char joined[NODE_CONFIG_TEXT_SIZE / 8];
    int const size = snprintf(joined, sizeof joined, "%s %s", c->value[setting].text, text);
    if (size < 0 || (size_t)size >= sizeof joined) {
        node_fault_set(r->fault,
                       NODE_EXIT_CONFIG,
                       NULL,
                       "%s: %s is too long",
                       c->file,
                       node_settings[setting].dotted);
        return false;
    }
    return set(c, setting, joined, NODE_FROM_FILE, c->file, r->fault);
}

static int on_pair(void *ctx, const char *section, const char *key, const char *text)
{
    struct reading *const r = ctx;
    if (node_fault_is(r->fault)) {
        return 1;
    }
    for (uint32_t i = 0; i < NODE_SETTING_COUNT; i++) {
        const struct node_setting_row *const row = &node_settings[i];
        if (strcmp(row->section, section) != 0 || strcmp(row->key, key) != 0) {
            continue;
        }
        bool const again = r->config->value[i].origin == NODE_FROM_FILE;
        if (again && row->kind == NODE_KIND_LIST) {
            return append(r->config, i, text, r) ? 1 : 0;
        }
        if (again) {
            node_fault_set(r->fault,
                           NODE_EXIT_CONFIG,
                           "keep one of the two lines",
                           "%s: %s is there twice",
                           r->config->file,
                           row->dotted);
            return 0;
        }
        return set(r->config, i, text, NODE_FROM_FILE, r->config->file, r->fault) ? 1 : 0;
    }
    char name[256];
    (void)snprintf(name, sizeof name, "%s%s%s", section, section[0] == '\0' ? "" : ".", key);
    unknown_key(r, name, r->config->file);
    return 0;
}

/* long_line returns the number of a line that inih would cut, or 0. */
static uint32_t long_line(const char *text)
{
    uint32_t line = 1;
    uint32_t size = 0;
    for (const char *c = text; *c != '\0'; c++) {
        size = *c == '\n' ? 0 : size + 1;
        if (size > LINE_MAX_SIZE) {
            return line;
        }
        line += *c == '\n' ? 1 : 0;
    }
    return 0;
}

static void parse_text(struct reading *r, const char *text)
{
    struct node_config *const c = r->config;
    uint32_t const cut = long_line(text);
    if (cut != 0) {
        node_fault_set(r->fault,
                       NODE_EXIT_CONFIG,
                       "a list may go on in further lines that begin with a blank",
                       "%s line %" NV_U32 ": longer than %u bytes",
                       c->file,
                       cut,
                       LINE_MAX_SIZE);
        return;
    }
    int const line = ini_parse_string(text, on_pair, r);
    if (line > 0 && !node_fault_is(r->fault)) {
        node_fault_set(r->fault,
                       NODE_EXIT_CONFIG,
                       "a line is [section], key = value, or a comment after #",
                       "%s line %d: cannot be read",
                       c->file,
                       line);
    } else if (line > 0) {
        char what[sizeof r->fault->what];
        memcpy(what, r->fault->what, sizeof what);
        (void)snprintf(r->fault->what, sizeof r->fault->what, "%.900s (line %d)", what, line);
    }
}

static bool read_file(struct node_config *c, bool named, struct node_fault *fault)
{
    struct reading r = {c, fault};
    FILE *const file = fopen(c->file, "rb");
    if (file == NULL) {
        if (named || errno != ENOENT) {
            node_fault_set(fault,
                           NODE_EXIT_CONFIG,
                           "novated init writes one",
                           "%s: cannot be opened: %s",
                           c->file,
                           strerror(errno));
        }
        return !node_fault_is(fault);
    }
    static char text[FILE_MAX_SIZE + 1]; /* start-up only */
    size_t const size = fread(text, 1, FILE_MAX_SIZE, file);
    bool const whole = ferror(file) == 0 && feof(file) != 0;
    (void)fclose(file);
    text[size] = '\0';
    if (!whole || strlen(text) != size) {
        node_fault_set(fault, NODE_EXIT_CONFIG, NULL, "%s: not a text of its size", c->file);
        return false;
    }
    c->file_found = true;
    parse_text(&r, text);
    return !node_fault_is(fault);
}

/* ---- environment and flags ---- */

static const char *from_environment(const struct node_config_sources *s, const char *name)
{
    size_t const size = strlen(name);
    for (const char *const *entry = s->environment; entry != NULL && *entry != NULL; entry++) {
        if (strncmp(*entry, name, size) == 0 && (*entry)[size] == '=') {
            return *entry + size + 1;
        }
    }
    return NULL;
}

static bool
read_environment(struct node_config *c, const struct node_config_sources *s, struct node_fault *f)
{
    for (uint32_t i = 0; i < NODE_SETTING_COUNT; i++) {
        char name[NODE_SETTING_NAME_SIZE];
        node_setting_environment(name, &node_settings[i]);
        const char *const text = from_environment(s, name);
        if (text != NULL && !set(c, i, text, NODE_FROM_ENVIRONMENT, "environment", f)) {
            return false;
        }
    }
    return true;
}

/* flag_setting returns the setting of a flag, or NODE_SETTING_COUNT. */
static uint32_t flag_setting(const char *flag)
{
    uint32_t i = 0;
    for (; i < NODE_SETTING_COUNT; i++) {
        char name[NODE_SETTING_NAME_SIZE];
        node_setting_flag(name, &node_settings[i]);
        if (strcmp(name, flag) == 0) {
            break;
        }
    }
    return i;
}

bool node_config_known(const char *flag)
{
    return flag_setting(flag) < NODE_SETTING_COUNT;
}

static bool
read_flags(struct node_config *c, const struct node_config_sources *s, struct node_fault *fault)
{
    for (uint32_t i = 0; i < s->flag_count; i++) {
        uint32_t const setting = flag_setting(s->flags[i].name);
        NV_ASSERT(setting < NODE_SETTING_COUNT); /* whoever read the arguments has asked */
        if (!set(c, setting, s->flags[i].value, NODE_FROM_FLAG, "command line", fault)) {
            return false;
        }
    }
    return true;
}

static bool
find_home(struct node_config *c, const struct node_config_sources *s, struct node_fault *fault)
{
    const char *home = s->home != NULL ? s->home : from_environment(s, "NOVATE_HOME");
    const char *const user = from_environment(s, "HOME");
    int size = 0;
    if (home != NULL && home[0] != '\0') {
        size = snprintf(c->home, sizeof c->home, "%s", home);
    } else if (user != NULL) {
        size = snprintf(c->home, sizeof c->home, "%s/.novate", user);
    }
    if (size <= 0 || size > 1024) {
        node_fault_set(fault,
                       NODE_EXIT_CONFIG,
                       "name it: novated --home FOLDER",
                       "there is no home folder, or its path is too long");
        return false;
    }
    size = s->file != NULL ? snprintf(c->file, sizeof c->file, "%s", s->file)
                           : snprintf(c->file, sizeof c->file, "%s/novate.conf", c->home);
    return size > 0;
}

bool node_config_read(struct node_config *config,
                      const struct node_config_sources *sources,
                      struct node_fault *fault)
{
    memset(config, 0, sizeof *config);
    for (uint32_t i = 0; i < NODE_SETTING_COUNT; i++) {
        config->value[i] = (struct node_value){node_settings[i].standard, NODE_FROM_DEFAULT};
    }
    return find_home(config, sources, fault) && read_file(config, sources->file != NULL, fault) &&
           read_environment(config, sources, fault) && read_flags(config, sources, fault);
}

/* ---- reading values ---- */

const char *node_config_text(const struct node_config *config, enum node_setting setting)
{
    return config->value[setting].text;
}

uint64_t node_config_number(const struct node_config *config, enum node_setting setting)
{
    uint64_t number = 0;
    NV_ASSERT(node_settings[setting].kind == NODE_KIND_NUMBER);
    const char *const text = config->value[setting].text;
    enum nv_err const err = nv_u64_parse(&number, nv_view_of(text, (uint32_t)strlen(text)));
    NV_ASSERT(err == NV_OK); /* checked when it was set */
    return number;
}

void node_config_path(char *out, const struct node_config *config, enum node_setting setting)
{
    NV_ASSERT(node_settings[setting].kind == NODE_KIND_PATH);
    const char *const text = config->value[setting].text;
    if (text[0] == '/') {
        (void)snprintf(out, ST_PATH_MAX, "%.3000s", text);
    } else {
        (void)snprintf(out, ST_PATH_MAX, "%.1024s/%.3000s", config->home, text);
    }
}

bool node_config_none(const struct node_config *config, enum node_setting setting)
{
    return strcmp(config->value[setting].text, "none") == 0;
}

bool node_config_list(struct node_config *config,
                      enum node_setting setting,
                      const char **items,
                      uint32_t *count,
                      uint32_t max,
                      struct node_fault *fault)
{
    static const char apart[] = ", \t\r\n";
    const char *at = config->value[setting].text;
    *count = 0;
    for (;;) {
        at += strspn(at, apart);
        size_t const size = strcspn(at, apart);
        if (size == 0) {
            return true;
        }
        if (*count == max || size >= sizeof config->memory - config->used) {
            node_fault_set(fault,
                           NODE_EXIT_CONFIG,
                           NULL,
                           "%s has more than %" NV_U32 " items",
                           node_settings[setting].dotted,
                           max);
            return false;
        }
        char *const copy = config->memory + config->used;
        memcpy(copy, at, size);
        copy[size] = '\0';
        config->used += (uint32_t)size + 1;
        items[(*count)++] = copy;
        at += size;
    }
}
