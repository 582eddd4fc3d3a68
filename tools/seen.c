#include "tools/seen.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fmt.h"

#include "tools/light.h"
#include "tools/shown.h"

#define FORMAT      "novate-light-1"
#define FORK_FORMAT "novate-fork-1"
#define OLD_MS      10000u /* behind the newest block seen: worth a word */

/* ---- the file ---- */

static bool get_light(struct cs_light *out, const json_t *file)
{
    uint8_t bytes[CS_LIGHT_SIZE_MAX];
    return cs_light_decode(out, get_hex(file, "light", bytes, sizeof bytes)) == NV_OK;
}

static bool get_newest(struct cs_light_final *out, const json_t *file)
{
    uint8_t bytes[CS_HEADER_SIZE];
    if (!light_header(&out->header, get_hex(file, "header", bytes, sizeof bytes))) {
        return false;
    }
    cs_header_hash(&out->hash, &out->header);
    return true;
}

static json_t *block_json(const struct cs_light_block *block)
{
    json_t *const out = json_object();
    put_hex(out, "header", block->header.bytes, block->header.size);
    put_hex(out, "certificate", block->certificate.bytes, block->certificate.size);
    return out;
}

/* write_file writes a file whole or not at all; what was there stays until then. */
static bool write_file(const char *path, const json_t *content)
{
    char fresh[SEEN_PATH_MAX + 32];
    (void)snprintf(fresh, sizeof fresh, "%s.%d", path, (int)getpid());
    if (json_dump_file(content, fresh, JSON_INDENT(2)) == 0 && rename(fresh, path) == 0) {
        return true;
    }
    (void)unlink(fresh);
    return false;
}

/* ---- loading ---- */

/* take_file reads what was kept.  For how long a set is believed is the genesis'
 * to say, not the file's. */
static bool take_file(struct cs_light_final *newest, struct cs_light *light, const json_t *file)
{
    struct cs_light kept;
    const char *const format = json_string_value(json_object_get(file, "format"));
    if (format == NULL || strcmp(format, FORMAT) != 0 || !get_light(&kept, file) ||
        !get_newest(newest, file) || !nv_hash_eq(&kept.chain_id, &light->chain_id)) {
        return false;
    }
    if (kept.epoch > light->epoch) {
        kept.trusting_ms = light->trusting_ms;
        *light = kept;
    }
    return true;
}

/* damaged moves the file aside, for whoever wants to look at it. */
static void damaged(struct seen *seen)
{
    char aside[SEEN_PATH_MAX + 16];
    memset(&seen->newest, 0, sizeof seen->newest);
    (void)snprintf(aside, sizeof aside, "%s.damaged", seen->path);
    bool const moved = rename(seen->path, aside) == 0;
    (void)fprintf(stderr,
                  "novate: %s is damaged%s%s\n"
                  "  why:  it should hold what was seen of the chain, as JSON of format \"" FORMAT
                  "\"\n"
                  "  next: nothing: the way from the genesis is walked again\n",
                  seen->path,
                  moved ? ", and is now " : "",
                  moved ? aside : "");
}

static enum tool_exit unreadable(const char *path)
{
    return tool_fail(TOOL_USAGE,
                     strerror(errno),
                     "let it be read, or remove it: the way from the genesis is then walked again",
                     "%s cannot be read",
                     path);
}

enum tool_exit seen_load(struct seen *seen, struct cs_light *light, const char *folder)
{
    char chain[NV_BYTES_TEXT(32)];
    memset(seen, 0, sizeof *seen);
    if (folder == NULL) {
        return TOOL_OK;
    }
    nv_bytes_format(chain, light->chain_id.bytes, sizeof light->chain_id.bytes);
    int const size = snprintf(seen->path, sizeof seen->path, "%s/light-%s.json", folder, chain + 2);
    if (size < 0 || (size_t)size >= sizeof seen->path) {
        seen->path[0] = '\0';
        return TOOL_OK;
    }
    FILE *const stream = fopen(seen->path, "r");
    if (stream == NULL) {
        return errno == ENOENT ? TOOL_OK : unreadable(seen->path);
    }
    json_t *const file = json_loadf(stream, JSON_REJECT_DUPLICATES, NULL);
    (void)fclose(stream);
    if (!take_file(&seen->newest, light, file)) {
        damaged(seen);
    }
    json_decref(file);
    return TOOL_OK;
}

/* ---- what is shown now ---- */

/* kept_already returns whether another command has kept as late a block since
 * the file was read. */
static bool kept_already(const struct seen *seen, uint64_t height)
{
    struct cs_light_final kept = {0};
    json_t *const file = json_load_file(seen->path, JSON_REJECT_DUPLICATES, NULL);
    bool const found = get_newest(&kept, file);
    json_decref(file);
    return found && kept.header.height >= height;
}

static json_t *content(const struct cs_light *light,
                       const struct cs_light_block *block,
                       const struct cs_light_final *final)
{
    uint8_t bytes[CS_LIGHT_SIZE_MAX];
    json_t *const file = block_json(block);
    put_text(file, "format", FORMAT);
    put_hex(file, "chain_id", light->chain_id.bytes, sizeof light->chain_id.bytes);
    put_u64(file, "epoch", light->epoch);
    put_hex(file, "light", bytes, cs_light_encode(light, bytes));
    put_u64(file, "height", final->header.height);
    put_hex(file, "block_hash", final->hash.bytes, sizeof final->hash.bytes);
    return file;
}

static void keep(struct seen *seen,
                 const struct cs_light *light,
                 const struct cs_light_block *block,
                 const struct cs_light_final *final)
{
    char folder[SEEN_PATH_MAX];
    seen->newest = *final;
    if (seen->path[0] == '\0') {
        return;
    }
    (void)snprintf(folder, sizeof folder, "%s", seen->path);
    *strrchr(folder, '/') = '\0';
    (void)mkdir(folder, 0700);
    int const lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC); /* one writes at a time */
    bool const locked = lock >= 0 && flock(lock, LOCK_EX) == 0;
    if (!locked || !kept_already(seen, final->header.height)) {
        json_t *const file = content(light, block, final);
        if (!write_file(seen->path, file)) {
            (void)fprintf(
                stderr, "novate: %s cannot be written: %s\n", seen->path, strerror(errno));
        }
        json_decref(file);
    }
    if (lock >= 0) {
        (void)close(lock);
    }
}

/* forked writes both blocks down and says what that means. */
static enum tool_exit forked(const struct seen *seen,
                             const struct cs_light_block *block,
                             const struct cs_light_final *final)
{
    char path[SEEN_PATH_MAX + 8];
    char next[SEEN_PATH_MAX + 64];
    char height[NV_DECIMAL_TEXT];
    json_t *const before = json_load_file(seen->path, JSON_REJECT_DUPLICATES, NULL);
    json_t *const file = json_pack("{s:s, s:[{s:O?, s:O?}, o]}",
                                   "format",
                                   FORK_FORMAT,
                                   "blocks",
                                   "header",
                                   json_object_get(before, "header"),
                                   "certificate",
                                   json_object_get(before, "certificate"),
                                   block_json(block));
    (void)snprintf(path, sizeof path, "%s.fork", seen->path);
    (void)snprintf(next, sizeof next, "show both blocks around: they are in %s", path);
    bool const kept = before != NULL && write_file(path, file);
    json_decref(file);
    json_decref(before);
    nv_u64_format(height, final->header.height);
    return tool_fail(TOOL_REFUSED,
                     "validators with more than a third of the stake broke the rules; neither side "
                     "is to be believed",
                     kept ? next : NULL,
                     "the chain has forked: the node's final block %s is not the one seen before",
                     height);
}

static void say_old(const struct seen *seen, const struct cs_light_final *final)
{
    uint64_t const behind = seen->newest.header.time_ms - final->header.time_ms;
    char shown[NV_DECIMAL_TEXT];
    char newest[NV_DECIMAL_TEXT];
    nv_u64_format(shown, final->header.height);
    nv_u64_format(newest, seen->newest.header.height);
    (void)fprintf(
        stderr,
        "novate: the node shows an old state: its newest final block is %s, and %s, which "
        "is %u s newer, was seen before\n",
        shown,
        newest,
        (unsigned)(behind / 1000));
}

enum tool_exit seen_take(struct seen *seen,
                         const struct cs_light *light,
                         const struct cs_light_block *block,
                         const struct cs_light_final *final)
{
    const struct cs_header *const newest = &seen->newest.header;
    if (newest->height != 0 && cs_light_fork(&seen->newest, final)) {
        return forked(seen, block, final);
    }
    if (final->header.height > newest->height) {
        keep(seen, light, block, final);
    } else if (newest->time_ms > final->header.time_ms + OLD_MS) {
        say_old(seen, final);
    }
    return TOOL_OK;
}
