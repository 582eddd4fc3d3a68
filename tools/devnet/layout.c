#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/devnet/devnet.h"

const char *devnet_dir(const char *given)
{
    const char *const environment = getenv("NOVATE_DEVNET");
    return given != NULL ? given : environment != NULL ? environment : "devnet";
}

void devnet_path(char out[DEVNET_PATH_MAX], const struct devnet *d, const char *name)
{
    (void)snprintf(out, DEVNET_PATH_MAX, "%s/%s", d->dir, name);
}

void devnet_url(char out[64], const struct devnet *d, uint32_t node)
{
    (void)snprintf(out, 64, "http://127.0.0.1:%u", d->base_port + 10 * node + 1);
}

bool devnet_save(const struct devnet *d)
{
    char path[DEVNET_PATH_MAX];
    devnet_path(path, d, "devnet.json");
    json_t *const root = json_pack("{s:i, s:i, s:s, s:b}",
                                   "base_port",
                                   (int)d->base_port,
                                   "validators",
                                   (int)d->validators,
                                   "feed",
                                   d->feed,
                                   "bots",
                                   d->bots ? 1 : 0);
    bool const good = root != NULL && json_dump_file(root, path, JSON_INDENT(2)) == 0;
    json_decref(root);
    if (!good) {
        (void)tool_fail(TOOL_FAILED, NULL, NULL, "%s cannot be written", path);
    }
    return good;
}

bool devnet_load(struct devnet *d, const char *dir)
{
    char path[DEVNET_PATH_MAX];
    char real[PATH_MAX];
    memset(d, 0, sizeof *d);
    if (realpath(dir, real) == NULL || strlen(real) >= sizeof d->dir) {
        (void)tool_fail(TOOL_FAILED, NULL, "novate devnet up", "there is no devnet in %s", dir);
        return false;
    }
    memcpy(d->dir, real, strlen(real) + 1);
    devnet_path(path, d, "devnet.json");
    json_t *const root = json_load_file(path, 0, NULL);
    int port = 0;
    int validators = 0;
    const char *feed = NULL;
    int bots = 0;
    bool const good = json_unpack(root,
                                  "{s:i, s:i, s:s, s:b}",
                                  "base_port",
                                  &port,
                                  "validators",
                                  &validators,
                                  "feed",
                                  &feed,
                                  "bots",
                                  &bots) == 0 &&
                      port > 0 && validators >= 1 && validators <= (int)DEVNET_VALIDATORS_MAX;
    if (good) {
        d->base_port = (uint32_t)port;
        d->validators = (uint32_t)validators;
        (void)snprintf(d->feed, sizeof d->feed, "%s", feed);
        d->bots = bots != 0;
    } else {
        (void)tool_fail(TOOL_FAILED, NULL, "novate devnet up", "there is no devnet in %s", dir);
    }
    json_decref(root);
    return good;
}
