/* walk.c - from epoch to epoch by what a node shows (tools/trust.h). */

#include <jansson.h>

#include "base/fmt.h"

#include "tools/shown.h"
#include "tools/submit.h"
#include "tools/trust.h"

enum cs_light_verdict tool_trust_step(struct cs_light *light, uint64_t now_ms, const json_t *answer)
{
    static struct light_said boundary;
    uint8_t set[CS_VALSET_SIZE_MAX];
    light_said_read(&boundary, answer);
    struct nv_view const next = get_hex(answer, "next_validators", set, sizeof set);
    return cs_light_advance(light, now_ms, &boundary.block, next);
}

static enum tool_exit cannot(uint64_t epoch, const char *why)
{
    char text[NV_DECIMAL_TEXT];
    nv_u64_format(text, epoch);
    return tool_fail(TOOL_REFUSED,
                     why,
                     "ask another node with --node URL",
                     "the node does not prove who validates after epoch %s",
                     text);
}

enum tool_exit
tool_trust_reach(struct tool_trust *trust, struct rpc_client *client, struct nv_view header)
{
    struct cs_header decoded;
    if (!light_header(&decoded, header)) {
        return TOOL_OK; /* whoever judges the header will say so */
    }
    while (trust->light.epoch < decoded.epoch) {
        char text[NV_DECIMAL_TEXT];
        json_t *answer = NULL;
        nv_u64_format(text, trust->light.epoch);
        if (rpc_client_call(client, &answer, "chain_epoch", json_pack("{s:s}", "epoch", text)) !=
            NV_OK) {
            return cannot(trust->light.epoch, "it gives no boundary block of that epoch");
        }
        enum cs_light_verdict const verdict = tool_trust_step(&trust->light, tool_now_ms(), answer);
        json_decref(answer);
        if (verdict != CS_LIGHT_OK) {
            return cannot(trust->light.epoch, light_text(verdict));
        }
    }
    return TOOL_OK;
}
