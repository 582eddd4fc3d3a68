#include "node/home/fault.h"

#include <stdarg.h>
#include <stdio.h>

void node_fault_set(
    struct node_fault *fault, enum node_exit code, const char *hint, const char *format, ...)
{
    if (node_fault_is(fault)) {
        return;
    }
    fault->code = code;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->what, sizeof fault->what, format, args);
    va_end(args);
    (void)snprintf(fault->hint, sizeof fault->hint, "%s", hint == NULL ? "" : hint);
}

void node_fault_hint(struct node_fault *fault, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault->hint, sizeof fault->hint, format, args);
    va_end(args);
}

int node_fault_print(const struct node_fault *fault)
{
    (void)fprintf(stderr, "novated: %s\n", fault->what);
    if (fault->hint[0] != '\0') {
        (void)fprintf(stderr, "  try: %s\n", fault->hint);
    }
    return (int)fault->code;
}
