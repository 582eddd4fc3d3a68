#include "tools/light.h"

#include <jansson.h>
#include <string.h>

#include "base/fmt.h"

#include "tools/shown.h"
#include "vm/params.h"

static bool read_validator(struct cs_validator *out, const json_t *entry)
{
    const char *const key = json_string_value(json_object_get(entry, "key"));
    const char *const stake = json_string_value(json_object_get(entry, "stake"));
    return key != NULL && stake != NULL &&
           nv_bytes_parse(out->key.bytes, sizeof out->key.bytes, nv_view_of_text(key)) == NV_OK &&
           nv_u64_parse(&out->stake, nv_view_of_text(stake)) == NV_OK;
}

static enum nv_err read_validators(struct cs_valset *out, const json_t *list)
{
    struct cs_validator members[CS_VALIDATORS_MAX];
    size_t const count = json_array_size(list);
    if (count == 0 || count > CS_VALIDATORS_MAX) {
        return NV_ERR_MALFORMED;
    }
    for (size_t i = 0; i < count; i++) {
        if (!read_validator(&members[i], json_array_get(list, i))) {
            return NV_ERR_MALFORMED;
        }
    }
    return cs_valset_init(out, members, (uint32_t)count) == NV_OK ? NV_OK : NV_ERR_MALFORMED;
}

/* read_trusting finds for how long a set of the chain is believed.  A genesis
 * that no node starts from must not make it forever.
 * SPEC light 1: "Nodes and tools take `EVIDENCE_TIME`" */
static enum nv_err read_trusting(uint64_t *out, const json_t *root)
{
    const json_t *const epoch_ms = json_object_get(json_object_get(root, "consensus"), "epoch_ms");
    const json_t *const given = json_object_get(json_object_get(root, "params"), "EVIDENCE_TIME");
    *out = 0;
    if (json_integer_value(epoch_ms) == 0) {
        return epoch_ms == NULL || json_is_integer(epoch_ms) ? NV_OK : NV_ERR_MALFORMED;
    }
    *out = (uint64_t)vm_param_spec_of(VM_PARAM_EVIDENCE_TIME)->devnet;
    if (given != NULL) {
        const char *const text = json_string_value(given);
        NV_TRY(text != NULL ? nv_u64_parse(out, nv_view_of_text(text)) : NV_ERR_MALFORMED);
    }
    return *out != 0 ? NV_OK : NV_ERR_MALFORMED;
}

enum nv_err light_chain_read(struct light_chain *out, struct nv_view genesis)
{
    struct nv_hash id;
    struct cs_valset validators;
    memset(out, 0, sizeof *out);
    nv_sha256(&id, genesis);
    json_t *const root =
        json_loadb((const char *)genesis.bytes, genesis.size, JSON_REJECT_DUPLICATES, NULL);
    json_int_t const time_ms = json_integer_value(json_object_get(root, "time_ms"));
    uint64_t trusting_ms = 0;
    enum nv_err err = read_validators(&validators, json_object_get(root, "validators"));
    if (err == NV_OK) {
        err = read_trusting(&trusting_ms, root);
    }
    out->devnet = json_is_true(json_object_get(root, "devnet"));
    json_decref(root);
    NV_TRY(err);
    if (time_ms < 0) {
        return NV_ERR_MALFORMED;
    }
    cs_light_init(&out->light, &id, (uint64_t)time_ms, trusting_ms, &validators);
    return NV_OK;
}

void light_said_read(struct light_said *out, const json_t *from)
{
    out->block.header = get_hex(from, "header", out->header, sizeof out->header);
    out->block.certificate =
        get_hex(from, "certificate", out->certificate, sizeof out->certificate);
}

bool light_header(struct cs_header *out, struct nv_view bytes)
{
    struct nv_reader reader;
    nv_reader_init(&reader, bytes);
    return cs_header_get(&reader, out) == NV_OK && nv_reader_end(&reader) == NV_OK;
}

const char *light_text(enum cs_light_verdict verdict)
{
    switch (verdict) {
    case CS_LIGHT_OK: return "it is proved";
    case CS_LIGHT_HEADER: return "the block header is malformed";
    case CS_LIGHT_CHAIN: return "the block header is of another chain";
    case CS_LIGHT_EARLIER: return "the block is of an epoch before the one that is believed";
    case CS_LIGHT_LATER: return "the block is of a later epoch than the one that is believed";
    case CS_LIGHT_VALIDATORS: return "the block was made under other validators than its epoch has";
    case CS_LIGHT_ORDER: return "the block is not after the boundary of its epoch";
    case CS_LIGHT_EXPIRED:
        return "what is believed is so old that its validators have nothing to lose any more";
    case CS_LIGHT_CERTIFICATE: return "the finality certificate is malformed";
    case CS_LIGHT_NOT_FINAL: return "the certificate does not finalise the block";
    case CS_LIGHT_BLOCK: return "the finality certificate is of another block";
    case CS_LIGHT_SIGNATURES:
        return "the finality certificate is not signed by more than two thirds of the stake";
    case CS_LIGHT_PARENT: return "the block header is not that of the final block's ancestor";
    case CS_LIGHT_OTHER: return "the block is not the one that was named";
    case CS_LIGHT_NO_BOUNDARY: return "the block does not close its epoch";
    case CS_LIGHT_SET: return "the next validators are not those that the boundary names";
    case CS_LIGHT_PROOF: return "the proof is malformed";
    case CS_LIGHT_ROOT: return "the proof does not lead to the state root of the final block";
    }
    return "it is not known";
}
