#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "storage/files.h"

#define FILE_MODE 0600u
#define DIR_MODE  0700u

/* error_of names what the last call failed with. */
static enum nv_err error_of(int code)
{
    switch (code) {
    case ENOENT: return NV_ERR_NOT_FOUND;
    case EEXIST: return NV_ERR_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return NV_ERR_DISK_FULL;
    case EACCES:
    case EPERM:
    case EROFS: return NV_ERR_PERMISSION;
    case EWOULDBLOCK: return NV_ERR_LOCKED;
    default: return NV_ERR_IO;
    }
}

static enum nv_err result_of(int result)
{
    return result == 0 ? NV_OK : error_of(errno);
}

static enum nv_err system_open(void *ctx, struct st_file *out, const char *path, enum st_open mode)
{
    (void)ctx;
    int flags = O_CLOEXEC;
    switch (mode) {
    case ST_OPEN_READ: flags |= O_RDONLY; break;
    case ST_OPEN_WRITE: flags |= O_RDWR; break;
    case ST_OPEN_CREATE: flags |= O_RDWR | O_CREAT | O_EXCL; break;
    }
    out->handle = open(path, flags, FILE_MODE);
    return out->handle >= 0 ? NV_OK : error_of(errno);
}

static void system_close(void *ctx, struct st_file file)
{
    (void)ctx;
    (void)close(file.handle); /* what matters was synced, and that was looked at */
}

static enum nv_err
system_read(void *ctx, struct st_file file, void *out, size_t size, uint64_t at, size_t *got)
{
    (void)ctx;
    uint8_t *const bytes = (uint8_t *)out;
    *got = 0;
    while (*got < size) {
        ssize_t const n =
            pread(file.handle, bytes + *got, size - *got, (off_t)(at + (uint64_t)*got));
        if (n < 0 && errno != EINTR) {
            return error_of(errno);
        }
        if (n == 0) {
            break;
        }
        *got += n > 0 ? (size_t)n : 0;
    }
    return NV_OK;
}

static enum nv_err
system_write(void *ctx, struct st_file file, const void *bytes, size_t size, uint64_t at)
{
    (void)ctx;
    const uint8_t *const from = (const uint8_t *)bytes;
    size_t done = 0;
    while (done < size) {
        ssize_t const n = pwrite(file.handle, from + done, size - done, (off_t)(at + done));
        if (n < 0 && errno != EINTR) {
            return error_of(errno);
        }
        if (n == 0) {
            return NV_ERR_IO;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return NV_OK;
}

static enum nv_err system_sync(void *ctx, struct st_file file)
{
    (void)ctx;
    return result_of(fdatasync(file.handle));
}

static enum nv_err system_size(void *ctx, struct st_file file, uint64_t *out)
{
    (void)ctx;
    struct stat status;
    if (fstat(file.handle, &status) != 0) {
        return error_of(errno);
    }
    *out = (uint64_t)status.st_size;
    return NV_OK;
}

static enum nv_err system_remove(void *ctx, const char *path)
{
    (void)ctx;
    return result_of(unlink(path));
}

static enum nv_err system_rename(void *ctx, const char *from, const char *to)
{
    (void)ctx;
    return result_of(rename(from, to));
}

static enum nv_err system_make_dir(void *ctx, const char *path)
{
    (void)ctx;
    enum nv_err const err = result_of(mkdir(path, DIR_MODE));
    return err == NV_ERR_EXISTS ? NV_OK : err;
}

static enum nv_err system_remove_dir(void *ctx, const char *path)
{
    (void)ctx;
    return result_of(rmdir(path));
}

static enum nv_err system_sync_dir(void *ctx, const char *path)
{
    (void)ctx;
    int const dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        return error_of(errno);
    }
    enum nv_err const err = result_of(fsync(dir));
    (void)close(dir);
    return err;
}

static enum nv_err system_list(void *ctx, const char *path, st_name_fn fn, void *fn_ctx)
{
    (void)ctx;
    DIR *const dir = opendir(path);
    if (dir == NULL) {
        return error_of(errno);
    }
    enum nv_err err = NV_OK;
    while (err == NV_OK) {
        errno = 0;
        const struct dirent *const entry = readdir(dir);
        if (entry == NULL) {
            err = errno != 0 ? error_of(errno) : NV_OK;
            break;
        }
        err = fn(fn_ctx, entry->d_name);
    }
    (void)closedir(dir);
    return err;
}

static enum nv_err system_lock(void *ctx, struct st_file *out, const char *path)
{
    (void)ctx;
    out->handle = open(path, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (out->handle < 0) {
        return error_of(errno);
    }
    enum nv_err const err = result_of(flock(out->handle, LOCK_EX | LOCK_NB));
    if (err != NV_OK) {
        (void)close(out->handle);
    }
    return err;
}

const struct st_files *st_files_system(void)
{
    static const struct st_files files = {
        .ctx = NULL,
        .open = system_open,
        .close = system_close,
        .read = system_read,
        .write = system_write,
        .sync = system_sync,
        .size = system_size,
        .remove = system_remove,
        .rename = system_rename,
        .make_dir = system_make_dir,
        .remove_dir = system_remove_dir,
        .sync_dir = system_sync_dir,
        .list = system_list,
        .lock = system_lock,
    };
    return &files;
}
