#include "node/home/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/fmt.h"
#include "base/random.h"
#include "base/secret.h"

#define FORMAT        "novate-key-1"
#define KEY_FILE_MAX  (64u << 10)
#define HASH_TEXT     NV_BYTES_TEXT(32)
#define HINT_RESTORE  "restore the file from its backup"
#define HINT_NEW_HOME "novated init makes the keys of a new home"

static const char *kind_name(enum node_key_kind kind)
{
    return kind == NODE_KEY_VALIDATOR ? "validator" : "node";
}

/* ---- writing ---- */

/* A key file being composed, in locked memory. */
struct text {
    char *bytes;
    uint32_t size;
    bool overflow;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
    va_list arguments;
    uint32_t const room = KEY_FILE_MAX - t->size;
    va_start(arguments, format);
    int const size = vsnprintf(t->bytes + t->size, room, format, arguments);
    va_end(arguments);
    if (size < 0 || (uint32_t)size >= room) {
        t->overflow = true;
    } else {
        t->size += (uint32_t)size;
    }
}

static void put_key(struct text *t, const struct node_key *key)
{
    char public[HASH_TEXT];
    char secret[HASH_TEXT];
    nv_bytes_format(public, key->key.bytes, 32);
    nv_bytes_format(secret, key->secret.bytes, 32);
    put(t, "{\n  \"format\": \"" FORMAT "\",\n  \"kind\": \"%s\",\n", kind_name(key->kind));
    put(t, "  \"key\": \"%s\",\n  \"secret\": \"%s\",\n", public, secret);
    put(t, "  \"journals\": [");
    nv_wipe(secret, sizeof secret);
    for (uint32_t i = 0; i < key->bond_count; i++) {
        char chain[HASH_TEXT];
        char journal[NV_BYTES_TEXT(ST_JOURNAL_ID_SIZE)];
        nv_bytes_format(chain, key->bond[i].chain_id.bytes, 32);
        nv_bytes_format(journal, key->bond[i].journal, ST_JOURNAL_ID_SIZE);
        const char *const comma = i == 0 ? "" : ",";
        put(t, "%s\n    {\"chain\": \"%s\", \"journal\": \"%s\"", comma, chain, journal);
        if (key->bond[i].since_ms > 0) {
            put(t, ", \"since_ms\": %" NV_U64, key->bond[i].since_ms);
        }
        put(t, "}");
    }
    put(t, "]\n}\n");
}

/* write_text makes the file `path`, durable, of a text. */
static enum nv_err
write_text(const struct st_files *files, const char *path, const struct text *text)
{
    struct st_file file;
    NV_TRY(files->open(files->ctx, &file, path, ST_OPEN_CREATE));
    enum nv_err err = files->write(files->ctx, file, text->bytes, text->size, 0);
    NV_CRASH_POINT(KEY_WRITTEN);
    if (err == NV_OK) {
        err = files->sync(files->ctx, file);
    }
    files->close(files->ctx, file);
    return err;
}

/* write_file writes the key to a file that does not exist yet. */
static enum nv_err
write_file(const struct st_files *files, const char *path, const struct node_key *key)
{
    struct text text = {.bytes = nv_secret_open(KEY_FILE_MAX)};
    if (text.bytes == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    put_key(&text, key);
    enum nv_err const err = text.overflow ? NV_ERR_TOO_LARGE : write_text(files, path, &text);
    nv_secret_close(text.bytes, KEY_FILE_MAX);
    return err;
}

/* replace_file puts the key in the place of the file that holds it. */
static enum nv_err replace_file(const struct st_files *files, const struct node_key *key)
{
    char temporary[ST_PATH_MAX + 8];
    (void)snprintf(temporary, sizeof temporary, "%s.new", key->path);
    enum nv_err err = files->remove(files->ctx, temporary); /* of a process that died */
    if (err == NV_OK || err == NV_ERR_NOT_FOUND) {
        err = write_file(files, temporary, key);
    }
    NV_CRASH_POINT(KEY_SYNCED);
    if (err == NV_OK) {
        err = files->rename(files->ctx, temporary, key->path);
    }
    NV_CRASH_POINT(KEY_RENAMED);
    return err == NV_OK ? st_sync_name(files, key->path) : err;
}

static void
write_fault(struct node_fault *fault, const char *path, enum nv_err err, const char *hint)
{
    bool const disk = err == NV_ERR_DISK_FULL || err == NV_ERR_IO;
    node_fault_set(fault,
                   err == NV_ERR_EXISTS ? NODE_EXIT_FAILED
                   : disk               ? NODE_EXIT_STORAGE
                                        : NODE_EXIT_CONFIG,
                   hint,
                   "%s: cannot be written: %s",
                   path,
                   nv_err_text(err));
}

bool node_key_create(const char *path, enum node_key_kind kind, struct node_fault *fault)
{
    struct node_key *const key = nv_secret_open(sizeof *key);
    uint8_t seed[32];
    if (key == NULL) {
        node_fault_set(fault, NODE_EXIT_FAILED, NULL, "no locked memory for a key");
        return false;
    }
    nv_random_bytes(seed, sizeof seed);
    key->kind = kind;
    enum nv_err err = nv_key_from_seed(&key->secret, &key->key, seed);
    nv_wipe(seed, sizeof seed);
    if (err != NV_OK) {
        node_fault_set(fault, NODE_EXIT_FAILED, "try again", "the random key is no key");
    } else {
        const struct st_files *const files = st_files_system();
        err = write_file(files, path, key);
        err = err == NV_OK ? st_sync_name(files, path) : err;
    }
    if (err != NV_OK) {
        write_fault(fault, path, err, "a key file is never overwritten; move it away first");
    }
    nv_secret_close(key, sizeof *key);
    return !node_fault_is(fault);
}

/* bond_at returns the place of the bond for a chain, or where one would be added. */
static uint32_t bond_at(const struct node_key *key, const struct nv_hash *chain_id)
{
    uint32_t at = 0;
    while (at < key->bond_count && !nv_hash_eq(&key->bond[at].chain_id, chain_id)) {
        at++;
    }
    return at;
}

const struct node_key_bond *
node_key_bond(const struct node_key *key, const struct nv_hash *chain_id)
{
    uint32_t const at = bond_at(key, chain_id);
    return at < key->bond_count ? &key->bond[at] : NULL;
}

bool node_key_bind(struct node_key *key, const struct node_key_bond *bond, struct node_fault *fault)
{
    uint32_t const at = bond_at(key, &bond->chain_id);
    if (at == NODE_KEY_CHAINS_MAX) {
        node_fault_set(fault,
                       NODE_EXIT_CONFIG,
                       HINT_NEW_HOME,
                       "%s: the key has signed on %u chains, which is all it may",
                       key->path,
                       NODE_KEY_CHAINS_MAX);
        return false;
    }
    key->bond_count += at == key->bond_count ? 1 : 0;
    key->bond[at] = *bond;
    enum nv_err const err = replace_file(st_files_system(), key);
    NV_CRASH_POINT(KEY_DURABLE);
    if (err != NV_OK) {
        write_fault(fault, key->path, err, NULL);
    }
    return err == NV_OK;
}

bool node_key_settle(const struct node_key *key, struct node_fault *fault)
{
    enum nv_err const err = st_sync_name(st_files_system(), key->path);
    if (err != NV_OK) {
        write_fault(fault, key->path, err, NULL);
    }
    return err == NV_OK;
}

/* ---- reading ---- */

static bool read_bytes(const json_t *object, const char *name, void *out, uint32_t size)
{
    const char *const text = json_string_value(json_object_get(object, name));
    return text != NULL &&
           nv_bytes_parse(out, size, nv_view_of(text, (uint32_t)strlen(text))) == NV_OK;
}

static bool read_bonds(struct node_key *key, const json_t *root)
{
    const json_t *const list = json_object_get(root, "journals");
    if (!json_is_array(list) || json_array_size(list) > NODE_KEY_CHAINS_MAX) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *const item = json_array_get(list, i);
        struct node_key_bond *const bond = &key->bond[key->bond_count++];
        const json_t *const since = json_object_get(item, "since_ms");
        if (!read_bytes(item, "chain", bond->chain_id.bytes, 32) ||
            !read_bytes(item, "journal", bond->journal, ST_JOURNAL_ID_SIZE) ||
            (since != NULL && json_integer_value(since) <= 0)) {
            return false; /* what is no number has the value 0 */
        }
        bond->since_ms = (uint64_t)json_integer_value(since);
    }
    return true;
}

static const char *read_object(struct node_key *key, const json_t *root)
{
    struct nv_pubkey derived;
    const char *const format = json_string_value(json_object_get(root, "format"));
    const char *const kind = json_string_value(json_object_get(root, "kind"));
    if (format == NULL || strcmp(format, FORMAT) != 0) {
        return "it is not of the format " FORMAT;
    }
    if (kind == NULL || strcmp(kind, kind_name(key->kind)) != 0) {
        return "it holds a key of another kind";
    }
    if (!read_bytes(root, "secret", key->secret.bytes, 32) ||
        nv_key_public(&derived, &key->secret) != NV_OK) {
        return "its secret is no key";
    }
    if (!read_bytes(root, "key", key->key.bytes, 32) ||
        memcmp(derived.bytes, key->key.bytes, 32) != 0) {
        return "its public key does not belong to its secret";
    }
    return read_bonds(key, root) ? NULL : "its list of journals is damaged";
}

/* slurp reads the file into `text`; what is wrong with it, or NULL. */
static const char *slurp(int fd, char *text, uint32_t *size)
{
    struct stat status;
    if (fstat(fd, &status) != 0) {
        return strerror(errno);
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return "other users may read it";
    }
    *size = 0;
    while (*size < KEY_FILE_MAX) {
        ssize_t const got = read(fd, text + *size, KEY_FILE_MAX - *size);
        if (got < 0) {
            return strerror(errno);
        }
        if (got == 0) {
            return NULL;
        }
        *size += (uint32_t)got;
    }
    return "it is too large";
}

static const char *parse(struct node_key *key, const char *text, uint32_t size)
{
    json_t *const root = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const char *const why = root == NULL ? "it is not JSON" : read_object(key, root);
    json_decref(root);
    return why;
}

bool node_key_read(struct node_key *key,
                   const char *path,
                   enum node_key_kind kind,
                   struct node_fault *fault)
{
    memset(key, 0, sizeof *key);
    key->kind = kind;
    (void)snprintf(key->path, sizeof key->path, "%s", path);
    int const fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        node_fault_set(fault,
                       NODE_EXIT_CONFIG,
                       errno == ENOENT ? HINT_NEW_HOME : NULL,
                       "%s: cannot be opened: %s",
                       path,
                       strerror(errno));
        return false;
    }
    uint32_t size = 0;
    char *const text = nv_secret_open(KEY_FILE_MAX);
    const char *why = "no locked memory is left";
    if (text != NULL) {
        why = slurp(fd, text, &size);
        why = why != NULL ? why : parse(key, text, size);
    }
    nv_secret_close(text, KEY_FILE_MAX);
    (void)close(fd);
    if (why != NULL) {
        nv_wipe(&key->secret, sizeof key->secret);
        node_fault_set(fault, NODE_EXIT_CONFIG, HINT_RESTORE, "%s: %s", path, why);
        if (strstr(why, "other users") != NULL) {
            node_fault_hint(fault, "chmod 600 %s", path);
        }
    }
    return why == NULL;
}

/* ---- the guard ---- */

static void refuse(struct node_fault *fault, const struct node_key *key, const char *why)
{
    node_fault_set(fault,
                   NODE_EXIT_GUARD,
                   "put the journal of this key back into the data folder; if it is lost for good "
                   "and nothing else runs with this key, start with --sit-out: it signs again in "
                   "the first epoch that begins a minute later",
                   "%s: the key does not sign: %s; a vote now might contradict an earlier one",
                   key->path,
                   why);
}

bool node_key_guard(const struct node_key *key,
                    const struct nv_hash *chain_id,
                    const struct node_key_journal *journal,
                    bool *bind,
                    struct node_fault *fault)
{
    const struct node_key_bond *const bond = node_key_bond(key, chain_id);
    *bind = bond == NULL;
    if (bond == NULL && journal->found && journal->votes) {
        refuse(fault, key, "the journal holds votes that this key file does not know of");
        return false;
    }
    if (bond == NULL && journal->found && journal->base) {
        refuse(fault,
               key,
               "the journal goes on from a snapshot, which this key file does not know of");
        return false;
    }
    if (bond != NULL && !journal->found) {
        refuse(fault, key, "it has signed on this chain, and its journal is missing");
        return false;
    }
    if (bond != NULL && memcmp(bond->journal, journal->id, ST_JOURNAL_ID_SIZE) != 0) {
        refuse(fault, key, "the journal is another than the one that it has signed with");
        return false;
    }
    return true;
}
