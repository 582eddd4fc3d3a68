#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/fmt.h"

#include "storage/snapshot.h"

#define FOLDERS_MAX 16u /* looked at; more are left alone */
#define NAMES_MAX   (ST_CHUNKS_MAX + 64u)

#define KINDS 3u

static const char *const suffixes[KINDS] = {
    [ST_SNAPSHOT_DONE] = "", [ST_SNAPSHOT_MADE] = ".part", [ST_SNAPSHOT_FETCHED] = ".sync"};
static const char new_suffix[] = ".new";

/* ---- names ---- */

static enum nv_err
folder_path(char *out, const struct st_snapshots *at, uint64_t height, enum st_snapshot_kind kind)
{
    int const size =
        snprintf(out, ST_PATH_MAX, "%s/%" NV_U64 "%s", at->dir, height, suffixes[kind]);
    return size > 0 && (uint32_t)size < ST_PATH_MAX ? NV_OK : NV_ERR_TOO_LARGE;
}

static enum nv_err part_path(char *out, const char *folder, uint32_t part, const char *suffix)
{
    int size = 0;
    if (part == ST_PART_MANIFEST || part == ST_PART_ANCHOR) {
        const char *const name = part == ST_PART_ANCHOR ? "anchor" : "manifest";
        size = snprintf(out, ST_PATH_MAX, "%s/%s%s", folder, name, suffix);
    } else {
        size = snprintf(out, ST_PATH_MAX, "%s/chunk-%08x%s", folder, (unsigned)part, suffix);
    }
    return size > 0 && (uint32_t)size < ST_PATH_MAX ? NV_OK : NV_ERR_TOO_LARGE;
}

/* ---- one file ---- */

static enum nv_err remove_if_there(const struct st_files *files, const char *path)
{
    enum nv_err const err = files->remove(files->ctx, path);
    return err == NV_ERR_NOT_FOUND ? NV_OK : err;
}

enum nv_err
st_snapshot_begin(const struct st_snapshots *at, uint64_t height, enum st_snapshot_kind kind)
{
    char folder[ST_PATH_MAX];
    NV_TRY(folder_path(folder, at, height, kind));
    return at->files->make_dir(at->files->ctx, folder);
}

enum nv_err st_snapshot_put(const struct st_snapshots *at,
                            uint64_t height,
                            enum st_snapshot_kind kind,
                            uint32_t part,
                            struct nv_view bytes)
{
    const struct st_files *const files = at->files;
    char folder[ST_PATH_MAX];
    char fresh[ST_PATH_MAX];
    char path[ST_PATH_MAX];
    struct st_file file;
    NV_TRY(folder_path(folder, at, height, kind));
    NV_TRY(part_path(fresh, folder, part, new_suffix));
    NV_TRY(part_path(path, folder, part, ""));
    NV_TRY(remove_if_there(files, fresh));
    NV_TRY(files->open(files->ctx, &file, fresh, ST_OPEN_CREATE));
    enum nv_err err = files->write(files->ctx, file, bytes.bytes, bytes.size, 0);
    if (err == NV_OK) {
        err = files->sync(files->ctx, file);
    }
    files->close(files->ctx, file);
    NV_TRY(err);
    return files->rename(files->ctx, fresh, path);
}

static enum nv_err read_file(const struct st_files *files,
                             struct nv_view *out,
                             struct st_file file,
                             void *memory,
                             uint32_t cap)
{
    uint64_t size = 0;
    size_t got = 0;
    NV_TRY(files->size(files->ctx, file, &size));
    if (size > cap) {
        return NV_ERR_TOO_LARGE;
    }
    NV_TRY(files->read(files->ctx, file, memory, (size_t)size, 0, &got));
    *out = nv_view_of(memory, (uint32_t)got);
    return got == size ? NV_OK : NV_ERR_IO;
}

enum nv_err st_snapshot_get(const struct st_snapshots *at,
                            struct nv_view *out,
                            uint64_t height,
                            enum st_snapshot_kind kind,
                            uint32_t part,
                            void *memory,
                            uint32_t cap)
{
    const struct st_files *const files = at->files;
    char folder[ST_PATH_MAX];
    char path[ST_PATH_MAX];
    struct st_file file;
    NV_TRY(folder_path(folder, at, height, kind));
    NV_TRY(part_path(path, folder, part, ""));
    NV_TRY(files->open(files->ctx, &file, path, ST_OPEN_READ));
    enum nv_err const err = read_file(files, out, file, memory, cap);
    files->close(files->ctx, file);
    return err;
}

enum nv_err
st_snapshot_finish(const struct st_snapshots *at, uint64_t height, enum st_snapshot_kind kind)
{
    const struct st_files *const files = at->files;
    char from[ST_PATH_MAX];
    char to[ST_PATH_MAX];
    NV_TRY(folder_path(from, at, height, kind));
    NV_TRY(folder_path(to, at, height, ST_SNAPSHOT_DONE));
    NV_TRY(files->sync_dir(files->ctx, from));
    NV_TRY(files->rename(files->ctx, from, to));
    return files->sync_dir(files->ctx, at->dir);
}

/* ---- all of them ---- */

struct listing {
    uint64_t heights[KINDS][FOLDERS_MAX];
    uint32_t count[KINDS];
};

/* height_of reads a folder's name; 0 when it is not one of ours. */
static uint64_t height_of(const char *name, uint32_t *kind)
{
    size_t const digits = strspn(name, "0123456789");
    uint64_t height = 0;
    for (*kind = 0; *kind < KINDS && strcmp(name + digits, suffixes[*kind]) != 0; ++*kind) {
    }
    bool const ours =
        *kind < KINDS && nv_u64_parse(&height, nv_view_of(name, (uint32_t)digits)) == NV_OK;
    return ours ? height : 0;
}

/* note_folder keeps the heights sorted, the newest first. */
static enum nv_err note_folder(void *ctx, const char *name)
{
    struct listing *const listing = ctx;
    uint32_t kind = 0;
    uint64_t const height = height_of(name, &kind);
    if (height == 0 || listing->count[kind] == FOLDERS_MAX) {
        return NV_OK;
    }
    uint64_t *const heights = listing->heights[kind];
    uint32_t *const count = &listing->count[kind];
    uint32_t at = (*count)++;
    for (; at > 0 && heights[at - 1] < height; at--) {
        heights[at] = heights[at - 1];
    }
    heights[at] = height;
    return NV_OK;
}

static enum nv_err list(const struct st_snapshots *at, struct listing *out)
{
    memset(out, 0, sizeof *out);
    return at->files->list(at->files->ctx, at->dir, note_folder, out);
}

enum nv_err st_snapshot_list(const struct st_snapshots *at,
                             uint64_t *heights,
                             uint32_t *count,
                             enum st_snapshot_kind kind)
{
    struct listing listing;
    NV_TRY(list(at, &listing));
    uint32_t const found = listing.count[kind];
    *count = found < ST_SNAPSHOTS_KEPT ? found : ST_SNAPSHOTS_KEPT;
    memcpy(heights, listing.heights[kind], *count * sizeof *heights);
    return NV_OK;
}

/* A folder being emptied, one file at a time: what a directory lists while it
 * is changed is not defined. */
struct emptying {
    char folder[ST_PATH_MAX];
    char path[ST_PATH_MAX]; /* empty: none found */
};

static enum nv_err note_file(void *ctx, const char *name)
{
    struct emptying *const e = ctx;
    if (name[0] == '.') {
        return NV_OK;
    }
    int const size = snprintf(e->path, sizeof e->path, "%.3000s/%.255s", e->folder, name);
    NV_ASSERT(size > 0 && (size_t)size < sizeof e->path);
    return NV_ERR_EXISTS; /* one is enough */
}

enum nv_err
st_snapshot_remove(const struct st_snapshots *at, uint64_t height, enum st_snapshot_kind kind)
{
    const struct st_files *const files = at->files;
    struct emptying e;
    NV_TRY(folder_path(e.folder, at, height, kind));
    for (uint32_t i = 0; i < NAMES_MAX; i++) {
        e.path[0] = '\0';
        enum nv_err const err = files->list(files->ctx, e.folder, note_file, &e);
        if (err != NV_OK && err != NV_ERR_EXISTS) {
            return err;
        }
        if (e.path[0] == '\0') {
            return files->remove_dir(files->ctx, e.folder);
        }
        NV_TRY(files->remove(files->ctx, e.path));
    }
    return NV_ERR_TOO_LARGE;
}

enum nv_err st_snapshot_tidy(const struct st_snapshots *at, uint64_t fetched)
{
    struct listing listing;
    NV_TRY(list(at, &listing));
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        uint32_t const kept = kind == ST_SNAPSHOT_DONE ? ST_SNAPSHOTS_KEPT : 0;
        for (uint32_t i = kept; i < listing.count[kind]; i++) {
            uint64_t const height = listing.heights[kind][i];
            if (kind != ST_SNAPSHOT_FETCHED || height != fetched) {
                NV_TRY(st_snapshot_remove(at, height, (enum st_snapshot_kind)kind));
            }
        }
    }
    return NV_OK;
}
