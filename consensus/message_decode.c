#include <string.h>

#include "base/assert.h"

#include "consensus/message.h"

#include "base/pure.h"

/* get_flag reads a u8 that says whether something follows. */
static enum nv_err get_flag(struct nv_reader *r, bool *flag)
{
    uint32_t const value = nv_get_u8(r);
    *flag = value == 1;
    if (r->failed) {
        return NV_ERR_TRUNCATED;
    }
    return value <= 1 ? NV_OK : NV_ERR_MALFORMED;
}

enum nv_err cs_block_get(struct nv_reader *r, struct cs_block *block)
{
    memset(block, 0, sizeof *block);
    NV_TRY(cs_header_get(r, &block->header));
    NV_TRY(get_flag(r, &block->has_justify));
    if (block->has_justify) {
        NV_TRY(cs_certificate_get(r, &block->justify));
    }
    return cs_evidence_list_get(r, &block->evidence);
}

static enum nv_err get_certificates(struct nv_reader *r, struct cs_list *list, uint32_t count)
{
    uint32_t const start = r->at;
    for (uint32_t i = 0; i < count; i++) {
        struct cs_certificate skipped;
        NV_TRY(cs_certificate_get(r, &skipped));
    }
    list->count = count;
    list->bytes = nv_view_of(r->bytes + start, r->at - start);
    return NV_OK;
}

/* views_right returns whether a proposal's views are those of its header, or
 * later ones of a block that closes its epoch. */
static bool views_right(const struct cs_proposal *proposal)
{
    const struct cs_header *const header = &proposal->header;
    if (!proposal->again) {
        return proposal->view == header->view && proposal->parent_view == header->parent_view;
    }
    return proposal->view > proposal->parent_view && proposal->parent_view >= header->view &&
           cs_header_closes(header);
}

static enum nv_err get_proposal(struct nv_reader *r, struct cs_proposal *proposal)
{
    uint32_t const flags = nv_get_u8(r);
    proposal->epoch = nv_get_u64(r);
    proposal->view = nv_get_u64(r);
    proposal->parent_view = nv_get_u64(r);
    NV_TRY(cs_header_get(r, &proposal->header));
    nv_get_bytes(r, proposal->sig.bytes, sizeof proposal->sig.bytes);
    NV_TRY(get_flag(r, &proposal->has_justify));
    proposal->again = flags == 1;
    if (flags > 1 || !views_right(proposal) || proposal->epoch != proposal->header.epoch ||
        proposal->header.proposer >= CS_VALIDATORS_MAX) {
        return NV_ERR_MALFORMED;
    }
    if (proposal->has_justify) {
        NV_TRY(cs_certificate_get(r, &proposal->justify));
    }
    NV_TRY(cs_evidence_list_get(r, &proposal->evidence));
    uint32_t const count = nv_get_u8(r);
    if (count > CS_PROPOSAL_CERTS_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    NV_TRY(get_certificates(r, &proposal->certificates, count));
    cs_header_hash(&proposal->block_hash, &proposal->header);
    return NV_OK;
}

static enum nv_err get_status(struct nv_reader *r, struct cs_status *status)
{
    status->epoch = nv_get_u64(r);
    status->view = nv_get_u64(r);
    status->final_height = nv_get_u64(r);
    status->final_view = nv_get_u64(r);
    nv_get_bytes(r, status->final_hash.bytes, NV_HASH_SIZE);
    status->time_ms = nv_get_u64(r);
    status->entry_kind = nv_get_u8(r);
    return status->entry_kind <= CS_FINALIZE ? NV_OK : NV_ERR_MALFORMED;
}

static enum nv_err get_cert_request(struct nv_reader *r, struct cs_cert_request *request)
{
    request->epoch = nv_get_u64(r);
    request->count = nv_get_u16(r);
    if (!r->failed && (request->count < 1 || request->count > CS_CERTS_MAX)) {
        return NV_ERR_TOO_LARGE;
    }
    for (uint32_t i = 0; i < request->count; i++) {
        request->view[i] = nv_get_u64(r);
        if (!r->failed && i > 0 && request->view[i] <= request->view[i - 1]) {
            return NV_ERR_MALFORMED;
        }
    }
    return NV_OK;
}

static enum nv_err get_block_request(struct nv_reader *r, struct cs_block_request *request)
{
    uint32_t const mode = nv_get_u8(r);
    nv_get_bytes(r, request->hash.bytes, NV_HASH_SIZE);
    request->from = nv_get_u64(r);
    request->count = nv_get_u16(r);
    request->by_hash = mode == 1;
    if (r->failed) {
        return NV_ERR_TRUNCATED;
    }
    if (request->count < 1 || request->count > CS_BLOCKS_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    bool const clean = request->by_hash ? request->from == 0 : nv_hash_is_zero(&request->hash);
    return (mode == 1 || mode == 2) && clean ? NV_OK : NV_ERR_MALFORMED;
}

static enum nv_err get_block_response(struct nv_reader *r, struct cs_block_response *response)
{
    NV_TRY(get_flag(r, &response->has_final));
    if (response->has_final) {
        NV_TRY(cs_certificate_get(r, &response->final));
        if (response->final.ballot.kind != CS_FINALIZE) {
            return NV_ERR_MALFORMED;
        }
    }
    uint32_t const count = nv_get_u16(r);
    if (count > CS_BLOCKS_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    uint32_t const start = r->at;
    for (uint32_t i = 0; i < count; i++) {
        struct cs_block skipped;
        NV_TRY(cs_block_get(r, &skipped));
    }
    response->blocks.count = count;
    response->blocks.bytes = nv_view_of(r->bytes + start, r->at - start);
    return NV_OK;
}

static enum nv_err get_body_chunk(struct nv_reader *r, struct cs_body_chunk *body_chunk)
{
    struct cs_chunk *const chunk = &body_chunk->chunk;
    nv_get_bytes(r, body_chunk->block_hash.bytes, NV_HASH_SIZE);
    chunk->index = nv_get_u32(r);
    chunk->path.depth = nv_get_u8(r);
    if (chunk->index >= CS_BODY_CHUNKS_MAX || chunk->path.depth > NV_MERKLE_PATH_MAX) {
        return NV_ERR_MALFORMED;
    }
    nv_get_bytes(r, chunk->path.sibling, chunk->path.depth * NV_HASH_SIZE);
    uint32_t const size = nv_reader_left(r);
    if (!r->failed && (size < 1 || size > CS_CHUNK_SIZE)) {
        return NV_ERR_TOO_LARGE;
    }
    chunk->bytes = nv_get_view(r, size);
    return NV_OK;
}

static enum nv_err get_body_request(struct nv_reader *r, struct cs_body_request *request)
{
    nv_get_bytes(r, request->block_hash.bytes, NV_HASH_SIZE);
    request->first = nv_get_u32(r);
    request->count = nv_get_u32(r);
    if (r->failed) {
        return NV_ERR_TRUNCATED;
    }
    bool const inside = request->first < CS_BODY_CHUNKS_MAX && request->count >= 1 &&
                        request->count <= CS_BODY_CHUNKS_MAX;
    return inside ? NV_OK : NV_ERR_MALFORMED;
}

static enum nv_err get_message(struct nv_reader *r, struct cs_message *message, uint8_t type)
{
    switch (type) {
    case CS_MSG_PROPOSAL: return get_proposal(r, &message->proposal);
    case CS_MSG_VOTE: return cs_vote_get(r, &message->vote);
    case CS_MSG_CERTIFICATE: return cs_certificate_get(r, &message->certificate);
    case CS_MSG_STATUS: return get_status(r, &message->status);
    case CS_MSG_EVIDENCE: return cs_evidence_get(r, &message->evidence);
    case CS_MSG_CERT_REQUEST: return get_cert_request(r, &message->cert_request);
    case CS_MSG_CERT_RESPONSE: {
        uint32_t const count = nv_get_u16(r);
        if (count > CS_CERTS_MAX) {
            return NV_ERR_TOO_LARGE;
        }
        return get_certificates(r, &message->cert_response.certificates, count);
    }
    case CS_MSG_BODY_CHUNK: return get_body_chunk(r, &message->body_chunk);
    case CS_MSG_BLOCK_REQUEST: return get_block_request(r, &message->block_request);
    case CS_MSG_BLOCK_RESPONSE: return get_block_response(r, &message->block_response);
    case CS_MSG_EPOCH_REQUEST: message->epoch_request.epoch = nv_get_u64(r); return NV_OK;
    case CS_MSG_EPOCH_RESPONSE: return cs_handover_get(r, &message->handover);
    case CS_MSG_BODY_REQUEST: return get_body_request(r, &message->body_request);
    default: return NV_ERR_UNSUPPORTED;
    }
}

enum nv_err cs_message_decode(struct cs_message *message, uint8_t type, struct nv_view bytes)
{
    struct nv_reader r;
    memset(message, 0, sizeof *message);
    message->type = (enum cs_message_type)type;
    if (bytes.size > CS_MESSAGE_SIZE_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    nv_reader_init(&r, bytes);
    NV_TRY(get_message(&r, message, type));
    return nv_reader_end(&r);
}

void cs_list_certificate(struct nv_reader *r, struct cs_certificate *certificate)
{
    enum nv_err const err = cs_certificate_get(r, certificate);
    NV_ASSERT(err == NV_OK);
}

void cs_list_block(struct nv_reader *r, struct cs_block *block)
{
    enum nv_err const err = cs_block_get(r, block);
    NV_ASSERT(err == NV_OK);
}
