#include "tools/final.h"

#include <jansson.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/submit.h"

#define FOLLOW_MAX 64u /* blocks to a descendant with a finalization of its own */

/* The headers from the block asked for to the descendant that makes it final. */
static uint8_t headers[FOLLOW_MAX + 1][CS_HEADER_SIZE];

/* ask_block asks for the block of a height. */
static bool ask_block(struct light_said *out, struct rpc_client *client, uint64_t height)
{
    char text[NV_DECIMAL_TEXT];
    json_t *block = NULL;
    nv_u64_format(text, height);
    if (rpc_client_call(client, &block, "chain_block", json_pack("{s:s}", "height", text)) !=
        NV_OK) {
        return false;
    }
    light_said_read(out, block);
    json_decref(block);
    return true;
}

/* climb finds the first block from the one said on that has a finalization of
 * its own, and returns how far it is; the headers on the way are kept. */
static enum cs_light_verdict climb(struct cs_light_final *out,
                                   uint32_t *steps,
                                   const struct cs_light *light,
                                   struct rpc_client *client,
                                   struct light_said *said)
{
    struct cs_header first;
    if (!light_header(&first, said->block.header)) {
        return CS_LIGHT_HEADER;
    }
    for (*steps = 0;; ++*steps) {
        memcpy(headers[*steps], said->header, CS_HEADER_SIZE);
        enum cs_light_verdict const verdict =
            cs_light_final(out, light, tool_now_ms(), &said->block);
        if (verdict != CS_LIGHT_BLOCK || *steps == FOLLOW_MAX ||
            !ask_block(said, client, first.height + *steps + 1)) {
            return verdict;
        }
    }
}

/* descend goes back from headers[steps] to headers[0], parent by parent. */
static enum cs_light_verdict descend(struct cs_light_final *final, uint32_t steps)
{
    enum cs_light_verdict verdict = CS_LIGHT_OK;
    while (verdict == CS_LIGHT_OK && steps > 0) {
        steps--;
        verdict = cs_light_parent(final, nv_view_of(headers[steps], CS_HEADER_SIZE));
    }
    return verdict;
}

enum tool_exit tool_final(struct cs_light_final *out,
                          struct tool_trust *trust,
                          struct rpc_client *client,
                          const json_t *answer)
{
    static struct light_said said;
    uint32_t steps = 0;
    light_said_read(&said, answer);
    enum tool_exit const code = tool_trust_reach(trust, client, said.block.header);
    if (code != TOOL_OK) {
        return code;
    }
    enum cs_light_verdict verdict = climb(out, &steps, &trust->light, client, &said);
    if (verdict == CS_LIGHT_OK) {
        enum tool_exit const taken = seen_take(&trust->seen, &trust->light, &said.block, out);
        if (taken != TOOL_OK) {
            return taken;
        }
        verdict = descend(out, steps);
    }
    if (verdict == CS_LIGHT_OK) {
        return TOOL_OK;
    }
    return tool_fail(TOOL_REFUSED,
                     light_text(verdict),
                     "ask another node with --node URL",
                     "the block is not proved to be final");
}
