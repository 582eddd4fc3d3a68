#include "consensus/header.h"

#include <string.h>

#include "base/assert.h"

#include "base/pure.h"

static void put_hash(struct nv_writer *w, const struct nv_hash *hash)
{
    nv_put_bytes(w, hash->bytes, NV_HASH_SIZE);
}

static void get_hash(struct nv_reader *r, struct nv_hash *hash)
{
    nv_get_bytes(r, hash->bytes, NV_HASH_SIZE);
}

void cs_header_put(struct nv_writer *w, const struct cs_header *header)
{
    nv_put_u16(w, CS_HEADER_VERSION);
    put_hash(w, &header->chain_id);
    nv_put_u64(w, header->epoch);
    nv_put_u64(w, header->height);
    nv_put_u64(w, header->view);
    nv_put_u64(w, header->parent_view);
    put_hash(w, &header->parent_hash);
    nv_put_u16(w, header->proposer);
    nv_put_u64(w, header->time_ms);
    put_hash(w, &header->body_root);
    nv_put_u32(w, header->body_size);
    nv_put_u32(w, header->tx_count);
    nv_put_u64(w, header->executed_height);
    put_hash(w, &header->state_root);
    put_hash(w, &header->justify_hash);
    put_hash(w, &header->evidence_root);
    put_hash(w, &header->valset_hash);
    put_hash(w, &header->next_valset_hash);
    put_hash(w, &header->params_hash);
}

enum nv_err cs_header_get(struct nv_reader *r, struct cs_header *header)
{
    uint32_t const version = nv_get_u16(r);
    memset(header, 0, sizeof *header);
    get_hash(r, &header->chain_id);
    header->epoch = nv_get_u64(r);
    header->height = nv_get_u64(r);
    header->view = nv_get_u64(r);
    header->parent_view = nv_get_u64(r);
    get_hash(r, &header->parent_hash);
    header->proposer = nv_get_u16(r);
    header->time_ms = nv_get_u64(r);
    get_hash(r, &header->body_root);
    header->body_size = nv_get_u32(r);
    header->tx_count = nv_get_u32(r);
    header->executed_height = nv_get_u64(r);
    get_hash(r, &header->state_root);
    get_hash(r, &header->justify_hash);
    get_hash(r, &header->evidence_root);
    get_hash(r, &header->valset_hash);
    get_hash(r, &header->next_valset_hash);
    get_hash(r, &header->params_hash);
    if (r->failed) {
        return NV_ERR_TRUNCATED;
    }
    return version == CS_HEADER_VERSION ? NV_OK : NV_ERR_VERSION;
}

void cs_header_hash(struct nv_hash *out, const struct cs_header *header)
{
    uint8_t bytes[CS_HEADER_SIZE];
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_header_put(&w, header);
    NV_ASSERT(!w.overflow);
    NV_ASSERT(w.size == CS_HEADER_SIZE);
    struct nv_view const part = nv_writer_view(&w);
    nv_tagged_hash(out, "novate/header/v1", &part, 1);
}

bool cs_header_closes(const struct cs_header *header)
{
    return !nv_hash_is_zero(&header->next_valset_hash);
}
