#include "consensus/body.h"

#include "base/assert.h"

#include "base/pure.h"

_Static_assert(CS_BODY_SIZE_MAX % CS_CHUNK_SIZE == 0, "the largest body is whole chunks");

uint32_t cs_body_chunk_count(uint32_t size)
{
    NV_ASSERT(size <= CS_BODY_SIZE_MAX);
    return (size + CS_CHUNK_SIZE - 1) / CS_CHUNK_SIZE;
}

static uint32_t chunk_size(uint32_t body_size, uint32_t index)
{
    uint32_t const left = body_size - index * CS_CHUNK_SIZE;
    return left < CS_CHUNK_SIZE ? left : CS_CHUNK_SIZE;
}

struct nv_view cs_body_chunk(struct nv_view body, uint32_t index)
{
    NV_ASSERT(index < cs_body_chunk_count(body.size));
    return nv_view_of(body.bytes + index * CS_CHUNK_SIZE, chunk_size(body.size, index));
}

uint32_t cs_body_leaves(struct nv_hash *leaves, struct nv_view body)
{
    uint32_t const count = cs_body_chunk_count(body.size);
    for (uint32_t i = 0; i < count; i++) {
        nv_merkle_leaf(&leaves[i], cs_body_chunk(body, i));
    }
    return count;
}

void cs_body_root(struct nv_hash *root, struct nv_view body)
{
    struct nv_hash leaves[CS_BODY_CHUNKS_MAX];
    nv_merkle_root_of_hashes(root, leaves, cs_body_leaves(leaves, body));
}

void cs_body_path(struct nv_merkle_path *path, struct nv_view body, uint32_t index)
{
    struct nv_hash leaves[CS_BODY_CHUNKS_MAX];
    uint32_t const count = cs_body_leaves(leaves, body);
    NV_ASSERT(index < count);
    nv_merkle_path(path, leaves, count, index);
}

bool cs_body_chunk_check(const struct nv_hash *root, uint32_t size, const struct cs_chunk *chunk)
{
    struct nv_hash leaf;
    if (size > CS_BODY_SIZE_MAX || chunk->index >= cs_body_chunk_count(size) ||
        chunk->bytes.size != chunk_size(size, chunk->index)) {
        return false;
    }
    nv_merkle_leaf(&leaf, chunk->bytes);
    return nv_merkle_verify(root, &chunk->path, &leaf, cs_body_chunk_count(size), chunk->index);
}

bool cs_body_next(struct nv_reader *r, struct nv_view *transaction)
{
    if (nv_reader_left(r) == 0) {
        return false;
    }
    uint32_t const size = nv_get_u32(r);
    *transaction = nv_get_view(r, size);
    if (size == 0) {
        r->failed = true;
    }
    return !r->failed;
}

enum nv_err cs_body_check(struct nv_view body, uint32_t tx_count)
{
    struct nv_reader r;
    struct nv_view transaction;
    uint32_t count = 0;
    nv_reader_init(&r, body);
    while (cs_body_next(&r, &transaction)) {
        count++;
    }
    if (r.failed || count != tx_count) {
        return NV_ERR_MALFORMED;
    }
    return nv_reader_end(&r);
}

void cs_body_put(struct nv_writer *w, struct nv_view transaction)
{
    NV_ASSERT(transaction.size >= 1);
    nv_put_u32(w, transaction.size);
    nv_put_bytes(w, transaction.bytes, transaction.size);
}
