#include "consensus/certificate.h"

#include <string.h>

#include "base/assert.h"

#include "base/pure.h"

static uint32_t bitmap_size(uint32_t validator_count)
{
    NV_ASSERT(validator_count >= 1);
    NV_ASSERT(validator_count <= CS_VALIDATORS_MAX);
    return (validator_count + 7) / 8;
}

void cs_certificate_put(struct nv_writer *w,
                        const struct cs_certificate *certificate,
                        uint32_t validator_count)
{
    cs_ballot_put(w, &certificate->ballot);
    nv_put_bytes(w, certificate->signers.bytes, bitmap_size(validator_count));
    nv_put_bytes(w, certificate->sigs, certificate->signer_count * (uint32_t)sizeof(struct nv_sig));
}

enum nv_err cs_certificate_get(struct nv_reader *r,
                               struct cs_certificate *certificate,
                               uint32_t validator_count)
{
    memset(certificate, 0, sizeof *certificate);
    NV_TRY(cs_ballot_get(r, &certificate->ballot));
    nv_get_bytes(r, certificate->signers.bytes, bitmap_size(validator_count));
    uint32_t const count = cs_bitmap_count(&certificate->signers);
    if (r->failed) {
        return NV_ERR_TRUNCATED;
    }
    for (uint32_t i = validator_count; i < CS_VALIDATORS_MAX; i++) {
        if (cs_bitmap_has(&certificate->signers, i)) {
            return NV_ERR_MALFORMED;
        }
    }
    if (count == 0) {
        return NV_ERR_MALFORMED;
    }
    struct nv_view const sigs = nv_get_view(r, count * (uint32_t)sizeof(struct nv_sig));
    certificate->signer_count = count;
    certificate->sigs = (const struct nv_sig *)sigs.bytes;
    return r->failed ? NV_ERR_TRUNCATED : NV_OK;
}

void cs_certificate_hash(struct nv_hash *out,
                         const struct cs_certificate *certificate,
                         uint32_t validator_count)
{
    uint8_t head[CS_CERTIFICATE_SIZE(CS_VALIDATORS_MAX, 0u)];
    struct nv_writer w;
    nv_writer_init(&w, head, sizeof head);
    cs_ballot_put(&w, &certificate->ballot);
    nv_put_bytes(&w, certificate->signers.bytes, bitmap_size(validator_count));
    struct nv_view const parts[2] = {
        nv_writer_view(&w),
        nv_view_of(certificate->sigs, certificate->signer_count * (uint32_t)sizeof(struct nv_sig)),
    };
    nv_tagged_hash(out, "novate/justify/v1", parts, 2);
}

bool cs_certificate_verify(const struct cs_certificate *certificate,
                           const struct nv_hash *chain_id,
                           const struct cs_valset *set,
                           const struct cs_bitmap *known)
{
    struct nv_hash digest;
    uint64_t stake = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < CS_VALIDATORS_MAX; i++) {
        if (cs_bitmap_has(&certificate->signers, i)) {
            if (i >= set->count) {
                return false;
            }
            stake += set->member[i].stake;
        }
    }
    if (!cs_valset_quorum(set, stake)) {
        return false;
    }
    cs_ballot_digest(&digest, chain_id, &certificate->ballot);
    for (uint32_t i = 0; i < set->count; i++) {
        if (!cs_bitmap_has(&certificate->signers, i)) {
            continue;
        }
        bool const sure = known != NULL && cs_bitmap_has(known, i);
        if (!sure && !nv_verify(&certificate->sigs[at], &set->member[i].key, &digest)) {
            return false;
        }
        at++;
    }
    return true;
}
