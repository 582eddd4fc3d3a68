#include "node/home/init.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fmt.h"
#include "base/secret.h"

#include "node/home/keys.h"
#include "p2p/p2p.h"

static bool make_folder(const char *path, struct node_fault *fault)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        node_fault_set(fault,
                       NODE_EXIT_FAILED,
                       "make the folder above it, or name another --home",
                       "%s: cannot be made: %s",
                       path,
                       strerror(errno));
    }
    return !node_fault_is(fault);
}

/* make_folder_of makes the folder that holds the file `path`. */
static bool make_folder_of(const char *path, struct node_fault *fault)
{
    char folder[ST_PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s", path);
    char *const slash = strrchr(folder, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    return make_folder(folder, fault);
}

static bool write_config(const struct node_config *config, struct node_fault *fault)
{
    FILE *const file = fopen(config->file, "wx");
    bool ok = file != NULL;
    if (ok) {
        node_config_template(config, file);
        ok = ferror(file) == 0;
        ok = fclose(file) == 0 && ok;
    }
    if (!ok) {
        node_fault_set(fault,
                       NODE_EXIT_FAILED,
                       errno == EEXIST ? "there is a home already: novated start" : NULL,
                       "%s: cannot be written: %s",
                       config->file,
                       strerror(errno));
    }
    return ok;
}

static bool make_tls(const struct node_config *config, struct node_fault *fault)
{
    char path[ST_PATH_MAX];
    node_config_path(path, config, NODE_KEYS_TLS);
    if (!make_folder(path, fault)) {
        return false;
    }
    enum nv_err const err = p2p_make_certificate(path);
    if (err != NV_OK) {
        node_fault_set(fault,
                       NODE_EXIT_FAILED,
                       NULL,
                       "%s: no certificate could be made: %s",
                       path,
                       nv_err_text(err));
    }
    return err == NV_OK;
}

static bool make_key(const struct node_config *config,
                     enum node_setting setting,
                     enum node_key_kind kind,
                     struct node_fault *fault)
{
    char path[ST_PATH_MAX];
    char text[NV_BYTES_TEXT(32)];
    struct node_key *const key = nv_secret_open(sizeof *key);
    if (key == NULL) {
        node_fault_set(fault, NODE_EXIT_FAILED, NULL, "no locked memory for a key");
        return false;
    }
    node_config_path(path, config, setting);
    bool const ok = make_folder_of(path, fault) && node_key_create(path, kind, fault) &&
                    node_key_read(key, path, kind, fault);
    if (ok) {
        nv_bytes_format(text, key->key.bytes, 32);
        (void)printf("%-10s %s\n", kind == NODE_KEY_VALIDATOR ? "validator" : "node", text);
    }
    nv_secret_close(key, sizeof *key);
    return ok;
}

bool node_init(const struct node_config *config, struct node_fault *fault)
{
    if (!make_folder(config->home, fault) || !write_config(config, fault)) {
        return false;
    }
    (void)printf("home       %s\n", config->home);
    if (!make_key(config, NODE_KEYS_VALIDATOR, NODE_KEY_VALIDATOR, fault) ||
        !make_key(config, NODE_KEYS_NODE, NODE_KEY_NODE, fault) || !make_tls(config, fault)) {
        return false;
    }
    (void)printf("next       put genesis.json there, name peers in novate.conf, novated start\n");
    return true;
}
