#include "tools/light.h"

#include <jansson.h>
#include <string.h>

#include "base/fmt.h"

#include "consensus/certificate.h"
#include "consensus/header.h"

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

enum nv_err light_chain_read(struct light_chain *out, struct nv_view genesis)
{
    memset(out, 0, sizeof *out);
    nv_sha256(&out->id, genesis);
    json_t *const root =
        json_loadb((const char *)genesis.bytes, genesis.size, JSON_REJECT_DUPLICATES, NULL);
    enum nv_err const err = read_validators(&out->validators, json_object_get(root, "validators"));
    out->devnet = json_is_true(json_object_get(root, "devnet"));
    json_decref(root);
    return err;
}

static enum light_verdict
check_header(struct cs_header *header, const struct light_chain *chain, struct nv_view bytes)
{
    struct nv_reader reader;
    nv_reader_init(&reader, bytes);
    if (cs_header_get(&reader, header) != NV_OK || nv_reader_end(&reader) != NV_OK) {
        return LIGHT_HEADER;
    }
    if (!nv_hash_eq(&header->chain_id, &chain->id)) {
        return LIGHT_CHAIN;
    }
    if (!nv_hash_eq(&header->valset_hash, &chain->validators.hash)) {
        return LIGHT_VALIDATORS;
    }
    return LIGHT_OK;
}

enum light_verdict light_check(struct light_final *out,
                               const struct light_chain *chain,
                               struct nv_view header_bytes,
                               struct nv_view certificate_bytes)
{
    struct cs_header header;
    struct cs_certificate certificate;
    struct nv_hash block;
    struct nv_reader reader;
    enum light_verdict const verdict = check_header(&header, chain, header_bytes);
    if (verdict != LIGHT_OK) {
        return verdict;
    }
    nv_reader_init(&reader, certificate_bytes);
    if (cs_certificate_get(&reader, &certificate) != NV_OK || nv_reader_end(&reader) != NV_OK) {
        return LIGHT_CERTIFICATE;
    }
    if (certificate.ballot.kind != CS_FINALIZE) {
        return LIGHT_NOT_FINAL;
    }
    cs_header_hash(&block, &header);
    if (!nv_hash_eq(&certificate.ballot.block_hash, &block) ||
        certificate.ballot.epoch != header.epoch) {
        return LIGHT_BLOCK;
    }
    if (!cs_certificate_verify(&certificate, &chain->id, &chain->validators, NULL)) {
        return LIGHT_SIGNATURES;
    }
    *out = (struct light_final){
        .block_height = header.height,
        .block_time_ms = header.time_ms,
        .block_hash = block,
        .height = header.executed_height,
        .state_root = header.state_root,
        .signers = certificate.signer_count,
        .validators = chain->validators.count,
        .stake = cs_valset_stake(&chain->validators, &certificate.signers),
        .stake_total = chain->validators.stake_total,
    };
    return LIGHT_OK;
}

enum light_verdict
light_open(struct nv_proof *out, const struct light_final *final, struct nv_view bytes)
{
    enum nv_err const err = nv_proof_open(out, &final->state_root, bytes);
    if (err == NV_OK) {
        return LIGHT_OK;
    }
    return err == NV_ERR_MISMATCH ? LIGHT_ROOT : LIGHT_PROOF_FORM;
}

const char *light_text(enum light_verdict verdict)
{
    switch (verdict) {
    case LIGHT_OK: return "it is proved";
    case LIGHT_HEADER: return "the block header is malformed";
    case LIGHT_CHAIN: return "the block header is of another chain";
    case LIGHT_VALIDATORS:
        return "the block was made under other validators than the genesis names";
    case LIGHT_CERTIFICATE: return "the finality certificate is malformed";
    case LIGHT_NOT_FINAL: return "the certificate does not finalise the block";
    case LIGHT_BLOCK: return "the finality certificate is of another block";
    case LIGHT_SIGNATURES:
        return "the finality certificate is not signed by more than two thirds of the stake";
    case LIGHT_PROOF_FORM: return "the proof is malformed";
    case LIGHT_ROOT: return "the proof does not lead to the state root of the final block";
    }
    return "it is not known";
}
