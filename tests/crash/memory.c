/* memory.c - the C library's memory, which fails when trace_fail says so.
 *
 * Like trace.c: the program's own symbols come first, for archives and shared
 * libraries alike.  Not linked under sanitizers, whose own these are: nothing
 * fails there. */

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/crash/trace.h"

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static bool refused(void)
{
    bool const refuse = trace_due(TRACE_CALL_MEMORY);
    if (refuse) {
        errno = ENOMEM;
    }
    return refuse;
}

void *malloc(size_t size)
{
    return refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return refused() ? NULL : __libc_realloc(memory, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    *out = refused() ? NULL : __libc_memalign(alignment, size);
    return *out != NULL ? 0 : ENOMEM;
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    static void *(*real)(void *, size_t, int, int, int, off_t);
    if (real == NULL) {
        void *const symbol = dlsym(RTLD_NEXT, "mmap");
        memcpy(&real, &symbol, sizeof real);
    }
    return refused() ? MAP_FAILED : real(at, size, protection, flags, fd, offset);
}
