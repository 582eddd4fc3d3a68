/* Goal: a certificate has one encoding, and verifying one never reads beyond it.
 * Method: the first byte gives the number of validators, the rest is a certificate; it is
 * verified against a set whose keys no signature fits. */

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#include "consensus/certificate.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void verify(const struct cs_certificate *certificate, uint32_t validators)
{
    static const struct nv_hash chain_id;
    struct cs_valset set;
    memset(&set, 0, sizeof set);
    set.count = validators;
    set.stake_total = validators;
    for (uint32_t i = 0; i < validators; i++) {
        set.member[i].stake = 1;
    }
    if (cs_certificate_verify(certificate, &chain_id, &set, NULL)) {
        abort(); /* the keys are no points */
    }
    struct cs_bitmap const all = certificate->signers;
    for (uint32_t i = validators; i < CS_VALIDATORS_MAX; i++) {
        if (cs_bitmap_has(&all, i)) {
            return;
        }
    }
    uint64_t const stake = cs_valset_stake(&set, &all);
    if (cs_certificate_verify(certificate, &chain_id, &set, &all) !=
        cs_valset_quorum(&set, stake)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t again[CS_CERTIFICATE_SIZE_MAX];
    struct cs_certificate certificate;
    struct nv_hash hash;
    struct nv_reader r;
    struct nv_writer w;
    if (size < 1 || size > 1u << 16) {
        return 0;
    }
    uint32_t const validators = 1u + bytes[0] % CS_VALIDATORS_MAX;
    nv_reader_init(&r, nv_view_of(bytes + 1, (uint32_t)size - 1));
    if (cs_certificate_get(&r, &certificate) != NV_OK || nv_reader_end(&r) != NV_OK) {
        return 0;
    }
    nv_writer_init(&w, again, sizeof again);
    cs_certificate_put(&w, &certificate);
    if (w.overflow || w.size != size - 1 || memcmp(again, bytes + 1, w.size) != 0) {
        abort();
    }
    cs_certificate_hash(&hash, &certificate);
    verify(&certificate, validators);
    return 0;
}
