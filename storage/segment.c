#include "storage/segment.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/crash.h"

#define SEGMENT_VERSION 1u
#define HEAD_SIZE       64u /* with its checksum */
#define NUMBER_DIGITS   8u
#define ZEROS_SIZE      65536u

static const char name_prefix[] = "journal-";
static const char name_unfinished[] = ".new";
static const uint8_t segment_magic[4] = {'N', 'V', 'J', 'S'};

enum nv_err st__segment_path(char *out, const char *dir, uint32_t number, const char *suffix)
{
    int const size = snprintf(out, ST_PATH_MAX, "%s/%s%08x%s", dir, name_prefix, number, suffix);
    return size > 0 && (uint32_t)size < ST_PATH_MAX ? NV_OK : NV_ERR_TOO_LARGE;
}

static uint32_t digit_of(char c)
{
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0');
    }
    return c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10u : 16u;
}

uint32_t st__segment_number(const char *name, bool *unfinished)
{
    size_t const prefix = sizeof name_prefix - 1;
    uint32_t number = 0;
    *unfinished = false;
    if (strncmp(name, name_prefix, prefix) != 0 || strlen(name) < prefix + NUMBER_DIGITS) {
        return 0;
    }
    for (size_t i = prefix; i < prefix + NUMBER_DIGITS; i++) {
        uint32_t const digit = digit_of(name[i]);
        if (digit > 15) {
            return 0;
        }
        number = number * 16 + digit;
    }
    const char *const rest = name + prefix + NUMBER_DIGITS;
    *unfinished = strcmp(rest, name_unfinished) == 0;
    return *rest == '\0' || *unfinished ? number : 0;
}

static void head_encode(uint8_t *out, uint32_t number, uint32_t size, const uint8_t *id16)
{
    struct nv_writer w;
    struct nv_hash checksum;
    nv_writer_init(&w, out, HEAD_SIZE);
    nv_put_bytes(&w, segment_magic, sizeof segment_magic);
    nv_put_u32(&w, SEGMENT_VERSION);
    nv_put_bytes(&w, id16, ST_JOURNAL_ID_SIZE);
    nv_put_u32(&w, number);
    nv_put_u32(&w, size);
    nv_sha256(&checksum, nv_writer_view(&w));
    nv_put_bytes(&w, checksum.bytes, NV_HASH_SIZE);
    NV_ASSERT(!w.overflow && w.size == HEAD_SIZE);
}

static enum nv_err head_decode(struct st__segment *out, const uint8_t *bytes)
{
    struct nv_reader r;
    struct nv_hash checksum;
    uint8_t magic[4];
    nv_reader_init(&r, nv_view_of(bytes, HEAD_SIZE));
    nv_get_bytes(&r, magic, sizeof magic);
    uint32_t const version = nv_get_u32(&r);
    nv_get_bytes(&r, out->id, sizeof out->id);
    out->number = nv_get_u32(&r);
    out->size = nv_get_u32(&r);
    nv_sha256(&checksum, nv_view_of(bytes, r.at));
    if (memcmp(magic, segment_magic, sizeof magic) != 0 ||
        memcmp(checksum.bytes, bytes + r.at, NV_HASH_SIZE) != 0) {
        return NV_ERR_CORRUPT;
    }
    return version == SEGMENT_VERSION ? NV_OK : NV_ERR_VERSION;
}

/* fill writes a whole new segment and makes it durable. */
static enum nv_err
fill(const struct st_files *files, struct st_file file, const uint8_t *head, uint32_t size)
{
    static const uint8_t zeros[ZEROS_SIZE];
    for (uint32_t at = 0; at < size;) {
        uint32_t const chunk = size - at < ZEROS_SIZE ? size - at : ZEROS_SIZE;
        NV_TRY(files->write(files->ctx, file, zeros, chunk, at));
        at += chunk;
    }
    NV_TRY(files->write(files->ctx, file, head, HEAD_SIZE, 0));
    NV_CRASH_POINT(SEGMENT_FILLED);
    return files->sync(files->ctx, file);
}

static enum nv_err remove_if_there(const struct st_files *files, const char *path)
{
    enum nv_err const err = files->remove(files->ctx, path);
    return err == NV_ERR_NOT_FOUND ? NV_OK : err;
}

enum nv_err
st__segment_create(const struct st_journal_options *options, uint32_t number, const uint8_t *id16)
{
    const struct st_files *const files = options->files;
    char unfinished[ST_PATH_MAX];
    char path[ST_PATH_MAX];
    uint8_t head[HEAD_SIZE];
    struct st_file file;
    NV_TRY(st__segment_path(path, options->dir, number, ""));
    NV_TRY(st__segment_path(unfinished, options->dir, number, name_unfinished));
    NV_TRY(remove_if_there(files, unfinished));
    NV_TRY(files->open(files->ctx, &file, unfinished, ST_OPEN_CREATE));
    NV_CRASH_POINT(SEGMENT_OPENED);
    head_encode(head, number, options->segment_size, id16);
    enum nv_err const err = fill(files, file, head, options->segment_size);
    files->close(files->ctx, file);
    if (err != NV_OK) {
        (void)remove_if_there(files, unfinished); /* else the next open removes it */
        return err;
    }
    NV_CRASH_POINT(SEGMENT_SYNCED);
    NV_TRY(files->rename(files->ctx, unfinished, path));
    NV_CRASH_POINT(SEGMENT_RENAMED);
    NV_TRY(files->sync_dir(files->ctx, options->dir));
    NV_CRASH_POINT(SEGMENT_MADE);
    return NV_OK;
}

/* check reads and checks the head of an open segment. */
static enum nv_err check(struct st__segment *segment, const struct st_files *files, uint32_t number)
{
    uint8_t head[HEAD_SIZE];
    size_t got = 0;
    uint64_t size = 0;
    NV_TRY(files->read(files->ctx, segment->file, head, sizeof head, 0, &got));
    NV_TRY(files->size(files->ctx, segment->file, &size));
    if (got < sizeof head) {
        return NV_ERR_CORRUPT;
    }
    NV_TRY(head_decode(segment, head));
    bool const sound = segment->number == number && segment->size == size &&
                       size % ST_SECTOR_SIZE == 0 && size >= ST__SEGMENT_MIN;
    return sound ? NV_OK : NV_ERR_CORRUPT;
}

enum nv_err st__segment_open(struct st__segment *out,
                             const struct st_journal_options *options,
                             uint32_t number,
                             enum st_open mode)
{
    const struct st_files *const files = options->files;
    char path[ST_PATH_MAX];
    NV_TRY(st__segment_path(path, options->dir, number, ""));
    NV_TRY(files->open(files->ctx, &out->file, path, mode));
    enum nv_err const err = check(out, files, number);
    if (err != NV_OK) {
        files->close(files->ctx, out->file);
        out->number = 0;
    }
    return err;
}

void st__segment_close(struct st__segment *segment, const struct st_files *files)
{
    if (segment->number != 0) {
        files->close(files->ctx, segment->file);
        segment->number = 0;
    }
}
