#include "tools/args.h"

#include <ctype.h>
#include <string.h>

#include "base/bytes.h"
#include "base/fmt.h"

static bool is_option(const char *word)
{
    return word[0] == '-' && (word[1] == '-' || isalpha((unsigned char)word[1]) != 0);
}

static const struct tool_option *
find(const struct tool_option *options, uint32_t count, const char *word)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(options[i].name, word) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

enum tool_exit tool_args_read(struct tool_args *args,
                              const struct tool_option *options,
                              uint32_t option_count,
                              const char *usage,
                              char **argv)
{
    bool only_words = false;
    args->count = 0;
    for (; *argv != NULL; argv++) {
        const char *const word = *argv;
        if (!only_words && strcmp(word, "--") == 0) {
            only_words = true;
            continue;
        }
        if (only_words || !is_option(word)) {
            if (args->count == TOOL_WORDS_MAX) {
                return tool_fail(TOOL_USAGE, NULL, usage, "too many words");
            }
            args->words[args->count] = word;
            args->count++;
            continue;
        }
        const struct tool_option *const option = find(options, option_count, word);
        if (option == NULL) {
            return tool_fail(TOOL_USAGE, NULL, usage, "%s is no option of this command", word);
        }
        if (option->value == NULL) {
            *option->flag = true;
            continue;
        }
        if (argv[1] == NULL) {
            return tool_fail(TOOL_USAGE, NULL, usage, "%s needs a value", word);
        }
        argv++;
        *option->value = *argv;
    }
    return TOOL_OK;
}

bool tool_args_number(uint64_t *out, const char *name, const char *text, uint64_t min, uint64_t max)
{
    if (nv_u64_parse(out, nv_view_of((const uint8_t *)text, (uint32_t)strlen(text))) == NV_OK &&
        *out >= min && *out <= max) {
        return true;
    }
    (void)tool_fail(TOOL_USAGE,
                    NULL,
                    NULL,
                    "%s is \"%s\", but must be a whole number from %" NV_U64 " to %" NV_U64,
                    name,
                    text,
                    min,
                    max);
    return false;
}
