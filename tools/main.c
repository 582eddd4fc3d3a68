#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "tools/command.h"

static const struct tool_command commands[] = {
#define XX(name, function, words, summary) {name, words, summary, function},
#include "tools/commands.def"
#undef XX
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static enum tool_exit help(void)
{
    (void)printf("novate - the command line of a Novate network\n\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        (void)printf(
            "  novate %s %s\n      %s\n", commands[i].name, commands[i].words, commands[i].summary);
    }
    return TOOL_OK;
}

/* words_of returns how many words of argv the command's name is, 0 if it is
 * another command. */
static int words_of(const struct tool_command *command, int argc, char **argv)
{
    const char *const space = strchr(command->name, ' ');
    if (space == NULL) {
        return strcmp(argv[1], command->name) == 0 ? 1 : 0;
    }
    size_t const first = (size_t)(space - command->name);
    bool const same = strlen(argv[1]) == first && strncmp(argv[1], command->name, first) == 0;
    return same && argc > 2 && strcmp(argv[2], space + 1) == 0 ? 2 : 0;
}

/* common returns how many letters two words begin with alike. */
static size_t common(const char *a, const char *b)
{
    size_t i = 0;
    while (a[i] != '\0' && a[i] == b[i]) {
        i++;
    }
    return i;
}

static enum tool_exit unknown(int argc, char **argv)
{
    char typed[128];
    (void)snprintf(
        typed, sizeof typed, "%s%s%s", argv[1], argc > 2 ? " " : "", argc > 2 ? argv[2] : "");
    const struct tool_command *nearest = NULL;
    size_t best = 0;
    for (size_t i = 0; i < COMMANDS; i++) {
        size_t const alike = common(typed, commands[i].name);
        if (alike > best) {
            best = alike;
            nearest = &commands[i];
        }
    }
    char next[512] = "novate help";
    if (nearest != NULL) {
        (void)snprintf(next, sizeof next, "novate %s %s", nearest->name, nearest->words);
    }
    return tool_fail(TOOL_USAGE, NULL, next, "there is no command \"%s\"", argv[1]);
}

int main(int argc, char **argv)
{
    if (argc < 2 || strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0) {
        return (int)help();
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        int const words = words_of(&commands[i], argc, argv);
        if (words > 0) {
            return (int)commands[i].run(argv + 1 + words);
        }
    }
    return (int)unknown(argc, argv);
}
