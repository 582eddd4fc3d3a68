#include "tests/crash/image.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"

#include "tests/lib/nv_test.h"

#define SECTOR    512u
#define FILES_MAX 256u
#define NAMES_MAX 64u
#define CALLS_MAX 256u
#define NAME_SIZE 64u
#define PATH_SIZE 512u

/* A write since the last sync. */
struct call {
    uint64_t at;
    struct nv_view bytes;
    bool sure; /* durable all the same */
    bool lost; /* a sync failed: no later one makes it durable */
};

struct file {
    uint64_t number; /* inode; 0: unused */
    uint8_t *safe;   /* durable bytes, `cap` of them, zero behind the size */
    uint64_t safe_size;
    uint64_t size; /* as the program sees it */
    uint64_t cap;
    struct call call[CALLS_MAX];
    uint32_t call_count;
    uint64_t chosen_size;
    uint8_t *chosen;      /* `cap` bytes */
    uint64_t chosen_hash; /* 0: not computed yet */
    bool settled;         /* chosen is safe, and there is nothing to choose */
};

struct name {
    char text[NAME_SIZE];
    uint64_t file; /* 0: a folder */
};

struct names {
    struct name list[NAMES_MAX];
    uint32_t count;
};

struct image {
    struct file *file[FILES_MAX];
    uint32_t file_count;
    struct names safe; /* durable */
    struct names seen;
    struct trace_op change[CALLS_MAX]; /* of names, not durable yet, oldest first */
    uint32_t change_count;
    struct names chosen;
};

struct image *image_new(void)
{
    struct image *const image = calloc(1, sizeof *image);
    NV_ASSERT(image != NULL);
    return image;
}

static void clear(struct image *image)
{
    for (uint32_t i = 0; i < image->file_count; i++) {
        free(image->file[i]->safe);
        free(image->file[i]->chosen);
        free(image->file[i]);
    }
    memset(image, 0, sizeof *image);
}

void image_free(struct image *image)
{
    clear(image);
    free(image);
}

/* ---- files ---- */

/* find returns the file with this number, or NULL. */
static struct file *find(const struct image *image, uint64_t number)
{
    for (uint32_t i = 0; i < image->file_count; i++) {
        if (image->file[i]->number == number) {
            return image->file[i];
        }
    }
    return NULL;
}

static struct file *file_of(struct image *image, uint64_t number)
{
    struct file *file = find(image, number);
    if (file == NULL) {
        NV_ASSERT(image->file_count < FILES_MAX);
        file = calloc(1, sizeof *file);
        NV_ASSERT(file != NULL);
        image->file[image->file_count++] = file;
        file->number = number;
    }
    return file;
}

static void grow(struct file *file, uint64_t size)
{
    if (size <= file->cap) {
        return;
    }
    uint64_t const cap = (size * 2 + 4095) / 4096 * 4096;
    uint8_t *const safe = calloc(1, cap);
    NV_ASSERT(safe != NULL);
    if (file->cap > 0) {
        memcpy(safe, file->safe, file->cap);
    }
    free(file->safe);
    free(file->chosen);
    file->safe = safe;
    file->chosen = calloc(1, cap);
    NV_ASSERT(file->chosen != NULL);
    file->cap = cap;
    file->settled = false;
}

static void apply(struct file *file, const struct call *call)
{
    memcpy(file->safe + call->at, call->bytes.bytes, call->bytes.size);
    uint64_t const end = call->at + call->bytes.size;
    file->safe_size = end > file->safe_size ? end : file->safe_size;
    file->settled = false;
}

/* settle makes durable what leads up to the first write that never will be. */
static void settle(struct file *file)
{
    uint32_t done = 0;
    while (done < file->call_count && file->call[done].sure) {
        apply(file, &file->call[done++]);
    }
    memmove(file->call, file->call + done, (file->call_count - done) * sizeof file->call[0]);
    file->call_count -= done;
}

static void take_write(struct file *file, const struct trace_op *op)
{
    uint64_t const end = op->at + op->bytes.size;
    NV_ASSERT(file->call_count < CALLS_MAX);
    grow(file, end);
    file->size = end > file->size ? end : file->size;
    file->settled = false;
    file->call[file->call_count++] =
        (struct call){.at = op->at, .bytes = op->bytes, .sure = op->sync};
    settle(file);
}

static void take_sync(struct file *file, bool failed)
{
    for (uint32_t i = 0; i < file->call_count; i++) {
        struct call *const call = &file->call[i];
        call->sure = call->sure || (!failed && !call->lost);
        call->lost = call->lost || (failed && !call->sure);
    }
    settle(file);
    if (!failed && file->call_count == 0) {
        file->settled = file->settled && file->safe_size == file->size;
        file->safe_size = file->size;
    }
}

/* ---- names ---- */

static struct name *name_of(struct names *names, const char *text)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i].text, text) == 0) {
            return &names->list[i];
        }
    }
    return NULL;
}

static void name_put(struct names *names, const char *text, uint64_t file)
{
    struct name *at = name_of(names, text);
    if (at == NULL) {
        NV_ASSERT(names->count < NAMES_MAX && strlen(text) < NAME_SIZE);
        at = &names->list[names->count++];
        (void)snprintf(at->text, sizeof at->text, "%s", text);
    }
    at->file = file;
}

static void name_remove(struct names *names, const char *text)
{
    struct name *const at = name_of(names, text);
    if (at != NULL) {
        *at = names->list[--names->count];
    }
}

static void change_names(struct names *names, const struct trace_op *op)
{
    if (op->kind == TRACE_UNLINK) {
        name_remove(names, op->name);
    } else if (op->kind == TRACE_RENAME) {
        name_remove(names, op->name);
        name_put(names, op->other, op->file);
    } else {
        name_put(names, op->name, op->kind == TRACE_CREATE ? op->file : 0);
    }
}

/* folder_size returns how much of a name is its folder's. */
static size_t folder_size(const char *name)
{
    const char *const slash = strrchr(name, '/');
    return slash == NULL ? 0 : (size_t)(slash - name);
}

static bool same_folder(const char *a, const char *b)
{
    return folder_size(a) == folder_size(b) && strncmp(a, b, folder_size(a)) == 0;
}

/* in_folder returns whether a name is directly in a folder. */
static bool in_folder(const char *name, const char *folder)
{
    return strlen(folder) == folder_size(name) && strncmp(name, folder, strlen(folder)) == 0;
}

static void sync_names(struct image *image, const char *folder)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < image->change_count; i++) {
        if (in_folder(image->change[i].name, folder)) {
            change_names(&image->safe, &image->change[i]);
        } else {
            image->change[kept++] = image->change[i];
        }
    }
    image->change_count = kept;
}

/* ignored: the lock files hold nothing that outlives a process. */
static bool ignored(const char *name)
{
    return name != NULL && (strcmp(name, "data/lock") == 0 || strstr(name, "lock.mdb") != NULL);
}

void image_take(struct image *image, const struct trace_op *op)
{
    switch (op->kind) {
    case TRACE_CREATE:
    case TRACE_MKDIR:
    case TRACE_UNLINK:
    case TRACE_RENAME:
        if (!ignored(op->name)) {
            NV_ASSERT(image->change_count < CALLS_MAX);
            change_names(&image->seen, op);
            image->change[image->change_count++] = *op;
        }
        break;
    case TRACE_WRITE: take_write(file_of(image, op->file), op); break;
    case TRACE_SIZE: {
        struct file *const file = file_of(image, op->file);
        NV_ASSERT(op->at >= file->size); /* nothing that matters is ever cut */
        grow(file, op->at);
        file->size = op->at;
        file->settled = false;
        break;
    }
    case TRACE_SYNC: take_sync(file_of(image, op->file), op->failed); break;
    case TRACE_SYNC_DIR:
        if (!op->failed) {
            sync_names(image, op->name);
        }
        break;
    case TRACE_MARK: break;
    }
}

/* ---- choosing ---- */

/* How a state is chosen. */
struct choice {
    struct nv_test_rng rng;
    uint32_t variant;
    uint32_t keep;   /* of 256 sectors, how many are kept */
    uint32_t single; /* the one thing that differs, or UINT32_MAX */
    uint32_t at;     /* things seen so far */
    bool rest;       /* what the others do */
};

static uint32_t sectors_of(const struct call *call)
{
    uint64_t const first = call->at / SECTOR;
    uint64_t const last = (call->at + call->bytes.size - 1) / SECTOR;
    return (uint32_t)(last - first + 1);
}

uint32_t image_choices(const struct image *image)
{
    uint32_t count = image->change_count;
    for (uint32_t i = 0; i < image->file_count; i++) {
        const struct file *const file = image->file[i];
        for (uint32_t k = 0; k < file->call_count; k++) {
            count += file->call[k].sure ? 0 : sectors_of(&file->call[k]);
        }
        count += file->size != file->safe_size ? 1 : 0;
    }
    return count;
}

/* kept decides about the next thing. */
static bool kept(struct choice *c)
{
    uint32_t const at = c->at++;
    if (c->variant < 2) {
        return c->variant == 1;
    }
    if (c->single != UINT32_MAX) {
        return at == c->single ? !c->rest : c->rest;
    }
    return nv_test_below(&c->rng, 256) < c->keep;
}

static struct choice choice_of(const struct image *image, uint64_t seed, uint32_t variant)
{
    static const uint32_t keeps[4] = {128, 32, 224, 128};
    struct choice c = {.rng = {seed * 1000003 + variant}, .variant = variant, .single = UINT32_MAX};
    uint32_t const count = image_choices(image);
    if (variant >= 2 && variant % 2 == 0 && count > 0) {
        /* one thing lost, or one thing kept */
        c.single = nv_test_below(&c.rng, count);
        c.rest = (variant / 2) % 2 == 0;
    }
    c.keep = keeps[variant / 2 % 4];
    return c;
}

/* choose_sizes picks a size that the file may be found with. */
static uint64_t choose_size(struct choice *c, const struct file *file, uint64_t needed)
{
    if (file->size == file->safe_size) {
        return needed > file->safe_size ? needed : file->safe_size;
    }
    bool const keep = kept(c);
    if (c->variant < 2 || keep) {
        return keep ? file->size : file->safe_size;
    }
    /* the size of some moment: what is behind it is lost */
    return nv_test_below(&c->rng, 2) == 0 ? needed : file->safe_size;
}

static void keep_sector(struct file *file, const struct call *call, uint32_t index)
{
    uint64_t const sector = (call->at / SECTOR + index) * SECTOR;
    uint64_t const end = call->at + call->bytes.size;
    uint64_t const from = sector > call->at ? sector : call->at;
    uint64_t const to = sector + SECTOR < end ? sector + SECTOR : end;
    memcpy(file->chosen + from, call->bytes.bytes + (from - call->at), to - from);
}

static void choose_file(struct choice *c, struct file *file)
{
    uint64_t needed = file->safe_size;
    if (file->settled) {
        return;
    }
    uint64_t const size = file->size > file->safe_size ? file->size : file->safe_size;
    memcpy(file->chosen, file->safe, size);
    file->chosen_hash = 0;
    for (uint32_t k = 0; k < file->call_count; k++) {
        const struct call *const call = &file->call[k];
        uint32_t const count = sectors_of(call);
        bool any = false;
        for (uint32_t s = 0; s < count; s++) {
            if (call->sure || kept(c)) {
                keep_sector(file, call, s);
                any = true;
            }
        }
        uint64_t const end = call->at + call->bytes.size;
        needed = any && end > needed ? end : needed;
    }
    file->chosen_size = choose_size(c, file, needed);
    file->settled = file->call_count == 0 && file->size == file->safe_size;
}

/* choose_names keeps a beginning of the changes of each folder; or, in some
 * variants, all but single names that are new. */
static void choose_names(struct choice *c, struct image *image)
{
    bool const holes = c->variant >= 2 && nv_test_below(&c->rng, 4) == 0;
    bool gone[CALLS_MAX] = {false};
    image->chosen = image->safe;
    for (uint32_t i = 0; i < image->change_count; i++) {
        const struct trace_op *const op = &image->change[i];
        bool const hole = holes && (op->kind == TRACE_CREATE || op->kind == TRACE_MKDIR);
        bool const keep = kept(c) && !gone[i];
        if (keep) {
            change_names(&image->chosen, op);
        }
        for (uint32_t k = i + 1; !keep && !hole && k < image->change_count; k++) {
            gone[k] = gone[k] || same_folder(op->name, image->change[k].name);
        }
    }
}

/* prune drops names whose folder is not there. */
static void prune(struct names *names)
{
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < names->count; i++) {
            char folder[NAME_SIZE];
            (void)snprintf(folder, sizeof folder, "%s", names->list[i].text);
            folder[folder_size(folder)] = '\0';
            if (folder[0] != '\0' && name_of(names, folder) == NULL) {
                names->list[i] = names->list[--names->count];
                again = true;
                break;
            }
        }
    }
}

void image_choose(struct image *image, uint64_t seed, uint32_t variant)
{
    struct choice c = choice_of(image, seed, variant);
    choose_names(&c, image);
    prune(&image->chosen);
    for (uint32_t i = 0; i < image->chosen.count; i++) {
        struct file *const file = find(image, image->chosen.list[i].file);
        if (file != NULL && file->cap > 0) {
            choose_file(&c, file);
        }
    }
}

/* ---- the state chosen ---- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ (hash >> 29);
}

static uint64_t hash_bytes(uint64_t hash, const uint8_t *bytes, uint64_t size)
{
    uint64_t at = 0;
    for (; at + 8 <= size; at += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes + at, 8);
        hash = mix(hash, word);
    }
    for (; at < size; at++) {
        hash = mix(hash, bytes[at]);
    }
    return hash;
}

static uint64_t hash_file(struct file *file)
{
    if (file->chosen_hash == 0) {
        file->chosen_hash = hash_bytes(file->chosen_size, file->chosen, file->chosen_size);
    }
    return file->chosen_hash;
}

uint64_t image_hash(const struct image *image)
{
    uint64_t sum = 0; /* the order of names means nothing */
    for (uint32_t i = 0; i < image->chosen.count; i++) {
        const struct name *const name = &image->chosen.list[i];
        uint64_t hash = hash_bytes(1, (const uint8_t *)name->text, strlen(name->text));
        struct file *const file = find(image, name->file);
        if (file != NULL && file->cap > 0) {
            hash = mix(hash, hash_file(file));
        }
        sum += mix(hash, 7);
    }
    return sum;
}

const char *image_file(const struct image *image, uint32_t i, uint64_t *size)
{
    for (uint32_t at = 0; at < image->chosen.count; at++) {
        const struct name *const name = &image->chosen.list[at];
        const struct file *const file = find(image, name->file);
        if (file != NULL && file->cap > 0 && i-- == 0) {
            *size = file->chosen_size;
            return name->text;
        }
    }
    return NULL;
}

static void empty_folder(const char *path)
{
    DIR *const dir = opendir(path);
    if (dir == NULL) {
        return;
    }
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char name[PATH_SIZE + sizeof entry->d_name];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_type == DT_DIR) {
            empty_folder(name);
            (void)rmdir(name);
        } else {
            (void)unlink(name);
        }
    }
    (void)closedir(dir);
}

static void write_file(const char *path, const struct file *file)
{
    int const fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    NV_ASSERT(fd >= 0);
    if (file != NULL && file->cap > 0) {
        ssize_t const done = write(fd, file->chosen, file->chosen_size);
        NV_ASSERT(done == (ssize_t)file->chosen_size);
    }
    (void)close(fd);
}

void image_write(const struct image *image, const char *path)
{
    empty_folder(path);
    (void)mkdir(path, 0700);
    for (uint32_t depth = 0, left = image->chosen.count; left > 0; depth++) {
        for (uint32_t i = 0; i < image->chosen.count; i++) {
            const struct name *const name = &image->chosen.list[i];
            char full[PATH_SIZE];
            uint32_t slashes = 0;
            for (const char *c = name->text; *c != '\0'; c++) {
                slashes += *c == '/' ? 1 : 0;
            }
            if (slashes != depth) {
                continue;
            }
            (void)snprintf(full, sizeof full, "%s/%s", path, name->text);
            if (name->file == 0) {
                int const result = mkdir(full, 0700);
                NV_ASSERT(result == 0);
            } else {
                write_file(full, find(image, name->file));
            }
            left--;
        }
    }
}

/* ---- from and against a folder ---- */

static uint8_t *slurp(const char *path, uint64_t *size)
{
    int const fd = open(path, O_RDONLY);
    struct stat status;
    NV_ASSERT(fd >= 0);
    int const result = fstat(fd, &status);
    NV_ASSERT(result == 0);
    *size = (uint64_t)status.st_size;
    uint8_t *const bytes = malloc(*size + 1);
    NV_ASSERT(bytes != NULL);
    ssize_t const got = read(fd, bytes, *size);
    NV_ASSERT(got == status.st_size);
    (void)close(fd);
    return bytes;
}

static void load_file(struct image *image, const char *path, const char *name)
{
    struct stat status;
    uint64_t size = 0;
    uint8_t *const bytes = slurp(path, &size);
    int const result = stat(path, &status);
    NV_ASSERT(result == 0);
    struct file *const file = file_of(image, status.st_ino);
    grow(file, size + 1);
    memcpy(file->safe, bytes, size);
    file->safe_size = file->size = size;
    free(bytes);
    name_put(&image->safe, name, status.st_ino);
}

static void load_folder(struct image *image, const char *path, const char *below)
{
    DIR *const dir = opendir(path);
    NV_ASSERT(dir != NULL);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char full[PATH_SIZE + sizeof entry->d_name];
        char name[PATH_SIZE];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(full, sizeof full, "%s/%s", path, entry->d_name);
        (void)snprintf(
            name, sizeof name, "%s%s%.200s", below, *below == '\0' ? "" : "/", entry->d_name);
        if (entry->d_type == DT_DIR) {
            name_put(&image->safe, name, 0);
            load_folder(image, full, name);
        } else if (!ignored(name)) {
            load_file(image, full, name);
        }
    }
    (void)closedir(dir);
}

void image_load(struct image *image, const char *path)
{
    clear(image);
    load_folder(image, path, "");
    image->seen = image->safe;
}

bool image_same(struct image *image, const char *path)
{
    struct image *const found = image_new();
    image_load(found, path);
    image_choose(image, 0, 1); /* nothing lost */
    bool same = found->safe.count == image->chosen.count;
    for (uint32_t i = 0; i < found->safe.count; i++) {
        const struct name *const name = &found->safe.list[i];
        const struct name *const own = name_of(&image->chosen, name->text);
        const struct file *const a = find(found, name->file);
        const struct file *const b = own != NULL ? find(image, own->file) : NULL;
        uint64_t const size = b != NULL && b->cap > 0 ? b->chosen_size : 0;
        bool const equal =
            own != NULL && (name->file == 0) == (own->file == 0) &&
            (name->file == 0 ||
             (a->safe_size == size && (size == 0 || memcmp(a->safe, b->chosen, size) == 0)));
        if (!equal) {
            (void)fprintf(stderr, "not as noted: %s\n", name->text);
        }
        same = same && equal;
    }
    image_free(found);
    return same;
}
