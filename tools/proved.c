#include "tools/proved.h"

#include <string.h>

#include "base/heap.h"

#include "tools/final.h"
#include "tools/shown.h"
#include "tools/submit.h"

#define DISTRUST "do not rely on it; ask another node with --node URL"

static enum tool_exit distrust(const char *why)
{
    return tool_fail(TOOL_REFUSED, why, DISTRUST, "the answer is not proved");
}

/* not_final says that a header is not known to be final.  Without a node, as for
 * a saved proof, what is believed may only be too old. */
static enum tool_exit not_final(enum cs_light_verdict verdict, bool has_node)
{
    if (!has_node && (verdict == CS_LIGHT_EXPIRED || verdict == CS_LIGHT_LATER)) {
        return tool_fail(TOOL_REFUSED,
                         light_text(verdict),
                         "novate params --genesis GENESIS asks a node for later epochs, and "
                         "remembers them",
                         "the saved answer cannot be checked");
    }
    return distrust(light_text(verdict));
}

/* says_otherwise returns whether height or root beside the proof are not those
 * of its header. */
static bool says_otherwise(const json_t *proof, const struct cs_header *header)
{
    json_t *const right = json_object();
    put_u64(right, "height", header->executed_height);
    put_hex(right, "state_root", header->state_root.bytes, sizeof header->state_root.bytes);
    const char *const difference = derive_difference(right, proof);
    json_decref(right);
    return difference != NULL;
}

/* find_final finds out whether the proof's header is final, by what is believed
 * alone where there is no node. */
static enum tool_exit find_final(struct cs_light_final *out,
                                 enum cs_light_verdict *verdict,
                                 struct tool_trust *trust,
                                 struct rpc_client *client,
                                 const json_t *proof)
{
    static struct light_said said;
    if (client != NULL) {
        return tool_final_find(out, verdict, trust, client, proof);
    }
    light_said_read(&said, proof);
    *verdict = cs_light_final(out, &trust->light, tool_now_ms(), &said.block);
    return *verdict == CS_LIGHT_OK ? seen_take(&trust->seen, &trust->light, &said.block, out)
                                   : TOOL_OK;
}

static enum tool_exit check_header(struct cs_light_final *out,
                                   struct tool_trust *trust,
                                   struct rpc_client *client,
                                   const json_t *proof)
{
    enum cs_light_verdict verdict;
    enum tool_exit const code = find_final(out, &verdict, trust, client, proof);
    if (code != TOOL_OK) {
        return code;
    }
    if (verdict != CS_LIGHT_OK) {
        return not_final(verdict, client != NULL);
    }
    return says_otherwise(proof, &out->header)
               ? distrust("height or state root are not those of the final block")
               : TOOL_OK;
}

static enum tool_exit open_proof(struct tool_proved *out,
                                 struct tool_trust *trust,
                                 struct rpc_client *client,
                                 const json_t *proof)
{
    if (!json_is_object(proof)) {
        return distrust("it came without a proof");
    }
    enum tool_exit const code = check_header(&out->final, trust, client, proof);
    if (code != TOOL_OK) {
        return code;
    }
    out->bytes = nv_heap_alloc(NV_PROOF_SIZE_MAX);
    if (out->bytes == NULL) {
        return tool_fail(TOOL_FAILED, NULL, NULL, "no memory is left");
    }
    enum cs_light_verdict const verdict = cs_light_open(
        &out->proof, &out->final, get_hex(proof, "proof", out->bytes, NV_PROOF_SIZE_MAX));
    return verdict == CS_LIGHT_OK ? TOOL_OK : distrust(light_text(verdict));
}

static enum tool_exit compare(const struct tool_proved *proved, const json_t *answer)
{
    char why[160];
    const char *const name = derive_difference(proved->derived, answer);
    if (name == NULL) {
        return TOOL_OK;
    }
    (void)snprintf(why, sizeof why, "\"%s\" in it is not what its own proof shows", name);
    return distrust(why);
}

enum tool_exit tool_proved_check(struct tool_proved *out,
                                 struct tool_trust *trust,
                                 struct rpc_client *client,
                                 const char *method,
                                 const json_t *params,
                                 const json_t *answer)
{
    memset(out, 0, sizeof *out);
    enum tool_exit const code = open_proof(out, trust, client, json_object_get(answer, "proof"));
    if (code != TOOL_OK || !derive_known(method)) {
        return code;
    }
    enum nv_err const err = derive(&out->derived, &out->proof, method, params, answer);
    if (err == NV_OK) {
        return compare(out, answer);
    }
    return distrust(err == NV_ERR_NOT_FOUND  ? "by its proof there is no such thing in the state"
                    : err == NV_ERR_MISMATCH ? "its proof does not show all that it is made of"
                                             : "a row of its proof cannot be read");
}

void tool_proved_deinit(struct tool_proved *proved)
{
    json_decref(proved->derived);
    nv_heap_free(proved->bytes);
    proved->derived = NULL;
    proved->bytes = NULL;
}

json_t *tool_proved_summary(const struct tool_proved *proved, const struct tool_trust *trust)
{
    const struct cs_header *const header = &proved->final.header;
    json_t *const out = json_object();
    put_u64(out, "height", header->executed_height);
    put_u64(out, "block_height", header->height);
    put_count(out, "block_time_ms", header->time_ms);
    put_hex(out, "state_root", header->state_root.bytes, sizeof header->state_root.bytes);
    put_hex(out, "chain_id", header->chain_id.bytes, sizeof header->chain_id.bytes);
    put_u64(out, "epoch", header->epoch);
    put_count(out, "signers", cs_bitmap_count(&proved->final.signers));
    put_count(out, "validators", trust->light.set.count);
    put_bool(out, "checked", true);
    return out;
}
