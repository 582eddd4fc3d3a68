/* Goal: a vote has one encoding: what decodes encodes to the same bytes.
 * Method: the first byte gives the number of validators, the rest is a vote. */

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#include "consensus/vote.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t again[CS_VOTE_SIZE];
    struct cs_vote vote;
    struct nv_reader r;
    struct nv_writer w;
    if (size < 1 || size > 1u << 16) {
        return 0;
    }
    uint32_t const validators = 1u + bytes[0] % CS_VALIDATORS_MAX;
    nv_reader_init(&r, nv_view_of(bytes + 1, (uint32_t)size - 1));
    if (cs_vote_get(&r, &vote, validators) != NV_OK || nv_reader_end(&r) != NV_OK) {
        return 0;
    }
    nv_writer_init(&w, again, sizeof again);
    cs_vote_put(&w, &vote);
    if (w.overflow || w.size != size - 1 || memcmp(again, bytes + 1, w.size) != 0 ||
        vote.signer >= validators || cs_vote_offence(&vote, &vote) != CS_OFFENCE_NONE) {
        abort();
    }
    return 0;
}
