#include "consensus/vote.h"

#include <string.h>

#include "base/assert.h"

#include "base/pure.h"

bool cs_ballot_eq(const struct cs_ballot *a, const struct cs_ballot *b)
{
    return a->kind == b->kind && a->epoch == b->epoch && a->view == b->view &&
           a->parent_view == b->parent_view && nv_hash_eq(&a->block_hash, &b->block_hash);
}

static const char *ballot_tag(enum cs_vote_kind kind)
{
    switch (kind) {
    case CS_NOTARIZE: return "novate/notarize/v1";
    case CS_NULLIFY: return "novate/nullify/v1";
    case CS_FINALIZE: return "novate/finalize/v1";
    }
    NV_ASSERT(false);
    return "";
}

void cs_ballot_digest(struct nv_hash *out,
                      const struct nv_hash *chain_id,
                      const struct cs_ballot *ballot)
{
    uint8_t bytes[88];
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    nv_put_bytes(&w, chain_id->bytes, NV_HASH_SIZE);
    nv_put_u64(&w, ballot->epoch);
    nv_put_u64(&w, ballot->view);
    if (ballot->kind != CS_NULLIFY) {
        nv_put_u64(&w, ballot->parent_view);
        nv_put_bytes(&w, ballot->block_hash.bytes, NV_HASH_SIZE);
    }
    struct nv_view const part = nv_writer_view(&w);
    nv_tagged_hash(out, ballot_tag(ballot->kind), &part, 1);
}

void cs_ballot_put(struct nv_writer *w, const struct cs_ballot *ballot)
{
    nv_put_u8(w, (uint8_t)ballot->kind);
    nv_put_u64(w, ballot->epoch);
    nv_put_u64(w, ballot->view);
    nv_put_u64(w, ballot->parent_view);
    nv_put_bytes(w, ballot->block_hash.bytes, NV_HASH_SIZE);
}

enum nv_err cs_ballot_get(struct nv_reader *r, struct cs_ballot *ballot)
{
    uint32_t const kind = nv_get_u8(r);
    ballot->kind = (enum cs_vote_kind)kind;
    ballot->epoch = nv_get_u64(r);
    ballot->view = nv_get_u64(r);
    ballot->parent_view = nv_get_u64(r);
    nv_get_bytes(r, ballot->block_hash.bytes, NV_HASH_SIZE);
    if (r->failed) {
        return NV_ERR_TRUNCATED;
    }
    if (kind < CS_NOTARIZE || kind > CS_FINALIZE) {
        return NV_ERR_MALFORMED;
    }
    if (kind == CS_NULLIFY && (ballot->parent_view != 0 || !nv_hash_is_zero(&ballot->block_hash))) {
        return NV_ERR_MALFORMED;
    }
    return NV_OK;
}

void cs_vote_put(struct nv_writer *w, const struct cs_vote *vote)
{
    cs_ballot_put(w, &vote->ballot);
    nv_put_u16(w, vote->signer);
    nv_put_bytes(w, vote->sig.bytes, sizeof vote->sig.bytes);
}

enum nv_err cs_vote_get(struct nv_reader *r, struct cs_vote *vote)
{
    memset(vote, 0, sizeof *vote);
    NV_TRY(cs_ballot_get(r, &vote->ballot));
    vote->signer = nv_get_u16(r);
    nv_get_bytes(r, vote->sig.bytes, sizeof vote->sig.bytes);
    if (r->failed) {
        return NV_ERR_TRUNCATED;
    }
    return vote->signer < CS_VALIDATORS_MAX ? NV_OK : NV_ERR_MALFORMED;
}

bool cs_vote_verify(const struct cs_vote *vote,
                    const struct nv_hash *chain_id,
                    const struct cs_valset *set)
{
    struct nv_hash digest;
    if (vote->signer >= set->count) {
        return false;
    }
    cs_ballot_digest(&digest, chain_id, &vote->ballot);
    return nv_verify(&vote->sig, &set->member[vote->signer].key, &digest);
}

enum cs_offence cs_ballot_offence(const struct cs_ballot *a, const struct cs_ballot *b)
{
    const struct cs_ballot *x = a;
    const struct cs_ballot *y = b;
    if (x->epoch != y->epoch || x->view != y->view) {
        return CS_OFFENCE_NONE;
    }
    if (x->kind > y->kind) {
        const struct cs_ballot *const swap = x;
        x = y;
        y = swap;
    }
    bool const same_block =
        x->parent_view == y->parent_view && nv_hash_eq(&x->block_hash, &y->block_hash);
    if (x->kind == CS_NOTARIZE && y->kind == CS_NOTARIZE) {
        return same_block ? CS_OFFENCE_NONE : CS_OFFENCE_NOTARIZE_TWICE;
    }
    if (x->kind == CS_NOTARIZE && y->kind == CS_FINALIZE) {
        return same_block ? CS_OFFENCE_NONE : CS_OFFENCE_SWITCH;
    }
    if (x->kind == CS_NULLIFY && y->kind == CS_FINALIZE) {
        return CS_OFFENCE_NULLIFY_FINAL;
    }
    if (x->kind == CS_FINALIZE) {
        return same_block ? CS_OFFENCE_NONE : CS_OFFENCE_FINALIZE_TWICE;
    }
    return CS_OFFENCE_NONE;
}

enum cs_offence cs_vote_offence(const struct cs_vote *a, const struct cs_vote *b)
{
    return a->signer == b->signer ? cs_ballot_offence(&a->ballot, &b->ballot) : CS_OFFENCE_NONE;
}
