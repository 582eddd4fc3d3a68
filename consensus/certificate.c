#include "consensus/certificate.h"

#include <string.h>

#include "base/assert.h"
#include "base/bug.h"

#include "base/pure.h"

/* bitmap_size returns the bytes up to the last one that is not 0. */
static uint32_t bitmap_size(const struct cs_bitmap *map)
{
    uint32_t size = CS_BITMAP_SIZE;
    while (size > 0 && map->bytes[size - 1] == 0) {
        size--;
    }
    return size;
}

uint32_t cs_certificate_size(const struct cs_certificate *certificate)
{
    return 58u + bitmap_size(&certificate->signers) +
           certificate->signer_count * (uint32_t)sizeof(struct nv_sig);
}

/* put_head writes what stands before the signatures. */
static void put_head(struct nv_writer *w, const struct cs_certificate *certificate)
{
    uint32_t const size = bitmap_size(&certificate->signers);
    cs_ballot_put(w, &certificate->ballot);
    nv_put_u8(w, (uint8_t)size);
    nv_put_bytes(w, certificate->signers.bytes, size);
}

void cs_certificate_put(struct nv_writer *w, const struct cs_certificate *certificate)
{
    NV_ASSERT(certificate->signer_count >= 1);
    put_head(w, certificate);
    nv_put_bytes(w, certificate->sigs, certificate->signer_count * (uint32_t)sizeof(struct nv_sig));
}

enum nv_err cs_certificate_get(struct nv_reader *r, struct cs_certificate *certificate)
{
    memset(certificate, 0, sizeof *certificate);
    NV_TRY(cs_ballot_get(r, &certificate->ballot));
    uint32_t const size = nv_get_u8(r);
    if (r->failed) {
        return NV_ERR_TRUNCATED;
    }
    if (size < 1 || size > CS_BITMAP_SIZE) {
        return NV_ERR_MALFORMED;
    }
    nv_get_bytes(r, certificate->signers.bytes, size);
    if (!r->failed && certificate->signers.bytes[size - 1] == 0) {
        return NV_ERR_MALFORMED;
    }
    uint32_t const count = cs_bitmap_count(&certificate->signers);
    struct nv_view const sigs = nv_get_view(r, count * (uint32_t)sizeof(struct nv_sig));
    certificate->signer_count = count;
    certificate->sigs = (const struct nv_sig *)sigs.bytes;
    return r->failed ? NV_ERR_TRUNCATED : NV_OK;
}

void cs_certificate_hash(struct nv_hash *out, const struct cs_certificate *certificate)
{
    uint8_t head[58u + CS_BITMAP_SIZE];
    struct nv_writer w;
    nv_writer_init(&w, head, sizeof head);
    put_head(&w, certificate);
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
    uint32_t members = 0;
    uint32_t at = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        if (cs_bitmap_has(&certificate->signers, i)) {
            stake += set->member[i].stake;
            members++;
        }
    }
    if (members != cs_bitmap_count(&certificate->signers) ||
        (!cs_valset_quorum(set, stake) && !NV_SEEDED(WEIGHT_UNCHECKED))) {
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
