#include "tools/keyring.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/fmt.h"

#include "tools/say.h"

static bool complete(struct tool_key *out)
{
    if (nv_key_public(&out->key, &out->secret) != NV_OK) {
        return false;
    }
    nv_address_of_key(&out->address, &out->key);
    return true;
}

void tool_key_named(struct tool_key *out, const char *name)
{
    struct nv_hash seed;
    struct nv_view const part = nv_view_of((const uint8_t *)name, (uint32_t)strlen(name));
    memset(out, 0, sizeof *out);
    (void)snprintf(out->name, sizeof out->name, "%s", name);
    nv_tagged_hash(&seed, "novate/devnet-key/v1", &part, 1);
    enum nv_err const err = nv_key_from_seed(&out->secret, &out->key, seed.bytes);
    NV_ASSERT(err == NV_OK);
    nv_address_of_key(&out->address, &out->key);
}

static bool from_hex(struct tool_key *out, const char *text)
{
    struct nv_view const view = nv_view_of((const uint8_t *)text, (uint32_t)strlen(text));
    (void)snprintf(out->name, sizeof out->name, "%s", "key");
    return nv_bytes_parse(out->secret.bytes, sizeof out->secret.bytes, view) == NV_OK &&
           complete(out);
}

static bool from_file(struct tool_key *out, const char *path)
{
    json_t *const root = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const char *const secret = json_string_value(json_object_get(root, "secret"));
    bool const good = secret != NULL && from_hex(out, secret);
    json_decref(root);
    return good;
}

bool tool_key_read(struct tool_key *out, const char *text)
{
    memset(out, 0, sizeof *out);
    bool good = true;
    if (strncmp(text, "0x", 2) == 0) {
        good = from_hex(out, text);
    } else if (strchr(text, '/') != NULL || strchr(text, '.') != NULL) {
        good = from_file(out, text);
    } else {
        tool_key_named(out, text);
    }
    if (!good) {
        (void)tool_fail(
            TOOL_USAGE,
            "a key is the name of a devnet account (alice), 0x and 64 hex digits, or a key file",
            "novate keys new FILE",
            "\"%s\" is no key",
            text);
    }
    return good;
}
