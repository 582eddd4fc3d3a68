#include "tools/final.h"

#include <jansson.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/patience.h"
#include "tools/submit.h"

#define AT_ONCE     100u  /* blocks in an answer of chain_blocks */
#define PATIENCE_MS 5000u /* for blocks that are not there yet */

/* The blocks above one, asked for many at a time. */
struct ahead {
    struct rpc_client *client;
    json_t *answer;
    size_t given; /* of the answer */
    uint64_t next;
    struct tool_patience patience;
};

static const json_t *held(const struct ahead *a)
{
    return json_array_get(json_object_get(a->answer, "blocks"), a->given);
}

static bool ask(struct ahead *a)
{
    char from[NV_DECIMAL_TEXT];
    json_decref(a->answer);
    a->answer = NULL;
    a->given = 0;
    nv_u64_format(from, a->next);
    return rpc_client_call(a->client,
                           &a->answer,
                           "chain_blocks",
                           json_pack("{s:s, s:i}", "from", from, "count", (int)AT_ONCE)) == NV_OK;
}

/* next_block gives the next block; false: the node has none in time. */
static bool next_block(struct light_said *out, struct ahead *a)
{
    while (held(a) == NULL) {
        if (!ask(a) || (held(a) == NULL && !tool_patience_wait(&a->patience, PATIENCE_MS))) {
            return false;
        }
    }
    light_said_read(out, held(a));
    a->given++;
    a->next++;
    return true;
}

static bool read_block(struct cs_light_final *out, const struct light_said *said)
{
    if (!light_header(&out->header, said->block.header)) {
        return false;
    }
    cs_header_hash(&out->hash, &out->header);
    return true;
}

/* is_linked returns whether the block said is the child of `header`. */
static bool is_linked(const struct light_said *said, const uint8_t header[CS_HEADER_SIZE])
{
    struct cs_light_final child;
    return read_block(&child, said) &&
           cs_light_parent(&child, nv_view_of(header, CS_HEADER_SIZE)) == CS_LIGHT_OK;
}

/* leads_up returns whether a descendant may show what this block does not. */
static bool leads_up(enum cs_light_verdict verdict,
                     const struct cs_light *light,
                     const struct cs_light_final *first)
{
    return verdict == CS_LIGHT_BLOCK ||
           (verdict == CS_LIGHT_EARLIER &&
            first->header.height + TOOL_FINAL_CLIMB_MAX > light->boundary_height);
}

/* climb finds the first block from the one said on that has a finalization of its
 * own in the believed epoch; it is left in `said`, and the one begun with is its
 * ancestor or itself. */
static enum cs_light_verdict climb(struct cs_light_final *top,
                                   const struct cs_light *light,
                                   const struct cs_light_final *first,
                                   struct ahead *ahead,
                                   struct light_said *said)
{
    uint8_t below[CS_HEADER_SIZE];
    enum cs_light_verdict verdict = cs_light_final(top, light, tool_now_ms(), &said->block);
    for (uint32_t i = 0; i < TOOL_FINAL_CLIMB_MAX && leads_up(verdict, light, first); i++) {
        memcpy(below, said->header, CS_HEADER_SIZE);
        if (!next_block(said, ahead)) {
            return verdict;
        }
        if (!is_linked(said, below)) {
            return CS_LIGHT_PARENT;
        }
        verdict = cs_light_final(top, light, tool_now_ms(), &said->block);
    }
    return verdict;
}

enum tool_exit tool_final_find(struct cs_light_final *out,
                               enum cs_light_verdict *verdict,
                               struct tool_trust *trust,
                               struct rpc_client *client,
                               const json_t *answer)
{
    static struct light_said said;
    struct cs_light_final first;
    struct cs_light_final top;
    light_said_read(&said, answer);
    *verdict = CS_LIGHT_HEADER;
    if (!read_block(&first, &said)) {
        return TOOL_OK;
    }
    struct ahead ahead = {.client = client, .next = first.header.height + 1};
    enum tool_exit code = tool_trust_walk(trust, client, first.header.epoch);
    if (code == TOOL_OK) {
        *verdict = climb(&top, &trust->light, &first, &ahead, &said);
        if (*verdict == CS_LIGHT_OK) {
            code = seen_take(&trust->seen, &trust->light, &said.block, &top);
        }
        *out = first;
        out->signers = top.signers;
    }
    json_decref(ahead.answer);
    return code;
}

enum tool_exit tool_final(struct cs_light_final *out,
                          struct tool_trust *trust,
                          struct rpc_client *client,
                          const json_t *answer)
{
    enum cs_light_verdict verdict;
    enum tool_exit const code = tool_final_find(out, &verdict, trust, client, answer);
    if (code != TOOL_OK || verdict == CS_LIGHT_OK) {
        return code;
    }
    return tool_fail(TOOL_REFUSED,
                     light_text(verdict),
                     "ask another node with --node URL",
                     "the block is not proved to be final");
}
