#include "tools/say.h"

#include <stdarg.h>
#include <stdio.h>

enum tool_exit
tool_fail(enum tool_exit code, const char *why, const char *next, const char *what, ...)
{
    va_list args;
    (void)fputs("novate: ", stderr);
    va_start(args, what);
    (void)vfprintf(stderr, what, args);
    va_end(args);
    (void)fputc('\n', stderr);
    if (why != NULL) {
        (void)fprintf(stderr, "  why:  %s\n", why);
    }
    if (next != NULL) {
        (void)fprintf(stderr, "  next: %s\n", next);
    }
    return code;
}
