#include "rpc/method.h"

#include <stdio.h>
#include <string.h>

#include "rpc/server.h"

const struct rpc_method *rpc__method_find(const struct rpc *rpc, const char *name)
{
    for (uint32_t i = 0; i < rpc->method_count; i++) {
        if (strcmp(rpc->methods[i].name, name) == 0) {
            return &rpc->methods[i];
        }
    }
    return NULL;
}

/* alike counts the pairs of neighbouring characters of `a` that `b` has too. */
static uint32_t alike(const char *a, const char *b)
{
    uint32_t count = 0;
    for (; a[0] != '\0' && a[1] != '\0'; a++) {
        char const pair[3] = {a[0], a[1], '\0'};
        count += strstr(b, pair) != NULL ? 2 : 0;
    }
    return count;
}

const char *rpc__method_nearest(const struct rpc *rpc, const char *name)
{
    char cut[64];
    snprintf(cut, sizeof cut, "%s", name);
    const char *nearest = rpc->methods[0].name;
    uint32_t best = 0;
    for (uint32_t i = 0; i < rpc->method_count; i++) {
        const char *other = rpc->methods[i].name;
        uint32_t const shared = alike(cut, other) + alike(other, cut);
        uint32_t const score = shared * 64 / (uint32_t)(strlen(other) + strlen(cut));
        if (score > best) {
            best = score;
            nearest = other;
        }
    }
    return nearest;
}
