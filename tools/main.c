#include <stdbool.h>
#include <stdint.h>
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

static enum tool_exit help_of(const struct tool_command *command)
{
    (void)printf("novate %s %s\n    %s\n", command->name, command->words, command->summary);
    return TOOL_OK;
}

static bool wants_help(char **words)
{
    for (; *words != NULL && strcmp(*words, "--") != 0; words++) {
        if (strcmp(*words, "--help") == 0 || strcmp(*words, "-h") == 0) {
            return true;
        }
    }
    return false;
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

#define NAME_MAX_SIZE 32u

/* changes returns how many letters have to be added, dropped or replaced to make
 * one word of the other. */
static uint32_t changes(const char *a, const char *b)
{
    uint32_t row[NAME_MAX_SIZE + 1];
    for (uint32_t j = 0; j <= NAME_MAX_SIZE; j++) {
        row[j] = j;
    }
    size_t const end = strnlen(b, NAME_MAX_SIZE);
    for (uint32_t i = 0; a[i] != '\0'; i++) {
        uint32_t diagonal = row[0];
        row[0] = i + 1;
        for (uint32_t j = 0; j < end; j++) {
            uint32_t const replaced = diagonal + (a[i] != b[j] ? 1u : 0u);
            uint32_t const one = (row[j] < row[j + 1] ? row[j] : row[j + 1]) + 1;
            diagonal = row[j + 1];
            row[j + 1] = replaced < one ? replaced : one;
        }
    }
    return row[end];
}

static enum tool_exit unknown(int argc, char **argv)
{
    char typed[128];
    const struct tool_command *nearest = NULL;
    uint32_t best = UINT32_MAX;
    for (size_t i = 0; i < COMMANDS; i++) {
        bool const two = strchr(commands[i].name, ' ') != NULL && argc > 2;
        (void)snprintf(typed, sizeof typed, "%s%s%s", argv[1], two ? " " : "", two ? argv[2] : "");
        uint32_t const distance = changes(commands[i].name, typed);
        if (distance < best) {
            best = distance;
            nearest = &commands[i];
        }
    }
    char next[512] = "novate help";
    if (nearest != NULL && best <= strlen(nearest->name) / 2) {
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
        if (words > 0 && wants_help(argv + 1 + words)) {
            return (int)help_of(&commands[i]);
        }
        if (words > 0) {
            return (int)commands[i].run(argv + 1 + words);
        }
    }
    return (int)unknown(argc, argv);
}
