#include "tools/pin.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/ask.h"
#include "tools/shown.h"
#include "tools/submit.h"

#define MORE_NODES "compare the hash with more nodes that you trust: novate rpc chain_epoch"

enum tool_exit tool_pin_read(struct tool_pin *out, const char *text)
{
    const char *const colon = strchr(text, ':');
    uint32_t const size = colon != NULL ? (uint32_t)(colon - text) : 0;
    if (colon != NULL && nv_u64_parse(&out->epoch, nv_view_of(text, size)) == NV_OK &&
        out->epoch >= 2 &&
        nv_bytes_parse(out->boundary.bytes, NV_HASH_SIZE, nv_view_of_text(colon + 1)) == NV_OK) {
        return TOOL_OK;
    }
    return tool_fail(TOOL_USAGE,
                     "EPOCH is a number from 2 on, HASH that of the block that closed the epoch "
                     "before: 0x and 64 digits",
                     "for --trust 42:HASH take block_hash of novate rpc chain_epoch epoch=41, from "
                     "nodes that you trust, more than one",
                     "--trust is \"%s\", but must be EPOCH:HASH",
                     text);
}

enum cs_light_verdict
tool_pin_begin(struct cs_light *light, const struct tool_pin *pin, const json_t *answer)
{
    static struct light_said boundary;
    uint8_t set[CS_VALSET_SIZE_MAX];
    struct cs_light begun = *light;
    light_said_read(&boundary, answer);
    struct nv_view const next = get_hex(answer, "next_validators", set, sizeof set);
    enum cs_light_verdict const verdict =
        cs_light_begin(&begun, &pin->boundary, boundary.block.header, next);
    if (verdict == CS_LIGHT_OK && begun.epoch != pin->epoch) {
        return CS_LIGHT_OTHER;
    }
    if (verdict == CS_LIGHT_OK) {
        *light = begun;
    }
    return verdict;
}

static enum tool_exit contradicted(const struct seen *seen)
{
    char next[SEEN_PATH_MAX + 160];
    (void)snprintf(next,
                   sizeof next,
                   MORE_NODES "; if they agree, what was seen is false: remove %s",
                   seen->path[0] != '\0' ? seen->path : "it");
    return tool_fail(TOOL_REFUSED,
                     "a final block that was seen is not of the chain whose block it names",
                     next,
                     "--trust contradicts what was seen of the chain before");
}

/* fits returns whether a light state that begins later can be of the chain that
 * was seen. */
static bool fits(const struct cs_light *light, const struct seen *seen)
{
    const struct cs_light_final *const newest = &seen->newest;
    if (newest->header.height == light->boundary_height) {
        return nv_hash_eq(&newest->hash, &light->boundary_hash);
    }
    return newest->header.height < light->boundary_height;
}

/* known says that the pin is not needed, or that it is wrong. */
static enum tool_exit known(const struct tool_pin *pin, const struct tool_trust *trust)
{
    if (pin->epoch == trust->light.epoch &&
        !nv_hash_eq(&pin->boundary, &trust->light.boundary_hash)) {
        return contradicted(&trust->seen);
    }
    if (pin->epoch < trust->light.epoch) {
        (void)fprintf(stderr,
                      "novate: --trust is not needed: epoch %" NV_U64 " is believed already\n",
                      trust->light.epoch);
    }
    return TOOL_OK;
}

static enum tool_exit
refused(const struct tool_pin *pin, const char *url, enum cs_light_verdict verdict)
{
    bool const other = verdict == CS_LIGHT_OTHER;
    return tool_fail(TOOL_REFUSED,
                     other ? "the block that it shows there has another hash: the node is on "
                             "another chain, or the hash is not of that epoch's beginning"
                           : light_text(verdict),
                     other ? MORE_NODES : "ask another node with --node URL",
                     "the node at %s does not show the beginning of epoch %" NV_U64
                     " that --trust names",
                     url,
                     pin->epoch);
}

enum tool_exit tool_pin_take(const struct tool_pin *pin,
                             struct tool_trust *trust,
                             struct rpc_client *client,
                             const char *url)
{
    char before[NV_DECIMAL_TEXT];
    struct cs_light light = trust->light;
    json_t *answer = NULL;
    if (pin->epoch <= trust->light.epoch) {
        return known(pin, trust);
    }
    nv_u64_format(before, pin->epoch - 1);
    enum tool_exit const code =
        tool_ask(client, url, &answer, "chain_epoch", json_pack("{s:s}", "epoch", before));
    if (code != TOOL_OK) {
        return code;
    }
    enum cs_light_verdict const verdict = tool_pin_begin(&light, pin, answer);
    json_decref(answer);
    if (verdict != CS_LIGHT_OK) {
        return refused(pin, url, verdict);
    }
    if (!fits(&light, &trust->seen)) {
        return contradicted(&trust->seen);
    }
    trust->light = light;
    return TOOL_OK;
}
