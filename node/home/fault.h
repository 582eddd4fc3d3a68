#ifndef NV_NODE_HOME_FAULT_H
#define NV_NODE_HOME_FAULT_H

/* fault.h - why the daemon cannot go on, told to a person.
 *
 * Every step of starting up that can fail writes one fault: what happened and
 * why, what to do next, and the exit code that scripts and the service manager
 * see (docs/spec/node.md section 1).  The first one written stands.
 *
 * One thread at a time per fault. */

#include <stdbool.h>

/* The exit codes of novated. */
enum node_exit {
    NODE_EXIT_OK = 0,
    NODE_EXIT_FAILED = 1,
    NODE_EXIT_USAGE = 2,
    NODE_EXIT_LOCKED = 69,  /* another instance uses this home */
    NODE_EXIT_FORK = 70,    /* two finalizations conflict */
    NODE_EXIT_STORAGE = 74, /* the disk failed, or holds damaged data */
    NODE_EXIT_CONFIG = 78,  /* configuration, keys or genesis are wrong */
    NODE_EXIT_GUARD = 79,   /* signing might contradict an earlier vote */
    NODE_EXIT_STATE = 81,   /* the own state differs from the quorum's */
};

struct node_fault {
    enum node_exit code; /* NODE_EXIT_OK: none */
    char what[1024];
    char hint[512]; /* what to do; "" when there is nothing to say */
};

/* node_fault_set notes a fault unless one is noted already.  `hint` may be
 * NULL; node_fault_hint gives one with arguments. */
__attribute__((format(printf, 4, 5))) void node_fault_set(
    struct node_fault *fault, enum node_exit code, const char *hint, const char *format, ...);
__attribute__((format(printf, 2, 3))) void
node_fault_hint(struct node_fault *fault, const char *format, ...);

static inline bool node_fault_is(const struct node_fault *fault)
{
    return fault->code != NODE_EXIT_OK;
}

/* node_fault_print writes it to stderr for a person and returns its code. */
int node_fault_print(const struct node_fault *fault);

#endif /* NV_NODE_HOME_FAULT_H */
