#include "node/home/arguments.h"

#include <string.h>

#include "node/home/config_table.h"
#include "node/home/nearest.h"

#define HINT_HELP "novated help"

static const struct {
    const char *word[2];
    enum node_command command;
} commands[] = {
    {{"start", NULL}, NODE_COMMAND_START},
    {{"init", NULL}, NODE_COMMAND_INIT},
    {{"config", "show"}, NODE_COMMAND_CONFIG_SHOW},
    {{"config", "check"}, NODE_COMMAND_CONFIG_CHECK},
    {{"version", NULL}, NODE_COMMAND_VERSION},
    {{"help", NULL}, NODE_COMMAND_HELP},
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static void unknown_flag(const char *name, struct node_fault *fault)
{
    char flags[NODE_SETTING_COUNT][NODE_SETTING_NAME_SIZE];
    const char *words[NODE_SETTING_COUNT + 3] = {"home", "config", "origin"};
    for (uint32_t i = 0; i < NODE_SETTING_COUNT; i++) {
        node_setting_flag(flags[i], &node_settings[i]);
        words[i + 3] = flags[i];
    }
    const char *const near = node_nearest(name, words, NODE_SETTING_COUNT + 3);
    node_fault_set(fault, NODE_EXIT_USAGE, HINT_HELP, "there is no flag --%s", name);
    if (near != NULL) {
        node_fault_hint(fault, "did you mean --%s?", near);
    }
}

/* take_flag stores one flag whose name and value are known. */
static void
take_flag(struct node_arguments *a, const char *name, const char *value, struct node_fault *fault)
{
    if (strcmp(name, "home") == 0) {
        a->home = value;
    } else if (strcmp(name, "config") == 0) {
        a->file = value;
    } else if (a->flag_count == NODE_FLAGS_MAX) {
        node_fault_set(fault, NODE_EXIT_USAGE, HINT_HELP, "there are too many flags");
    } else {
        a->flags[a->flag_count++] = (struct node_flag){name, value};
    }
}

static bool flag_known(const char *name)
{
    return strcmp(name, "home") == 0 || strcmp(name, "config") == 0 || node_config_known(name);
}

/* read_flag reads the flag at argv[*i], and its value. */
static void
read_flag(struct node_arguments *a, int argc, char *const *argv, int *i, struct node_fault *fault)
{
    const char *const text = argv[*i] + 2;
    size_t const size = strcspn(text, "=");
    char *const name = a->names[a->flag_count % NODE_FLAGS_MAX];
    (void)snprintf(name, sizeof a->names[0], "%.*s", (int)(size < 63 ? size : 63), text);
    if (strcmp(text, "origin") == 0) {
        a->origin = true;
    } else if (strcmp(text, "sit-out") == 0) {
        take_flag(a, "sync-sit-out", "1", fault);
    } else if (strcmp(text, "help") == 0) {
        a->command = NODE_COMMAND_HELP;
    } else if (strcmp(text, "version") == 0) {
        a->command = NODE_COMMAND_VERSION;
    } else if (!flag_known(name)) {
        unknown_flag(name, fault);
    } else if (text[size] == '=') {
        take_flag(a, name, text + size + 1, fault);
    } else if (*i + 1 < argc) {
        take_flag(a, name, argv[++*i], fault);
    } else {
        node_fault_set(fault, NODE_EXIT_USAGE, HINT_HELP, "--%s needs a value", name);
    }
}

static void choose_command(struct node_arguments *a, const char *const *words, struct node_fault *f)
{
    const char *names[COMMAND_COUNT];
    if (words[0] == NULL) {
        return;
    }
    for (uint32_t i = 0; i < COMMAND_COUNT; i++) {
        const char *const second = commands[i].word[1];
        bool const same = strcmp(words[0], commands[i].word[0]) == 0;
        if (same && second != NULL && words[1] != NULL && strcmp(words[1], second) == 0) {
            a->command = commands[i].command;
            return;
        }
        if (same && second == NULL && words[1] == NULL) {
            a->command = commands[i].command;
            return;
        }
        names[i] = commands[i].word[0];
    }
    const char *const near = node_nearest(words[0], names, COMMAND_COUNT);
    node_fault_set(f,
                   NODE_EXIT_USAGE,
                   HINT_HELP,
                   "there is no command \"%s%s%s\"",
                   words[0],
                   words[1] == NULL ? "" : " ",
                   words[1] == NULL ? "" : words[1]);
    if (near != NULL && strcmp(near, "config") == 0) {
        node_fault_hint(f, "did you mean config show, or config check?");
    } else if (near != NULL && strcmp(near, words[0]) != 0) {
        node_fault_hint(f, "did you mean %s?", near);
    }
}

bool node_arguments_read(struct node_arguments *arguments,
                         int argc,
                         char *const *argv,
                         struct node_fault *fault)
{
    const char *words[2] = {NULL, NULL};
    uint32_t word_count = 0;
    memset(arguments, 0, sizeof *arguments);
    for (int i = 1; i < argc && !node_fault_is(fault); i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            read_flag(arguments, argc, argv, &i, fault);
        } else if (word_count < 2) {
            words[word_count++] = argv[i];
        } else {
            node_fault_set(
                fault, NODE_EXIT_USAGE, HINT_HELP, "\"%s\" is one word too many", argv[i]);
        }
    }
    if (!node_fault_is(fault) && arguments->command == 0) {
        arguments->command = NODE_COMMAND_START;
        choose_command(arguments, words, fault);
    }
    return !node_fault_is(fault);
}

void node_arguments_help(FILE *out)
{
    (void)fprintf(
        out,
        "novated [--home FOLDER] [--config FILE] [--SECTION-KEY VALUE]... [COMMAND]\n\n"
        "  start [--sit-out]      runs the node (what it does without a command)\n"
        "  init                   makes a home: novate.conf and keys\n"
        "  config show [--origin] every setting, and where its value comes from\n"
        "  config check           reads configuration, genesis and keys, and says what is wrong\n"
        "  version\n\n"
        "The home is --home, else $NOVATE_HOME, else ~/.novate. A flag beats an environment\n"
        "variable, which beats novate.conf, which beats the default. The settings:\n\n");
    for (uint32_t i = 0; i < NODE_SETTING_COUNT; i++) {
        char flag[NODE_SETTING_NAME_SIZE];
        node_setting_flag(flag, &node_settings[i]);
        (void)fprintf(out, "  --%-34s %s\n", flag, node_settings[i].text);
    }
    (void)fprintf(out,
                  "\nExit codes: 0 ok, 1 failed, 2 usage, 69 the home is in use, 70 fork,\n"
                  "74 storage, 78 configuration, 79 double-sign guard, 81 state differs.\n");
}
