/* novate keys: the keys of accounts, in files that only their owner reads. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/random.h"
#include "base/secret.h"

#include "tools/cli/cli.h"
#include "tools/cli/table.h"
#include "tools/command.h"

#define PATH_SIZE 1024u
#define FORMAT    "novate-key-1"

static void print_key(const struct cli *cli, const struct tool_key *key, const char *name)
{
    char address[NV_ADDRESS_TEXT];
    char public[NV_BYTES_TEXT(32)];
    nv_address_format(address, &key->address);
    nv_bytes_format(public, key->key.bytes, sizeof key->key.bytes);
    if (cli->json) {
        json_t *const out =
            json_pack("{s:s, s:s, s:s}", "name", name, "address", address, "key", public);
        cli_dump(out);
        json_decref(out);
        return;
    }
    cli_pair("key", name);
    cli_pair("address", address);
    cli_pair("public key", public);
}

/* write_key writes a new file, which nobody else may read. */
static enum tool_exit write_key(const struct tool_key *key, const char *path)
{
    char secret[NV_BYTES_TEXT(32)];
    char public[NV_BYTES_TEXT(32)];
    char address[NV_ADDRESS_TEXT];
    int const fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return tool_fail(TOOL_FAILED,
                         strerror(errno),
                         "name a file that does not exist yet",
                         "%s cannot be made",
                         path);
    }
    nv_bytes_format(secret, key->secret.bytes, sizeof key->secret.bytes);
    nv_bytes_format(public, key->key.bytes, sizeof key->key.bytes);
    nv_address_format(address, &key->address);
    json_t *const root = json_pack("{s:s, s:s, s:s, s:s}",
                                   "format",
                                   FORMAT,
                                   "address",
                                   address,
                                   "key",
                                   public,
                                   "secret",
                                   secret);
    bool const good = json_dumpfd(root, fd, JSON_INDENT(2)) == 0 && fsync(fd) == 0;
    nv_wipe(secret, sizeof secret);
    json_decref(root);
    if (close(fd) != 0 || !good) {
        (void)unlink(path);
        return tool_fail(TOOL_FAILED, NULL, NULL, "%s cannot be written", path);
    }
    return TOOL_OK;
}

enum tool_exit tool_keys_new(char **argv)
{
    struct cli_form const form = {"novate keys new FILE [--json]", 1, 1, NULL, 0};
    struct cli cli;
    struct tool_key key = {.name = "key"};
    uint8_t seed[32];
    enum tool_exit code = cli_words(&cli, &form, argv);
    if (code != TOOL_OK) {
        return code;
    }
    if (strpbrk(cli.args.words[0], "/.") == NULL) {
        char better[PATH_SIZE];
        (void)snprintf(better, sizeof better, "novate keys new ./%s", cli.args.words[0]);
        return tool_fail(TOOL_USAGE,
                         "a word without . or / is the name of a devnet account",
                         better,
                         "\"%s\" would not be found as a file",
                         cli.args.words[0]);
    }
    nv_random_bytes(seed, sizeof seed);
    if (nv_key_from_seed(&key.secret, &key.key, seed) != NV_OK) {
        code = tool_fail(TOOL_FAILED, NULL, NULL, "no key could be made");
    }
    nv_wipe(seed, sizeof seed);
    if (code == TOOL_OK) {
        nv_address_of_key(&key.address, &key.key);
        code = write_key(&key, cli.args.words[0]);
    }
    if (code == TOOL_OK) {
        print_key(&cli, &key, cli.args.words[0]);
    }
    nv_wipe(&key.secret, sizeof key.secret);
    return code;
}

enum tool_exit tool_keys_show(char **argv)
{
    struct cli_form const form = {"novate keys show FILE|NAME [--json]", 1, 1, NULL, 0};
    struct cli cli;
    struct tool_key key;
    enum tool_exit code = cli_words(&cli, &form, argv);
    if (code == TOOL_OK) {
        code = tool_key_read(&key, cli.args.words[0]) ? TOOL_OK : TOOL_USAGE;
    }
    if (code == TOOL_OK) {
        print_key(&cli, &key, cli.args.words[0]);
        nv_wipe(&key.secret, sizeof key.secret);
    }
    return code;
}

/* add_file appends a row for a key file; other files are passed by. */
static void add_file(json_t *rows, const char *folder, const char *name)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    json_t *const root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const char *const format = cli_text(root, "format");
    if (strcmp(format, FORMAT) == 0) {
        json_t *const row = json_pack("[s, s, s]", name, cli_text(root, "address"), path);
        (void)json_array_append_new(rows, row);
    }
    json_decref(root);
}

enum tool_exit tool_keys_list(char **argv)
{
    static const char *const heads[] = {"file", "address", "path", NULL};
    struct cli_form const form = {"novate keys list [FOLDER] [--json]", 0, 1, NULL, 0};
    struct cli cli;
    enum tool_exit const code = cli_words(&cli, &form, argv);
    if (code != TOOL_OK) {
        return code;
    }
    const char *const folder = cli.args.count > 0 ? cli.args.words[0] : ".";
    DIR *const dir = opendir(folder);
    if (dir == NULL) {
        return tool_fail(TOOL_FAILED, strerror(errno), NULL, "%s cannot be read", folder);
    }
    json_t *const rows = json_array();
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        if (strchr(entry->d_name, '.') != entry->d_name) {
            add_file(rows, folder, entry->d_name);
        }
    }
    (void)closedir(dir);
    if (cli.json) {
        cli_dump(rows);
    } else {
        cli_table(heads, rows);
    }
    json_decref(rows);
    return TOOL_OK;
}
