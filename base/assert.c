#include "base/assert.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_SIZE 512u

static nv_last_words_fn last_words;

void nv_assert_last_words(nv_last_words_fn fn)
{
    last_words = fn;
}

/* append copies as much of `text` as fits; nothing here may allocate or lock,
 * because the process may be broken in any way. */
static uint32_t append(char *line, uint32_t at, const char *text)
{
    while (*text != '\0' && at < LINE_MAX_SIZE - 1) {
        line[at] = *text;
        at++;
        text++;
    }
    return at;
}

static uint32_t append_number(char *line, uint32_t at, uint32_t number)
{
    char digits[11];
    uint32_t first = sizeof digits - 1;
    digits[first] = '\0';
    do {
        first--;
        digits[first] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    return append(line, at, digits + first);
}

static void report(const char *condition, const char *file, int line, const char *function)
{
    char text[LINE_MAX_SIZE];
    uint32_t at = append(text, 0, "level=fatal event=assertion_failed at=");
    at = append(text, at, file);
    at = append(text, at, ":");
    at = append_number(text, at, (uint32_t)line);
    at = append(text, at, " in=");
    at = append(text, at, function);
    at = append(text, at, " expected=\"");
    at = append(text, at, condition);
    at = at < LINE_MAX_SIZE - 2 ? at : LINE_MAX_SIZE - 2;
    at = append(text, at, "\"");
    text[at] = '\n';
    ssize_t const written = write(STDERR_FILENO, text, at + 1);
    (void)written; /* there is nobody left to tell */
}

_Noreturn void
nv_assert_fail(const char *condition, const char *file, int line, const char *function)
{
    report(condition, file, line, function);
    nv_last_words_fn const fn = last_words;
    last_words = NULL; /* an assertion in there must not come back */
    if (fn != NULL) {
        fn();
    }
    abort();
}
