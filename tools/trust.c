#include "tools/trust.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fmt.h"
#include "base/heap.h"

#include "tools/ask.h"
#include "tools/devnet/devnet.h"
#include "tools/pin.h"

#define GENESIS_MAX (16u << 20)
#define PATH_SIZE   1024u
#define LINE_SIZE   1024u

/* ---- genesis files ---- */

/* read_file reads a whole file; NULL with errno.  Free with nv_heap_free. */
static uint8_t *read_file(const char *path, uint32_t *size)
{
    FILE *const file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    uint8_t *bytes = nv_heap_alloc(GENESIS_MAX);
    size_t const got = bytes != NULL ? fread(bytes, 1, GENESIS_MAX, file) : 0;
    *size = (uint32_t)got;
    if (bytes != NULL && ferror(file) != 0) {
        nv_heap_free(bytes);
        bytes = NULL;
    }
    (void)fclose(file);
    return bytes;
}

static enum tool_exit read_genesis(struct light_chain *out, const char *path)
{
    uint32_t size = 0;
    uint8_t *const bytes = read_file(path, &size);
    if (bytes == NULL) {
        return tool_fail(TOOL_USAGE, strerror(errno), NULL, "%s cannot be read", path);
    }
    enum nv_err const err = light_chain_read(out, nv_view_of(bytes, size));
    nv_heap_free(bytes);
    if (err != NV_OK) {
        return tool_fail(TOOL_USAGE,
                         "a genesis is JSON and names validators with key and stake",
                         NULL,
                         "%s is no genesis",
                         path);
    }
    return TOOL_OK;
}

/* devnet_knows returns whether the genesis of the devnet at hand is this one. */
static bool devnet_knows(const struct nv_hash *chain_id)
{
    char path[PATH_SIZE];
    uint32_t size = 0;
    struct nv_hash hash;
    (void)snprintf(path, sizeof path, "%s/genesis.json", devnet_dir(NULL));
    uint8_t *const bytes = read_file(path, &size);
    if (bytes == NULL) {
        return false;
    }
    nv_sha256(&hash, nv_view_of(bytes, size));
    nv_heap_free(bytes);
    return nv_hash_eq(&hash, chain_id);
}

/* ---- chains that were met before: lines "URL 0xCHAIN" ---- */

enum known { KNOWN_NEW, KNOWN_SAME, KNOWN_OTHER };

static bool known_path(char out[PATH_SIZE], const char *file)
{
    const char *const given = getenv("NOVATE_HOME");
    const char *const home = getenv("HOME");
    int size = -1;
    if (given != NULL) {
        size = snprintf(out, PATH_SIZE, "%s%s", given, file);
    } else if (home != NULL) {
        size = snprintf(out, PATH_SIZE, "%s/.novate%s", home, file);
    }
    return size > 0 && (uint32_t)size < PATH_SIZE;
}

static enum known known_look(const char *path, const char *url, const char *chain)
{
    char line[LINE_SIZE];
    enum known found = KNOWN_NEW;
    FILE *const file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char *const space = strchr(line, ' ');
        line[strcspn(line, "\n")] = '\0';
        if (space != NULL && (size_t)(space - line) == strlen(url) &&
            memcmp(line, url, strlen(url)) == 0) {
            found = strcmp(space + 1, chain) == 0 ? KNOWN_SAME : KNOWN_OTHER;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

static void known_add(const char *path, const char *url, const char *chain)
{
    char folder[PATH_SIZE];
    if (known_path(folder, "")) {
        (void)mkdir(folder, 0700);
    }
    FILE *const file = fopen(path, "a");
    bool const kept = file != NULL && fprintf(file, "%s %s\n", url, chain) > 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    (void)fprintf(stderr,
                  "novate: first contact with %s; it is on chain %s, %s%s\n"
                  "  why:  all proofs hang on the chain's genesis\n"
                  "  next: compare that hash with one you trust, or give --genesis FILE\n",
                  url,
                  chain,
                  kept ? "which is now pinned in " : "which cannot be pinned in ",
                  path);
}

static enum tool_exit known_check(const char *url, const char *chain)
{
    char path[PATH_SIZE];
    if (!known_path(path, "/known_chains")) {
        return tool_fail(TOOL_USAGE,
                         "neither HOME nor NOVATE_HOME is set",
                         "--genesis FILE",
                         "there is no place to remember the chain in");
    }
    switch (known_look(path, url, chain)) {
    case KNOWN_SAME: return TOOL_OK;
    case KNOWN_NEW: known_add(path, url, chain); return TOOL_OK;
    case KNOWN_OTHER:
        return tool_fail(TOOL_REFUSED,
                         "it was another when it was pinned: a new network, or a false one",
                         "--genesis FILE, or remove the line of that URL from known_chains",
                         "the node at %s is on chain %s, which is not the one in %s",
                         url,
                         chain,
                         path);
    }
    return TOOL_FAILED;
}

/* ---- all together ---- */

static enum tool_exit read_answer(struct light_chain *out, const json_t *answer, const char *url)
{
    char text[NV_BYTES_TEXT(32)];
    const json_t *const genesis = json_object_get(answer, "text");
    const char *const claimed = json_string_value(json_object_get(answer, "chain_id"));
    const char *const bytes = json_string_value(genesis);
    if (bytes == NULL || claimed == NULL ||
        light_chain_read(out, nv_view_of(bytes, (uint32_t)json_string_length(genesis))) != NV_OK) {
        return tool_fail(TOOL_REFUSED, NULL, NULL, "the node at %s gives no genesis", url);
    }
    nv_bytes_format(text, out->light.chain_id.bytes, sizeof out->light.chain_id.bytes);
    if (strcmp(text, claimed) != 0) {
        return tool_fail(TOOL_REFUSED,
                         "a chain is named by the hash of its genesis",
                         NULL,
                         "the genesis that the node at %s gives has the hash %s, not %s",
                         url,
                         text,
                         claimed);
    }
    if (devnet_knows(&out->light.chain_id)) {
        return TOOL_OK;
    }
    return known_check(url, text);
}

/* begin_with takes the genesis, and what was seen of its chain before. */
static enum tool_exit begin_with(struct tool_trust *out, const struct light_chain *chain)
{
    char folder[PATH_SIZE];
    out->devnet = chain->devnet;
    out->light = chain->light;
    if (devnet_knows(&chain->light.chain_id)) {
        return seen_load(&out->seen, &out->light, devnet_dir(NULL));
    }
    return seen_load(&out->seen, &out->light, known_path(folder, "") ? folder : NULL);
}

enum tool_exit tool_trust_file(struct tool_trust *out, const char *path)
{
    struct light_chain chain;
    enum tool_exit const code = read_genesis(&chain, path);
    return code == TOOL_OK ? begin_with(out, &chain) : code;
}

/* find finds the chain, and what was seen of it. */
static enum tool_exit
find(struct tool_trust *out, struct rpc_client *client, const char *url, const char *genesis)
{
    struct light_chain chain;
    json_t *answer = NULL;
    if (genesis != NULL) {
        return tool_trust_file(out, genesis);
    }
    enum tool_exit code = tool_ask(client, url, &answer, "chain_genesis", NULL);
    if (code == TOOL_OK) {
        code = read_answer(&chain, answer, url);
    }
    json_decref(answer);
    return code == TOOL_OK ? begin_with(out, &chain) : code;
}

enum tool_exit tool_trust(struct tool_trust *out,
                          struct rpc_client *client,
                          const char *url,
                          const char *genesis,
                          const char *pin)
{
    struct tool_pin named;
    enum tool_exit code = pin != NULL ? tool_pin_read(&named, pin) : TOOL_OK;
    if (code == TOOL_OK) {
        code = find(out, client, url, genesis);
    }
    return code == TOOL_OK && pin != NULL ? tool_pin_take(&named, out, client, url) : code;
}
