#include "tests/lib/disk_model.h"

#include <stdlib.h>
#include <string.h>

#include "tests/lib/nv_test.h"

#define SECTOR 512u

struct disk *disk_new(void)
{
    struct disk *const disk = calloc(1, sizeof *disk);
    assert_non_null(disk);
    disk->history_length = 1;
    return disk;
}

static void file_free(struct disk_file *file)
{
    free(file->seen);
    free(file->safe);
    free(file->fresh);
    memset(file, 0, sizeof *file);
}

void disk_free(struct disk *disk)
{
    for (uint32_t i = 0; i < disk->file_count; i++) {
        file_free(&disk->files[i]);
    }
    free(disk);
}

static uint8_t *copy_of(const uint8_t *bytes, uint32_t size)
{
    if (size == 0) {
        return NULL;
    }
    uint8_t *const copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

void disk_copy(struct disk *to, const struct disk *from)
{
    for (uint32_t i = 0; i < to->file_count; i++) {
        file_free(&to->files[i]);
    }
    memcpy(to, from, sizeof *to);
    for (uint32_t i = 0; i < to->file_count; i++) {
        struct disk_file *const file = &to->files[i];
        file->seen = copy_of(from->files[i].seen, file->cap);
        file->safe = copy_of(from->files[i].safe, file->cap);
        file->fresh = copy_of(from->files[i].fresh, file->cap / SECTOR);
    }
}

void disk_fail(struct disk *disk, uint64_t n, bool stays, enum nv_err with)
{
    disk->fails_at = n != 0 ? disk->ops + n : 0;
    disk->stays_failed = stays;
    disk->fails_with = with;
}

/* off returns whether the power is off. */
static bool off(const struct disk *disk)
{
    return disk->stays_failed && disk->fails_at != 0 && disk->ops >= disk->fails_at;
}

/* op counts an operation and returns whether it fails. */
static bool op(struct disk *disk)
{
    bool const dark = off(disk);
    disk->ops++;
    return dark || disk->ops == disk->fails_at;
}

/* ---- names ---- */

static const char *name_of(const char *path)
{
    const char *const slash = strrchr(path, '/');
    const char *const name = slash != NULL ? slash + 1 : path;
    assert_true(strlen(name) < DISK_NAME_SIZE);
    return name;
}

static struct disk_entry *find(struct disk *disk, const char *path)
{
    for (uint32_t i = 0; i < disk->seen_count; i++) {
        if (strcmp(disk->seen[i].name, name_of(path)) == 0) {
            return &disk->seen[i];
        }
    }
    return NULL;
}

/* note remembers the directory as it is now. */
static void note(struct disk *disk)
{
    assert_true(disk->history_length < DISK_FILES_MAX);
    memcpy(disk->history[disk->history_length], disk->seen, sizeof disk->seen);
    disk->history_counts[disk->history_length] = disk->seen_count;
    disk->history_length++;
}

static void entry_add(struct disk *disk, const char *path, int32_t file)
{
    assert_true(disk->seen_count < DISK_FILES_MAX);
    struct disk_entry *const entry = &disk->seen[disk->seen_count++];
    memset(entry, 0, sizeof *entry);
    memcpy(entry->name, name_of(path), strlen(name_of(path)));
    entry->file = file;
}

static void entry_remove(struct disk *disk, struct disk_entry *entry)
{
    *entry = disk->seen[--disk->seen_count];
}

struct disk_file *disk_file_named(struct disk *disk, const char *name)
{
    const struct disk_entry *const entry = find(disk, name);
    return entry != NULL ? &disk->files[entry->file] : NULL;
}

/* ---- the port ---- */

static enum nv_err model_open(void *ctx, struct st_file *out, const char *path, enum st_open mode)
{
    struct disk *const disk = (struct disk *)ctx;
    const struct disk_entry *const entry = find(disk, path);
    if (op(disk)) {
        return disk->fails_with;
    }
    if (mode != ST_OPEN_CREATE) {
        out->handle = entry != NULL ? entry->file : -1;
        return entry != NULL ? NV_OK : NV_ERR_NOT_FOUND;
    }
    if (entry != NULL) {
        return NV_ERR_EXISTS;
    }
    assert_true(disk->file_count < DISK_FILES_MAX);
    out->handle = (int32_t)disk->file_count++;
    entry_add(disk, path, out->handle);
    note(disk);
    return NV_OK;
}

static void model_close(void *ctx, struct st_file file)
{
    (void)ctx;
    assert_true(file.handle >= 0);
}

static enum nv_err
model_read(void *ctx, struct st_file handle, void *out, size_t size, uint64_t at, size_t *got)
{
    struct disk *const disk = (struct disk *)ctx;
    const struct disk_file *const file = &disk->files[handle.handle];
    if (off(disk)) {
        return disk->fails_with;
    }
    *got = 0;
    if (at < file->seen_size) {
        *got = file->seen_size - at < size ? (size_t)(file->seen_size - at) : size;
        memcpy(out, file->seen + at, *got);
    }
    return NV_OK;
}

static void grow(struct disk_file *file, uint32_t size)
{
    uint32_t const cap = (size + SECTOR - 1) / SECTOR * SECTOR;
    if (cap <= file->cap) {
        return;
    }
    file->seen = realloc(file->seen, cap);
    file->safe = realloc(file->safe, cap);
    file->fresh = realloc(file->fresh, cap / SECTOR);
    assert_true(file->seen != NULL && file->safe != NULL && file->fresh != NULL);
    memset(file->seen + file->cap, 0, cap - file->cap);
    memset(file->safe + file->cap, 0, cap - file->cap);
    memset(file->fresh + file->cap / SECTOR, 0, (cap - file->cap) / SECTOR);
    file->cap = cap;
}

static enum nv_err
model_write(void *ctx, struct st_file handle, const void *bytes, size_t size, uint64_t at)
{
    struct disk *const disk = (struct disk *)ctx;
    struct disk_file *const file = &disk->files[handle.handle];
    if (off(disk)) {
        return disk->fails_with;
    }
    bool const fails = op(disk);
    size_t const done = fails ? size / 2 : size; /* a failing write may have written some */
    grow(file, (uint32_t)(at + size));
    memcpy(file->seen + at, bytes, done);
    for (uint64_t i = at / SECTOR; done > 0 && i <= (at + done - 1) / SECTOR; i++) {
        file->fresh[i] = 1;
    }
    if (at + done > file->seen_size) {
        file->seen_size = (uint32_t)(at + done);
    }
    return fails ? disk->fails_with : NV_OK;
}

static enum nv_err model_sync(void *ctx, struct st_file handle)
{
    struct disk *const disk = (struct disk *)ctx;
    struct disk_file *const file = &disk->files[handle.handle];
    bool const fails = op(disk);
    if (off(disk)) {
        return disk->fails_with;
    }
    for (uint32_t i = 0; i < file->cap / SECTOR; i++) {
        if (file->fresh[i] != 0 && !fails) {
            memcpy(file->safe + (size_t)i * SECTOR, file->seen + (size_t)i * SECTOR, SECTOR);
        }
        file->fresh[i] = 0; /* also when it failed */
    }
    file->safe_size = fails ? file->safe_size : file->seen_size;
    return fails ? disk->fails_with : NV_OK;
}

static enum nv_err model_size(void *ctx, struct st_file handle, uint64_t *out)
{
    struct disk *const disk = (struct disk *)ctx;
    *out = disk->files[handle.handle].seen_size;
    return NV_OK;
}

static enum nv_err model_remove(void *ctx, const char *path)
{
    struct disk *const disk = (struct disk *)ctx;
    struct disk_entry *const entry = find(disk, path);
    if (op(disk)) {
        return disk->fails_with;
    }
    if (entry == NULL) {
        return NV_ERR_NOT_FOUND;
    }
    entry_remove(disk, entry);
    note(disk);
    return NV_OK;
}

static enum nv_err model_rename(void *ctx, const char *from, const char *to)
{
    struct disk *const disk = (struct disk *)ctx;
    struct disk_entry *entry = find(disk, from);
    if (op(disk)) {
        return disk->fails_with;
    }
    if (entry == NULL) {
        return NV_ERR_NOT_FOUND;
    }
    int32_t const file = entry->file;
    entry_remove(disk, entry);
    entry = find(disk, to);
    if (entry != NULL) {
        entry_remove(disk, entry);
    }
    entry_add(disk, to, file);
    note(disk);
    return NV_OK;
}

static enum nv_err model_make_dir(void *ctx, const char *path)
{
    (void)ctx;
    (void)path;
    return NV_OK;
}

static enum nv_err model_sync_dir(void *ctx, const char *path)
{
    struct disk *const disk = (struct disk *)ctx;
    (void)path;
    if (op(disk)) {
        return disk->fails_with;
    }
    disk->history_length = 0;
    note(disk);
    return NV_OK;
}

static enum nv_err model_list(void *ctx, const char *path, st_name_fn fn, void *fn_ctx)
{
    struct disk *const disk = (struct disk *)ctx;
    (void)path;
    enum nv_err err = op(disk) ? disk->fails_with : NV_OK;
    for (uint32_t i = 0; err == NV_OK && i < disk->seen_count; i++) {
        err = fn(fn_ctx, disk->seen[i].name);
    }
    return err;
}

static enum nv_err model_lock(void *ctx, struct st_file *out, const char *path)
{
    struct disk *const disk = (struct disk *)ctx;
    (void)path;
    if (disk->locked) {
        return NV_ERR_LOCKED;
    }
    disk->locked = true;
    out->handle = 0;
    return NV_OK;
}

struct st_files disk_port(struct disk *disk)
{
    return (struct st_files){
        .ctx = disk,
        .open = model_open,
        .close = model_close,
        .read = model_read,
        .write = model_write,
        .sync = model_sync,
        .size = model_size,
        .remove = model_remove,
        .rename = model_rename,
        .make_dir = model_make_dir,
        .sync_dir = model_sync_dir,
        .list = model_list,
        .lock = model_lock,
    };
}

/* ---- the power ---- */

static void file_cut(struct disk_file *file, struct nv_test_rng *rng)
{
    uint32_t const kind = nv_test_below(rng, 4); /* all, nothing, a beginning, any sectors */
    uint32_t const begin = nv_test_below(rng, file->cap / SECTOR + 1);
    for (uint32_t i = 0; i < file->cap / SECTOR; i++) {
        bool const some = kind == 2 ? i < begin : nv_test_below(rng, 2) == 0;
        bool const kept = kind == 0 || (kind > 1 && some);
        if (file->fresh[i] != 0 && kept) {
            memcpy(file->safe + (size_t)i * SECTOR, file->seen + (size_t)i * SECTOR, SECTOR);
        }
        file->fresh[i] = 0;
    }
    if (file->safe_size != file->seen_size && nv_test_below(rng, 2) == 0) {
        file->safe_size = file->seen_size; /* the size got there, with or without the bytes */
    }
    if (file->cap > 0) {
        memset(file->safe + file->safe_size, 0, file->cap - file->safe_size);
        memcpy(file->seen, file->safe, file->cap);
    }
    file->seen_size = file->safe_size;
}

static bool has_file(const struct disk *disk, int32_t file)
{
    bool found = false;
    for (uint32_t i = 0; i < disk->seen_count; i++) {
        found = found || disk->seen[i].file == file;
    }
    return found;
}

/* undo_removals lets names come back that were removed since the directory was
 * synced: removals become durable in any order. */
static void undo_removals(struct disk *disk, struct nv_test_rng *rng)
{
    for (uint32_t i = 0; i < disk->history_counts[0]; i++) {
        const struct disk_entry *const entry = &disk->history[0][i];
        bool const gone = !has_file(disk, entry->file) && find(disk, entry->name) == NULL;
        if (gone && nv_test_below(rng, 2) == 0) {
            entry_add(disk, entry->name, entry->file);
        }
    }
}

void disk_cut(struct disk *disk, uint64_t seed)
{
    struct nv_test_rng rng = {seed};
    uint32_t const at = nv_test_below(&rng, disk->history_length);
    memcpy(disk->seen, disk->history[at], sizeof disk->seen);
    disk->seen_count = disk->history_counts[at];
    undo_removals(disk, &rng);
    for (uint32_t i = 0; i < disk->file_count; i++) {
        file_cut(&disk->files[i], &rng);
    }
    disk->history_length = 0;
    note(disk);
    disk->fails_at = 0;
    disk->locked = false;
}
