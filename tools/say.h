#ifndef NV_TOOLS_SAY_H
#define NV_TOOLS_SAY_H

/* say.h - how the command line speaks when something is wrong: what happened,
 * why, what to type next.  And its exit codes. */

enum tool_exit {
    TOOL_OK = 0,
    TOOL_FAILED = 1,
    TOOL_USAGE = 2,
    TOOL_UNREACHABLE = 3, /* the node cannot be reached */
    TOOL_REFUSED = 4,     /* the node answered with an error */
    TOOL_UNKNOWN = 5,     /* the outcome is not known */
};

/* tool_fail prints "novate: what", then "why" and "next" if not NULL, each on
 * its line on stderr, and returns `code`. */
__attribute__((format(printf, 4, 5))) enum tool_exit
tool_fail(enum tool_exit code, const char *why, const char *next, const char *what, ...);

#endif /* NV_TOOLS_SAY_H */
