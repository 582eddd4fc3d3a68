#include "tools/ask.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tools/devnet/devnet.h"

#define TIMEOUT_MS      30000u
#define OUTCOME_UNKNOWN 6003 /* rpc/errors.def: under way, and no failure */

/* devnet_at_hand writes the URL of the first node that runs of the devnet at
 * hand; false when there is no such devnet. */
static bool devnet_at_hand(char url[64])
{
    static struct devnet d;
    char path[DEVNET_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/devnet.json", devnet_dir(NULL));
    if (access(path, R_OK) != 0 || !devnet_load(&d, devnet_dir(NULL))) {
        return false;
    }
    for (uint32_t i = 0; i < d.validators; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "node%u", i);
        if (devnet_running(&d, name)) {
            devnet_url(url, &d, i);
            return true;
        }
    }
    return false;
}

const char *tool_url(const char *given)
{
    static char url[64];
    const char *const environment = getenv("NOVATE_NODE");
    if (given != NULL || environment != NULL) {
        return given != NULL ? given : environment;
    }
    return devnet_at_hand(url) ? url : "http://127.0.0.1:27657";
}

/* why_of writes the reason of an error and the parameter that it concerns. */
static void why_of(char *out, size_t size, const json_t *data)
{
    const char *const reason = json_string_value(json_object_get(data, "reason"));
    const char *const field = json_string_value(json_object_get(data, "field"));
    const char *const expected = json_string_value(json_object_get(data, "expected"));
    const char *const canonical = json_string_value(json_object_get(data, "canonical"));
    bool const more = expected != NULL && expected[0] != '\0';
    bool const told = more && field != NULL && field[0] != '\0';
    (void)snprintf(out,
                   size,
                   "%s%s%s%s%s%s%s",
                   reason != NULL ? reason : "",
                   told ? "; " : "",
                   told ? field : "",
                   more ? ": expected " : "",
                   more ? expected : "",
                   canonical != NULL ? "; write " : "",
                   canonical != NULL ? canonical : "");
}

static enum tool_exit refused(const char *method, const json_t *error)
{
    char why[512];
    const json_t *const data = json_object_get(error, "data");
    const char *const name = json_string_value(json_object_get(error, "message"));
    const char *const hint = json_string_value(json_object_get(data, "hint"));
    json_int_t const code = json_integer_value(json_object_get(error, "code"));
    why_of(why, sizeof why, data);
    return tool_fail(code == OUTCOME_UNKNOWN ? TOOL_UNKNOWN : TOOL_REFUSED,
                     why[0] != '\0' ? why : NULL,
                     hint != NULL && hint[0] != '\0' ? hint : NULL,
                     "%s: %s (%d)",
                     method,
                     name != NULL ? name : "the node refused it",
                     (int)code);
}

enum tool_exit tool_ask(
    struct rpc_client *client, const char *url, json_t **result, const char *method, json_t *params)
{
    enum nv_err const err = rpc_client_call(client, result, method, params);
    if (err == NV_OK) {
        return TOOL_OK;
    }
    if (err == NV_ERR_REFUSED) {
        return refused(method, rpc_client_error(client));
    }
    if (err == NV_ERR_TIMEOUT) {
        return tool_fail(TOOL_UNKNOWN,
                         "no answer came in time; whether it was carried out is unknown",
                         "novate rpc node_status --node URL",
                         "%s at %s",
                         method,
                         url);
    }
    return tool_fail(TOOL_UNREACHABLE,
                     err == NV_ERR_CLOSED ? "nothing answers there, or it hung up"
                                          : nv_err_text(err),
                     "novate devnet status, or name a node with --node URL",
                     "the node at %s cannot be reached",
                     url);
}
