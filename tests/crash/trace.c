/* The C library's own checked forms of what is defined here are not wanted. */
#undef _FORTIFY_SOURCE

#include "tests/crash/trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/assert.h"

#define SPACE     (UINT64_C(1) << 30) /* sparse */
#define FILES_MAX 1024u

/* An entry of the trace; name, other and bytes follow, padded to 8. */
struct entry {
    uint32_t kind;
    uint32_t flags;
    uint64_t file;
    uint64_t at;
    uint32_t name_size; /* with its zero */
    uint32_t other_size;
    uint32_t size;
    uint32_t unused;
};

enum { FLAG_SYNC = 1, FLAG_FAILED = 2 };

struct shared {
    uint64_t used;
    uint8_t bytes[];
};

struct handle {
    bool noted; /* below the root */
    bool dir;
    bool sync;
    uint64_t file;
    char name[64];
};

static struct shared *shared;
static const char *root;
static struct handle handles[FILES_MAX];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct trace_fault fault;
static atomic_uint_fast64_t calls; /* of the fault's class */
static atomic_bool fault_came;
static uint32_t last_kind;  /* of calls that are counted; 0: any */
static uint64_t calls_left; /* 0: it lives */

/* ---- the trace ---- */

void trace_open(void)
{
    void *const memory = mmap(
        NULL, SPACE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    NV_ASSERT(memory != MAP_FAILED);
    shared = memory;
}

void trace_clear(void)
{
    shared->used = 0;
}

void trace_die(uint32_t kind, uint64_t left)
{
    last_kind = kind;
    calls_left = left;
}

void trace_begin(const char *folder)
{
    memset(handles, 0, sizeof handles);
    root = folder;
}

static uint64_t padded(uint64_t size)
{
    return (size + 7) / 8 * 8;
}

static uint8_t *put(uint8_t *at, const void *bytes, uint32_t size)
{
    if (size > 0) {
        memcpy(at, bytes, size);
    }
    return at + padded(size);
}

static void note(const struct trace_op *op)
{
    struct entry const entry = {
        .kind = (uint32_t)op->kind,
        .flags = (op->sync ? FLAG_SYNC : 0u) | (op->failed ? FLAG_FAILED : 0u),
        .file = op->file,
        .at = op->at,
        .name_size = op->name != NULL ? (uint32_t)strlen(op->name) + 1 : 0,
        .other_size = op->other != NULL ? (uint32_t)strlen(op->other) + 1 : 0,
        .size = op->bytes.size,
    };
    uint64_t const size =
        sizeof entry + padded(entry.name_size) + padded(entry.other_size) + padded(entry.size);
    NV_ASSERT(shared->used + size <= SPACE - sizeof *shared);
    uint8_t *at = put(shared->bytes + shared->used, &entry, sizeof entry);
    at = put(at, op->name, entry.name_size);
    at = put(at, op->other, entry.other_size);
    (void)put(at, op->bytes.bytes, entry.size);
    shared->used += size;
    bool const counts = last_kind == 0 || last_kind == (uint32_t)op->kind;
    if (counts && calls_left > 0 && --calls_left == 0) {
        _exit(TRACE_DIED);
    }
}

void trace_mark(const void *bytes, uint32_t size)
{
    (void)pthread_mutex_lock(&mutex);
    if (root != NULL) {
        struct trace_op const op = {.kind = TRACE_MARK, .bytes = nv_view_of(bytes, size)};
        note(&op);
    }
    (void)pthread_mutex_unlock(&mutex);
}

bool trace_next(uint64_t *at, struct trace_op *op)
{
    if (*at == shared->used) {
        return false;
    }
    struct entry entry;
    const uint8_t *bytes = shared->bytes + *at;
    memcpy(&entry, bytes, sizeof entry);
    bytes += sizeof entry;
    *op = (struct trace_op){
        .kind = (enum trace_kind)entry.kind,
        .sync = (entry.flags & FLAG_SYNC) != 0,
        .failed = (entry.flags & FLAG_FAILED) != 0,
        .file = entry.file,
        .at = entry.at,
    };
    op->name = entry.name_size > 0 ? (const char *)bytes : NULL;
    bytes += padded(entry.name_size);
    op->other = entry.other_size > 0 ? (const char *)bytes : NULL;
    bytes += padded(entry.other_size);
    op->bytes = nv_view_of(bytes, entry.size);
    bytes += padded(entry.size);
    *at = (uint64_t)(bytes - shared->bytes);
    return true;
}

/* ---- faults ---- */

void trace_fail(const struct trace_fault *wanted)
{
    static const struct trace_fault none;
    (void)pthread_mutex_lock(&mutex);
    fault = wanted != NULL ? *wanted : none;
    calls = 0;
    fault_came = false;
    (void)pthread_mutex_unlock(&mutex);
}

bool trace_failed(void)
{
    return fault_came;
}

bool trace_due(enum trace_class class)
{
    if (fault.n == 0 || class != fault.class) {
        return false;
    }
    uint64_t const call = atomic_fetch_add(&calls, 1) + 1;
    bool const now = fault.stays ? call >= fault.n : call == fault.n;
    fault_came = fault_came || now;
    return now;
}

/* ---- the calls ---- */

#define REAL(type, name, ...)                                                                      \
    static type (*real)(__VA_ARGS__);                                                              \
    if (real == NULL) {                                                                            \
        void *const symbol = dlsym(RTLD_NEXT, name);                                               \
        memcpy(&real, &symbol, sizeof real);                                                       \
    }

/* below returns the part of a path behind the root, or NULL. */
static const char *below(const char *path)
{
    size_t const size = root != NULL ? strlen(root) : 0;
    if (size == 0 || strncmp(path, root, size) != 0) {
        return NULL;
    }
    return path[size] == '\0' ? "" : path[size] == '/' ? path + size + 1 : NULL;
}

/* opened remembers a file that was opened, and notes it when it is new. */
static void opened(int fd, const char *name, int flags, bool fresh)
{
    struct stat status;
    NV_ASSERT(fd < (int)FILES_MAX && strlen(name) < sizeof handles[fd].name);
    int const result = fstat(fd, &status);
    NV_ASSERT(result == 0);
    handles[fd] = (struct handle){
        .noted = true,
        .dir = S_ISDIR(status.st_mode),
        .sync = (flags & (O_DSYNC | O_SYNC)) != 0,
        .file = status.st_ino,
    };
    (void)snprintf(handles[fd].name, sizeof handles[fd].name, "%s", name);
    struct trace_op op = {.kind = TRACE_CREATE, .file = status.st_ino, .name = name};
    if (fresh) {
        note(&op);
    } else if ((flags & O_TRUNC) != 0) {
        op = (struct trace_op){.kind = TRACE_SIZE, .file = status.st_ino};
        note(&op);
    }
}

static int open_noted(const char *path, int flags, mode_t mode)
{
    REAL(int, "open", const char *, int, ...)
    const char *const name = below(path);
    if (name == NULL) {
        return real(path, flags, mode);
    }
    struct stat status;
    (void)pthread_mutex_lock(&mutex);
    bool const fresh = (flags & O_CREAT) != 0 && stat(path, &status) != 0;
    int fd = -1;
    if (fresh && trace_due(TRACE_CALL_NAME)) {
        errno = fault.code;
    } else {
        fd = real(path, flags, mode);
    }
    if (fd >= 0) {
        opened(fd, name, flags, fresh);
    }
    (void)pthread_mutex_unlock(&mutex);
    return fd;
}

static mode_t mode_of(int flags, va_list arguments)
{
    return (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t const mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_noted(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    mode_t const mode = mode_of(flags, arguments);
    va_end(arguments);
    return open_noted(path, flags, mode);
}

/* What <fcntl.h> makes of open under _FORTIFY_SOURCE. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

int __open_2(const char *path, int flags)
{
    return open_noted(path, flags, 0);
}

int __open64_2(const char *path, int flags)
{
    return open_noted(path, flags, 0);
}

int close(int fd)
{
    REAL(int, "close", int)
    if (fd >= 0 && fd < (int)FILES_MAX) {
        handles[fd].noted = false;
    }
    return real(fd);
}

static struct handle *handle_of(int fd)
{
    bool const noted = fd >= 0 && fd < (int)FILES_MAX && root != NULL && handles[fd].noted;
    return noted ? &handles[fd] : NULL;
}

static void wrote(const struct handle *h, const void *bytes, ssize_t size, off_t at)
{
    if (size > 0) {
        struct trace_op const op = {
            .kind = TRACE_WRITE,
            .sync = h->sync,
            .file = h->file,
            .at = (uint64_t)at,
            .bytes = nv_view_of(bytes, (uint32_t)size),
        };
        note(&op);
    }
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    REAL(ssize_t, "pwrite", int, const void *, size_t, off_t)
    const struct handle *const h = handle_of(fd);
    if (h == NULL) {
        return real(fd, bytes, size, at);
    }
    ssize_t done = -1;
    (void)pthread_mutex_lock(&mutex);
    bool const fails = trace_due(TRACE_CALL_WRITE);
    if (fails && fault.code != 0) {
        errno = fault.code;
    } else {
        done = real(fd, bytes, fails && size > 1 ? size / 2 : size, at);
    }
    wrote(h, bytes, done, at);
    (void)pthread_mutex_unlock(&mutex);
    return done;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
    return pwrite(fd, bytes, size, at);
}

ssize_t write(int fd, const void *bytes, size_t size)
{
    REAL(ssize_t, "write", int, const void *, size_t)
    if (handle_of(fd) == NULL) {
        return real(fd, bytes, size);
    }
    off_t const at = lseek(fd, 0, SEEK_CUR);
    ssize_t const done = pwrite(fd, bytes, size, at);
    if (done > 0) {
        (void)lseek(fd, at + done, SEEK_SET);
    }
    return done;
}

/* LMDB gathers neighbouring pages: as one write here, since the parts are one
 * call, which may be torn anywhere. */
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at)
{
    REAL(ssize_t, "pwritev", int, const struct iovec *, int, off_t)
    if (handle_of(fd) == NULL) {
        return real(fd, parts, count, at);
    }
    ssize_t done = 0;
    for (int i = 0; i < count; i++) {
        ssize_t const some = pwrite(fd, parts[i].iov_base, parts[i].iov_len, at + done);
        if (some < 0) {
            return done > 0 ? done : some;
        }
        done += some;
        if ((size_t)some < parts[i].iov_len) {
            break;
        }
    }
    return done;
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    REAL(ssize_t, "writev", int, const struct iovec *, int)
    if (handle_of(fd) == NULL) {
        return real(fd, parts, count);
    }
    off_t const at = lseek(fd, 0, SEEK_CUR);
    ssize_t const done = pwritev(fd, parts, count, at);
    if (done > 0) {
        (void)lseek(fd, at + done, SEEK_SET);
    }
    return done;
}

int ftruncate(int fd, off_t size)
{
    REAL(int, "ftruncate", int, off_t)
    const struct handle *const h = handle_of(fd);
    if (h == NULL) {
        return real(fd, size);
    }
    int result = -1;
    (void)pthread_mutex_lock(&mutex);
    if (trace_due(TRACE_CALL_WRITE)) {
        errno = fault.code != 0 ? fault.code : EIO;
    } else {
        result = real(fd, size);
    }
    if (result == 0) {
        struct trace_op const op = {.kind = TRACE_SIZE, .file = h->file, .at = (uint64_t)size};
        note(&op);
    }
    (void)pthread_mutex_unlock(&mutex);
    return result;
}

static int sync_noted(int fd, int (*real)(int))
{
    const struct handle *const h = handle_of(fd);
    if (h == NULL) {
        return real(fd);
    }
    (void)pthread_mutex_lock(&mutex);
    bool const fails = trace_due(TRACE_CALL_SYNC);
    int const result = fails ? -1 : real(fd);
    struct trace_op const op = {
        .kind = h->dir ? TRACE_SYNC_DIR : TRACE_SYNC,
        .file = h->file,
        .name = h->dir ? h->name : NULL,
        .failed = result != 0,
    };
    note(&op);
    errno = fails ? fault.code : errno;
    (void)pthread_mutex_unlock(&mutex);
    return result;
}

int fdatasync(int fd)
{
    REAL(int, "fdatasync", int)
    return sync_noted(fd, real);
}

int fsync(int fd)
{
    REAL(int, "fsync", int)
    return sync_noted(fd, real);
}

/* name_call notes a call on a name once it has succeeded. */
static int
name_call(enum trace_kind kind, const char *path, const char *other, int (*call)(const void *))
{
    const void *const paths[2] = {path, other};
    const char *const name = below(path);
    if (name == NULL) {
        return call(paths);
    }
    int result = -1;
    (void)pthread_mutex_lock(&mutex);
    if (trace_due(TRACE_CALL_NAME)) {
        errno = fault.code;
    } else {
        result = call(paths);
    }
    if (result == 0) {
        struct stat status = {.st_ino = 0};
        (void)stat(other != NULL ? other : path, &status);
        struct trace_op const op = {
            .kind = kind,
            .file = status.st_ino,
            .name = name,
            .other = other != NULL ? below(other) : NULL,
        };
        note(&op);
    }
    (void)pthread_mutex_unlock(&mutex);
    return result;
}

static int real_rename(const void *paths)
{
    REAL(int, "rename", const char *, const char *)
    const char *const *const path = paths;
    return real(path[0], path[1]);
}

static int real_unlink(const void *paths)
{
    REAL(int, "unlink", const char *)
    const char *const *const path = paths;
    return real(path[0]);
}

int rename(const char *from, const char *to)
{
    return name_call(TRACE_RENAME, from, to, real_rename);
}

int unlink(const char *path)
{
    return name_call(TRACE_UNLINK, path, NULL, real_unlink);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(int, "mkdir", const char *, mode_t)
    const char *const name = below(path);
    struct stat status;
    (void)pthread_mutex_lock(&mutex);
    int result = -1;
    if (name != NULL && stat(path, &status) != 0 && trace_due(TRACE_CALL_NAME)) {
        errno = fault.code;
    } else {
        result = real(path, mode);
    }
    if (result == 0 && name != NULL) {
        struct trace_op const op = {.kind = TRACE_MKDIR, .name = name};
        note(&op);
    }
    (void)pthread_mutex_unlock(&mutex);
    return result;
}

int creat(const char *path, mode_t mode)
{
    return open_noted(path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

/* What nothing here uses: a call of it below the root would be missed. */

int msync(void *memory, size_t size, int flags)
{
    (void)memory;
    (void)size;
    (void)flags;
    NV_ASSERT(root == NULL); /* LMDB does so with WRITEMAP alone */
    return 0;
}

int fallocate(int fd, int mode, off_t at, off_t size)
{
    REAL(int, "fallocate", int, int, off_t, off_t)
    NV_ASSERT(handle_of(fd) == NULL);
    return real(fd, mode, at, size);
}

int posix_fallocate(int fd, off_t at, off_t size)
{
    REAL(int, "posix_fallocate", int, off_t, off_t)
    NV_ASSERT(handle_of(fd) == NULL);
    return real(fd, at, size);
}
