/* A folder of snapshots, in memory: the port of storage/files.h.  What is written is
 * durable at once: whatever a joiner finds there is checked again. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/node/nodesim.h"

#define FILES_MAX 64u
#define PATH_SIZE 64u

struct entry {
    char path[PATH_SIZE]; /* empty: there is none */
    bool dir;
    uint8_t *bytes;
    uint32_t size;
};

struct ns_folder {
    struct entry entry[FILES_MAX];
};

static struct entry *find(struct ns_folder *folder, const char *path)
{
    for (uint32_t i = 0; i < FILES_MAX; i++) {
        if (strcmp(folder->entry[i].path, path) == 0) {
            return &folder->entry[i];
        }
    }
    return NULL;
}

static void name(struct entry *entry, const char *path)
{
    size_t const size = strlen(path) + 1;
    NV_ASSERT(size > 1 && size <= sizeof entry->path);
    memcpy(entry->path, path, size);
}

static struct entry *add(struct ns_folder *folder, const char *path, bool dir)
{
    struct entry *const entry = find(folder, "");
    NV_ASSERT(entry != NULL);
    *entry = (struct entry){.dir = dir};
    name(entry, path);
    return entry;
}

static void drop(struct entry *entry)
{
    free(entry->bytes);
    memset(entry, 0, sizeof *entry);
}

/* below returns what stands behind "dir/" in a path, or NULL. */
static const char *below(const char *dir, const char *path)
{
    size_t const size = strlen(dir);
    return strncmp(path, dir, size) == 0 && path[size] == '/' ? path + size + 1 : NULL;
}

/* ---- the port ---- */

static enum nv_err file_open(void *ctx, struct st_file *out, const char *path, enum st_open mode)
{
    struct ns_folder *const folder = ctx;
    struct entry *entry = find(folder, path);
    if (mode == ST_OPEN_CREATE ? entry != NULL : entry == NULL) {
        return mode == ST_OPEN_CREATE ? NV_ERR_EXISTS : NV_ERR_NOT_FOUND;
    }
    entry = entry != NULL ? entry : add(folder, path, false);
    out->handle = (int32_t)(entry - folder->entry);
    return NV_OK;
}

static void file_close(void *ctx, struct st_file file)
{
    (void)ctx;
    (void)file;
}

static enum nv_err
file_read(void *ctx, struct st_file file, void *out, size_t size, uint64_t at, size_t *got)
{
    const struct ns_folder *const folder = ctx;
    const struct entry *const entry = &folder->entry[file.handle];
    size_t const left = at < entry->size ? entry->size - (size_t)at : 0;
    *got = size < left ? size : left;
    memcpy(out, entry->bytes + at, *got);
    return NV_OK;
}

static enum nv_err
file_write(void *ctx, struct st_file file, const void *bytes, size_t size, uint64_t at)
{
    struct ns_folder *const folder = ctx;
    struct entry *const entry = &folder->entry[file.handle];
    uint32_t const end = (uint32_t)(at + size);
    if (end > entry->size) {
        entry->bytes = realloc(entry->bytes, end);
        NV_ASSERT(entry->bytes != NULL);
        memset(entry->bytes + entry->size, 0, end - entry->size);
        entry->size = end;
    }
    memcpy(entry->bytes + at, bytes, size);
    return NV_OK;
}

static enum nv_err file_sync(void *ctx, struct st_file file)
{
    (void)ctx;
    (void)file;
    return NV_OK;
}

static enum nv_err file_size(void *ctx, struct st_file file, uint64_t *out)
{
    const struct ns_folder *const folder = ctx;
    *out = folder->entry[file.handle].size;
    return NV_OK;
}

static enum nv_err path_remove(void *ctx, const char *path)
{
    struct entry *const entry = find(ctx, path);
    if (entry == NULL) {
        return NV_ERR_NOT_FOUND;
    }
    drop(entry);
    return NV_OK;
}

static enum nv_err path_rename(void *ctx, const char *from, const char *to)
{
    struct ns_folder *const folder = ctx;
    struct entry *const entry = find(folder, from);
    if (entry == NULL) {
        return NV_ERR_NOT_FOUND;
    }
    (void)path_remove(ctx, to);
    name(entry, to);
    for (uint32_t i = 0; i < FILES_MAX; i++) {
        const char *const rest = below(from, folder->entry[i].path);
        if (rest != NULL) {
            char path[2 * PATH_SIZE];
            (void)snprintf(path, sizeof path, "%s/%s", to, rest);
            name(&folder->entry[i], path);
        }
    }
    return NV_OK;
}

static enum nv_err path_make_dir(void *ctx, const char *path)
{
    if (find(ctx, path) == NULL) {
        (void)add(ctx, path, true);
    }
    return NV_OK;
}

static enum nv_err path_sync_dir(void *ctx, const char *path)
{
    (void)ctx;
    (void)path;
    return NV_OK;
}

static enum nv_err path_list(void *ctx, const char *path, st_name_fn fn, void *fn_ctx)
{
    const struct ns_folder *const folder = ctx;
    for (uint32_t i = 0; i < FILES_MAX; i++) {
        const char *const rest = below(path, folder->entry[i].path);
        if (rest != NULL && strchr(rest, '/') == NULL) {
            NV_TRY(fn(fn_ctx, rest));
        }
    }
    return NV_OK;
}

struct st_files ns_folder_port(struct ns_folder *folder)
{
    return (struct st_files){
        .ctx = folder,
        .open = file_open,
        .close = file_close,
        .read = file_read,
        .write = file_write,
        .sync = file_sync,
        .size = file_size,
        .remove = path_remove,
        .rename = path_rename,
        .make_dir = path_make_dir,
        .remove_dir = path_remove,
        .sync_dir = path_sync_dir,
        .list = path_list,
    };
}

/* ---- life ---- */

struct ns_folder *ns_folder_new(void)
{
    struct ns_folder *const folder = calloc(1, sizeof *folder);
    NV_ASSERT(folder != NULL);
    return folder;
}

void ns_folder_wipe(struct ns_folder *folder)
{
    for (uint32_t i = 0; i < FILES_MAX; i++) {
        drop(&folder->entry[i]);
    }
}

void ns_folder_free(struct ns_folder *folder)
{
    ns_folder_wipe(folder);
    free(folder);
}
