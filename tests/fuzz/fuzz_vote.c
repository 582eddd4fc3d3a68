/* Goal: a vote has one encoding: what decodes encodes to the same bytes.
 * Method: the input is a vote. */

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
    if (size > 1u << 16) {
        return 0;
    }
    nv_reader_init(&r, nv_view_of(bytes, (uint32_t)size));
    if (cs_vote_get(&r, &vote) != NV_OK || nv_reader_end(&r) != NV_OK) {
        return 0;
    }
    nv_writer_init(&w, again, sizeof again);
    cs_vote_put(&w, &vote);
    if (w.overflow || w.size != size || memcmp(again, bytes, w.size) != 0 ||
        vote.signer >= CS_VALIDATORS_MAX || cs_vote_offence(&vote, &vote) != CS_OFFENCE_NONE) {
        abort();
    }
    return 0;
}
