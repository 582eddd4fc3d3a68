#ifndef NV_TESTS_LIB_CONSENSUS_BUILD_H
#define NV_TESTS_LIB_CONSENSUS_BUILD_H

/* consensus_build.h - validators with known keys, and signed votes,
 * certificates, blocks and messages of theirs. */

#include <stdint.h>

#include "base/key.h"

#include "consensus/certificate.h"
#include "consensus/header.h"
#include "consensus/message.h"
#include "consensus/valset.h"
#include "consensus/vote.h"

/* A set with its secret keys, by index in the set. */
struct cs_net {
    struct cs_valset set;
    struct nv_seckey seckey[CS_VALIDATORS_MAX];
    struct nv_hash chain_id;
};

/* cs_net_init makes `count` validators; stakes may be NULL for 1 each. */
void cs_net_init(struct cs_net *net, const uint64_t *stakes, uint32_t count);

/* cs_net_init_at is that with the keys from `first` on: other keys than 0's. */
void cs_net_init_at(struct cs_net *net, const uint64_t *stakes, uint32_t count, uint32_t first);

/* cs_build_hash returns a hash that depends on `n` alone. */
struct nv_hash cs_build_hash(uint64_t n);

/* cs_build_ballot returns a ballot of epoch 1; a nullify ignores the block. */
struct cs_ballot
cs_build_ballot(enum cs_vote_kind kind, uint64_t view, uint64_t parent_view, struct nv_hash block);

/* cs_build_vote signs. */
struct cs_vote
cs_build_vote(const struct cs_net *net, const struct cs_ballot *ballot, uint32_t signer);

/* cs_build_certificate signs with every validator whose bit in `signers` is
 * set; the signatures go to `sigs`, which has room for them. */
struct cs_certificate cs_build_certificate(const struct cs_net *net,
                                           struct nv_sig *sigs,
                                           const struct cs_ballot *ballot,
                                           const struct cs_bitmap *signers);

/* cs_build_quorum is that with the first validators that are a quorum. */
struct cs_certificate
cs_build_quorum(const struct cs_net *net, struct nv_sig *sigs, const struct cs_ballot *ballot);

/* cs_build_first is a certificate by the first `count` validators. */
struct cs_certificate cs_build_first(const struct cs_net *net,
                                     struct nv_sig *sigs,
                                     const struct cs_ballot *ballot,
                                     uint32_t count);

#endif /* NV_TESTS_LIB_CONSENSUS_BUILD_H */
