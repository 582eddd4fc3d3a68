#ifndef NV_TESTS_CRASH_TRACE_H
#define NV_TESTS_CRASH_TRACE_H

/* trace.h - what the program asks of the file system below one folder, call by
 * call, and calls that fail as a test wants.
 *
 * trace.c defines open, pwrite, fdatasync and the like.  A program's own symbols
 * come before those of the C library, so it sees the calls of every archive and
 * of liblmdb alike, notes them, and passes them on.  That nothing escapes is
 * shown by image.h, which makes the files anew from the notes and compares.
 *
 * One trace at a time, in memory that children share; any thread may call. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum trace_kind {
    TRACE_CREATE = 1, /* a name, a new file */
    TRACE_MKDIR,      /* a name, a new folder */
    TRACE_UNLINK,     /* a name */
    TRACE_RENAME,     /* two names */
    TRACE_WRITE,      /* at, bytes; sync: durable when it returned */
    TRACE_SIZE,       /* the file now has the size `at` */
    TRACE_SYNC,       /* the file's bytes and size */
    TRACE_SYNC_DIR,   /* a name: the names in that folder */
    TRACE_MARK,       /* what the program has told the world: bytes */
};

/* One call that returned.  What points, points into the trace. */
struct trace_op {
    enum trace_kind kind;
    bool sync;
    bool failed;   /* SYNC: it returned an error */
    uint64_t file; /* inode */
    uint64_t at;
    const char *name;  /* below the folder; "" is the folder itself */
    const char *other; /* RENAME: the new name */
    struct nv_view bytes;
};

/* trace_open makes an empty trace in shared memory; before any fork. */
void trace_open(void);

/* trace_clear empties the trace.  trace_begin notes from now on, behind what is
 * there, what this process asks below `root`, which outlives it. */
void trace_clear(void);
void trace_begin(const char *root);

/* trace_die ends the process when so many more calls of a kind, or of any (0), have
 * been noted, with TRACE_DIED.  No calls: it lives. */
void trace_die(uint32_t kind, uint64_t calls);
#define TRACE_DIED 77

/* trace_mark notes what the world was told just now. */
void trace_mark(const void *bytes, uint32_t size);

/* trace_next reads the operation at `*at`, which begins at 0; false at the
 * end. */
bool trace_next(uint64_t *at, struct trace_op *op);

/* ---- calls that fail ---- */

enum trace_class { TRACE_CALL_WRITE, TRACE_CALL_SYNC, TRACE_CALL_NAME, TRACE_CALL_MEMORY };

/* How a call fails. */
struct trace_fault {
    enum trace_class class;
    uint64_t n; /* of that class, from trace_fail on; 1 is the first, 0 none */
    int code;   /* errno; 0: the write is short, and succeeds */
    bool stays; /* and all after it */
};

/* trace_fail arms a fault; NULL ends it.  trace_failed tells whether it came. */
void trace_fail(const struct trace_fault *fault);
bool trace_failed(void);

/* trace_due counts a call of a class and returns whether it is to fail: for
 * memory.c. */
bool trace_due(enum trace_class class);

#endif /* NV_TESTS_CRASH_TRACE_H */
