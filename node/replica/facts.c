#include "node/replica/facts.h"

#include <string.h>

#include "base/assert.h"
#include "base/bug.h"

_Static_assert(VM_SIGNERS_SIZE == CS_BITMAP_SIZE, "signers are the same bits");

static uint32_t read_offences(struct vm_offence *offences, const struct cs_list *evidence)
{
    struct nv_reader r;
    NV_ASSERT(evidence->count <= CS_EVIDENCE_MAX); /* the block was decoded */
    nv_reader_init(&r, evidence->bytes);
    for (uint32_t i = 0; i < evidence->count; i++) {
        struct cs_evidence item;
        cs_evidence_next(&r, &item);
        offences[i] = (struct vm_offence){
            .epoch = cs_evidence_epoch(&item),
            .key = item.key,
            .kind = (uint8_t)cs_evidence_offence(&item),
        };
    }
    return evidence->count;
}

void replica_facts(struct vm_consensus *out,
                   struct vm_offence offences[CS_EVIDENCE_MAX],
                   const struct cs_block *block,
                   uint64_t parent_executed)
{
    bool const closes = cs_header_closes(&block->header);
    *out = (struct vm_consensus){
        .epoch = block->header.epoch,
        .boundary = closes,
        .next_height = closes ? parent_executed : 0,
        .signers_known = block->has_justify,
        .offence_count =
            NV_SEEDED(OFFENCES_DROPPED) ? 0 : read_offences(offences, &block->evidence),
        .offences = offences,
    };
    if (block->has_justify) {
        memcpy(out->signers, block->justify.signers.bytes, sizeof out->signers);
    }
}
