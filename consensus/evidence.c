#include "consensus/evidence.h"

#include <string.h>

#include "base/assert.h"
#include "base/merkle.h"

#include "base/pure.h"

#define BALLOT_SIZE 57u

/* ballots_cmp orders ballots by their bytes. */
static int ballots_cmp(const struct cs_ballot *a, const struct cs_ballot *b)
{
    uint8_t bytes[2][BALLOT_SIZE];
    struct nv_writer w;
    nv_writer_init(&w, bytes[0], BALLOT_SIZE);
    cs_ballot_put(&w, a);
    nv_writer_init(&w, bytes[1], BALLOT_SIZE);
    cs_ballot_put(&w, b);
    return nv_bytes_cmp(bytes[0], bytes[1], BALLOT_SIZE);
}

bool cs_evidence_make(struct cs_evidence *evidence,
                      const struct cs_vote *a,
                      const struct cs_vote *b,
                      const struct cs_valset *set)
{
    bool const ordered = ballots_cmp(&a->ballot, &b->ballot) < 0;
    const struct cs_vote *const first = ordered ? a : b;
    const struct cs_vote *const second = ordered ? b : a;
    if (cs_vote_offence(a, b) == CS_OFFENCE_NONE || a->signer >= set->count) {
        return false;
    }
    memset(evidence, 0, sizeof *evidence);
    evidence->key = set->member[a->signer].key;
    evidence->half[0].ballot = first->ballot;
    evidence->half[0].sig = first->sig;
    evidence->half[1].ballot = second->ballot;
    evidence->half[1].sig = second->sig;
    return true;
}

enum cs_offence cs_evidence_offence(const struct cs_evidence *evidence)
{
    return cs_ballot_offence(&evidence->half[0].ballot, &evidence->half[1].ballot);
}

uint64_t cs_evidence_epoch(const struct cs_evidence *evidence)
{
    return evidence->half[0].ballot.epoch;
}

int cs_evidence_cmp(const struct cs_evidence *a, const struct cs_evidence *b)
{
    int const by_key = nv_bytes_cmp(a->key.bytes, b->key.bytes, sizeof a->key.bytes);
    uint64_t const x = cs_evidence_epoch(a);
    uint64_t const y = cs_evidence_epoch(b);
    if (by_key != 0 || x == y) {
        return by_key;
    }
    return x < y ? -1 : 1;
}

bool cs_evidence_verify(const struct cs_evidence *evidence, const struct nv_hash *chain_id)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct nv_hash digest;
        cs_ballot_digest(&digest, chain_id, &evidence->half[i].ballot);
        if (!nv_verify(&evidence->half[i].sig, &evidence->key, &digest)) {
            return false;
        }
    }
    return true;
}

void cs_evidence_put(struct nv_writer *w, const struct cs_evidence *evidence)
{
    nv_put_bytes(w, evidence->key.bytes, sizeof evidence->key.bytes);
    for (uint32_t i = 0; i < 2; i++) {
        cs_ballot_put(w, &evidence->half[i].ballot);
        nv_put_bytes(w, evidence->half[i].sig.bytes, sizeof evidence->half[i].sig.bytes);
    }
}

enum nv_err cs_evidence_get(struct nv_reader *r, struct cs_evidence *evidence)
{
    memset(evidence, 0, sizeof *evidence);
    nv_get_bytes(r, evidence->key.bytes, sizeof evidence->key.bytes);
    for (uint32_t i = 0; i < 2; i++) {
        NV_TRY(cs_ballot_get(r, &evidence->half[i].ballot));
        nv_get_bytes(r, evidence->half[i].sig.bytes, sizeof evidence->half[i].sig.bytes);
    }
    if (r->failed) {
        return NV_ERR_TRUNCATED;
    }
    bool const right = cs_evidence_offence(evidence) != CS_OFFENCE_NONE &&
                       ballots_cmp(&evidence->half[0].ballot, &evidence->half[1].ballot) < 0;
    return right ? NV_OK : NV_ERR_MALFORMED;
}

bool cs_evidence_fits(uint32_t count)
{
    return count <= CS_EVIDENCE_MAX && count * CS_EVIDENCE_SIZE <= CS_EVIDENCE_LIST_SIZE_MAX;
}

void cs_evidence_list_put(struct nv_writer *w, const struct cs_list *list)
{
    NV_ASSERT(cs_evidence_fits(list->count));
    nv_put_u8(w, (uint8_t)list->count);
    nv_put_bytes(w, list->bytes.bytes, list->bytes.size);
}

enum nv_err cs_evidence_list_get(struct nv_reader *r, struct cs_list *list)
{
    struct cs_evidence last;
    uint32_t const count = nv_get_u8(r);
    uint32_t const start = r->at;
    if (!cs_evidence_fits(count)) {
        return NV_ERR_TOO_LARGE;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct cs_evidence item;
        NV_TRY(cs_evidence_get(r, &item));
        if (i > 0 && cs_evidence_cmp(&last, &item) >= 0) {
            return NV_ERR_MALFORMED;
        }
        last = item;
    }
    list->count = count;
    list->bytes = nv_view_of(r->bytes + start, r->at - start);
    return r->failed ? NV_ERR_TRUNCATED : NV_OK;
}

void cs_evidence_next(struct nv_reader *r, struct cs_evidence *evidence)
{
    enum nv_err const err = cs_evidence_get(r, evidence);
    NV_ASSERT(err == NV_OK);
}

void cs_evidence_root(struct nv_hash *root, const struct cs_list *list)
{
    struct nv_view leaf[CS_EVIDENCE_MAX];
    NV_ASSERT(list->bytes.size == list->count * CS_EVIDENCE_SIZE);
    for (uint32_t i = 0; i < list->count; i++) {
        leaf[i] = nv_view_of(list->bytes.bytes + i * CS_EVIDENCE_SIZE, CS_EVIDENCE_SIZE);
    }
    nv_merkle_root(root, leaf, list->count);
}

bool cs_evidence_list_verify(const struct cs_list *list, const struct nv_hash *chain_id)
{
    struct nv_reader r;
    nv_reader_init(&r, list->bytes);
    for (uint32_t i = 0; i < list->count; i++) {
        struct cs_evidence item;
        cs_evidence_next(&r, &item);
        if (!cs_evidence_verify(&item, chain_id)) {
            return false;
        }
    }
    return true;
}
