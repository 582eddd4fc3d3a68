#include "consensus/light_client.h"

#include "base/assert.h"
#include "base/codec.h"

#include "consensus/certificate.h"

#include "base/pure.h"

#define LIGHT_VERSION 1u

/* ---- the light state ---- */

void cs_light_init(struct cs_light *light,
                   const struct nv_hash *chain_id,
                   uint64_t genesis_time_ms,
                   uint64_t trusting_ms,
                   const struct cs_valset *set)
{
    *light = (struct cs_light){
        .chain_id = *chain_id,
        .epoch = 1,
        .trusting_ms = trusting_ms,
        .boundary_time_ms = genesis_time_ms,
        .boundary_hash = *chain_id,
        .set = *set,
    };
}

uint32_t cs_light_encode(const struct cs_light *light, uint8_t *out)
{
    struct nv_writer w;
    nv_writer_init(&w, out, CS_LIGHT_HEAD_SIZE);
    nv_put_u16(&w, LIGHT_VERSION);
    nv_put_bytes(&w, light->chain_id.bytes, NV_HASH_SIZE);
    nv_put_u64(&w, light->epoch);
    nv_put_u64(&w, light->trusting_ms);
    nv_put_u64(&w, light->boundary_height);
    nv_put_u64(&w, light->boundary_time_ms);
    nv_put_bytes(&w, light->boundary_hash.bytes, NV_HASH_SIZE);
    nv_put_bytes(&w, light->set.hash.bytes, NV_HASH_SIZE);
    NV_ASSERT(!w.overflow);
    NV_ASSERT(w.size == CS_LIGHT_HEAD_SIZE);
    return w.size + cs_valset_encode(&light->set, out + w.size);
}

enum nv_err cs_light_decode(struct cs_light *light, struct nv_view bytes)
{
    struct nv_reader r;
    struct nv_hash set_hash;
    nv_reader_init(&r, bytes);
    uint32_t const version = nv_get_u16(&r);
    nv_get_bytes(&r, light->chain_id.bytes, NV_HASH_SIZE);
    light->epoch = nv_get_u64(&r);
    light->trusting_ms = nv_get_u64(&r);
    light->boundary_height = nv_get_u64(&r);
    light->boundary_time_ms = nv_get_u64(&r);
    nv_get_bytes(&r, light->boundary_hash.bytes, NV_HASH_SIZE);
    nv_get_bytes(&r, set_hash.bytes, NV_HASH_SIZE);
    struct nv_view const set = nv_get_view(&r, nv_reader_left(&r));
    NV_TRY(nv_reader_end(&r));
    if (version != LIGHT_VERSION) {
        return NV_ERR_VERSION;
    }
    if (light->epoch < 1) {
        return NV_ERR_RANGE;
    }
    NV_TRY(cs_valset_decode(&light->set, set));
    return nv_hash_eq(&light->set.hash, &set_hash) ? NV_OK : NV_ERR_MISMATCH;
}

/* ---- headers ---- */

static enum cs_light_verdict read_header(struct cs_light_final *out, struct nv_view bytes)
{
    struct nv_reader r;
    nv_reader_init(&r, bytes);
    if (cs_header_get(&r, &out->header) != NV_OK || nv_reader_end(&r) != NV_OK) {
        return CS_LIGHT_HEADER;
    }
    cs_header_hash(&out->hash, &out->header);
    return CS_LIGHT_OK;
}

bool cs_light_expired(const struct cs_light *light, uint64_t now_ms)
{
    return light->trusting_ms != 0 && now_ms > light->boundary_time_ms &&
           now_ms - light->boundary_time_ms > light->trusting_ms;
}

/* judge_header checks all that is in the header itself. */
static enum cs_light_verdict
judge_header(const struct cs_light *light, const struct cs_header *header)
{
    if (!nv_hash_eq(&header->chain_id, &light->chain_id)) {
        return CS_LIGHT_CHAIN;
    }
    if (header->epoch != light->epoch) {
        return header->epoch < light->epoch ? CS_LIGHT_EARLIER : CS_LIGHT_LATER;
    }
    if (!nv_hash_eq(&header->valset_hash, &light->set.hash)) {
        return CS_LIGHT_VALIDATORS;
    }
    if (header->height <= light->boundary_height || header->time_ms < light->boundary_time_ms) {
        return CS_LIGHT_ORDER;
    }
    return CS_LIGHT_OK;
}

/* judge_certificate checks that the header is finalized; it writes the signers. */
static enum cs_light_verdict
judge_certificate(const struct cs_light *light, struct cs_light_final *final, struct nv_view bytes)
{
    struct cs_certificate certificate;
    struct nv_reader r;
    nv_reader_init(&r, bytes);
    if (cs_certificate_get(&r, &certificate) != NV_OK || nv_reader_end(&r) != NV_OK) {
        return CS_LIGHT_CERTIFICATE;
    }
    if (certificate.ballot.kind != CS_FINALIZE) {
        return CS_LIGHT_NOT_FINAL;
    }
    if (certificate.ballot.epoch != light->epoch ||
        !nv_hash_eq(&certificate.ballot.block_hash, &final->hash)) {
        return CS_LIGHT_BLOCK;
    }
    final->signers = certificate.signers;
    return cs_certificate_verify(&certificate, &light->chain_id, &light->set, NULL)
               ? CS_LIGHT_OK
               : CS_LIGHT_SIGNATURES;
}

enum cs_light_verdict cs_light_final(struct cs_light_final *out,
                                     const struct cs_light *light,
                                     uint64_t now_ms,
                                     const struct cs_light_block *block)
{
    struct cs_light_final final;
    enum cs_light_verdict verdict = read_header(&final, block->header);
    if (verdict == CS_LIGHT_OK) {
        verdict = judge_header(light, &final.header);
    }
    if (verdict == CS_LIGHT_OK && cs_light_expired(light, now_ms)) {
        verdict = CS_LIGHT_EXPIRED;
    }
    if (verdict == CS_LIGHT_OK) {
        verdict = judge_certificate(light, &final, block->certificate);
    }
    if (verdict == CS_LIGHT_OK) {
        *out = final;
    }
    return verdict;
}

enum cs_light_verdict cs_light_parent(struct cs_light_final *final, struct nv_view header)
{
    struct cs_light_final parent;
    enum cs_light_verdict const verdict = read_header(&parent, header);
    if (verdict != CS_LIGHT_OK) {
        return verdict;
    }
    if (!nv_hash_eq(&parent.hash, &final->header.parent_hash) ||
        !nv_hash_eq(&parent.header.chain_id, &final->header.chain_id) ||
        parent.header.height + 1 != final->header.height) {
        return CS_LIGHT_PARENT;
    }
    final->header = parent.header;
    final->hash = parent.hash;
    return CS_LIGHT_OK;
}

/* ---- from epoch to epoch ---- */

/* step goes to the epoch that a block opens which is believed. */
static enum cs_light_verdict
step(struct cs_light *light, const struct cs_light_final *final, struct nv_view next_set)
{
    static const struct nv_hash none;
    struct cs_valset set;
    if (nv_hash_eq(&final->header.next_valset_hash, &none)) {
        return CS_LIGHT_NO_BOUNDARY;
    }
    if (cs_valset_decode(&set, next_set) != NV_OK ||
        !nv_hash_eq(&set.hash, &final->header.next_valset_hash)) {
        return CS_LIGHT_SET;
    }
    light->epoch = final->header.epoch + 1;
    light->boundary_height = final->header.height;
    light->boundary_time_ms = final->header.time_ms;
    light->boundary_hash = final->hash;
    light->set = set;
    return CS_LIGHT_OK;
}

enum cs_light_verdict cs_light_begin(struct cs_light *light,
                                     const struct nv_hash *named,
                                     struct nv_view header,
                                     struct nv_view set)
{
    struct cs_light_final block;
    enum cs_light_verdict const verdict = read_header(&block, header);
    if (verdict != CS_LIGHT_OK) {
        return verdict;
    }
    if (!nv_hash_eq(&block.hash, named)) {
        return CS_LIGHT_OTHER;
    }
    if (!nv_hash_eq(&block.header.chain_id, &light->chain_id)) {
        return CS_LIGHT_CHAIN;
    }
    return step(light, &block, set);
}

enum cs_light_verdict cs_light_advance(struct cs_light *light,
                                       uint64_t now_ms,
                                       const struct cs_light_block *boundary,
                                       struct nv_view next_set)
{
    struct cs_light_final final;
    enum cs_light_verdict const verdict = cs_light_final(&final, light, now_ms, boundary);
    return verdict == CS_LIGHT_OK ? step(light, &final, next_set) : verdict;
}

/* ---- the state, and forks ---- */

enum cs_light_verdict
cs_light_open(struct nv_proof *out, const struct cs_light_final *final, struct nv_view bytes)
{
    enum nv_err const err = nv_proof_open(out, &final->header.state_root, bytes);
    if (err == NV_OK) {
        return CS_LIGHT_OK;
    }
    return err == NV_ERR_MISMATCH ? CS_LIGHT_ROOT : CS_LIGHT_PROOF;
}

bool cs_light_fork(const struct cs_light_final *a, const struct cs_light_final *b)
{
    return nv_hash_eq(&a->header.chain_id, &b->header.chain_id) &&
           a->header.height == b->header.height && !nv_hash_eq(&a->hash, &b->hash);
}
