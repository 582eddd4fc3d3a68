#include "tests/lib/consensus_build.h"

#include <string.h>

#include "base/assert.h"
#include "base/codec.h"

struct nv_hash cs_build_hash(uint64_t n)
{
    struct nv_hash hash;
    uint8_t bytes[8];
    nv_be64_store(bytes, n);
    struct nv_view const part = nv_view_of(bytes, sizeof bytes);
    nv_tagged_hash(&hash, "novate/test/v1", &part, 1);
    return hash;
}

void cs_net_init(struct cs_net *net, const uint64_t *stakes, uint32_t count)
{
    cs_net_init_at(net, stakes, count, 0);
}

void cs_net_init_at(struct cs_net *net, const uint64_t *stakes, uint32_t count, uint32_t first)
{
    struct cs_validator members[CS_VALIDATORS_MAX];
    struct nv_seckey seckeys[CS_VALIDATORS_MAX];
    memset(net, 0, sizeof *net);
    net->chain_id = cs_build_hash(0);
    for (uint32_t i = 0; i < count; i++) {
        struct nv_hash const seed = cs_build_hash(1000 + first + i);
        enum nv_err const err = nv_key_from_seed(&seckeys[i], &members[i].key, seed.bytes);
        NV_ASSERT(err == NV_OK);
        members[i].stake = stakes != NULL ? stakes[i] : 1;
    }
    enum nv_err const err = cs_valset_init(&net->set, members, count);
    NV_ASSERT(err == NV_OK);
    for (uint32_t i = 0; i < count; i++) {
        net->seckey[cs_valset_find(&net->set, &members[i].key)] = seckeys[i];
    }
}

struct cs_ballot
cs_build_ballot(enum cs_vote_kind kind, uint64_t view, uint64_t parent_view, struct nv_hash block)
{
    struct cs_ballot ballot = {.kind = kind, .epoch = 1, .view = view};
    if (kind != CS_NULLIFY) {
        ballot.parent_view = parent_view;
        ballot.block_hash = block;
    }
    return ballot;
}

struct cs_vote
cs_build_vote(const struct cs_net *net, const struct cs_ballot *ballot, uint32_t signer)
{
    struct cs_vote vote = {.ballot = *ballot, .signer = (uint16_t)signer};
    struct nv_hash digest;
    cs_ballot_digest(&digest, &net->chain_id, ballot);
    nv_sign(&vote.sig, &net->seckey[signer], &digest);
    return vote;
}

struct cs_certificate cs_build_certificate(const struct cs_net *net,
                                           struct nv_sig *sigs,
                                           const struct cs_ballot *ballot,
                                           const struct cs_bitmap *signers)
{
    struct cs_certificate certificate = {.ballot = *ballot, .signers = *signers, .sigs = sigs};
    for (uint32_t i = 0; i < net->set.count; i++) {
        if (cs_bitmap_has(signers, i)) {
            struct cs_vote const vote = cs_build_vote(net, ballot, i);
            sigs[certificate.signer_count++] = vote.sig;
        }
    }
    return certificate;
}

struct cs_certificate cs_build_first(const struct cs_net *net,
                                     struct nv_sig *sigs,
                                     const struct cs_ballot *ballot,
                                     uint32_t count)
{
    struct cs_bitmap signers = {{0}};
    for (uint32_t i = 0; i < count; i++) {
        cs_bitmap_add(&signers, i);
    }
    return cs_build_certificate(net, sigs, ballot, &signers);
}

struct cs_certificate
cs_build_quorum(const struct cs_net *net, struct nv_sig *sigs, const struct cs_ballot *ballot)
{
    uint64_t stake = 0;
    uint32_t count = 0;
    while (!cs_valset_quorum(&net->set, stake)) {
        stake += net->set.member[count].stake;
        count++;
    }
    return cs_build_first(net, sigs, ballot, count);
}
