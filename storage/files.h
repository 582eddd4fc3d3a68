#ifndef NV_STORAGE_FILES_H
#define NV_STORAGE_FILES_H

/* files.h - the file operations that journal and snapshots need, as a port.
 *
 * The daemon hands in st_files_system(); tests and the simulator hand in a
 * disk of their own, which fails at the n-th operation or loses what was not
 * synced.
 *
 * An implementation never repeats an operation that failed, and a sync that
 * failed least of all: afterwards nobody knows what is on the disk.
 *
 * Threads: an implementation lets several threads work on different files at a
 * time; one file is used by one thread. */

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define ST_PATH_MAX 4096u

/* An open file; the implementation knows what the number means. */
struct st_file {
    int32_t handle;
};

enum st_open {
    ST_OPEN_READ = 1, /* reading only; it exists */
    ST_OPEN_WRITE,    /* reading and writing; it exists */
    ST_OPEN_CREATE,   /* reading and writing; it does not exist yet */
};

/* Told once per entry of a directory, in no particular order.  `name` lives
 * until the call returns. */
typedef enum nv_err (*st_name_fn)(void *ctx, const char *name);

/* All functions return NV_OK or what went wrong: NV_ERR_NOT_FOUND,
 * NV_ERR_EXISTS, NV_ERR_DISK_FULL, NV_ERR_PERMISSION, NV_ERR_LOCKED, else
 * NV_ERR_IO. */
struct st_files {
    void *ctx;
    enum nv_err (*open)(void *ctx, struct st_file *out, const char *path, enum st_open mode);
    void (*close)(void *ctx, struct st_file file);
    /* Reads up to `size` bytes at `at`; `*got` is less only at the end of the file. */
    enum nv_err (*read)(
        void *ctx, struct st_file file, void *out, size_t size, uint64_t at, size_t *got);
    /* Writes all of it. */
    enum nv_err (*write)(
        void *ctx, struct st_file file, const void *bytes, size_t size, uint64_t at);
    /* Contents and size are durable when it returns NV_OK. */
    enum nv_err (*sync)(void *ctx, struct st_file file);
    enum nv_err (*size)(void *ctx, struct st_file file, uint64_t *out);
    enum nv_err (*remove)(void *ctx, const char *path);
    /* Gives a file or directory another name in the same directory, in place of one that has it. */
    enum nv_err (*rename)(void *ctx, const char *from, const char *to);
    /* Makes a directory; NV_OK when it is there already. */
    enum nv_err (*make_dir)(void *ctx, const char *path);
    /* Removes an empty directory. */
    enum nv_err (*remove_dir)(void *ctx, const char *path);
    /* Names created in or removed from the directory are durable afterwards. */
    enum nv_err (*sync_dir)(void *ctx, const char *path);
    enum nv_err (*list)(void *ctx, const char *path, st_name_fn fn, void *fn_ctx);
    /* Takes the exclusive lock of the file `path`, making it if need be, until
     * it is closed or the process ends.  NV_ERR_LOCKED when another has it. */
    enum nv_err (*lock)(void *ctx, struct st_file *out, const char *path);
};

/* st_sync_name makes durable the name of a file or directory: it syncs the
 * directory that holds it. */
NV_MUST_USE enum nv_err st_sync_name(const struct st_files *files, const char *path);

/* st_make_dir makes a directory, unless it is there, and its name durable. */
NV_MUST_USE enum nv_err st_make_dir(const struct st_files *files, const char *path);

/* st_files_system returns the port to the real file system.  It is static. */
const struct st_files *st_files_system(void);

#endif /* NV_STORAGE_FILES_H */
