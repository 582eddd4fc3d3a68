#include "consensus/record.h"

#include <string.h>

#include "base/assert.h"

#include "base/pure.h"

#define RECORD_SIZE_MAX CS_HANDOVER_SIZE_MAX
_Static_assert(CS_BLOCK_SIZE_MAX <= RECORD_SIZE_MAX, "a block fits");

static void put_payload(struct nv_writer *w, const struct cs_record *record)
{
    switch (record->type) {
    case CS_RECORD_BLOCK: cs_block_put(w, &record->block); break;
    case CS_RECORD_CERTIFICATE: cs_certificate_put(w, &record->certificate); break;
    case CS_RECORD_VOTE: cs_vote_put(w, &record->vote); break;
    case CS_RECORD_FINAL:
        cs_header_put(w, &record->final.header);
        cs_certificate_put(w, &record->final.certificate);
        break;
    case CS_RECORD_EPOCH: cs_handover_put(w, &record->handover); break;
    case CS_RECORD_EVIDENCE:
        nv_put_u64(w, record->evidence.epoch);
        cs_evidence_put(w, &record->evidence.item);
        break;
    }
}

void cs_record_put(struct nv_writer *w, const struct cs_record *record)
{
    uint32_t const start = w->size;
    nv_put_u8(w, (uint8_t)record->type);
    nv_put_u32(w, 0); /* the payload's size, once it is known */
    put_payload(w, record);
    if (!w->overflow) {
        nv_be32_store(w->bytes + start + 1, w->size - start - CS_RECORD_HEAD_SIZE);
    }
}

static enum nv_err get_payload(struct nv_reader *r, struct cs_record *record)
{
    switch (record->type) {
    case CS_RECORD_BLOCK: return cs_block_get(r, &record->block);
    case CS_RECORD_CERTIFICATE: return cs_certificate_get(r, &record->certificate);
    case CS_RECORD_VOTE: return cs_vote_get(r, &record->vote);
    case CS_RECORD_FINAL:
        NV_TRY(cs_header_get(r, &record->final.header));
        NV_TRY(cs_certificate_get(r, &record->final.certificate));
        return record->final.certificate.ballot.kind == CS_FINALIZE ? NV_OK : NV_ERR_MALFORMED;
    case CS_RECORD_EPOCH: return cs_handover_get(r, &record->handover);
    case CS_RECORD_EVIDENCE:
        record->evidence.epoch = nv_get_u64(r);
        return cs_evidence_get(r, &record->evidence.item);
    }
    return NV_ERR_MALFORMED;
}

enum nv_err cs_record_get(struct nv_reader *r, struct cs_record *record)
{
    struct nv_reader payload;
    memset(record, 0, sizeof *record);
    uint32_t const type = nv_get_u8(r);
    uint32_t const size = nv_get_u32(r);
    if (!r->failed && size > RECORD_SIZE_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    record->type = (enum cs_record_type)type;
    record->payload = nv_get_view(r, size);
    if (r->failed) {
        return NV_ERR_TRUNCATED;
    }
    nv_reader_init(&payload, record->payload);
    NV_TRY(get_payload(&payload, record));
    return nv_reader_end(&payload);
}

static struct cs_moment ballot_moment(const struct cs_ballot *ballot)
{
    return (struct cs_moment){ballot->epoch, ballot->view};
}

struct cs_moment cs_record_moment(const struct cs_record *record)
{
    switch (record->type) {
    case CS_RECORD_BLOCK:
        return (struct cs_moment){record->block.header.epoch, record->block.header.view};
    case CS_RECORD_CERTIFICATE: return ballot_moment(&record->certificate.ballot);
    case CS_RECORD_VOTE: return ballot_moment(&record->vote.ballot);
    case CS_RECORD_FINAL: return ballot_moment(&record->final.certificate.ballot);
    case CS_RECORD_EPOCH: return ballot_moment(&record->handover.final.ballot);
    case CS_RECORD_EVIDENCE: return (struct cs_moment){record->evidence.epoch, UINT64_MAX};
    }
    NV_ASSERT(false);
    return (struct cs_moment){0, 0};
}
