#include "tools/proved.h"

#include <string.h>

#include "base/fmt.h"
#include "base/heap.h"

#include "consensus/certificate.h"
#include "consensus/header.h"
#include "tools/shown.h"

#define DISTRUST "do not rely on it; ask another node with --node URL"

/* read_bytes decodes a member in hex into a piece of `room`; an empty view when
 * there is none. */
static struct nv_view read_bytes(const json_t *object, const char *key, uint8_t *out, uint32_t cap)
{
    const char *const text = json_string_value(json_object_get(object, key));
    uint32_t size = 0;
    if (text == NULL || nv_bytes_parse_up_to(out, &size, cap, nv_view_of_text(text)) != NV_OK) {
        return nv_view_of(out, 0);
    }
    return nv_view_of(out, size);
}

static enum tool_exit distrust(const char *why)
{
    return tool_fail(TOOL_REFUSED, why, DISTRUST, "the answer is not proved");
}

/* says_otherwise returns whether height or root beside the proof are not those
 * of its header. */
static bool says_otherwise(const json_t *proof, const struct light_final *final)
{
    json_t *const right = json_object();
    put_u64(right, "height", final->height);
    put_hex(right, "state_root", final->state_root.bytes, sizeof final->state_root.bytes);
    const char *const difference = derive_difference(right, proof);
    json_decref(right);
    return difference != NULL;
}

static enum tool_exit
open_proof(struct tool_proved *out, const struct light_chain *chain, const json_t *proof)
{
    uint8_t header[CS_HEADER_SIZE];
    static uint8_t certificate[CS_CERTIFICATE_SIZE_MAX];
    if (!json_is_object(proof)) {
        return distrust("it came without a proof");
    }
    enum light_verdict verdict =
        light_check(&out->final,
                    chain,
                    read_bytes(proof, "header", header, sizeof header),
                    read_bytes(proof, "certificate", certificate, sizeof certificate));
    if (verdict != LIGHT_OK) {
        return distrust(light_text(verdict));
    }
    if (says_otherwise(proof, &out->final)) {
        return distrust("height or state root are not those of the final block");
    }
    out->bytes = nv_heap_alloc(NV_PROOF_SIZE_MAX);
    if (out->bytes == NULL) {
        return tool_fail(TOOL_FAILED, NULL, NULL, "no memory is left");
    }
    verdict = light_open(
        &out->proof, &out->final, read_bytes(proof, "proof", out->bytes, NV_PROOF_SIZE_MAX));
    return verdict == LIGHT_OK ? TOOL_OK : distrust(light_text(verdict));
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
                                 const struct light_chain *chain,
                                 const char *method,
                                 const json_t *params,
                                 const json_t *answer)
{
    memset(out, 0, sizeof *out);
    enum tool_exit const code = open_proof(out, chain, json_object_get(answer, "proof"));
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

json_t *tool_proved_summary(const struct tool_proved *proved, const struct light_chain *chain)
{
    const struct light_final *const final = &proved->final;
    json_t *const out = json_object();
    put_u64(out, "height", final->height);
    put_u64(out, "block_height", final->block_height);
    put_count(out, "block_time_ms", final->block_time_ms);
    put_hex(out, "state_root", final->state_root.bytes, sizeof final->state_root.bytes);
    put_hex(out, "chain_id", chain->id.bytes, sizeof chain->id.bytes);
    put_count(out, "signers", final->signers);
    put_count(out, "validators", final->validators);
    put_bool(out, "checked", true);
    return out;
}
