#include "base/assert.h"

#include "consensus/message.h"

#include "base/pure.h"

void cs_block_put(struct nv_writer *w, const struct cs_block *block)
{
    cs_header_put(w, &block->header);
    nv_put_u8(w, block->has_justify ? 1 : 0);
    if (block->has_justify) {
        cs_certificate_put(w, &block->justify);
    }
    cs_evidence_list_put(w, &block->evidence);
}

static void put_list(struct nv_writer *w, const struct cs_list *list)
{
    nv_put_bytes(w, list->bytes.bytes, list->bytes.size);
}

static void put_proposal(struct nv_writer *w, const struct cs_proposal *proposal)
{
    nv_put_u8(w, proposal->again ? 1 : 0);
    nv_put_u64(w, proposal->epoch);
    nv_put_u64(w, proposal->view);
    nv_put_u64(w, proposal->parent_view);
    cs_header_put(w, &proposal->header);
    nv_put_bytes(w, proposal->sig.bytes, sizeof proposal->sig.bytes);
    nv_put_u8(w, proposal->has_justify ? 1 : 0);
    if (proposal->has_justify) {
        cs_certificate_put(w, &proposal->justify);
    }
    cs_evidence_list_put(w, &proposal->evidence);
    nv_put_u8(w, (uint8_t)proposal->certificates.count);
    put_list(w, &proposal->certificates);
}

static void put_status(struct nv_writer *w, const struct cs_status *status)
{
    nv_put_u64(w, status->epoch);
    nv_put_u64(w, status->view);
    nv_put_u64(w, status->final_height);
    nv_put_u64(w, status->final_view);
    nv_put_bytes(w, status->final_hash.bytes, NV_HASH_SIZE);
    nv_put_u64(w, status->time_ms);
    nv_put_u8(w, status->entry_kind);
}

static void put_cert_request(struct nv_writer *w, const struct cs_cert_request *request)
{
    NV_ASSERT(request->count >= 1);
    NV_ASSERT(request->count <= CS_CERTS_MAX);
    nv_put_u64(w, request->epoch);
    nv_put_u16(w, (uint16_t)request->count);
    for (uint32_t i = 0; i < request->count; i++) {
        nv_put_u64(w, request->view[i]);
    }
}

static void put_block_request(struct nv_writer *w, const struct cs_block_request *request)
{
    nv_put_u8(w, request->by_hash ? 1 : 2);
    nv_put_bytes(w, request->hash.bytes, NV_HASH_SIZE);
    nv_put_u64(w, request->from);
    nv_put_u16(w, (uint16_t)request->count);
}

static void put_block_response(struct nv_writer *w, const struct cs_block_response *response)
{
    nv_put_u8(w, response->has_final ? 1 : 0);
    if (response->has_final) {
        cs_certificate_put(w, &response->final);
    }
    nv_put_u16(w, (uint16_t)response->blocks.count);
    put_list(w, &response->blocks);
}

static void put_body_chunk(struct nv_writer *w, const struct cs_body_chunk *body_chunk)
{
    const struct cs_chunk *const chunk = &body_chunk->chunk;
    nv_put_bytes(w, body_chunk->block_hash.bytes, NV_HASH_SIZE);
    nv_put_u32(w, chunk->index);
    nv_put_u8(w, (uint8_t)chunk->path.depth);
    nv_put_bytes(w, chunk->path.sibling, chunk->path.depth * NV_HASH_SIZE);
    nv_put_bytes(w, chunk->bytes.bytes, chunk->bytes.size);
}

static void put_body_request(struct nv_writer *w, const struct cs_body_request *request)
{
    nv_put_bytes(w, request->block_hash.bytes, NV_HASH_SIZE);
    nv_put_u32(w, request->first);
    nv_put_u32(w, request->count);
}

void cs_message_encode(struct nv_writer *w, const struct cs_message *message)
{
    switch (message->type) {
    case CS_MSG_PROPOSAL: put_proposal(w, &message->proposal); break;
    case CS_MSG_VOTE: cs_vote_put(w, &message->vote); break;
    case CS_MSG_CERTIFICATE: cs_certificate_put(w, &message->certificate); break;
    case CS_MSG_STATUS: put_status(w, &message->status); break;
    case CS_MSG_EVIDENCE: cs_evidence_put(w, &message->evidence); break;
    case CS_MSG_CERT_REQUEST: put_cert_request(w, &message->cert_request); break;
    case CS_MSG_CERT_RESPONSE:
        nv_put_u16(w, (uint16_t)message->cert_response.certificates.count);
        put_list(w, &message->cert_response.certificates);
        break;
    case CS_MSG_BODY_CHUNK: put_body_chunk(w, &message->body_chunk); break;
    case CS_MSG_BLOCK_REQUEST: put_block_request(w, &message->block_request); break;
    case CS_MSG_BLOCK_RESPONSE: put_block_response(w, &message->block_response); break;
    case CS_MSG_EPOCH_REQUEST: nv_put_u64(w, message->epoch_request.epoch); break;
    case CS_MSG_EPOCH_RESPONSE: cs_handover_put(w, &message->handover); break;
    case CS_MSG_BODY_REQUEST: put_body_request(w, &message->body_request); break;
    }
}

uint32_t cs_message_lane(enum cs_message_type type)
{
    switch (type) {
    case CS_MSG_PROPOSAL:
    case CS_MSG_VOTE:
    case CS_MSG_CERTIFICATE:
    case CS_MSG_STATUS:
    case CS_MSG_EVIDENCE:
    case CS_MSG_CERT_REQUEST: return 0;
    case CS_MSG_CERT_RESPONSE:
    case CS_MSG_BODY_CHUNK:
    case CS_MSG_BLOCK_REQUEST:
    case CS_MSG_BLOCK_RESPONSE:
    case CS_MSG_EPOCH_REQUEST:
    case CS_MSG_EPOCH_RESPONSE:
    case CS_MSG_BODY_REQUEST: return 1;
    }
    NV_ASSERT(false);
    return 1;
}
